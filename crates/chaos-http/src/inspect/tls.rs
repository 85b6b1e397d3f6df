//! The TLS handshake: what the server shows, and whether that is trusted.

use std::error::Error as StdError;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chaos_core::{Context, Error};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::certificate::CertificateSummary;
use super::step;
use crate::config::ConfigError;
use crate::tls::{self, RefusedCertificate, TlsTrust};

/// What a server shows in a TLS handshake, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsInspection {
    /// The version that was agreed on, such as `TLSv1_3`; none if it did not come so far.
    pub version: Option<String>,
    /// The certificates that the server showed, its own first. Also those of a chain that is not trusted.
    pub chain: Vec<CertificateSummary>,
    /// How it ended.
    pub handshake: Handshake,
}

/// How a TLS handshake ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Handshake {
    /// The certificate is trusted.
    Trusted,
    /// The certificate was refused.
    Refused(RefusedCertificate),
    /// The port speaks plain HTTP.
    PlainHttp,
    /// The server said nothing in time.
    Silent,
    /// Another reason, in the words of the TLS library.
    Failed(String),
}

impl TlsInspection {
    /// Whether this may be what TLS meets in a server that speaks plain HTTP: some answer a greeting with a refusal, others
    /// wait for the end of its line.
    pub(super) fn may_be_plain_http(&self) -> bool {
        self.chain.is_empty() && matches!(self.handshake, Handshake::Failed(_) | Handshake::Silent)
    }
}

/// Shakes hands. The stream is given back if the certificate is trusted.
pub(super) async fn shake_hands(
    cx: &Context,
    longest: Duration,
    stream: TcpStream,
    host: &str,
    trust: &TlsTrust,
) -> Result<(TlsInspection, Option<Box<TlsStream<TcpStream>>>), Error> {
    let recording = Arc::new(Recording { inner: Box::new(tls::verifier(trust)?), chain: Mutex::default() });
    let config = tls::config_with(Arc::<Recording>::clone(&recording))?;
    // An IPv6 address stands in brackets in a URL.
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
        .map_err(|_| ConfigError::Endpoint(url::ParseError::InvalidDomainCharacter))?;
    let shaken = step(cx, longest, TlsConnector::from(Arc::new(config)).connect(name, stream)).await?;
    let (handshake, version, stream) = match shaken {
        None => (Handshake::Silent, None, None),
        Some(Err(error)) => (failure(&error), None, None),
        Some(Ok(stream)) => {
            let version = stream.get_ref().1.protocol_version();
            (
                Handshake::Trusted,
                version.and_then(|version| version.as_str().map(str::to_owned)),
                Some(Box::new(stream)),
            )
        }
    };
    let chain = recording.chain.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok((TlsInspection { version, chain, handshake }, stream))
}

fn failure(error: &io::Error) -> Handshake {
    let mut cause: Option<&(dyn StdError + 'static)> = error.get_ref().map(|inner| inner as _);
    while let Some(inner) = cause {
        if let Some(refused) = inner.downcast_ref::<RefusedCertificate>() {
            return Handshake::Refused(refused.clone());
        }
        if let Some(rustls::Error::InvalidCertificate(rustls::CertificateError::Other(other))) = inner.downcast_ref()
            && let Some(refused) = other.0.downcast_ref::<RefusedCertificate>()
        {
            return Handshake::Refused(refused.clone());
        }
        cause = inner.source();
    }
    Handshake::Failed(error.to_string())
}

/// Notes which certificates are shown, and leaves the judgement to another.
#[derive(Debug)]
struct Recording {
    inner: Box<dyn ServerCertVerifier>,
    chain: Mutex<Vec<CertificateSummary>>,
}

impl ServerCertVerifier for Recording {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let chain = std::iter::once(end_entity).chain(intermediates).map(CertificateSummary::of).collect();
        *self.chain.lock().unwrap_or_else(PoisonError::into_inner) = chain;
        self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
