//! A simulated Dora service on a wire that fails, and in the eyes of the control door.

use std::time::Duration;

use chaos_sim::{Outcome, WireAction, WireFault};
use hyper::Method;
use serde_json::Value;

use crate::client::Client;
use crate::dora::{dora, get, token};

#[tokio::test]
async fn a_fault_strikes_the_call_that_it_names() {
    let sim = dora().start().await.unwrap();
    let status = WireAction::Status { code: 503, retry_after: Some(7), after_effect: false };
    sim.inject(WireFault::new(status).method("GetHypervisors"));
    sim.inject(WireFault::new(WireAction::ResetAfter).method("GetVirtualMachines"));
    let token = token(&sim).await;
    let hypervisors = format!("/v1/GetHypervisors/{token}/OracleQA/ORA-DEV");
    let vms = format!("/v1/GetVirtualMachines/{token}/OracleQA/ORA-DEV");
    let refused = get(&sim, &hypervisors).await;
    assert_eq!((refused.status, refused.headers["retry-after"].to_str().unwrap()), (503, "7"));
    let lost = Client::stranger(&sim).send(Method::GET, &vms, String::new(), &[]).await;
    assert!(lost.is_err(), "{lost:?}");
    assert_eq!(sim.calls_of("GetVirtualMachines")[0].outcome, Outcome::Broken("reset_after"));
    for path in [&hypervisors, &vms] {
        assert_eq!(get(&sim, path).await.status, 200, "it strikes once");
    }
}

#[tokio::test]
async fn the_control_door_lists_and_ends_its_sessions_and_tells_no_secret() {
    let sim = dora().credentials("ann", "canary-password").start().await.unwrap();
    let login = get(&sim, "/v1/GetLoginToken/ann/canary-password").await;
    let told: Value = serde_json::from_slice(&login.bytes).unwrap();
    let token = told["token"].as_str().unwrap();
    let listing = format!("/v1/GetHypervisors/{token}/OracleQA/ORA-DEV?host_filter=%5Eesx&listing_only=true");
    assert_eq!(get(&sim, &listing).await.status, 200);
    assert_eq!(get(&sim, "/v1/GetLoginToken/ann/canary-wrong").await.status, 401);

    let sessions = get(&sim, "/sim/sessions").await;
    let listed: Value = serde_json::from_slice(&sessions.bytes).unwrap();
    assert_eq!((&listed[0]["user"], &listed[0]["calls"]), (&Value::from("ann"), &Value::from(1)));
    let calls = get(&sim, "/sim/calls").await;
    for shown in [sessions.text(), calls.text(), &format!("{sim:?}")] {
        assert!(!shown.contains("canary") && !shown.contains(token), "{shown}");
    }
    let listed: Value = serde_json::from_slice(&calls.bytes).unwrap();
    assert_eq!(listed[1]["query"], "host_filter=^esx&listing_only=true");

    let ended = Client::stranger(&sim).send(Method::DELETE, "/sim/sessions/ann", String::new(), &[]).await.unwrap();
    assert_eq!(ended.text().trim(), r#"{"ended":1}"#);
    assert_eq!(get(&sim, &listing).await.status, 401);
}

#[tokio::test]
async fn a_token_that_is_too_old_is_no_session() {
    let sim = dora().paused().dora_token_life(Duration::from_mins(10)).start().await.unwrap();
    let old = token(&sim).await;
    sim.world().step(Duration::from_mins(11));
    let path = format!("/v1/GetHypervisors/{old}/OracleQA/ORA-DEV");
    assert_eq!(get(&sim, &path).await.status, 401);
    assert_eq!(sim.calls_of("GetHypervisors")[0].session, None);
    assert_eq!((sim.sessions().len(), sim.kill_sessions()), (0, 0));
}
