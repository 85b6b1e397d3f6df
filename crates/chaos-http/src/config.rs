//! What a client is made from: profile, trust, limits, retries.

use std::path::PathBuf;
use std::time::Duration;

use crate::retry::RetryPolicy;
use crate::safe_url::SafeUrl;
use crate::tls::TlsTrust;

/// How a client behaves towards the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profile {
    /// A client of a platform's own API: follows no redirect (credentials stay with the server they belong to), uses a
    /// proxy only if [`Config::proxy`] names one, and refuses plain HTTP beyond this machine unless the trust is
    /// [`TlsTrust::Insecure`] or [`Config::plain_http`] allows it.
    Platform,
    /// A probe of anything the user points at: follows up to ten redirects, respects `HTTP_PROXY`, `HTTPS_PROXY` and
    /// `NO_PROXY`, and speaks plain HTTP to whom it likes.
    Probe,
}

/// To whom a client of [`Profile::Platform`] may speak without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum PlainHttp {
    /// Only to this machine.
    #[default]
    ThisMachine,
    /// To any machine, for services that know nothing else. Every client that does so says it in the log.
    Anywhere,
}

/// What bounds one call. All times are on the clock of the call's context, except the time to connect, which is on
/// the machine's.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest a connection may take to be there, TLS included. Default: 10 s.
    pub connect: Duration,
    /// The longest silence: from sending a request to the head of its answer, and between two pieces of its body.
    /// A long poll needs a longer one of its own, see [`Request::read_limit`](crate::Request::read_limit).
    /// Default: 60 s, for probes 30 s.
    pub read: Duration,
    /// The longest a call may take with all attempts and the whole body; the context's deadline if that is nearer.
    /// Default: none beyond the context's deadline, for probes 60 s.
    pub total: Option<Duration>,
    /// The largest body that is accepted, in bytes after decompression. Default: 64 MiB, for probes 8 MiB.
    pub response_bytes: u64,
}

/// What a [`Client`](crate::Client) is made from. Start from [`Config::platform`] or [`Config::probe`] and change fields.
///
/// ```
/// use std::time::Duration;
/// use chaos_http::{Config, TlsTrust};
///
/// let mut config = Config::platform();
/// config.trust = TlsTrust::CaFile("/etc/ssl/vmca.pem".into());
/// config.limits.connect = Duration::from_secs(3);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// How the client behaves towards the network.
    pub profile: Profile,
    /// Which servers are trusted.
    pub trust: TlsTrust,
    /// To whom plain HTTP may be spoken. Default: this machine, and others with [`TlsTrust::Insecure`].
    pub plain_http: PlainHttp,
    /// What bounds each call.
    pub limits: Limits,
    /// How often and after how long a call is tried again.
    pub retry: RetryPolicy,
    /// Whether a client of [`Profile::Probe`] follows redirects itself. Who does it by hand has
    /// [`Request::redirected`](crate::Request::redirected).
    pub follow_redirects: bool,
    /// The proxy for all calls, such as `http://proxy:3128`. A user and password in it are used and never printed.
    pub proxy: Option<SafeUrl>,
    /// What the client calls itself. vCenter shows it in its list of sessions. Default: `chaosmonkey/VERSION`.
    pub user_agent: String,
    /// The seed of the jitter between attempts. Default: a different one in each client.
    pub seed: Option<u64>,
}

impl Config {
    /// The defaults for a platform's own API.
    #[must_use]
    pub fn platform() -> Self {
        Self {
            profile: Profile::Platform,
            trust: TlsTrust::SystemRoots,
            plain_http: PlainHttp::ThisMachine,
            limits: Limits {
                connect: Duration::from_secs(10),
                read: Duration::from_mins(1),
                total: None,
                response_bytes: 64 << 20,
            },
            retry: RetryPolicy::default(),
            follow_redirects: true,
            proxy: None,
            user_agent: concat!("chaosmonkey/", env!("CARGO_PKG_VERSION")).to_owned(),
            seed: None,
        }
    }

    /// The defaults for a probe.
    #[must_use]
    pub fn probe() -> Self {
        Self {
            profile: Profile::Probe,
            limits: Limits {
                connect: Duration::from_secs(10),
                read: Duration::from_secs(30),
                total: Some(Duration::from_mins(1)),
                response_bytes: 8 << 20,
            },
            ..Self::platform()
        }
    }
}

/// Settings that cannot work. Nothing was sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The CA file cannot be read.
    #[error("cannot read the CA file {}: {source}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The CA file is not PEM.
    #[error("the CA file {} is not PEM: {source}", path.display())]
    CaPem {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls::pki_types::pem::Error,
    },
    /// The CA file holds no certificate.
    #[error(
        "the CA file {} holds no certificate in PEM form (`-----BEGIN CERTIFICATE-----`); \
         convert a binary one with `openssl x509 -inform der -in FILE`",
        path.display()
    )]
    CaEmpty {
        /// The file.
        path: PathBuf,
    },
    /// The CA file holds something that cannot be an authority.
    #[error("the CA file {} holds a certificate that cannot be used as an authority: {source}", path.display())]
    CaCertificate {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// The cryptography cannot be set up.
    #[error("cannot set up TLS: {0}")]
    Crypto(rustls::Error),
    /// The proxy's URL cannot be used.
    #[error("the proxy {0} cannot be used: give a URL like http://HOST:PORT")]
    Proxy(SafeUrl),
    /// The HTTP library refused the settings, for example a user agent with a line break.
    #[error("cannot set up the HTTP client: {0}")]
    Client(String),
    /// The endpoint is neither a host nor a URL.
    #[error("the endpoint is neither a host name nor a URL: {0}")]
    Endpoint(url::ParseError),
    /// The endpoint is no web address.
    #[error("the endpoint must be an https:// or http:// URL or a host name, not `{0}:`")]
    Scheme(String),
    /// The endpoint holds credentials.
    #[error("the endpoint {0} must not hold a user or password: give them as settings of their own")]
    UserInfo(SafeUrl),
    /// Plain HTTP to another machine.
    #[error(
        "{0} is plain http://, which shows the password to everyone on the way: use https://, \
         or ask for insecure explicitly (only this machine itself may be spoken to without)"
    )]
    PlainHttp(SafeUrl),
    /// A part of a path that means a way in the path.
    #[error("`.` and `..` cannot be a part of a URL's path, so neither can a name or a password that is one of them")]
    Segment,
    /// A header's value holds a character that no header can carry.
    #[error("the value for the header `{0}` holds a line break or another character that no header can carry")]
    Header(http::HeaderName),
}
