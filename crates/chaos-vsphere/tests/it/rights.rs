//! What the account may do, as the server tells it.

use std::time::Duration;

use chaos_core::{Context, ErrorKind, Operation, Platform, PlatformExt, PowerRights, Selector, VMRef};
use chaos_sim::{Estate, Flavour, Role, Sim, VmSpec, WireAction, WireFault};
use chaos_vsphere::{Config, VSphere};

use crate::scripted::Scripted;

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

#[tokio::test]
async fn a_server_that_does_not_tell_is_no_server_that_forbids() {
    // Without an authorization manager there is nobody to ask.
    let without = Scripted::start().await;
    let vsphere = without.connect().await;
    let vm = VMRef::new(vsphere.identity(), "vm-1");
    let asked = without.called().await.len();
    assert_eq!(vsphere.power_rights(&cx(), &[vm]).await.unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(without.called().await.len(), asked);
    vsphere.disconnect(&cx()).await.unwrap();

    let sim = Sim::builder().estate(Estate::of_size(2)).user("root", "pw", Role::Administrator).start().await.unwrap();
    let vsphere = VSphere::connect(&cx(), Config::new(sim.url(), "root", "pw".into())).await.unwrap();
    let vms = vsphere.discover(&cx(), &Selector::all()).await.unwrap().vms;
    let vms: Vec<VMRef> = vms.iter().map(|vm| vsphere.vm_ref(vm)).collect();
    let unknown = WireAction::SoapFault { fault: "NotSupported".into() };
    sim.inject(WireFault::new(unknown).method("HasPrivilegeOnEntities").always());
    assert_eq!(vsphere.power_rights(&cx(), &vms).await.unwrap_err().kind(), ErrorKind::Unsupported);
    vsphere.disconnect(&cx()).await.unwrap();
}
