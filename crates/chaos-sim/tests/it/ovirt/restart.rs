//! A restart of the engine, seen from outside.

use std::time::Duration;

use chaos_sim::Sim;
use hyper::Method;
use serde_json::json;

use super::{API, Api, ask_for_token, pass, plain};
use crate::client::Client;

async fn seen(sim: &Sim, api: &Api) -> Vec<(u16, String)> {
    let login = ask_for_token(&api.client, "chaos@internal", "chaos").await;
    let health = api.client.send(Method::GET, "/ovirt-engine/services/health", String::new(), &[]).await.unwrap();
    let answers =
        [api.get("/vms").await, api.act(&super::id_of(sim, "web-01"), "stop", "<action/>").await, login, health];
    answers.iter().map(|answer| (answer.status, answer.text().to_owned())).collect()
}

#[tokio::test]
async fn it_is_503_then_404_as_pages_and_then_all_tokens_are_dead() {
    let (sim, api) = plain().await;
    sim.restart_engine(Duration::from_mins(1), Duration::from_secs(30));
    for (status, text) in seen(&sim, &api).await {
        assert!(status == 503 && text.contains("<title>503 Service Unavailable</title>"), "{status} {text}");
    }
    pass(&sim, 60);
    for (status, text) in seen(&sim, &api).await {
        assert!(status == 404 && text == "<html><head><title>Error</title></head><body>Not Found</body></html>");
    }
    pass(&sim, 30);
    let statuses: Vec<u16> = seen(&sim, &api).await.into_iter().map(|(status, _)| status).collect();
    assert_eq!(statuses, [401, 401, 200, 200]);
    assert_eq!(sim.world().vm("web-01").unwrap().operations, 0);
}

#[tokio::test]
async fn another_process_can_restart_it_too() {
    let (sim, api) = plain().await;
    let door = Client::stranger(&sim);
    let body = json!({"down": 5, "deploying": 5}).to_string();
    assert_eq!(door.send(Method::POST, "/sim/engine/restart", body, &[]).await.unwrap().status, 200);
    let answer = door.send(Method::GET, API, String::new(), &[]).await.unwrap();
    assert_eq!(answer.headers["content-type"], "text/html; charset=iso-8859-1");
    pass(&sim, 10);
    assert_eq!(api.get("").await.status, 401);
}
