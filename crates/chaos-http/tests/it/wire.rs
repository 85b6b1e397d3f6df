//! Connections that break, stall or carry something else than HTTP.

use std::time::Duration;

use chaos_core::{ErrorKind, Retry};
use chaos_http::{Client, Config, HttpError, HttpErrorKind, Method, Request, TimeLimit, Url};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::support::{RawServer, TestClock};

const SKIP: Duration = Duration::from_secs(15);

fn client() -> Client {
    Client::new(Config::platform()).unwrap()
}

fn power_off(url: &Url) -> Request {
    Request::post(url, "PowerOffVM_Task").body("text/xml", "<PowerOffVM_Task/>")
}

/// A call that was made only once and whose effect is unknown.
fn assert_unsettled(error: HttpError, kind: &HttpErrorKind) {
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.may_have_taken_effect());
    assert!(error.to_string().contains("the request may have taken effect"), "{error}");
    assert_eq!(error.attempts(), 1);
    assert_eq!(chaos_core::Error::from(error).retry_class(), Retry::Unsettled);
}

#[tokio::test]
async fn a_reset_in_a_call_that_is_not_idempotent_is_unsettled_and_not_repeated() {
    let mut server = RawServer::start(async |mut connection| {
        connection.read().await;
        connection.reset();
    })
    .await;
    let error = client().send(&TestClock::skipping(SKIP).context(), &power_off(&server.url)).await.unwrap_err();
    assert_unsettled(error, &HttpErrorKind::Interrupted);
    server.request().await;
    assert_eq!(server.unread(), 0);
}

#[tokio::test]
async fn a_close_without_an_answer_is_unsettled_too() {
    let server = RawServer::start(async |mut connection| connection.read().await).await;
    let error = client().send(&TestClock::skipping(SKIP).context(), &power_off(&server.url)).await.unwrap_err();
    assert_unsettled(error, &HttpErrorKind::Interrupted);
}

#[tokio::test]
async fn an_idempotent_request_is_repeated_after_a_reset() {
    let mut server = RawServer::start(async |mut connection| {
        connection.read().await;
        if connection.number == 0 {
            connection.reset();
        } else {
            connection.answer("200 OK", "<ok/>").await;
        }
    })
    .await;
    let request = power_off(&server.url).idempotent();
    let answer = client().fetch(&TestClock::skipping(SKIP).context(), &request).await.unwrap();
    assert_eq!(answer.text().unwrap(), "<ok/>");
    assert_eq!(server.request().await, server.request().await, "the same bytes twice");
}

#[tokio::test]
async fn a_request_that_breaks_every_time_says_how_often_and_how_long() {
    let server = RawServer::start(async |mut connection| connection.read().await).await;
    let request = Request::get(&server.url, "Get").idempotent();
    let error = client().fetch(&TestClock::skipping(SKIP).context(), &request).await.unwrap_err();
    assert_eq!(*error.kind(), HttpErrorKind::Interrupted);
    assert_eq!(error.attempts(), 4);
    assert!(!error.may_have_taken_effect());
    let text = error.to_string();
    assert!(text.contains("Get (GET http://127.0.0.1:") && text.contains("(4 attempts in "), "{text}");
    let error = chaos_core::Error::from(error);
    assert_eq!((error.kind(), error.retry_class()), (ErrorKind::Unavailable, Retry::Exhausted));
}

