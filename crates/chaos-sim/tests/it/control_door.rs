//! The control door, as another process uses it.

use chaos_sim::{Power, Sim};
use hyper::Method;
use serde_json::{Value, json};

use crate::client::Client;

async fn ask(client: &Client, method: Method, path: &str, body: Value) -> (u16, Value) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let answer = client.send(method, &format!("/sim/{path}"), body, &[]).await.unwrap();
    (answer.status, serde_json::from_slice(&answer.bytes).unwrap_or(Value::Null))
}

#[tokio::test]
async fn another_process_can_do_what_a_test_can() {
    let sim = Sim::builder().paused().start().await.unwrap();
    let door = Client::stranger(&sim);
    let (_, world) = ask(&door, Method::GET, "world", Value::Null).await;
    assert_eq!(world["vms"], 11);

    let spec = json!({"name": "a/b ü", "folder": "x", "power": "off", "guest": {"tools": "stopped"}});
    let (status, added) = ask(&door, Method::POST, "vms", spec.clone()).await;
    assert_eq!((status, &added["path"]), (200, &json!("/demo/x/a/b ü")));
    assert_eq!(ask(&door, Method::POST, "vms", spec).await.0, 409);
    let vm = "vms/a%2Fb%20%C3%BC";
    let patch = json!({"power": "on", "guest": {"on_shutdown": "hangs", "shutdown": 1.5}});
    let (_, patched) = ask(&door, Method::PATCH, vm, patch).await;
    assert_eq!((&patched["power"], &patched["guest"]["shutdown"]), (&json!("on"), &json!(1.5)));
    assert_eq!(ask(&door, Method::DELETE, vm, Value::Null).await.0, 200);
    assert_eq!(ask(&door, Method::GET, vm, Value::Null).await.0, 404);

    ask(&door, Method::POST, "tasks/fail", json!({"vm": "web-01", "failure": "out_of_resources"})).await;
    let client = Client::login(&sim).await;
    client.on_vm("PowerOffVM_Task", sim.world().vm("web-01").unwrap().id.0).await;
    let (_, clock) = ask(&door, Method::POST, "clock", json!({"step": 10.5})).await;
    assert_eq!(clock["elapsed"], 10.5);
    let (_, tasks) = ask(&door, Method::GET, "tasks", Value::Null).await;
    assert_eq!(tasks[0]["state"], "Failed(OutOfResources)");
    assert_eq!(sim.world().vm("web-01").unwrap().power, Power::On);

    ask(&door, Method::POST, "faults", json!({"method": "Logout", "action": {"type": "html", "code": 502}})).await;
    assert_eq!(ask(&door, Method::GET, "faults", Value::Null).await.1[0]["count"], 1);
    let logout = client.ask("Logout", ("SessionManager", "SessionManager"), "").await;
    assert_eq!(logout.status, 502);
    assert_eq!(ask(&door, Method::DELETE, "sessions/nobody", Value::Null).await.1["ended"], 0);
    assert_eq!(ask(&door, Method::DELETE, "sessions/chaos", Value::Null).await.1["ended"], 1);
    let (_, calls) = ask(&door, Method::GET, "calls", Value::Null).await;
    let told: Vec<_> = calls.as_array().unwrap().iter().map(|call| (&call["method"], &call["outcome"])).collect();
    assert_eq!(told[2], (&json!("Logout"), &json!({"broken": "html"})));
}

#[tokio::test]
async fn absurd_durations_neither_break_the_world_nor_its_clock() {
    let sim = Sim::builder().start().await.unwrap();
    let door = Client::stranger(&sim);
    let slow = json!({"guest": {"boot": 1e19}});
    assert_eq!(ask(&door, Method::PATCH, "vms/batch-01", slow).await.0, 200);
    let client = Client::login(&sim).await;
    client.on_vm("PowerOnVM_Task", sim.world().vm("batch-01").unwrap().id.0).await;
    for _ in 0..2 {
        assert_eq!(ask(&door, Method::POST, "clock", json!({"step": 1e19, "speed": 1e300})).await.0, 200);
    }
    assert_eq!(ask(&door, Method::GET, "vms/batch-01", Value::Null).await.1["power"], "on");
}

#[tokio::test]
async fn mistakes_are_told_in_words() {
    let sim = Sim::builder().start().await.unwrap();
    let door = Client::stranger(&sim);
    for (method, path, body, status, word) in [
        (Method::POST, "vms", json!({"nmae": "x"}), 400, "nmae"),
        (Method::POST, "vms", json!({"name": "x", "host": "nowhere"}), 422, "nowhere"),
        (Method::PATCH, "vms/web-01", json!({"power": "purple"}), 400, "purple"),
        (Method::PATCH, "hosts/nowhere", json!({"state": "up"}), 404, "nowhere"),
        (Method::POST, "clock", json!({"step": -1}), 400, "negative"),
        (Method::GET, "nonsense", Value::Null, 404, "/sim/"),
    ] {
        let (answered, value) = ask(&door, method, path, body).await;
        let words = value["error"].as_str().unwrap_or_default();
        assert!(answered == status && words.contains(word), "{path}: {answered} {words}");
    }
    let help = door.send(Method::GET, "/sim/", String::new(), &[]).await.unwrap();
    assert!(help.text().contains("POST   /sim/faults"));
}
