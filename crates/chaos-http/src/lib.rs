//! How every platform client speaks HTTP: TLS, limits, retry, redaction.
//!
//! * [`Client`] sends a [`Request`] within a [`Context`](chaos_core::Context): nothing outlasts its deadline.
//! * [`Client::send`] hands out the body as it comes, for answers too large to hold; [`Client::fetch`] reads it whole.
//! * An answer of any status is an answer; an [`HttpError`] means that there is none.
//! * Only what is declared [`idempotent`](Request::idempotent) is sent again after it may have been executed, see
//!   [`RetryPolicy`]. For all else [`HttpError::may_have_taken_effect`] says that the state must be read.
//! * [`TlsTrust`] says which servers are trusted; [`Config::platform`] and [`Config::probe`] are the two profiles.
//! * [`inspect()`] looks at the way to a server step by step and says where it ends, for people who have to mend it.
//! * [`SafeUrl`] prints without secrets, [`SessionCookie`] keeps a cookie byte for byte. Bodies and header values are
//!   never logged.
//!
//! ```
//! use std::time::Duration;
//! use chaos_core::Context;
//! use chaos_http::{Client, Config, Request, SessionCookie, parse_endpoint};
//! # use wiremock::{Mock, MockServer, ResponseTemplate, matchers::method};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = MockServer::start().await;
//! # let answer = ResponseTemplate::new(200).insert_header("set-cookie", "sid=\"52ab\"; Secure").set_body_string("<ok/>");
//! # Mock::given(method("POST")).respond_with(answer).mount(&server).await;
//! # let text = server.uri();
//! let client = Client::new(Config::platform())?;
//! let cx = Context::with_timeout(Duration::from_secs(30));
//! let url = parse_endpoint(&text)?.join("/sdk")?;
//!
//! let login = Request::post(&url, "Login").body("text/xml", "<Login/>");
//! let answer = client.fetch(&cx, &login).await?;
//! assert_eq!(answer.status(), 200);
//! let session = SessionCookie::from_headers(answer.headers(), "sid").expect("the server sets one");
//!
//! let list = Request::post(&url, "RetrievePropertiesEx").body("text/xml", "<Retrieve/>").cookie(&session).idempotent();
//! let mut response = client.send(&cx, &list).await?;
//! let mut size = 0;
//! while let Some(piece) = response.chunk().await? {
//!     size += piece.len();
//! }
//! assert_eq!(size, "<ok/>".len());
//! # Ok(())
//! # }
//! ```

mod call;
mod classify;
mod client;
mod config;
mod cookie;
mod endpoint;
mod error;
mod inspect;
mod request;
mod response;
mod retry;
mod safe_url;
mod tls;
mod wait;
mod watched_body;

pub use bytes::Bytes;
pub use client::Client;
pub use config::{Config, ConfigError, Limits, PlainHttp, Profile};
pub use cookie::SessionCookie;
pub use endpoint::{check_endpoint, parse_endpoint, printable_endpoint};
pub use error::{HttpError, HttpErrorKind, TimeLimit};
pub use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
pub use inspect::{
    CertificateSummary, ClockSkew, ConnectFailure, Connected, Handshake, Inspection, Reply, TlsInspection,
    certificates, inspect,
};
pub use request::Request;
pub use response::{Answer, Response};
pub use retry::RetryPolicy;
pub use safe_url::SafeUrl;
pub use secrecy::{ExposeSecret, SecretString};
pub use tls::{RefusedCertificate, Rule, Thumbprint, ThumbprintError, TlsTrust};
pub use url::Url;
