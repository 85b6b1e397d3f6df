//! The way to a server, step by step, and where it ends.

use std::time::Duration;

use chaos_core::{Context, Error, ErrorKind};
use chaos_http::{ConnectFailure, Handshake, Inspection, Reply, Rule, TlsTrust, Url, certificates, inspect};
use rcgen::date_time_ymd;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::support::TestClock;
use crate::tls_server::{Authority, Identity, TlsServer, acceptor, localhost, self_signed, serve};

async fn look(url: &Url, trust: &TlsTrust) -> Inspection {
    inspect(&Context::with_timeout(Duration::from_secs(30)), url, trust).await.unwrap()
}

async fn refused(identity: &Identity, trust: &TlsTrust) -> Rule {
    let server: TlsServer = serve(identity).await;
    let tls = look(&server.url, trust).await.tls.unwrap();
    assert_eq!(tls.chain[0].thumbprint, identity.thumbprint(), "the chain is shown although it is refused");
    match tls.handshake {
        Handshake::Refused(refused) => refused.rule,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_good_server_is_looked_at_to_the_end() {
    let authority = Authority::new();
    let server = serve(&authority.sign(&localhost())).await;
    let seen = look(&server.url, &TlsTrust::CaFile(authority.file().path().into())).await;
    assert!(seen.addresses.unwrap().iter().any(std::net::IpAddr::is_loopback));
    assert!(seen.connection.unwrap().unwrap().address.ip().is_loopback());
    let tls = seen.tls.unwrap();
    assert_eq!((tls.handshake, tls.version.as_deref()), (Handshake::Trusted, Some("TLSv1_3")));
    assert_eq!((tls.chain.len(), tls.chain[0].names.as_slice()), (1, &["localhost".to_owned()][..]));
    assert_eq!(seen.reply, Some(Reply::Http { status: 200, clock: None }), "it tells no time");
}

#[tokio::test]
async fn the_certificates_of_a_server_are_shown_whoever_signed_them() {
    let cx = Context::with_timeout(Duration::from_secs(30));
    let identity = self_signed();
    let server = serve(&identity).await;
    let port = server.url.port().unwrap();
    let chain = certificates(&cx, "localhost", port).await.unwrap();
    assert_eq!(chain[0].thumbprint, identity.thumbprint());
    assert!(chain[0].not_after.is_some());
    let error = certificates(&cx, "127.0.0.1", 1).await.unwrap_err();
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::Unavailable, "nothing listens at the port".to_owned()));
}

#[tokio::test]
async fn each_rule_that_fails_is_told_with_the_certificates() {
    let system = TlsTrust::SystemRoots;
    assert_eq!(refused(&Authority::new().sign(&localhost()), &system).await, Rule::UnknownIssuer);
    let own = self_signed();
    assert_eq!(refused(&own, &system).await, Rule::UnknownIssuer);
    let authority = Authority::new();
    let file = authority.file();
    let trust = TlsTrust::CaFile(file.path().into());
    let mut old = localhost();
    (old.not_before, old.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    assert!(matches!(refused(&authority.sign(&old), &trust).await, Rule::Expired { .. }));
    let other = rcgen::CertificateParams::new(["other.example.com".to_owned()]).unwrap();
    assert!(matches!(refused(&authority.sign(&other), &trust).await, Rule::WrongHost { .. }));
    let pinned = TlsTrust::Thumbprint(self_signed().thumbprint());
    assert!(matches!(refused(&own, &pinned).await, Rule::OtherThumbprint { .. }));
}

#[tokio::test]
async fn a_certificate_says_who_made_it_and_for_how_long() {
    let mut params = localhost();
    (params.not_before, params.not_after) = (date_time_ymd(2026, 1, 1), date_time_ymd(2036, 1, 1));
    let server = serve(&Authority::new().sign(&params)).await;
    let tls = look(&server.url, &TlsTrust::Insecure).await.tls.unwrap();
    let line = tls.chain[0].to_string();
    for part in ["signed by", "valid from 2026-01-01T00:00:00Z until 2036-01-01T00:00:00Z", "for localhost", "SHA-256"]
    {
        assert!(line.contains(part), "{part}: {line}");
    }
}

/// A server that answers each connection with a text as soon as it has heard something.
async fn answers(text: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut heard = [0; 1024];
            let _ = stream.read(&mut heard).await;
            let _ = stream.write_all(text.as_bytes()).await;
        }
    });
    port
}

#[tokio::test]
async fn plain_http_on_the_tls_port_and_tls_on_the_plain_port_are_told() {
    let port = answers("HTTP/1.1 400 Bad Request\r\nDate: Thu, 26 Nov 2026 12:05:01 GMT\r\n\r\n").await;
    let seen = look(&Url::parse(&format!("https://127.0.0.1:{port}/")).unwrap(), &TlsTrust::SystemRoots).await;
    assert_eq!(seen.tls.unwrap().handshake, Handshake::PlainHttp);
    let seen = look(&Url::parse(&format!("http://127.0.0.1:{port}/")).unwrap(), &TlsTrust::SystemRoots).await;
    assert!(matches!(seen.reply, Some(Reply::Http { status: 400, clock: Some(_) })), "{seen:?}");

    let server = serve(&self_signed()).await;
    let plain = Url::parse(&format!("http://localhost:{}/", server.url.port().unwrap())).unwrap();
    assert_eq!(look(&plain, &TlsTrust::SystemRoots).await.reply, Some(Reply::WantsTls));
}

