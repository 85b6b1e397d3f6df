//! Two platforms over one world, at one address.

use chaos_sim::{Door, Power, Sim, Timing, WireAction, WireFault};
use hyper::Method;

use super::{API, Api, id_of};
use crate::client::Client;

async fn both() -> Sim {
    Sim::builder().doors([Door::VSphere, Door::Olvm]).timing(Timing::fast()).paused().start().await.unwrap()
}

#[tokio::test]
async fn what_one_client_does_the_other_sees() {
    let sim = both().await;
    let (vsphere, engine) = (Client::login(&sim).await, Api::login(&sim).await);
    let vm = sim.world().vm("web-01").unwrap().id;
    assert_eq!(vsphere.on_vm("SuspendVM_Task", vm.0).await.status, 200);
    sim.world().settle();
    let id = id_of(&sim, "web-01");
    assert_eq!(engine.status(&id).await.as_deref(), Some("suspended"));
    assert_eq!(engine.act(&id, "stop", "<action/>").await.status, 200);
    let power = vsphere.property("VirtualMachine", &format!("vm-{}", vm.0), "runtime.powerState").await;
    assert_eq!(power.as_deref(), Some("poweredOff"));
    assert_eq!(engine.codes(&id).await, [503, 33, 61]);
    assert_eq!(sim.sessions().len(), 2);
    assert_eq!((sim.kill_sessions(), sim.sessions().len()), (2, 0));
}

#[tokio::test]
async fn a_soap_fault_strikes_no_engine() {
    let sim = both().await;
    let (vsphere, engine) = (Client::login(&sim).await, Api::login(&sim).await);
    let fault = || WireFault::new(WireAction::SoapFault { fault: "SystemError".into() });
    sim.inject(fault());
    assert_eq!(engine.get("/vms").await.status, 200);
    sim.inject(fault());
    let vm = sim.world().vm("web-01").unwrap().id.0;
    assert_eq!(vsphere.on_vm("PowerOffVM_Task", vm).await.fault().as_deref(), Some("SystemError"));
}

#[tokio::test]
async fn a_door_that_was_not_opened_is_not_there() {
    let vsphere = Sim::builder().start().await.unwrap();
    let answer = Client::stranger(&vsphere).send(Method::GET, API, String::new(), &[]).await.unwrap();
    assert_eq!(answer.status, 404);
    let engine = Sim::builder().olvm().start().await.unwrap();
    let answer = Client::stranger(&engine).send(Method::POST, "/sdk", "<a/>".into(), &[]).await.unwrap();
    assert!(answer.status == 404 && answer.text().contains("<body>Not Found</body>"));
}

#[tokio::test]
async fn the_control_door_knows_vms_by_their_ids_in_the_engine() {
    let sim = both().await;
    let door = Client::stranger(&sim);
    let id = id_of(&sim, "web-01");
    let patch = r#"{"condition": "paused", "hold": "snapshot", "hold_for": 2, "disks": "ready"}"#;
    let answer = door.send(Method::PATCH, &format!("/sim/vms/{id}"), patch.into(), &[]).await.unwrap();
    let told: serde_json::Value = serde_json::from_slice(&answer.bytes).unwrap();
    assert_eq!((&told["uuid"], &told["name"]), (&id.as_str().into(), &"web-01".into()));
    assert_eq!((&told["condition"], &told["hold"]), (&"paused".into(), &"snapshot".into()));
    let log = door.send(Method::GET, "/sim/log", String::new(), &[]).await.unwrap();
    assert!(log.text().contains("Became"), "{}", log.text());
    let odd = r#"{"name": "odd", "power": "off", "disks": "broken", "threads": 2, "cpus": 4, "has_next_run": true}"#;
    assert_eq!(door.send(Method::POST, "/sim/vms", odd.into(), &[]).await.unwrap().status, 200);
    let odd = sim.world().vm("odd").unwrap();
    assert_eq!((odd.power, odd.threads, odd.cores(), odd.has_next_run), (Power::Off, 2, 2, true));
}

#[tokio::test]
async fn vms_that_come_after_others_have_gone_are_found_by_their_ids() {
    let sim = both().await;
    let engine = Api::login(&sim).await;
    let old = id_of(&sim, "web-01");
    assert_eq!(engine.status(&old).await.as_deref(), Some("up"));
    sim.world().remove("web-01").unwrap();
    assert_eq!(engine.get(&format!("/vms/{old}")).await.status, 404);
    sim.world().add(&chaos_sim::VmSpec::new("new")).unwrap();
    assert_eq!(engine.status(&id_of(&sim, "new")).await.as_deref(), Some("up"));
}
