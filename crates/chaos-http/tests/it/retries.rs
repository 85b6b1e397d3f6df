//! Answers that mean "not now", and how long the client waits.

use std::time::Duration;

use chaos_core::Context;
use chaos_http::{Client, Config, HttpErrorKind, Request, StatusCode, Url};
use tokio_util::sync::CancellationToken;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::TestClock;

/// A server that says `not_now` for `times` times and then "done".
async fn busy(not_now: ResponseTemplate, times: u64) -> (MockServer, Request) {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(not_now).up_to_n_times(times).mount(&server).await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_string("done")).mount(&server).await;
    let request = Request::get(Url::parse(&server.uri()).unwrap(), "Get");
    (server, request)
}

fn client(seed: u64) -> Client {
    let mut config = Config::platform();
    config.seed = Some(seed);
    Client::new(config).unwrap()
}

fn patient() -> Context {
    TestClock::skipping(Duration::from_secs(50)).context()
}

async fn count(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

#[tokio::test]
async fn an_idempotent_request_waits_for_a_busy_server() {
    for status in [429, 502, 503, 504] {
        let (server, request) = busy(ResponseTemplate::new(status), 2).await;
        let answer = client(1).fetch(&patient(), &request.idempotent()).await.unwrap();
        assert_eq!(answer.text().unwrap(), "done");
        assert_eq!(count(&server).await, 3);
    }
}

#[tokio::test]
async fn any_other_request_gets_the_busy_answer() {
    let (server, request) = busy(ResponseTemplate::new(503), 1).await;
    let response = client(1).send(&patient(), &request).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(count(&server).await, 1);
}

#[tokio::test]
async fn the_last_busy_answer_is_handed_over() {
    let (server, request) = busy(ResponseTemplate::new(503).set_body_string("out of sessions"), 99).await;
    let answer = client(1).fetch(&patient(), &request.idempotent()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.text().unwrap(), "out of sessions");
    assert_eq!(count(&server).await, 4);
}

#[tokio::test]
async fn retry_after_is_waited_for() {
    let (_server, request) = busy(ResponseTemplate::new(503).insert_header("retry-after", "40"), 1).await;
    let cx = patient();
    client(1).fetch(&cx, &request.idempotent()).await.unwrap();
    assert!(cx.monotonic() >= Duration::from_secs(40), "{:?}", cx.monotonic());
    assert!(cx.monotonic() <= Duration::from_secs(41), "{:?}", cx.monotonic());
}

#[tokio::test]
async fn a_wait_that_would_outlast_the_deadline_is_not_begun() {
    let (server, request) = busy(ResponseTemplate::new(503).insert_header("retry-after", "40"), 1).await;
    let cx = TestClock::still().context().limit(Duration::from_secs(30));
    let answer = client(1).fetch(&cx, &request.idempotent()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(cx.monotonic(), Duration::ZERO);
    assert_eq!(count(&server).await, 1);
}

#[tokio::test]
async fn the_seed_decides_the_waits() {
    let waited = async |seed| {
        let (_server, request) = busy(ResponseTemplate::new(503), 3).await;
        let cx = patient();
        client(seed).fetch(&cx, &request.idempotent()).await.unwrap();
        cx.monotonic()
    };
    assert_eq!(waited(7).await, waited(7).await);
    assert_ne!(waited(7).await, waited(8).await);
    // 250 + 500 + 1000 ms at most.
    assert!(waited(7).await <= Duration::from_millis(1750));
}

#[tokio::test]
async fn cancellation_ends_the_wait() {
    let (server, request) = busy(ResponseTemplate::new(503).insert_header("retry-after", "40"), 1).await;
    let cancel = CancellationToken::new();
    let cx = TestClock::still().context().cancelled_by(cancel.clone());
    let (client, request) = (client(1), request.idempotent());
    let call = client.fetch(&cx, &request);
    let cancelled = async {
        // The answer was sent: whether the client is still reading it or waits already, it must end.
        while count(&server).await == 0 {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    };
    let (result, ()) = tokio::join!(call, cancelled);
    assert_eq!(*result.unwrap_err().kind(), HttpErrorKind::Cancelled);
}