/// A TLS server that says something of its own to whoever does not begin with TLS, and hangs up.
async fn tls_that_says(words: &'static str) -> u16 {
    let acceptor = acceptor(&self_signed(), rustls::ALL_VERSIONS);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut heard = [0; 1024];
            if stream.peek(&mut heard).await.is_ok() && heard[0] == 0x16 {
                // Whoever comes refuses the certificate.
                let _ = acceptor.accept(stream).await;
                continue;
            }
            let _ = stream.read(&mut heard).await;
            let _ = stream.write_all(words.as_bytes()).await;
        }
    });
    port
}

#[tokio::test]
async fn tls_is_told_from_what_its_server_says_to_those_who_speak_plainly() {
    // Apache, nginx and Go answer in plain words, others hang up.
    for words in ["HTTP/1.1 400 Bad Request\r\n\r\nThis is a TLS port.", ""] {
        let url = Url::parse(&format!("http://127.0.0.1:{}/", tls_that_says(words).await)).unwrap();
        assert_eq!(look(&url, &TlsTrust::SystemRoots).await.reply, Some(Reply::WantsTls), "{words}");
    }
    let port = answers("HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let seen = look(&Url::parse(&format!("http://127.0.0.1:{port}/")).unwrap(), &TlsTrust::SystemRoots).await;
    assert_eq!(seen.reply, Some(Reply::Http { status: 400, clock: None }), "a refusal alone is no TLS");
}

#[tokio::test]
async fn what_is_no_web_server_is_told() {
    let port = answers("SSH-2.0-OpenSSH_9.2\r\n\r\n").await;
    let seen = look(&Url::parse(&format!("http://127.0.0.1:{port}/")).unwrap(), &TlsTrust::SystemRoots).await;
    assert_eq!(seen.reply, Some(Reply::Other));
    let seen = look(&Url::parse(&format!("https://127.0.0.1:{port}/")).unwrap(), &TlsTrust::SystemRoots).await;
    assert!(matches!(seen.tls.unwrap().handshake, Handshake::Failed(_)));
}

#[tokio::test]
async fn the_way_ends_where_it_ends() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let seen = look(&Url::parse(&format!("https://127.0.0.1:{closed}/")).unwrap(), &TlsTrust::SystemRoots).await;
    assert_eq!(seen.connection, Some(Err(ConnectFailure::Refused)));
    assert!(seen.tls.is_none() && seen.reply.is_none());
    let seen = look(&Url::parse("https://vcenter.invalid/").unwrap(), &TlsTrust::SystemRoots).await;
    assert!(seen.addresses.is_err() && seen.connection.is_none());
    let none = TlsTrust::CaFile("/no/such/file.pem".into());
    let cx = Context::with_timeout(Duration::from_secs(30));
    let error = inspect(&cx, &Url::parse(&format!("https://127.0.0.1:{}/", answers("").await)).unwrap(), &none).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Configuration);
}

/// Looks at a server that the test plays, on a clock that stands still: the look, the server and the clock.
async fn played() -> (JoinHandle<Result<Inspection, Error>>, TcpListener, TestClock) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("https://{}/", listener.local_addr().unwrap())).unwrap();
    let clock = TestClock::still();
    let cx = clock.context();
    (tokio::spawn(async move { inspect(&cx, &url, &TlsTrust::SystemRoots).await }), listener, clock)
}

/// The next connection to a server that the test plays, and the first byte that is said in it.
async fn hears(listener: &TcpListener) -> (TcpStream, u8) {
    let heard = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let first = stream.read_u8().await.unwrap();
        (stream, first)
    };
    tokio::time::timeout(Duration::from_secs(20), heard).await.expect("somebody connects and says something")
}

#[tokio::test]
async fn a_server_that_says_nothing_costs_thirteen_seconds_and_not_more() {
    let (looking, listener, clock) = played().await;
    // The greeting of the client is here: it waits for ours.
    let _greeted = hears(&listener).await;
    clock.advance(Duration::from_secs(10));
    let (_second, first) = hears(&listener).await;
    assert_eq!(first, b'H', "a plain question");
    clock.advance(Duration::from_secs(3));
    let seen = looking.await.unwrap().unwrap();
    assert_eq!(seen.tls.unwrap().handshake, Handshake::Silent);
    assert!(seen.reply.is_none());
}

#[tokio::test]
async fn plain_http_that_waits_for_the_end_of_a_line_is_told() {
    let (looking, listener, clock) = played().await;
    let _greeted = hears(&listener).await;
    clock.advance(Duration::from_secs(10));
    let (mut second, _) = hears(&listener).await;
    second.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    assert_eq!(looking.await.unwrap().unwrap().tls.unwrap().handshake, Handshake::PlainHttp);
}

#[tokio::test]
async fn a_look_ends_with_its_callers_deadline() {
    let (looking, listener, clock) = played().await;
    let _greeted = hears(&listener).await;
    clock.advance(Duration::from_hours(2));
    assert_eq!(looking.await.unwrap().unwrap_err().kind(), ErrorKind::Timeout);
}
