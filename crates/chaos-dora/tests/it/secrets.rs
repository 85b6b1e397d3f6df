//! Account, password and token are in the path of every URL, and in nothing that is said.

use std::time::Duration;

use chaos_core::Context;
use chaos_dora::{Client, HostFilter};
use chaos_testkit::{CapturedLogs, find_secret};
use serde_json::json;
use wiremock::matchers::{path, path_regex};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::server::{LOGIN, PASSWORD, TOKEN, client, config, cx, dev1, lists, server, token};

/// Fails if one of the secrets is in `said`, however it is encoded.
#[track_caller]
fn says_no_secret(said: &str) {
    for secret in [PASSWORD, TOKEN] {
        assert_eq!(find_secret(said, secret), None, "{said}");
    }
    assert!(!said.contains("canary"), "{said}");
}

#[tokio::test]
async fn no_log_and_no_error_holds_them_whatever_happens() {
    let logs = CapturedLogs::start();
    let mut said = String::new();
    let mut note = |text: String| said.push_str(&text);
    for status in [200, 400, 401, 404, 500] {
        let server = server().await;
        let answer = ResponseTemplate::new(status).set_body_string(format!("not JSON: {TOKEN} {PASSWORD}"));
        Mock::given(path_regex("^/v1/Get(Hyper|Virtual)")).respond_with(answer).mount(&server).await;
        let client = client(&server);
        let error = client.environment_data(&cx(), &dev1(), &HostFilter::default()).await.unwrap_err();
        note(format!("{client:?} {error:?} {}", error.with_causes()));
    }
    for body in [json!({"token": 7}), json!({"items": [TOKEN]}), json!(TOKEN)] {
        let server = MockServer::start().await;
        Mock::given(path(LOGIN)).respond_with(ResponseTemplate::new(200).set_body_json(body)).mount(&server).await;
        let error = client(&server).log_in(&cx()).await.unwrap_err();
        note(format!("{error:?}"));
    }
    let slow = MockServer::start().await;
    token(TOKEN).mount(&slow).await;
    Mock::given(path_regex("^/v1/Get(Hyper|Virtual)"))
        .respond_with(ResponseTemplate::new(200).set_delay(Duration::from_mins(10)))
        .mount(&slow)
        .await;
    let error = client(&slow).vms(&Context::with_timeout(Duration::from_millis(200)), &dev1(), &HostFilter::Omit).await;
    note(format!("{:?}", error.unwrap_err()));
    let mut gone = config(&slow);
    gone.auth_port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    note(format!("{:?}", Client::new(gone).unwrap().log_in(&cx()).await.unwrap_err()));
    says_no_secret(&said);
    assert!(logs.text().contains("GetLoginToken"), "something was logged");
    says_no_secret(&logs.text());
}

#[tokio::test]
async fn a_token_in_the_answer_is_data_of_nobody() {
    let server = server().await;
    lists(&server, json!({"items": [{"name": "a"}], "token": TOKEN})).await;
    let data = client(&server).environment_data(&cx(), &dev1(), &HostFilter::default()).await.unwrap();
    says_no_secret(&serde_json::to_string(&data).unwrap());
}

#[tokio::test]
async fn a_name_or_password_that_no_path_can_carry_is_refused_before_anything_is_sent() {
    let server = server().await;
    for (username, password) in [("ann", ".."), (".", "secret")] {
        let mut config = config(&server);
        config.username = username.into();
        config.password = password.into();
        let error = Client::new(config).unwrap().log_in(&cx()).await.unwrap_err();
        assert_eq!(error.kind(), chaos_core::ErrorKind::Configuration, "{error}");
    }
    assert!(server.received_requests().await.unwrap().is_empty());
}
