//! The canary: a secret goes in at every door and must come out nowhere but on the wire.

use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chaos_http::{Client, Config, Request, SafeUrl, SecretString, SessionCookie, TlsTrust, Url, header};
use tracing::instrument::WithSubscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;
use wiremock::matchers::path_regex;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{RawServer, TestClock};

const CANARY: &str = "hunter2";

/// Keeps all log lines.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Everything that a subscriber at the most verbose level sees while `work` runs.
async fn traced<T>(work: impl Future<Output = T>) -> (T, String) {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(lines.clone())
        .finish();
    let value = work.with_subscriber(subscriber).await;
    (value, lines.text())
}

/// A request with the canary in every place that can hold it.
fn request(base: &Url, operation: &'static str) -> Request {
    let secret = SecretString::from(CANARY);
    let mut url = SafeUrl::from(base);
    url.push("login").push_secret(&secret).query("token", CANARY);
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

    let (printed, trace) = traced(async {
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
        printed
    })
    .await;
    for text in [&printed, &trace] {
        let leaks: Vec<&str> = text.lines().filter(|line| line.contains(CANARY)).collect();
        assert!(leaks.is_empty(), "{leaks:#?}");
    }
    // The test would pass on an empty log.
    for part in ["operation=\"Login\"", "/login/***?token=***", "status=200", "attempts=2", "bytes=", "elapsed_ms="] {
        assert!(trace.contains(part), "no {part} in {trace}");
    }
}

#[tokio::test]
async fn insecure_is_said_once_in_every_run_and_secure_is_silent() {
    let server = MockServer::start().await;
    Mock::given(path_regex("")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let url = Url::parse(&server.uri()).unwrap();
    let warnings = async |trust| {
        let ((), trace) = traced(async {
            let mut config = Config::platform();
            config.trust = trust;
            let client = Client::new(config).unwrap();
            for _ in 0..3 {
                client.fetch(&TestClock::still().context(), &Request::get(&url, "Get")).await.unwrap();
            }
        })
        .await;
        trace.lines().filter(|line| line.contains("WARN") && line.contains("insecure")).count()
    };
    assert_eq!(warnings(TlsTrust::Insecure).await, 1);
    assert_eq!(warnings(TlsTrust::SystemRoots).await, 0);
}
