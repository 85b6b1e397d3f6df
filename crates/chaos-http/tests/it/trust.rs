//! Which servers are trusted: real handshakes against certificates made for the test.

use std::time::Duration;

use chaos_core::{Context, ErrorKind, Retry};
use chaos_http::{
    Answer, Client, Config, ConfigError, HttpError, HttpErrorKind, Request, Rule, Thumbprint, TimeLimit, TlsTrust, Url,
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};

use crate::support::RawServer;
use crate::tls_server::{Authority, Identity, file, localhost, self_signed, serve, serve_versions};

async fn ask(url: &Url, trust: TlsTrust) -> Result<Answer, HttpError> {
    let mut config = Config::platform();
    config.trust = trust;
    let client = Client::new(config).unwrap();
    let request = Request::post(url, "Login").body("text/xml", "<Login/>");
    client.fetch(&Context::with_timeout(Duration::from_secs(30)), &request).await
}

async fn assert_trusted(url: &Url, trust: TlsTrust) {
    assert_eq!(ask(url, trust).await.unwrap().text().unwrap(), "trusted");
}

/// The rule by which `identity` was refused. Nothing was sent, and the message names all that is needed.
async fn refused(identity: &Identity, trust: TlsTrust) -> Rule {
    let server = serve(identity).await;
    let error = ask(&server.url, trust).await.unwrap_err();
    assert_eq!(*error.kind(), HttpErrorKind::Tls, "{error}");
    assert_eq!(error.attempts(), 1);
    assert!(!error.may_have_taken_effect());
    let certificate = error.refused_certificate().unwrap().clone();
    assert_eq!(certificate.host, "localhost");
    assert_eq!(certificate.seen, identity.thumbprint());
    let text = error.to_string();
    for part in ["localhost", &identity.thumbprint().to_string(), "CA file", "pin it", &certificate.rule.to_string()] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    let error = chaos_core::Error::from(error);
    assert_eq!((error.kind(), error.retry_class()), (ErrorKind::Unavailable, Retry::Never));
    certificate.rule
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted_with_its_file_and_only_then() {
    let authority = Authority::new();
    let identity = authority.sign(&localhost());
    let server = serve(&identity).await;
    let ca = authority.file();
    assert_trusted(&server.url, TlsTrust::CaFile(ca.path().into())).await;
    assert_eq!(refused(&identity, TlsTrust::SystemRoots).await, Rule::UnknownIssuer);
}

#[tokio::test]
async fn the_authority_of_another_server_with_the_same_name_is_told_apart() {
    let identity = Authority::new().sign(&localhost());
    let other = Authority::new().file();
    assert_eq!(refused(&identity, TlsTrust::CaFile(other.path().into())).await, Rule::OtherIssuer);
}

#[tokio::test]
async fn a_pinned_certificate_is_trusted_whoever_signed_it() {
    let identity = self_signed();
    let server = serve(&identity).await;
    assert_trusted(&server.url, TlsTrust::Thumbprint(identity.thumbprint())).await;
    // The host name is not looked at.
    let by_address = Url::parse(&server.url.as_str().replace("localhost", "127.0.0.1")).unwrap();
    assert_trusted(&by_address, TlsTrust::Thumbprint(identity.thumbprint())).await;

    let pinned = Thumbprint::of(b"another certificate");
    assert_eq!(refused(&identity, TlsTrust::Thumbprint(pinned)).await, Rule::OtherThumbprint { pinned });
}

#[tokio::test]
async fn a_pinned_certificate_without_its_key_is_refused() {
    // Whoever saw a certificate can show it; only its owner can sign with its key.
    let stolen = Identity { key: KeyPair::generate().unwrap(), ..self_signed() };
    for version in rustls::ALL_VERSIONS {
        let server = serve_versions(&stolen, &[version]).await;
        let error = ask(&server.url, TlsTrust::Thumbprint(stolen.thumbprint())).await.unwrap_err();
        assert_eq!(*error.kind(), HttpErrorKind::Tls, "{error}");
        assert!(error.to_string().contains("BadSignature"), "{error}");
    }
}

#[tokio::test]
async fn tls_1_2_is_enough() {
    let (authority, own) = (Authority::new(), self_signed());
    let signed = authority.sign(&localhost());
    let ca = authority.file();
    let server = serve_versions(&signed, &[&rustls::version::TLS12]).await;
    assert_trusted(&server.url, TlsTrust::CaFile(ca.path().into())).await;
    let server = serve_versions(&own, &[&rustls::version::TLS12]).await;
    assert_trusted(&server.url, TlsTrust::Thumbprint(own.thumbprint())).await;
    assert_trusted(&server.url, TlsTrust::Insecure).await;
}

#[tokio::test]
async fn an_expired_certificate_is_refused() {
    let authority = Authority::new();
    let mut params = localhost();
    params.not_before = date_time_ymd(2019, 1, 1);
    params.not_after = date_time_ymd(2020, 1, 1);
    let ca = authority.file();
    let rule = refused(&authority.sign(&params), TlsTrust::CaFile(ca.path().into())).await;
    assert_eq!(rule.to_string(), "it expired at 2020-01-01T00:00:00Z");
}

#[tokio::test]
async fn a_certificate_from_the_future_is_refused() {
    let authority = Authority::new();
    let mut params = localhost();
    params.not_before = date_time_ymd(3000, 1, 1);
    params.not_after = date_time_ymd(3001, 1, 1);
    let ca = authority.file();
    let rule = refused(&authority.sign(&params), TlsTrust::CaFile(ca.path().into())).await;
    assert_eq!(rule.to_string(), "it is not valid before 3000-01-01T00:00:00Z (is this machine's clock right?)");
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused_and_says_for_which() {
    let authority = Authority::new();
    let params = CertificateParams::new(["vc.example.com".to_owned()]).unwrap();
    let ca = authority.file();
    let rule = refused(&authority.sign(&params), TlsTrust::CaFile(ca.path().into())).await;
    assert!(
        matches!(&rule, Rule::WrongHost { presented } if presented.iter().all(|name| !name.contains('('))),
        "{rule:?}"
    );
    assert!(rule.to_string().contains("vc.example.com"), "{rule}");
}

#[tokio::test]
async fn an_authority_used_as_server_certificate_is_refused_but_can_be_pinned() {
    let mut params = localhost();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let identity = Identity { certificate: certificate.der().clone(), key };
    let ca = file(&certificate.pem());
    assert_eq!(refused(&identity, TlsTrust::CaFile(ca.path().into())).await, Rule::Authority);
    let server = serve(&identity).await;
    assert_trusted(&server.url, TlsTrust::Thumbprint(identity.thumbprint())).await;
}

#[tokio::test]
async fn insecure_accepts_what_nothing_else_would() {
    let mut params = CertificateParams::new(["elsewhere.example".to_owned()]).unwrap();
    params.not_after = date_time_ymd(2020, 1, 1);
    let identity = Authority::new().sign(&params);
    assert_trusted(&serve(&identity).await.url, TlsTrust::Insecure).await;
}

#[tokio::test]
async fn a_server_without_tls_is_told_apart() {
    let server = RawServer::start(async |mut connection| {
        connection.send("HTTP/1.1 400 Bad Request\r\n\r\n").await;
        connection.stall().await;
    })
    .await;
    let url = Url::parse(&server.url.as_str().replace("http:", "https:")).unwrap();
    let error = ask(&url, TlsTrust::Insecure).await.unwrap_err();
    assert_eq!(*error.kind(), HttpErrorKind::Tls);
    assert!(error.to_string().contains("does the server speak TLS on this port?"), "{error}");
}

#[tokio::test]
async fn a_handshake_that_breaks_off_is_tried_again() {
    let server = RawServer::start(async |connection| connection.reset()).await;
    let url = Url::parse(&server.url.as_str().replace("http:", "https:")).unwrap();
    let error = ask(&url, TlsTrust::Insecure).await.unwrap_err();
    assert_eq!(*error.kind(), HttpErrorKind::Connect);
    assert_eq!(error.attempts(), 4);
    assert!(!error.may_have_taken_effect());
}

#[tokio::test]
async fn a_handshake_that_is_never_answered_ends_with_the_connect_limit() {
    let server = RawServer::start(async |connection| connection.stall().await).await;
    let url = Url::parse(&server.url.as_str().replace("http:", "https:")).unwrap();
    let mut config = Config::platform();
    config.limits.connect = Duration::from_millis(20);
    let request = Request::post(url, "Login").body("text/xml", "<Login/>").idempotent();
    let cx = Context::with_timeout(Duration::from_secs(30));
    let error = Client::new(config).unwrap().fetch(&cx, &request).await.unwrap_err();
    assert_eq!(*error.kind(), HttpErrorKind::TimedOut(TimeLimit::Connect));
    assert_eq!(error.attempts(), 1);
    let error = chaos_core::Error::from(error);
    assert_eq!((error.kind(), error.retry_class()), (ErrorKind::Unavailable, Retry::Later));
}

#[test]
fn a_ca_file_that_cannot_work_is_refused_at_once() {
    let make = |trust| {
        let mut config = Config::platform();
        config.trust = trust;
        Client::new(config).unwrap_err()
    };
    #[cfg(target_os = "linux")]
    assert!(matches!(make(TlsTrust::CaFile("/dev/zero".into())), ConfigError::CaFile { .. }), "a file without an end");
    let error = make(TlsTrust::CaFile("/nowhere/ca.pem".into()));
    assert!(matches!(error, ConfigError::CaFile { .. }));
    assert!(error.to_string().contains("/nowhere/ca.pem"));

    for (content, expected) in [
        ("", "holds no certificate in PEM form"),
        ("not PEM", "holds no certificate in PEM form"),
        ("-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n", "is not PEM"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be used as an authority"),
    ] {
        let file = file(content);
        let error = chaos_core::Error::from(make(TlsTrust::CaFile(file.path().into())));
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(error.kind(), ErrorKind::Configuration);
    }
}
