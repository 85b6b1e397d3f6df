//! What a certificate says of itself.

use std::fmt;

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::tls::Thumbprint;

/// What a certificate says of itself. It is shown to people; nothing is trusted because of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateSummary {
    /// Whom it is for. Empty if the certificate cannot be parsed.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// Its first moment.
    pub not_before: Option<Timestamp>,
    /// Its last moment.
    pub not_after: Option<Timestamp>,
    /// The host names and addresses that it is for.
    pub names: Vec<String>,
    /// Whether it is an authority's.
    pub is_authority: bool,
    /// Its SHA-256 thumbprint.
    pub thumbprint: Thumbprint,
}

impl CertificateSummary {
    pub(super) fn of(der: &CertificateDer<'_>) -> Self {
        let thumbprint = Thumbprint::of(der);
        let Ok((_, certificate)) = X509Certificate::from_der(der) else {
            return Self {
                subject: String::new(),
                issuer: String::new(),
                not_before: None,
                not_after: None,
                names: Vec::new(),
                is_authority: false,
                thumbprint,
            };
        };
        let alternative = certificate.subject_alternative_name().ok().flatten();
        let names = alternative.map(|names| names.value.general_names.iter().filter_map(name).collect());
        let moment = |time: x509_parser::time::ASN1Time| Timestamp::from_second(time.timestamp()).ok();
        Self {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            not_before: moment(certificate.validity().not_before),
            not_after: moment(certificate.validity().not_after),
            names: names.unwrap_or_default(),
            is_authority: certificate.is_ca(),
            thumbprint,
        }
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let address = <[u8; 4]>::try_from(*bytes).map(std::net::IpAddr::from);
            let address = address.or_else(|_| <[u8; 16]>::try_from(*bytes).map(std::net::IpAddr::from));
            address.ok().map(|address| address.to_string())
        }
        _ => None,
    }
}

impl fmt::Display for CertificateSummary {
    /// One line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.subject.is_empty() && self.issuer.is_empty() {
            return write!(f, "a certificate that cannot be parsed, SHA-256 {}", self.thumbprint);
        }
        write!(f, "{}", self.subject)?;
        if self.subject == self.issuer {
            f.write_str(", signed by itself")?;
        } else {
            write!(f, ", signed by {}", self.issuer)?;
        }
        if let (Some(from), Some(until)) = (self.not_before, self.not_after) {
            write!(f, ", valid from {from} until {until}")?;
        }
        if !self.names.is_empty() {
            write!(f, ", for {}", self.names.join(", "))?;
        }
        write!(f, ", SHA-256 {}", self.thumbprint)
    }
}
