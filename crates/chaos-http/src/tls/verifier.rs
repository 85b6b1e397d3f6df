//! The rustls verifier behind every choice of trust.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, OtherError, SignatureScheme};

use super::refused::{RefusedCertificate, Rule};
use super::thumbprint::Thumbprint;

/// What the verifier accepts.
#[derive(Debug)]
pub(super) enum Accept {
    /// What the system's roots and these signed.
    Roots { extra: Vec<CertificateDer<'static>> },
    /// One certificate.
    Pinned(Thumbprint),
    /// Anything, signatures of the handshake included: old devices have certificates that cannot even be parsed.
    Anything,
}

#[derive(Debug)]
pub(super) struct Verifier {
    accept: Accept,
    provider: Arc<CryptoProvider>,
    /// Made at the first handshake: reading the system's roots takes milliseconds and megabytes.
    system: OnceLock<Result<rustls_platform_verifier::Verifier, rustls::Error>>,
}

impl Verifier {
    pub(super) fn new(accept: Accept, provider: Arc<CryptoProvider>) -> Self {
        Self { accept, provider, system: OnceLock::new() }
    }

    fn system(&self, extra: &[CertificateDer<'static>]) -> Result<&rustls_platform_verifier::Verifier, Rule> {
        let made = self.system.get_or_init(|| {
            rustls_platform_verifier::Verifier::new_with_extra_roots(extra.iter().cloned(), Arc::clone(&self.provider))
        });
        made.as_ref().map_err(|error| Rule::NoRoots(error.to_string()))
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let seen = Thumbprint::of(end_entity);
        let verdict = match &self.accept {
            Accept::Roots { extra } => self.system(extra).and_then(|system| {
                system
                    .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
                    .map_err(|error| Rule::from_rustls(&error))
            }),
            Accept::Pinned(pinned) if *pinned == seen => Ok(ServerCertVerified::assertion()),
            Accept::Pinned(pinned) => Err(Rule::OtherThumbprint { pinned: *pinned }),
            Accept::Anything => Ok(ServerCertVerified::assertion()),
        };
        // Our own error travels inside rustls' one, so that the caller learns host, rule and thumbprint.
        verdict.map_err(|rule| {
            let refused = RefusedCertificate { host: server_name.to_str().into_owned(), rule, seen };
            CertificateError::Other(OtherError(Arc::new(refused))).into()
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        match self.accept {
            Accept::Anything => Ok(HandshakeSignatureValid::assertion()),
            Accept::Roots { .. } | Accept::Pinned(_) => {
                verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
            }
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        match self.accept {
            Accept::Anything => Ok(HandshakeSignatureValid::assertion()),
            Accept::Roots { .. } | Accept::Pinned(_) => {
                verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
            }
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_roots_are_read_at_the_first_handshake_and_once() {
        let verifier = Verifier::new(Accept::Roots { extra: Vec::new() }, super::super::crypto_provider());
        assert!(!verifier.supported_verify_schemes().is_empty());
        assert!(verifier.system.get().is_none());
        let shown = CertificateDer::from(vec![0; 8]);
        let name = ServerName::try_from("vc.example.com").unwrap();
        assert!(verifier.verify_server_cert(&shown, &[], &name, &[], UnixTime::now()).is_err());
        assert!(verifier.system.get().is_some());
    }
}
