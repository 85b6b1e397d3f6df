//! What a client sees of a simulated Dora service.

use std::time::Duration;

use chaos_sim::{Builder, Door, Estate, Operation, Power, Role, Sim, Timing, VmSpec, WireAction, WireFault};
use hyper::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Client};

pub(crate) fn dora() -> Builder {
    Sim::builder().doors([Door::VSphere, Door::Dora]).timing(Timing::fast())
}

pub(crate) async fn get(sim: &Sim, path: &str) -> Answer {
    Client::stranger(sim).send(Method::GET, path, String::new(), &[]).await.unwrap()
}

pub(crate) async fn token(sim: &Sim) -> String {
    let answer = get(sim, "/v1/GetLoginToken/chaos/chaos").await;
    let told: Value = serde_json::from_slice(&answer.bytes).unwrap();
    told["token"].as_str().expect("a token").to_owned()
}

/// The items of a listing.
pub(crate) async fn list(sim: &Sim, token: &str, what: &str) -> Vec<Value> {
    let (kind, rest) = what.split_once(' ').unwrap();
    let answer = get(sim, &format!("/v1/Get{kind}/{token}/OracleQA/{rest}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let told: Value = serde_json::from_slice(&answer.bytes).unwrap();
    told["items"].as_array().expect("items").clone()
}

fn names(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["name"].as_str().or(item.as_str()).unwrap()).collect()
}

#[tokio::test]
async fn an_account_gets_a_token_and_others_get_none() {
    let sim = dora().credentials("ann/b", "p w%41/..").start().await.unwrap();
    let right = get(&sim, "/v1/GetLoginToken/ann%2Fb/p%20w%2541%2F..").await;
    assert_eq!(right.status, 200, "{}", right.text());
    for wrong in ["/v1/GetLoginToken/ann%2Fb/x", "/v1/GetLoginToken/bob/x", "/v1/GetLoginToken/ann/b/p%20w%2541%2F.."] {
        let answer = get(&sim, wrong).await;
        assert!(matches!(answer.status, 401 | 404) && !answer.text().contains("token\""), "{wrong}: {}", answer.text());
    }
    let posted = Client::stranger(&sim).send(Method::POST, "/v1/GetLoginToken/ann%2Fb/x", String::new(), &[]).await;
    assert_eq!(posted.unwrap().status, 405);
    let recorded = format!("{:?} {sim:?}", sim.calls());
    assert!(!recorded.contains("p w") && !recorded.contains("p%20w"), "{recorded}");
    assert_eq!(sim.calls_of("GetLoginToken").len(), 5 - 1, "the one with a part too many is none");
}

#[tokio::test]
async fn a_vm_is_shown_as_the_vcenter_has_it() {
    let sim = dora().estate(Estate::demo()).start().await.unwrap();
    let token = token(&sim).await;
    let vms = list(&sim, &token, "VirtualMachines ORA-DEV?listing_only=false").await;
    let shown = vms.iter().find(|vm| vm["name"] == "web-01").unwrap();
    let vm = sim.world().vm("web-01").unwrap();
    assert_eq!(shown["managedObjRef"], format!("vm-{}", vm.id.0));
    assert_eq!(shown["state"], "poweredOn");
    assert_eq!((shown["cpus"].as_u64(), shown["memMb"].as_u64()), (Some(vm.cpus.into()), Some(vm.memory_mb.into())));
    assert!(shown["host"].as_str().unwrap().starts_with("/demo/host/frontend/esx-f"), "{shown}");
    assert_eq!(shown["path"], "/demo/vm/web", "as the vCenter has it");
    let hosts = list(&sim, &token, "Hypervisors ORA-DEV?listing_only=false&host_filter=").await;
    assert_eq!(hosts.len(), sim.world().hosts().len());
    assert!(hosts[0]["ip_address"].is_string() && hosts[0]["type"].is_string() && hosts[0]["status"].is_string());
    assert!(!names(&vms).contains(&"golden-image"), "templates are no VMs");
}

#[tokio::test]
async fn path_filter_and_listing_mode_choose() {
    let sim = dora().estate(Estate::demo()).start().await.unwrap();
    let token = token(&sim).await;
    let all = list(&sim, &token, "VirtualMachines demo").await.len();
    assert_eq!(list(&sim, &token, "VirtualMachines ORA-DEV").await.len(), all);
    let front = list(&sim, &token, "VirtualMachines demo/frontend?listing_only=true").await;
    assert!(front.iter().all(Value::is_string) && front.len() < all && !front.is_empty(), "{front:?}");
    assert_eq!(list(&sim, &token, "VirtualMachines frontend?listing_only=true").await, front, "by the cluster's name");
    let filtered = list(&sim, &token, "Hypervisors demo?host_filter=%5Eesx-f").await;
    assert!(names(&filtered).iter().all(|name| name.starts_with("esx-f")) && !filtered.is_empty());
    assert!(list(&sim, &token, "VirtualMachines elsewhere").await.is_empty());
    assert_eq!(get(&sim, &format!("/v1/GetHypervisors/{token}/OtherVC/demo")).await.status, 404);
    assert_eq!(get(&sim, &format!("/v1/GetHypervisors/{token}/OracleQA/demo?host_filter=(")).await.status, 400);
    assert_eq!(get(&sim, &format!("/v1/GetSomething/{token}")).await.status, 404);
}

#[tokio::test]
async fn older_servers_answer_with_a_bare_list() {
    let sim = dora().dora_bare_lists().dora_vcenter("SiteVC", "all").start().await.unwrap();
    let token = token(&sim).await;
    let answer = get(&sim, &format!("/v1/GetVirtualMachines/{token}/SiteVC/all")).await;
    assert!(serde_json::from_slice::<Value>(&answer.bytes).unwrap().is_array());
}

#[tokio::test]
async fn a_token_dies_of_age_and_by_the_control_door() {
    let sim = dora().paused().dora_token_life(Duration::from_mins(10)).start().await.unwrap();
    let old = token(&sim).await;
    sim.world().step(Duration::from_mins(11));
    assert_eq!(get(&sim, &format!("/v1/GetHypervisors/{old}/OracleQA/demo")).await.status, 401);
    let new = token(&sim).await;
    assert_eq!(sim.sessions().len(), 1, "{:?}", sim.sessions());
    assert_eq!(sim.kill_sessions(), 1);
    assert_eq!(get(&sim, &format!("/v1/GetHypervisors/{new}/OracleQA/demo")).await.status, 401);
    sim.inject(WireFault::new(WireAction::KillSession).method("GetVirtualMachines"));
    let killed = token(&sim).await;
    assert_eq!(get(&sim, &format!("/v1/GetVirtualMachines/{killed}/OracleQA/demo")).await.status, 401);
    let recorded = serde_json::to_string(&sim.calls()).unwrap();
    assert!(![old, new, killed].iter().any(|token| recorded.contains(token.as_str())), "{recorded}");
}

#[tokio::test]
async fn everybody_may_read() {
    let sim = dora().user("looker", "pw", Role::ReadOnly).start().await.unwrap();
    assert_eq!(get(&sim, "/v1/GetLoginToken/looker/pw").await.status, 200);
}

#[tokio::test]
async fn a_change_of_power_is_seen_late_by_the_worlds_clock() {
    let vms = [VmSpec::new("on"), VmSpec::new("off").power(Power::Off), VmSpec::new("asleep").power(Power::Suspended)];
    let builder = dora().paused().estate(Estate::of_size(0));
    let builder = vms.into_iter().fold(builder, Builder::vm);
    let sim = builder.dora_staleness(Duration::from_secs(30), Duration::from_mins(1)).start().await.unwrap();
    let token = token(&sim).await;
    let states = || async {
        let items = list(&sim, &token, "VirtualMachines ORA-DEV").await;
        let mut states: Vec<_> = items.iter().map(|vm| json!([vm["name"], vm["state"]]).to_string()).collect();
        states.sort_unstable();
        states.join(" ")
    };
    let before = states().await;
    assert_eq!(before, r#"["asleep","suspended"] ["off","poweredOff"] ["on","poweredOn"]"#);
    for (vm, operation) in [("on", Operation::PowerOff), ("off", Operation::PowerOn), ("asleep", Operation::PowerOn)] {
        let id = sim.world().vm(vm).unwrap().id;
        sim.world().operate(id, operation, "test").unwrap();
    }
    sim.world().step(Duration::from_secs(20));
    assert_eq!(sim.world().vm("on").unwrap().power, Power::Off, "it happened");
    assert_eq!(states().await, before, "nobody heard of it");
    sim.world().step(Duration::from_secs(45));
    assert_eq!(states().await, r#"["asleep","poweredOn"] ["off","poweredOn"] ["on","poweredOff"]"#);
}