#[tokio::test]
async fn a_refused_connection_is_tried_again_for_every_request() {
    // A port that was free a moment ago and that nobody listens on.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/sdk", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let error = client().send(&TestClock::skipping(SKIP).context(), &power_off(&url)).await.unwrap_err();
    assert_eq!(*error.kind(), HttpErrorKind::Connect);
    assert_eq!(error.attempts(), 4);
    assert!(!error.may_have_taken_effect());
    assert!(error.to_string().contains("cannot connect: Connection refused"), "{error}");
    assert_eq!(chaos_core::Error::from(error).kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_cut_body_is_asked_for_again_only_if_it_is_read_whole() {
    let server = RawServer::start(async |mut connection| {
        connection.read().await;
        if connection.number == 1 {
            connection.answer("200 OK", "<whole/>").await;
        } else {
            connection.send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n<cut").await;
        }
    })
    .await;
    let request = Request::get(&server.url, "Get").idempotent();
    let cx = TestClock::skipping(SKIP).context();
    assert_eq!(client().fetch(&cx, &request).await.unwrap().text().unwrap(), "<whole/>");

    let mut response = client().send(&cx, &request).await.unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "<cut");
    assert_eq!(*response.chunk().await.unwrap_err().kind(), HttpErrorKind::Interrupted);

    let error = client().fetch(&cx, &power_off(&server.url)).await.unwrap_err();
    assert_unsettled(error, &HttpErrorKind::Interrupted);
}

#[tokio::test]
async fn the_deadline_ends_a_stalled_call() {
    let mut server = RawServer::start(async |mut connection| {
        connection.read().await;
        connection.stall().await;
    })
    .await;
    let clock = TestClock::still();
    let cx = clock.context().limit(Duration::from_secs(20));
    let (request, client) = (power_off(&server.url), client());
    let (result, ()) = tokio::join!(client.send(&cx, &request), async {
        server.request().await;
        clock.advance(Duration::from_secs(20));
    });
    let error = result.unwrap_err();
    assert_eq!(error.elapsed(), Duration::from_secs(20));
    assert_unsettled(error, &HttpErrorKind::TimedOut(TimeLimit::Total));
}

#[tokio::test]
async fn cancellation_ends_a_stalled_call() {
    let mut server = RawServer::start(async |mut connection| {
        connection.read().await;
        connection.stall().await;
    })
    .await;
    let cancel = CancellationToken::new();
    let cx = TestClock::still().context().cancelled_by(cancel.clone());
    let (request, client) = (power_off(&server.url), client());
    let (result, ()) = tokio::join!(client.send(&cx, &request), async {
        server.request().await;
        cancel.cancel();
    });
    assert_unsettled(result.unwrap_err(), &HttpErrorKind::Cancelled);
}

#[tokio::test]
async fn a_cancelled_context_sends_nothing() {
    let server = RawServer::start(async |mut connection| connection.read().await).await;
    let cancel = CancellationToken::new();
    cancel.cancel();
    let cx = TestClock::still().context().cancelled_by(cancel);
    let error = client().send(&cx, &power_off(&server.url)).await.unwrap_err();
    assert_eq!(*error.kind(), HttpErrorKind::Cancelled);
    assert!(!error.may_have_taken_effect(), "{error}");
    assert_eq!(server.unread(), 0);
}

#[tokio::test]
async fn a_deadline_that_has_passed_sends_nothing() {
    let server = RawServer::start(async |mut connection| connection.read().await).await;
    let cx = TestClock::still().context().limit(Duration::ZERO);
    let error = client().send(&cx, &Request::new(Method::DELETE, &server.url, "Delete")).await.unwrap_err();
    assert_eq!(*error.kind(), HttpErrorKind::TimedOut(TimeLimit::Total));
    assert!(!error.may_have_taken_effect(), "{error}");
    assert_eq!(chaos_core::Error::from(error).kind(), ErrorKind::Timeout);
    assert_eq!(server.unread(), 0);
}

#[tokio::test]
async fn a_body_that_is_there_does_not_outlive_the_deadline() {
    let server = RawServer::start(async |mut connection| {
        connection.read().await;
        connection.answer("200 OK", "<late/>").await;
    })
    .await;
    let clock = TestClock::still();
    let cx = clock.context().limit(Duration::from_secs(20));
    let response = client().send(&cx, &Request::get(&server.url, "Get").idempotent()).await.unwrap();
    clock.advance(Duration::from_secs(20));
    assert_eq!(*response.read().await.unwrap_err().kind(), HttpErrorKind::TimedOut(TimeLimit::Total));
}

#[tokio::test]
async fn silence_ends_with_the_read_limit_and_a_long_poll_has_its_own() {
    let mut server = RawServer::start(async |mut connection| {
        connection.read().await;
        connection.stall().await;
    })
    .await;
    let clock = TestClock::still();
    let (cx, client) = (clock.context(), client());

    let request = power_off(&server.url);
    let (result, ()) = tokio::join!(client.send(&cx, &request), async {
        server.request().await;
        clock.advance(Duration::from_mins(1));
    });
    let error = result.unwrap_err();
    assert!(error.to_string().contains("the server fell silent: nothing came for 60 s"), "{error}");
    assert_unsettled(error, &HttpErrorKind::TimedOut(TimeLimit::Read));

    let long_poll = Request::post(&server.url, "WaitForUpdatesEx").body("text/xml", "<Wait/>");
    let long_poll = long_poll.read_limit(Duration::from_mins(5));
    let (result, ()) = tokio::join!(client.send(&cx, &long_poll), async {
        server.request().await;
        clock.advance(Duration::from_mins(4));
        clock.advance(Duration::from_mins(1));
    });
    assert_eq!(result.unwrap_err().elapsed(), Duration::from_mins(5));
}

#[tokio::test]
async fn a_body_that_stalls_ends_with_the_read_limit() {
    let server = RawServer::start(async |mut connection| {
        connection.read().await;
        connection.send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n<half").await;
        connection.stall().await;
    })
    .await;
    let clock = TestClock::still();
    let cx = clock.context();
    let mut response = client().send(&cx, &Request::get(&server.url, "Get")).await.unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "<half");
    let (result, ()) = tokio::join!(response.chunk(), async { clock.advance(Duration::from_mins(1)) });
    assert_eq!(*result.unwrap_err().kind(), HttpErrorKind::TimedOut(TimeLimit::Read));
}

