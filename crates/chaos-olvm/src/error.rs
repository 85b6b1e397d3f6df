//! What can go wrong on the wire, and how that reads as the error of every platform.

use chaos_core::{Error, ErrorKind, PlatformKind, Retry};
use chaos_http::{HttpError, HttpErrorKind, Method, StatusCode, TimeLimit};
use chaos_xml::XmlError;

use crate::api::fault::Fault;
use crate::api::token::SsoError;

/// A call without the result that it was made for.
#[derive(Debug, thiserror::Error)]
#[error("{operation}: {cause}")]
pub(crate) struct CallError {
    pub(crate) operation: &'static str,
    pub(crate) method: Method,
    #[source]
    pub(crate) cause: Cause,
}

/// Why.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Cause {
    /// No answer, or not the whole of it.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// A page for people, or nothing, where an answer of the API was expected.
    #[error("the server answered {status}{}", told(page))]
    Page { status: StatusCode, page: String },
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// XML that is not the document that was asked for.
    #[error("the answer is a `{0}`")]
    Document(String),
    /// The engine refused; it executed nothing.
    #[error("{}", .0.detail)]
    Fault(Box<Fault>),
    /// There is no such object.
    #[error("there is no such object")]
    NotFound,
    /// The token is dead, or was never one.
    #[error("the engine does not accept the login{}", told(.0))]
    Unauthenticated(String),
    /// The single sign-on service refused.
    #[error("{}", .0.message)]
    Sso(SsoError),
    /// The context ended the call, the login was refused, or the client has disconnected.
    #[error("{0}")]
    Ended(Error),
}

fn told(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

impl CallError {
    /// The fault, if the engine refused the call.
    pub(crate) fn fault(&self) -> Option<&Fault> {
        match &self.cause {
            Cause::Fault(fault) => Some(fault),
            _ => None,
        }
    }

    pub(crate) fn is_unauthenticated(&self) -> bool {
        matches!(self.cause, Cause::Unauthenticated(_))
    }

    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self.cause, Cause::NotFound) || self.fault().is_some_and(Fault::is_not_found)
    }

    /// Whether the account must not ask for this, or the engine has no such thing to ask for.
    pub(crate) fn is_withheld(&self) -> bool {
        let is_final = |status: StatusCode| matches!(status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND);
        match &self.cause {
            Cause::NotFound => true,
            Cause::Page { status, .. } => is_final(*status),
            Cause::Fault(fault) => is_final(fault.status) || fault.lacks_permission(),
            Cause::Http(_)
            | Cause::Xml(_)
            | Cause::Document(_)
            | Cause::Unauthenticated(_)
            | Cause::Sso(_)
            | Cause::Ended(_) => false,
        }
    }

    /// Whether the call may have been executed all the same, so that only reading the state tells.
    pub(crate) fn may_have_taken_effect(&self) -> bool {
        if self.method == Method::GET {
            return false;
        }
        match &self.cause {
            Cause::Http(error) => error.may_have_taken_effect(),
            // The web server's word about an engine that may have got the call, or a yes in somebody else's words. A 404 says that
            // there is no engine yet.
            Cause::Page { status, .. } => status.is_server_error() || status.is_success(),
            Cause::Fault(fault) => fault.status.is_server_error(),
            Cause::Xml(_) | Cause::Document(_) => true,
            Cause::NotFound | Cause::Unauthenticated(_) | Cause::Sso(_) | Cause::Ended(_) => false,
        }
    }

    /// Whether a streamed answer broke off, so that the whole read may be begun again.
    pub(crate) fn is_interrupted(&self) -> bool {
        match &self.cause {
            Cause::Http(error) => {
                matches!(error.kind(), HttpErrorKind::Interrupted | HttpErrorKind::TimedOut(TimeLimit::Read))
            }
            Cause::Xml(error) => matches!(error, XmlError::Cut),
            _ => false,
        }
    }
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        let unsettled = error.may_have_taken_effect();
        let CallError { operation, cause, .. } = error;
        let error = match cause {
            Cause::Http(error) => Self::from(error),
            Cause::Ended(error) => error,
            Cause::Fault(fault) => (*fault).into(),
            Cause::NotFound => Self::new(ErrorKind::NotFound, format!("{operation}: there is no such object")),
            Cause::Unauthenticated(told) => Self::new(
                ErrorKind::Unauthenticated,
                format!("{operation}: the engine ended the session and does not accept a new one either: {told}"),
            ),
            Cause::Sso(refusal) => of_sso(&refusal),
            Cause::Page { status, page } => of_page(operation, status, &page),
            Cause::Xml(XmlError::TooLarge { what, limit, unit }) => Self::new(
                ErrorKind::Protocol,
                format!("{operation}: {what} is larger than {limit} {unit}, which no engine sends"),
            ),
            cause @ (Cause::Xml(_) | Cause::Document(_)) => {
                Self::new(ErrorKind::Protocol, format!("{operation}: {cause}: is this an oVirt engine?"))
                    .caused_by(cause)
            }
        };
        let error = error.platform(PlatformKind::OLVM);
        if unsettled { error.retry(Retry::Unsettled) } else { error }
    }
}

/// A refusal of the single sign-on service.
fn of_sso(refusal: &SsoError) -> Error {
    let SsoError { code, message } = refusal;
    match code.as_str() {
        "server_error" => Error::new(ErrorKind::Unavailable, format!("the engine cannot check logins now: {message}")),
        "access_denied" | "invalid_grant" | "unauthorized_client" | "invalid_scope" => {
            let hint = if message.contains("No valid profile") {
                ": write the user as NAME@PROFILE, such as admin@internal"
            } else {
                ""
            };
            Error::new(ErrorKind::Unauthenticated, format!("the engine refused the login: {message}{hint}"))
        }
        _ => Error::new(ErrorKind::Protocol, format!("the engine does not give tokens to this client: {message}")),
    }
}

/// A page in place of an answer: the web server stands alone while the engine restarts, and shows pages to people who are
/// at the wrong address.
fn of_page(operation: &str, status: StatusCode, page: &str) -> Error {
    let (kind, hint) = match status.as_u16() {
        404 => (
            ErrorKind::Unavailable,
            "the engine is starting, or there is none at this address: give the address of the engine's API",
        ),
        429 | 500..=599 => (ErrorKind::Unavailable, "the engine is down or restarting"),
        401 | 407 => (ErrorKind::Unauthenticated, "something in front of the engine asks for a login of its own"),
        403 => (ErrorKind::Forbidden, "something in front of the engine refuses the request"),
        300..=399 => (ErrorKind::Protocol, "it points elsewhere: give the address of the engine itself"),
        200..=299 => (ErrorKind::Protocol, "a page for people in place of an answer: is this an oVirt engine?"),
        _ => (ErrorKind::Protocol, "is this an oVirt engine?"),
    };
    let status = status.as_u16();
    Error::new(kind, format!("{operation}: HTTP status {status}{}: {hint}", told(page)))
}

/// The same error once more, for each VM of a request that failed as a whole.
pub(crate) fn again(error: &Error) -> Error {
    Error::new(error.kind(), error.with_causes()).retry(error.retry_class()).platform(PlatformKind::OLVM)
}
