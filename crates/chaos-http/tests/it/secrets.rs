//! The canary: a secret goes in at every door and must come out nowhere but on the wire.

use std::fmt::Write as _;
use std::time::Duration;

use chaos_http::{Client, Config, Request, SafeUrl, SecretString, SessionCookie, TlsTrust, Url, header};
use chaos_testkit::{CapturedLogs, find_secret};
use wiremock::matchers::path_regex;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{RawServer, TestClock};

const CANARY: &str = "hunter2";

/// A request with the canary in every place that can hold it.
fn request(base: &Url, operation: &'static str) -> Request {
    let secret = SecretString::from(CANARY);
    let mut url = SafeUrl::from(base);
    url.push("login").unwrap().push_secret(&secret).unwrap().query("token", CANARY);
    let set = [(header::SET_COOKIE, format!("sid=\"{CANARY}\"; Secure").parse().unwrap())];
    let cookie = SessionCookie::from_headers(&set.into_iter().collect(), "sid").unwrap();
    Request::post(url, operation)
        .bearer(&secret)
        .unwrap()
        .header("x-password".parse().unwrap(), CANARY.parse().unwrap())
        .cookie(&cookie)
        .body("text/xml", format!("<password>{CANARY}</password>"))
}

#[tokio::test]
async fn a_secret_is_in_no_trace_debug_or_error() {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200)
        .insert_header("set-cookie", format!("sid={CANARY}").as_str())
        .set_body_string(format!("<token>{CANARY}</token>"));
    Mock::given(path_regex("^/login/hunter2$")).respond_with(answer).mount(&server).await;
    let busy = ResponseTemplate::new(503).insert_header("retry-after", "1").set_body_string(CANARY);
    Mock::given(path_regex("^/busy/")).respond_with(busy).mount(&server).await;
    let broken = RawServer::start(async |mut connection| {
        connection.read().await;
        connection.reset();
    })
    .await;
    let garbage = RawServer::start(async |mut connection| {
        connection.read().await;
        connection.send(format!("{CANARY}\r\n\r\n")).await;
    })
    .await;
    let base = Url::parse(&server.uri().replace("://", &format!("://ann:{CANARY}@"))).unwrap();
    let cx = TestClock::skipping(Duration::from_secs(15)).context();

    let logs = CapturedLogs::start();
    let mut config = Config::platform();
    config.trust = TlsTrust::Insecure;
    config.retry.attempts = 2;
    let mut printed = format!("{config:?}");
    let client = Client::new(config).unwrap();
    writeln!(printed, "{client:?} {:?}", request(&base, "Login")).unwrap();
    let answer = client.fetch(&cx, &request(&base, "Login")).await.unwrap();
    writeln!(printed, "{answer:?}").unwrap();
    let mut response = client.send(&cx, &request(&base, "Login")).await.unwrap();
    writeln!(printed, "{response:?}").unwrap();
    response.chunk().await.unwrap();
    let busy = request(&base.join("/busy").unwrap(), "Busy").idempotent();
    writeln!(printed, "{:?}", client.fetch(&cx, &busy).await.unwrap()).unwrap();
    for (url, operation) in [(&broken.url, "Broken"), (&garbage.url, "Garbage")] {
        let error = client.fetch(&cx, &request(url, operation)).await.unwrap_err();
        writeln!(printed, "{error} {error:?} {error:#?}").unwrap();
        writeln!(printed, "{:?}", chaos_core::Error::from(error)).unwrap();
        client.fetch(&cx, &request(url, operation).idempotent()).await.unwrap_err();
    }
    let mut config = Config::platform();
    config.proxy = Some(base.clone().into());
    writeln!(printed, "{config:?}").unwrap();
    let through = Client::new(config).unwrap();
    through.fetch(&cx, &request(&Url::parse("http://localhost:1/").unwrap(), "Proxied")).await.unwrap();
    let log = logs.text();
    for line in printed.lines().chain(log.lines()) {
        assert_eq!(find_secret(line, CANARY), None, "{line}");
    }
    // The test would pass on an empty log.
    for part in ["operation=\"Login\"", "/login/***?token=***", "status=200", "attempts=2", "bytes=", "elapsed_ms="] {
        assert!(log.contains(part), "no {part} in {log}");
    }
}

#[tokio::test]
async fn insecure_is_said_once_in_every_run_and_secure_is_silent() {
    let server = MockServer::start().await;
    Mock::given(path_regex("")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let url = Url::parse(&server.uri()).unwrap();
    let warnings = async |trust| {
        let logs = CapturedLogs::start();
        let mut config = Config::platform();
        config.trust = trust;
        let client = Client::new(config).unwrap();
        for _ in 0..3 {
            client.fetch(&TestClock::still().context(), &Request::get(&url, "Get")).await.unwrap();
        }
        logs.text().lines().filter(|line| line.contains("WARN") && line.contains("insecure")).count()
    };
    assert_eq!(warnings(TlsTrust::Insecure).await, 1);
    assert_eq!(warnings(TlsTrust::SystemRoots).await, 0);
}
