//! A few whole answers, byte for byte: what a client has to parse.

use chaos_sim::{Power, Sim, VmSpec};

use crate::client::{COLLECTOR, Client, spec};

async fn fixed() -> (Sim, Client) {
    let builder = Sim::builder().seed(7).paused().starts_at("2026-01-02T03:04:05Z".parse().unwrap());
    let sim = builder.vm(VmSpec::new("it")).start().await.unwrap();
    let client = Client::login(&sim).await;
    (sim, client)
}

/// One element a line.
fn lines(text: &str) -> String {
    text.replace("><", ">\n<")
}

#[tokio::test]
async fn service_content() {
    let (_sim, client) = fixed().await;
    let answer = client.ask("RetrieveServiceContent", ("ServiceInstance", "ServiceInstance"), "").await;
    insta::assert_snapshot!(lines(answer.text()));
}

#[tokio::test]
async fn a_vm() {
    let (sim, client) = fixed().await;
    let id = format!("vm-{}", sim.world().vm("web-01").unwrap().id.0);
    let paths = ["name", "runtime", "summary.config", "guest", "disabledMethod", "parent"];
    let inside = format!("{}<options></options>", spec("VirtualMachine", &id, &paths));
    insta::assert_snapshot!(lines(client.ask("RetrievePropertiesEx", COLLECTOR, &inside).await.text()));
}

#[tokio::test]
async fn a_task_that_failed() {
    let (sim, client) = fixed().await;
    let vm = sim.world().set_power("it", Power::Off).unwrap();
    let task = client.on_vm("PowerOffVM_Task", vm.id.0).await.first("returnval").unwrap();
    sim.world().settle();
    let inside = format!("{}<options></options>", spec("Task", &task, &["info"]));
    insta::assert_snapshot!(lines(client.ask("RetrievePropertiesEx", COLLECTOR, &inside).await.text()));
}

#[tokio::test]
async fn a_fault() {
    let (_sim, client) = fixed().await;
    insta::assert_snapshot!(lines(client.on_vm("PowerOffVM_Task", 99_999).await.text()));
}
