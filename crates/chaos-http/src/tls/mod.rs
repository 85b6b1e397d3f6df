//! Which servers a client trusts, and the rustls configuration that follows from it.

mod refused;
mod thumbprint;
mod verifier;

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

pub use refused::{RefusedCertificate, Rule};
pub use thumbprint::{Thumbprint, ThumbprintError};

use crate::config::ConfigError;
use verifier::{Accept, Verifier};

/// Which servers are trusted.
///
/// ESXi and vCenter come with certificates that no public authority signed. In order of preference: install the
/// authority's certificate in the system, name it as [`CaFile`](Self::CaFile), or pin the server's own certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsTrust {
    /// Servers whose certificate was signed by an authority that this machine trusts. Where that is kept in files, the
    /// environment variables `SSL_CERT_FILE` and `SSL_CERT_DIR` name others.
    #[default]
    SystemRoots,
    /// The same, and the authorities in this PEM file besides.
    ///
    /// It must hold the authority's certificate, not the server's own: rustls refuses an authority that is used as a
    /// server certificate.
    CaFile(PathBuf),
    /// The server that shows the certificate with this SHA-256 hash and proves that it has its key, and no other.
    /// Its host name and dates are not looked at.
    Thumbprint(Thumbprint),
    /// Any server: whoever sits in between reads the password. Every client that is built so says it in the log.
    Insecure,
}

impl TlsTrust {
    /// True for [`TlsTrust::Insecure`].
    #[must_use]
    pub fn is_insecure(&self) -> bool {
        *self == Self::Insecure
    }
}

/// The one place that chooses the cryptography.
fn crypto_provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// The rustls configuration for `trust`. Reads the CA file now, the system's roots at the first handshake: a client that
/// speaks plain HTTP never pays for them.
pub(crate) fn client_config(trust: &TlsTrust) -> Result<rustls::ClientConfig, ConfigError> {
    config_with(Arc::new(verifier(trust)?))
}

/// The verifier for `trust`. Reads the CA file.
pub(crate) fn verifier(trust: &TlsTrust) -> Result<impl ServerCertVerifier + 'static, ConfigError> {
    let accept = match trust {
        TlsTrust::SystemRoots => Accept::Roots { extra: Vec::new() },
        TlsTrust::CaFile(path) => Accept::Roots { extra: read_authorities(path)? },
        TlsTrust::Thumbprint(thumbprint) => Accept::Pinned(*thumbprint),
        TlsTrust::Insecure => Accept::Anything,
    };
    Ok(Verifier::new(accept, crypto_provider()))
}

/// The rustls configuration with that verifier.
pub(crate) fn config_with(verifier: Arc<dyn ServerCertVerifier>) -> Result<rustls::ClientConfig, ConfigError> {
    let mut config = rustls::ClientConfig::builder_with_provider(crypto_provider())
        .with_safe_default_protocol_versions()
        .map_err(ConfigError::Crypto)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Many times what the authorities of a whole system take. A path may also name something without an end.
const LARGEST_CA_FILE: u64 = 16 << 20;

fn read_authorities(path: &PathBuf) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let unreadable = |source| ConfigError::CaFile { path: path.clone(), source };
    let mut pem = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    if file.take(LARGEST_CA_FILE + 1).read_to_end(&mut pem).map_err(unreadable)? as u64 > LARGEST_CA_FILE {
        return Err(unreadable(io::ErrorKind::FileTooLarge.into()));
    }
    let certificates = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|source| ConfigError::CaPem { path: path.clone(), source })?;
    if certificates.is_empty() {
        return Err(ConfigError::CaEmpty { path: path.clone() });
    }
    // Anything that is no certificate is found now and not at the first call.
    let mut roots = rustls::RootCertStore::empty();
    for certificate in &certificates {
        roots.add(certificate.clone()).map_err(|source| ConfigError::CaCertificate { path: path.clone(), source })?;
    }
    Ok(certificates)
}