#[tokio::test]
async fn a_slow_body_that_keeps_coming_ends_with_the_total_limit() {
    let server = RawServer::start(async |mut connection| {
        connection.read().await;
        connection.send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n<half").await;
        connection.stall().await;
    })
    .await;
    let clock = TestClock::still();
    let request = Request::get(&server.url, "Get").total_limit(Duration::from_secs(45));
    let mut response = client().send(&clock.context(), &request).await.unwrap();
    clock.advance(Duration::from_secs(40));
    assert_eq!(response.chunk().await.unwrap().unwrap(), "<half");
    let (result, ()) = tokio::join!(response.chunk(), async { clock.advance(Duration::from_secs(5)) });
    let error = result.unwrap_err();
    assert_eq!(*error.kind(), HttpErrorKind::TimedOut(TimeLimit::Total));
}

#[tokio::test]
async fn what_is_not_http_is_a_protocol_error() {
    for nonsense in ["SSH-2.0-OpenSSH_9.6\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "\0\0\0\0\r\n\r\n"] {
        let server = RawServer::start(move |mut connection| async move {
            connection.read().await;
            connection.send(nonsense).await;
        })
        .await;
        let request = Request::get(&server.url, "Get").idempotent();
        let error = client().fetch(&TestClock::skipping(SKIP).context(), &request).await.unwrap_err();
        assert_eq!(*error.kind(), HttpErrorKind::Protocol, "{error}");
        assert_eq!(chaos_core::Error::from(error).kind(), ErrorKind::Protocol);
    }
}

#[tokio::test]
async fn connections_are_kept_and_shared() {
    let server = RawServer::start(async |mut connection| {
        for _ in 0..3 {
            connection.read().await;
            connection.answer("200 OK", connection.number.to_string()).await;
        }
    })
    .await;
    let (client, cx) = (client(), TestClock::still().context());
    for _ in 0..3 {
        let answer = client.clone().fetch(&cx, &Request::get(&server.url, "Get")).await.unwrap();
        assert_eq!(answer.text().unwrap(), "0");
    }
}
