//! How long a login lives, by token or by cookie.

use std::time::Duration;

use chaos_sim::{Sim, WireAction, WireFault};
use hyper::Method;

use super::{API, Api, builder, pass};
use crate::client::{Answer, Client};

/// `chaos@internal:chaos` in base64.
const BASIC: (&str, &str) = ("authorization", "Basic Y2hhb3NAaW50ZXJuYWw6Y2hhb3M=");
const PERSISTENT: (&str, &str) = ("prefer", "persistent-auth");

async fn send(sim: &Sim, headers: &[(&'static str, &str)]) -> Answer {
    Client::stranger(sim).send(Method::GET, API, String::new(), headers).await.unwrap()
}

/// The value of the cookie that an answer sets, without what is said of it.
fn cookie(answer: &Answer) -> String {
    answer.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn an_idle_token_dies_and_a_used_one_does_not() {
    let sim = builder().session_idle_limit(Duration::from_mins(30)).start().await.unwrap();
    let (used, idle) = (Api::login(&sim).await, Api::login(&sim).await);
    for _ in 0..3 {
        pass(&sim, 29 * 60);
        assert_eq!(used.get("").await.status, 200);
    }
    assert_eq!(idle.get("").await.status, 401);
    pass(&sim, 30 * 60 + 1);
    assert_eq!(used.get("").await.status, 401);
    assert!(sim.sessions().is_empty());
}

#[tokio::test]
async fn basic_logs_in_for_each_request_and_keeps_a_session_on_demand() {
    let sim = builder().start().await.unwrap();
    let answer = send(&sim, &[BASIC]).await;
    assert_eq!((answer.status, answer.headers.get("set-cookie"), sim.sessions().len()), (200, None, 0));
    let wrong = send(&sim, &[("authorization", "Basic Y2hhb3M6eA==")]).await;
    assert!(wrong.status == 401 && wrong.text().contains("<body>access_denied: Cannot authenticate user"));

    let kept = send(&sim, &[BASIC, PERSISTENT]).await;
    let said = kept.headers["set-cookie"].to_str().unwrap();
    assert!(said.starts_with("JSESSIONID=") && said.ends_with("; path=/ovirt-engine/api; secure; HttpOnly"), "{said}");
    assert_eq!((&kept.headers["session-ttl"], sim.sessions().len()), (&"30".parse().unwrap(), 1));
    let cookie = cookie(&kept);
    for _ in 0..2 {
        assert_eq!(send(&sim, &[("cookie", &cookie), PERSISTENT]).await.status, 200);
    }
    // Without the header it is the last request of the session.
    assert_eq!((send(&sim, &[("cookie", &cookie)]).await.status, sim.sessions().len()), (200, 0));
    assert_eq!(send(&sim, &[("cookie", &cookie), PERSISTENT]).await.status, 401);
}

#[tokio::test]
async fn a_guarded_session_wants_its_id_in_a_header_too() {
    let sim = builder().start().await.unwrap();
    let kept = send(&sim, &[BASIC, ("prefer", "persistent-auth, csrf-protection")]).await;
    let cookie = cookie(&kept);
    let id = cookie.strip_prefix("JSESSIONID=").unwrap();
    assert_eq!(send(&sim, &[("cookie", &cookie), PERSISTENT]).await.status, 403);
    assert_eq!(send(&sim, &[("cookie", &cookie), PERSISTENT, ("jsessionid", id)]).await.status, 200);
}

#[tokio::test]
async fn a_new_login_can_be_asked_for_beside_a_live_session() {
    let sim = builder().start().await.unwrap();
    let first = cookie(&send(&sim, &[BASIC, PERSISTENT]).await);
    let answer = send(&sim, &[BASIC, ("cookie", &first), ("prefer", "persistent-auth, new-auth")]).await;
    assert!(cookie(&answer) != first && sim.sessions().len() == 2);
}

#[tokio::test]
async fn sessions_are_told_and_ended_one_by_one_or_all() {
    let sim = builder().start().await.unwrap();
    let api = Api::login(&sim).await;
    api.get("").await;
    let told = sim.sessions();
    assert_eq!((told.len(), told[0].user.as_str(), told[0].calls), (1, "chaos@internal", 1));
    assert_eq!(sim.calls_of("api")[0].session.as_deref(), Some(told[0].key.as_str()));
    sim.inject(WireFault::new(WireAction::KillSession).method("vms"));
    assert_eq!((api.get("/vms").await.status, sim.sessions().len()), (401, 0));
    Api::login(&sim).await;
    assert_eq!(sim.kill_sessions(), 1);
}
