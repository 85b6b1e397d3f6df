//! What can go wrong between a request and its answer.

use std::fmt;
use std::time::Duration;

use chaos_core::{ErrorKind, Retry};
use http::Method;

use crate::config::ConfigError;
use crate::safe_url::SafeUrl;
use crate::tls::RefusedCertificate;

/// Why a call has no answer. An answer of any status, 500 included, is no error here.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpErrorKind {
    /// The request breaks a rule of this client, such as the one for plain HTTP. Nothing was sent.
    Configuration,
    /// There is no connection: unknown name, refused, unreachable. Nothing was sent.
    Connect,
    /// The server's certificate was refused, or TLS could not be agreed on. Nothing was sent.
    Tls,
    /// A time limit passed.
    TimedOut(TimeLimit),
    /// The caller cancelled the call.
    Cancelled,
    /// The connection broke after the request, or a part of it, may have been sent.
    Interrupted,
    /// The body is larger than this many bytes.
    TooLarge(u64),
    /// The answer is not valid HTTP, does not decompress, is not text where text is needed, or redirects for ever.
    Protocol,
}

/// The time limits of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeLimit {
    /// [`Limits::connect`](crate::Limits::connect).
    Connect,
    /// [`Limits::read`](crate::Limits::read): the server said nothing for so long.
    Read,
    /// The context's deadline or [`Limits::total`](crate::Limits::total), whichever came first.
    Total,
}

/// A call that has no answer, or not the whole of it.
///
/// Its text names the operation, the URL without secrets, the reason, the attempts and, where it is so, that the request
/// may have taken effect. It holds nothing of the request's headers or body.
pub struct HttpError(Box<Inner>);

struct Inner {
    origin: Origin,
    failure: Failure,
}

/// Which call an error belongs to.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) operation: &'static str,
    pub(crate) method: Method,
    pub(crate) url: SafeUrl,
    pub(crate) idempotent: bool,
    pub(crate) attempts: u32,
    pub(crate) elapsed: Duration,
}

/// One failed attempt.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) kind: HttpErrorKind,
    /// The innermost cause in words; free of URLs. May be empty.
    pub(crate) cause: String,
    /// Whether some of the request may have reached the server.
    pub(crate) sent: bool,
    pub(crate) refused: Option<RefusedCertificate>,
}

impl Failure {
    pub(crate) fn new(kind: HttpErrorKind, cause: impl Into<String>, sent: bool) -> Self {
        Self { kind, cause: cause.into(), sent, refused: None }
    }

    /// The error for the whole call.
    pub(crate) fn of(self, origin: Origin) -> HttpError {
        HttpError(Box::new(Inner { origin, failure: self }))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(refused) = &self.refused {
            return refused.fmt(f);
        }
        let what = match self.kind {
            HttpErrorKind::Configuration => "",
            HttpErrorKind::Connect => "cannot connect",
            HttpErrorKind::Tls => "cannot agree on TLS",
            HttpErrorKind::TimedOut(TimeLimit::Connect) => "no connection within the time to connect",
            HttpErrorKind::TimedOut(TimeLimit::Read) => "the server fell silent",
            HttpErrorKind::TimedOut(TimeLimit::Total) => "the time for the call ran out",
            HttpErrorKind::Cancelled => "cancelled",
            HttpErrorKind::Interrupted => "the connection broke before the answer was complete",
            HttpErrorKind::TooLarge(limit) => return write!(f, "the answer is larger than the limit of {limit} bytes"),
            HttpErrorKind::Protocol => "the answer cannot be read",
        };
        let colon = if what.is_empty() || self.cause.is_empty() { "" } else { ": " };
        write!(f, "{what}{colon}{}", self.cause)
    }
}

impl HttpError {
    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> &HttpErrorKind {
        &self.0.failure.kind
    }

    /// True if the request was not declared idempotent and some of it may have reached the server: whether it was
    /// executed can only be told by reading the state that it was to change.
    #[must_use]
    pub fn may_have_taken_effect(&self) -> bool {
        self.0.failure.sent && !self.0.origin.idempotent
    }

    /// The certificate that was refused, if that was the reason.
    #[must_use]
    pub fn refused_certificate(&self) -> Option<&RefusedCertificate> {
        self.0.failure.refused.as_ref()
    }

    /// How many attempts were made; 0 if the request was refused before the first.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.origin.attempts
    }

    /// How long the call took, waits included.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.origin.elapsed
    }

    /// The operation that the request named.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.0.origin.operation
    }

    /// The URL, printable.
    #[must_use]
    pub fn url(&self) -> &SafeUrl {
        &self.0.origin.url
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { origin: Origin { operation, method, url, attempts, elapsed, .. }, failure } = &*self.0;
        write!(f, "{operation} ({method} {url}): ")?;
        failure.fmt(f)?;
        if self.may_have_taken_effect() {
            f.write_str("; the request may have taken effect")?;
        }
        match attempts {
            0 | 1 => Ok(()),
            more => write!(f, " ({more} attempts in {:.1} s)", elapsed.as_secs_f64()),
        }
    }
}

impl fmt::Debug for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpError")
            .field("kind", self.kind())
            .field("may_have_taken_effect", &self.may_have_taken_effect())
            .field("message", &self.to_string())
            .finish()
    }
}

impl std::error::Error for HttpError {}

impl From<HttpError> for chaos_core::Error {
    /// Connection, TLS and silence are "unavailable", the deadline is "timeout", what cannot be read is "protocol". A
    /// request that may have taken effect is [`Retry::Unsettled`]; what was retried here is [`Retry::Exhausted`].
    fn from(error: HttpError) -> Self {
        let (kind, retry) = match error.kind() {
            HttpErrorKind::Configuration => (ErrorKind::Configuration, Retry::Never),
            HttpErrorKind::Tls => (ErrorKind::Unavailable, Retry::Never),
            HttpErrorKind::TimedOut(TimeLimit::Connect) => (ErrorKind::Unavailable, Retry::Later),
            HttpErrorKind::Connect | HttpErrorKind::TimedOut(TimeLimit::Read) | HttpErrorKind::Interrupted => {
                (ErrorKind::Unavailable, Retry::Exhausted)
            }
            HttpErrorKind::TimedOut(TimeLimit::Total) => (ErrorKind::Timeout, Retry::Later),
            HttpErrorKind::Cancelled => (ErrorKind::Cancelled, Retry::Never),
            HttpErrorKind::TooLarge(_) | HttpErrorKind::Protocol => (ErrorKind::Protocol, Retry::Never),
        };
        let retry = if error.may_have_taken_effect() { Retry::Unsettled } else { retry };
        Self::new(kind, error.to_string()).retry(retry).caused_by(error)
    }
}

impl From<ConfigError> for chaos_core::Error {
    fn from(error: ConfigError) -> Self {
        Self::new(ErrorKind::Configuration, error.to_string()).caused_by(error)
    }
}
