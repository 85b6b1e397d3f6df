//! Servers with certificates that are made for the test.

use std::net::Ipv4Addr;
use std::sync::Arc;

use chaos_http::{Thumbprint, Url};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ResolvesServerCert;
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, SupportedProtocolVersion};
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// An authority like the one inside a vCenter.
pub(crate) struct Authority {
    pub(crate) pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A server's certificate and the key that it uses, which need not belong to it.
pub(crate) struct Identity {
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) key: KeyPair,
}

impl Identity {
    pub(crate) fn thumbprint(&self) -> Thumbprint {
        Thumbprint::of(&self.certificate)
    }
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    pub(crate) fn file(&self) -> NamedTempFile {
        file(&self.pem)
    }

    pub(crate) fn sign(&self, params: &CertificateParams) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        Identity { certificate, key }
    }
}

pub(crate) fn file(content: &str) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), content).unwrap();
    file
}

pub(crate) fn localhost() -> CertificateParams {
    CertificateParams::new(["localhost".to_owned()]).unwrap()
}

pub(crate) fn self_signed() -> Identity {
    let key = KeyPair::generate().unwrap();
    let certificate = localhost().self_signed(&key).unwrap().der().clone();
    Identity { certificate, key }
}

/// Shows its certificate whoever asks.
#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// A TLS server that answers every request with "trusted". It ends when it is dropped.
pub(crate) struct TlsServer {
    pub(crate) url: Url,
    _tasks: JoinSet<()>,
}

pub(crate) async fn serve(identity: &Identity) -> TlsServer {
    serve_versions(identity, rustls::ALL_VERSIONS).await
}

/// What shows a certificate to whoever comes.
pub(crate) fn acceptor(identity: &Identity, versions: &[&'static SupportedProtocolVersion]) -> TlsAcceptor {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let key = PrivateKeyDer::try_from(identity.key.serialize_der()).unwrap();
    let key = provider.key_provider.load_private_key(key).unwrap();
    let shown = Arc::new(CertifiedKey::new(vec![identity.certificate.clone()], key));
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Always(shown)));
    TlsAcceptor::from(Arc::new(config))
}

pub(crate) async fn serve_versions(identity: &Identity, versions: &[&'static SupportedProtocolVersion]) -> TlsServer {
    let acceptor = acceptor(identity, versions);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = Url::parse(&format!("https://localhost:{}/sdk", listener.local_addr().unwrap().port())).unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            // A client that refuses the certificate breaks the handshake off.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\nconnection: close\r\n\r\ntrusted").await;
            let _ = stream.shutdown().await;
        }
    });
    TlsServer { url, _tasks: tasks }
}
