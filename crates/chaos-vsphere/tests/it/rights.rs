//! What the account may do, as the server tells it.

use std::time::Duration;

use chaos_core::{Context, Operation, Platform, PlatformExt, PowerRights, Selector, VMRef};
use chaos_sim::{Estate, Flavour, Role, Sim, VmSpec};
use chaos_vsphere::{Config, VSphere};

fn cx() -> Context {
    Context::with_timeout(Duration::from_secs(30))
}

/// The rights of a user on all VMs, and how many requests it took to learn them.
async fn rights(sim: &Sim, user: &str) -> (PowerRights, usize) {
    let vsphere = VSphere::connect(&cx(), Config::new(sim.url(), user, "pw".into())).await.unwrap();
    let vms = vsphere.discover(&cx(), &Selector::all()).await.unwrap().vms;
    let vms: Vec<VMRef> = vms.iter().map(|vm| vsphere.vm_ref(vm)).collect();
    sim.clear_calls();
    let rights = vsphere.power_rights(&cx(), &vms).await.unwrap();
    let requests = sim.calls().len();
    vsphere.disconnect(&cx()).await.unwrap();
    (rights, requests)
}

#[tokio::test]
async fn a_server_tells_what_an_account_may_do_in_two_requests() {
    for flavour in [Flavour::VCenter, Flavour::Esxi] {
        let vms = [VmSpec::new("open"), VmSpec::new("hidden")];
        let builder = Sim::builder().flavour(flavour).estate(Estate::of_size(0)).restricted_vm("hidden");
        let builder = vms.into_iter().fold(builder, chaos_sim::Builder::vm);
        let builder = builder.user("root", "pw", Role::Administrator).user("operator", "pw", Role::Operator);
        let sim = builder.user("looker", "pw", Role::ReadOnly).start().await.unwrap();
        for (user, granted) in [("root", 2), ("operator", 1), ("looker", 0)] {
            let (rights, requests) = rights(&sim, user).await;
            assert_eq!((rights.vms, rights.rights.len(), requests), (2, 4, 2), "{user}");
            assert!(rights.rights.iter().all(|right| right.granted == granted), "{user}: {rights:?}");
            assert_eq!(rights.lacking().count(), if granted == 2 { 0 } else { 4 });
            let reboot = rights.rights.iter().find(|right| right.operation == Operation::Reboot).unwrap();
            assert_eq!(reboot.privilege, "VirtualMachine.Interact.Reset");
        }
    }
}
