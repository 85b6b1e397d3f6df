//! Why a server's certificate was refused, and what to do about it.

use std::fmt;

use jiff::Timestamp;
use rustls::CertificateError;
use rustls::pki_types::UnixTime;

use super::thumbprint::Thumbprint;

/// A server showed a certificate that is not trusted. Nothing was sent to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedCertificate {
    /// The host that was asked for.
    pub host: String,
    /// The rule that failed.
    pub rule: Rule,
    /// The thumbprint of the certificate that the server showed.
    pub seen: Thumbprint,
}

/// The rule that a certificate failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// It is not signed by a trusted authority; self-signed certificates end here.
    UnknownIssuer,
    /// A trusted authority bears the name of the one that signed it, but has another key. The authorities inside all
    /// vCenters bear the same name, so this is the CA file of another vCenter, or from before a reinstallation.
    OtherIssuer,
    /// It is an authority's own certificate, which must not be a server's as well (RFC 5280, section 4.2.1.9).
    Authority,
    /// It is not valid any more.
    Expired {
        /// Its last moment, if it can be told.
        not_after: Option<Timestamp>,
    },
    /// It is not valid yet: more often a wrong clock than a wrong certificate.
    NotValidYet {
        /// Its first moment, if it can be told.
        not_before: Option<Timestamp>,
    },
    /// It was made for other names.
    WrongHost {
        /// The names it was made for.
        presented: Vec<String>,
    },
    /// It is not the pinned one.
    OtherThumbprint {
        /// The pinned one.
        pinned: Thumbprint,
    },
    /// The trusted authorities of this machine could not be read.
    NoRoots(String),
    /// Another rule of RFC 5280, in the words of the TLS library.
    Other(String),
}

impl Rule {
    /// The rule behind an error of the verifier.
    pub(super) fn from_rustls(error: &rustls::Error) -> Self {
        let rustls::Error::InvalidCertificate(error) = error else { return Self::Other(error.to_string()) };
        match error {
            CertificateError::UnknownIssuer => Self::UnknownIssuer,
            CertificateError::BadSignature => Self::OtherIssuer,
            CertificateError::Expired => Self::Expired { not_after: None },
            CertificateError::ExpiredContext { not_after, .. } => Self::Expired { not_after: timestamp(*not_after) },
            CertificateError::NotValidYet => Self::NotValidYet { not_before: None },
            CertificateError::NotValidYetContext { not_before, .. } => {
                Self::NotValidYet { not_before: timestamp(*not_before) }
            }
            CertificateError::NotValidForName => Self::WrongHost { presented: Vec::new() },
            CertificateError::NotValidForNameContext { presented, .. } => {
                Self::WrongHost { presented: presented.iter().map(|name| plain_name(name)).collect() }
            }
            CertificateError::Other(other) => match other.0.to_string() {
                // The library has no variant for it, only this name.
                name if name == "CaUsedAsEndEntity" => Self::Authority,
                name => Self::Other(name),
            },
            other => Self::Other(other.to_string()),
        }
    }
}

/// The name itself: the TLS library tells it as `DnsName("vc.example.com")` or `IpAddress(10.0.0.1)`.
fn plain_name(name: &str) -> String {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
    inner.trim_matches('"').to_owned()
}

fn timestamp(time: UnixTime) -> Option<Timestamp> {
    i64::try_from(time.as_secs()).ok().and_then(|seconds| Timestamp::from_second(seconds).ok())
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownIssuer => f.write_str("no authority that is trusted here signed it"),
            Self::OtherIssuer => f.write_str(
                "it was signed by an authority that has the name of a trusted one but another key (is the CA file that \
                 of another server?)",
            ),
            Self::Authority => f.write_str("it is an authority's own certificate, used as a server's"),
            Self::Expired { not_after: Some(time) } => write!(f, "it expired at {time}"),
            Self::Expired { not_after: None } => f.write_str("it has expired"),
            Self::NotValidYet { not_before: Some(time) } => {
                write!(f, "it is not valid before {time} (is this machine's clock right?)")
            }
            Self::NotValidYet { not_before: None } => {
                f.write_str("it is not valid yet (is this machine's clock right?)")
            }
            Self::WrongHost { presented } if presented.is_empty() => {
                f.write_str("it carries no subject alternative name for this host")
            }
            Self::WrongHost { presented } => write!(f, "it was made for {}", presented.join(", ")),
            Self::OtherThumbprint { pinned } => write!(f, "the pinned thumbprint is {pinned}"),
            Self::NoRoots(reason) => write!(f, "the trusted authorities of this machine cannot be read: {reason}"),
            Self::Other(reason) => f.write_str(reason),
        }
    }
}

impl fmt::Display for RefusedCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, rule, seen } = self;
        write!(f, "the certificate of {host} is not trusted: {rule}; its SHA-256 thumbprint is {seen}; ")?;
        match rule {
            Rule::OtherThumbprint { .. } => {
                f.write_str("if the certificate was renewed, compare this with the server's console and pin it instead, or")?;
                f.write_str(" give its authority's certificate as a CA file")
            }
            _ => f.write_str(
                "to trust it, give its authority's certificate as a CA file, or compare the thumbprint with the server's \
                 console and pin it",
            ),
        }
    }
}

impl std::error::Error for RefusedCertificate {}
