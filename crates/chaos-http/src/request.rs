//! One request, and what its caller declares about it.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};

use crate::config::ConfigError;
use crate::cookie::SessionCookie;
use crate::safe_url::SafeUrl;

/// One request. It can be sent any number of times; each attempt sends the same bytes.
///
/// ```
/// use chaos_http::{Request, Url};
///
/// # fn main() -> Result<(), url::ParseError> {
/// let url = Url::parse("https://vc.example.com/sdk")?;
/// let request = Request::post(url, "RetrieveServiceContent")
///     .body("text/xml; charset=\"utf-8\"", "<Envelope/>")
///     .idempotent();
/// # Ok(())
/// # }
/// ```
///
/// Its `Debug` shows neither header values nor the body.
#[derive(Clone)]
#[must_use = "a request does nothing until a client sends it"]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) url: SafeUrl,
    pub(crate) operation: &'static str,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) idempotent: bool,
    pub(crate) read_limit: Option<Duration>,
    pub(crate) total_limit: Option<Duration>,
    pub(crate) response_bytes: Option<u64>,
}

impl Request {
    /// A request. `operation` names the call in logs, traces and errors in the words of its protocol, such as `Login`.
    pub fn new(method: Method, url: impl Into<SafeUrl>, operation: &'static str) -> Self {
        Self {
            method,
            url: url.into(),
            operation,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            idempotent: false,
            read_limit: None,
            total_limit: None,
            response_bytes: None,
        }
    }

    /// A `GET` request. It is not idempotent before it is declared so.
    pub fn get(url: impl Into<SafeUrl>, operation: &'static str) -> Self {
        Self::new(Method::GET, url, operation)
    }

    /// A `POST` request.
    pub fn post(url: impl Into<SafeUrl>, operation: &'static str) -> Self {
        Self::new(Method::POST, url, operation)
    }

    /// Sets a header, replacing one of the same name. For a value that nobody may read see [`Request::secret_header`].
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Sets a header whose value is a secret.
    ///
    /// A client of [`Profile::Probe`](crate::Profile::Probe) that is redirected to another server drops `Authorization`
    /// and `Cookie` on the way, but sends headers of other names along.
    ///
    /// # Errors
    /// [`ConfigError::Header`] if no header can carry the value.
    pub fn secret_header(mut self, name: HeaderName, value: &SecretString) -> Result<Self, ConfigError> {
        let mut value = HeaderValue::from_str(value.expose_secret()).map_err(|_| ConfigError::Header(name.clone()))?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Sends a bearer token (RFC 6750).
    ///
    /// # Errors
    /// As [`Request::secret_header`].
    pub fn bearer(self, token: &SecretString) -> Result<Self, ConfigError> {
        self.secret_header(AUTHORIZATION, &SecretString::from(format!("Bearer {}", token.expose_secret())))
    }

    /// Sends a user name and password (Basic authentication, RFC 7617).
    ///
    /// # Errors
    /// As [`Request::secret_header`].
    pub fn basic(self, username: &str, password: &SecretString) -> Result<Self, ConfigError> {
        let pair = SecretString::from(format!("{username}:{}", password.expose_secret()));
        let encoded = SecretString::from(BASE64.encode(pair.expose_secret()));
        self.secret_header(AUTHORIZATION, &SecretString::from(format!("Basic {}", encoded.expose_secret())))
    }

    /// Sends a session cookie back, and no other cookie.
    pub fn cookie(mut self, cookie: &SessionCookie) -> Self {
        self.headers.insert(COOKIE, cookie.to_header());
        self
    }

    /// Sets the body and its content type.
    pub fn body(mut self, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        self.body = body.into();
        self
    }

    /// Sets the body without saying what it is: a header may do so, or nothing.
    pub fn untyped_body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// The request that an answer with this status and location asks for instead; none if it asks for none.
    ///
    /// After 303 (RFC 9110, section 15.4.4), and as clients have always done it after 302, whatever was no `HEAD` becomes a
    /// `GET` without a body; after 301 a `POST` does. Another server gets no `Authorization` and no `Cookie`.
    #[must_use]
    pub fn redirected(&self, status: StatusCode, location: &str) -> Option<Self> {
        if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return None;
        }
        let from = self.url.expose();
        let to = from.join(location).ok().filter(|to| ["http", "https"].contains(&to.scheme()))?;
        let mut next = self.clone();
        let becomes_get = match status.as_u16() {
            302 | 303 => self.method != Method::HEAD,
            301 => self.method == Method::POST,
            _ => false,
        };
        if becomes_get && self.method != Method::GET {
            next.method = Method::GET;
        }
        if !matches!(status.as_u16(), 307 | 308) {
            next.body = Bytes::new();
            next.headers.remove(CONTENT_TYPE);
        }
        let is_same = from.host_str() == to.host_str() && from.port_or_known_default() == to.port_or_known_default();
        if !is_same {
            next.headers.remove(AUTHORIZATION);
            next.headers.remove(COOKIE);
        }
        next.url = SafeUrl::from(to);
        Some(next)
    }

    /// Declares that executing the request twice does what executing it once does. Only such a request is sent again
    /// after a failure that may have come after its execution, see [`RetryPolicy`](crate::RetryPolicy).
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Replaces [`Limits::read`](crate::Limits::read). A long poll wants a little more than the server's own limit.
    pub fn read_limit(mut self, limit: Duration) -> Self {
        self.read_limit = Some(limit);
        self
    }

    /// Replaces [`Limits::total`](crate::Limits::total).
    pub fn total_limit(mut self, limit: Duration) -> Self {
        self.total_limit = Some(limit);
        self
    }

    /// Replaces [`Limits::response_bytes`](crate::Limits::response_bytes).
    pub fn response_bytes(mut self, limit: u64) -> Self {
        self.response_bytes = Some(limit);
        self
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("operation", &self.operation)
            .field("headers", &self.headers.keys().map(HeaderName::as_str).collect::<Vec<_>>())
            .field("body_bytes", &self.body.len())
            .field("idempotent", &self.idempotent)
            .finish_non_exhaustive()
    }
}
