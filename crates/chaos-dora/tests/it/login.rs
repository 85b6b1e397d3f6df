//! The login: once for all, renewed once, and never tried again after a refusal.

use std::time::Duration;

use chaos_core::{Context, ErrorKind};
use chaos_dora::{Client, HostFilter};
use serde_json::json;
use wiremock::matchers::{path, path_regex};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::server::{LOGIN, client, config, count, cx, dev1, lists, requests, server, token};

#[tokio::test]
async fn nothing_is_sent_before_it_has_to_be_and_one_login_is_enough() {
    let server = server().await;
    lists(&server, json!([])).await;
    let client = client(&server);
    assert!(requests(&server).await.is_empty());
    for _ in 0..3 {
        client.vms(&cx(), &dev1(), &HostFilter::default()).await.unwrap();
    }
    assert_eq!(count(&server, "/v1/GetLoginToken").await, 1);
}

/// The first token is rejected with `status`, the second works.
async fn with_an_expired_token(status: u16) -> MockServer {
    let server = MockServer::start().await;
    token("old").up_to_n_times(1).mount(&server).await;
    token("new").mount(&server).await;
    let rejected = ResponseTemplate::new(status);
    Mock::given(path_regex("^/v1/Get[A-Za-z]+/old/")).respond_with(rejected).mount(&server).await;
    lists(&server, json!(["a"])).await;
    server
}

#[tokio::test]
async fn a_rejected_token_is_renewed_once_for_all_who_need_it() {
    for status in [401, 403] {
        let server = with_an_expired_token(status).await;
        let client = client(&server);
        let data = client.environment_data(&cx(), &dev1(), &HostFilter::default()).await.unwrap();
        assert_eq!((data.hypervisors.len(), data.vms.len()), (1, 1));
        assert_eq!(count(&server, "/v1/GetLoginToken").await, 2, "two listings, one renewal");
        client.vms(&cx(), &dev1(), &HostFilter::default()).await.unwrap();
        assert_eq!(count(&server, "/v1/GetLoginToken").await, 2);
    }
}

#[tokio::test]
async fn a_token_that_never_works_is_no_reason_to_go_on() {
    let server = server().await;
    Mock::given(path_regex("^/v1/GetVirtual")).respond_with(ResponseTemplate::new(401)).mount(&server).await;
    let error = client(&server).vms(&cx(), &dev1(), &HostFilter::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert_eq!(requests(&server).await.len(), 4, "login, listing, and both once more");
}

#[tokio::test]
async fn a_refused_login_is_not_tried_again() {
    for answer in [
        ResponseTemplate::new(401),
        ResponseTemplate::new(403),
        ResponseTemplate::new(200).set_body_json(json!({"token": ""})),
        ResponseTemplate::new(200).set_body_json(json!({"token": null})),
        ResponseTemplate::new(200).set_body_json(json!({"error": "no"})),
        ResponseTemplate::new(200).set_body_json(json!([])),
    ] {
        let server = MockServer::start().await;
        Mock::given(path(LOGIN)).respond_with(answer).mount(&server).await;
        let client = client(&server);
        for _ in 0..2 {
            let error = client.environment_data(&cx(), &dev1(), &HostFilter::default()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
        }
        assert_eq!(requests(&server).await.len(), 1, "servers lock accounts");
    }
}

#[tokio::test]
async fn a_client_without_a_password_is_not_made() {
    let server = MockServer::start().await;
    let mut config = config(&server);
    config.password = "".into();
    assert_eq!(Client::new(config).unwrap_err().kind(), ErrorKind::Configuration);
}

#[tokio::test]
async fn a_service_that_is_not_there_may_be_tried_again() {
    let server = MockServer::start().await;
    Mock::given(path(LOGIN)).respond_with(ResponseTemplate::new(503)).up_to_n_times(2).mount(&server).await;
    token("new").mount(&server).await;
    lists(&server, json!([])).await;
    let client = client(&server);
    let error = client.vms(&cx(), &dev1(), &HostFilter::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    client.vms(&cx(), &dev1(), &HostFilter::default()).await.unwrap();
}

#[tokio::test]
async fn an_answer_that_is_no_json_asks_whether_this_is_dora() {
    let server = MockServer::start().await;
    Mock::given(path(LOGIN)).respond_with(ResponseTemplate::new(200).set_body_string("<html>")).mount(&server).await;
    let error = client(&server).log_in(&cx()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(error.to_string().contains("is this a Dora service"), "{error}");
}

#[tokio::test]
async fn every_call_ends_by_its_deadline() {
    let server = server().await;
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_mins(10));
    Mock::given(path_regex("^/v1/GetVirtual")).respond_with(slow).mount(&server).await;
    let cx = Context::with_timeout(Duration::from_millis(300));
    let error = client(&server).vms(&cx, &dev1(), &HostFilter::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");

    let mut config = config(&server);
    config.timeout = Duration::from_millis(50);
    let client = Client::new(config).unwrap();
    let error = client.vms(&self::cx(), &dev1(), &HostFilter::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert_eq!(count(&server, "/v1/GetVirtual").await, 3, "two attempts after the one above");
}
