//! The token of a session is in nothing that anybody could read.

use std::time::Duration;

use chaos_core::{Context, Platform, Selector};
use chaos_olvm::{Config, Olvm};
use chaos_testkit::{CapturedLogs, find_secret};
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const TOKEN: &str = "canary-token_5f2a7c91";

#[tokio::test]
async fn the_token_is_sent_and_shown_nowhere() {
    let logs = CapturedLogs::start();
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200)
        .set_body_raw(format!(r#"{{"access_token":"{TOKEN}","token_type":"bearer"}}"#), "application/json");
    Mock::given(method("POST"))
        .and(path("/ovirt-engine/sso/oauth/token"))
        .and(header("accept", "application/json"))
        .respond_with(answer)
        .expect(1)
        .mount(&server)
        .await;
    let page = ResponseTemplate::new(500).set_body_raw("<html><body>broken</body></html>", "text/html");
    Mock::given(method("GET"))
        .and(header("authorization", format!("Bearer {TOKEN}")))
        .respond_with(page)
        .expect(4..)
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .and(path("/ovirt-engine/services/sso-logout"))
        .respond_with(ResponseTemplate::new(200).set_body_raw("{}", "application/json"))
        .expect(1)
        .mount(&server)
        .await;
    let cx = Context::with_timeout(Duration::from_secs(30));
    let olvm = Olvm::connect(&cx, Config::new(server.uri(), "chaos@internal", "secret".into())).await.unwrap();
    let error = olvm.discover(&cx, &Selector::all()).await.unwrap_err();
    olvm.disconnect(&cx).await.unwrap();
    let seen = format!("{olvm:?} {error:?} {} {}", error.with_causes(), logs.text());
    assert!(seen.contains("POST sso/oauth/token"), "the log is on: {seen}");
    assert_eq!(find_secret(&seen, TOKEN), None, "{seen}");
}
