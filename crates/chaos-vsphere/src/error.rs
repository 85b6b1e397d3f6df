//! What can go wrong on the wire, and how that reads as the error of every platform.

use chaos_core::{Error, ErrorKind, PlatformKind, Retry};
use chaos_http::{HttpError, StatusCode};
use chaos_xml::XmlError;

use crate::soap::fault::{Fault, FaultKind};
use crate::vim::{Effect, NotSoap, ReadError};

/// A call without the result that it was made for.
#[derive(Debug, thiserror::Error)]
#[error("{method}: {cause}")]
pub(crate) struct CallError {
    pub(crate) method: &'static str,
    pub(crate) effect: Effect,
    #[source]
    pub(crate) cause: Cause,
}

/// Why.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Cause {
    /// No answer, or not the whole of it.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// An answer that is not SOAP's: any status but 200 and 500, or a body that is not XML.
    #[error("the server answered {0}")]
    Status(StatusCode),
    #[error(transparent)]
    Xml(#[from] XmlError),
    #[error(transparent)]
    NotSoap(#[from] NotSoap),
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The server refused.
    #[error("{0}")]
    Fault(Box<Fault>),
    /// The session is dead although the answer was a 200.
    #[error("the session is not authenticated")]
    DeadSession,
    /// The context ended the call, the login was refused, or the client has disconnected.
    #[error("{0}")]
    Ended(Error),
}

impl CallError {
    /// The fault, if the server refused the call. Power code matches on its [`FaultKind`].
    pub(crate) fn fault(&self) -> Option<&Fault> {
        match &self.cause {
            Cause::Fault(fault) => Some(fault),
            _ => None,
        }
    }

    /// Whether the call may have been executed all the same, so that only reading the state tells.
    pub(crate) fn may_have_taken_effect(&self) -> bool {
        if self.effect == Effect::Repeatable {
            return false;
        }
        match &self.cause {
            Cause::Http(error) => error.may_have_taken_effect(),
            // A proxy's word about a server that may have got the call.
            Cause::Status(status) => status.is_server_error(),
            Cause::Xml(_) | Cause::NotSoap(_) | Cause::Read(_) => true,
            Cause::Fault(_) | Cause::DeadSession | Cause::Ended(_) => false,
        }
    }

    /// Whether the object that was asked for is gone.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self.fault().map(|fault| &fault.kind), Some(FaultKind::ManagedObjectNotFound { .. }))
    }

    /// Whether the server said that nobody is logged in.
    pub(crate) fn is_unauthenticated(&self) -> bool {
        matches!(self.cause, Cause::DeadSession)
            || matches!(self.fault().map(|fault| &fault.kind), Some(FaultKind::NotAuthenticated { .. }))
    }

    /// The same error, now that the session is known to be alive: then `NotAuthenticated` can only mean that the
    /// account may not do this (it extends `NoPermission`).
    pub(crate) fn on_a_live_session(mut self) -> Self {
        if let Cause::Fault(fault) = &mut self.cause
            && let FaultKind::NotAuthenticated { object, privilege } = &mut fault.kind
        {
            fault.kind = FaultKind::NoPermission { object: object.take(), privilege: privilege.take() };
        }
        self
    }

    /// Whether a streamed answer broke off, so that the whole read may be begun again.
    pub(crate) fn is_interrupted(&self) -> bool {
        use chaos_http::{HttpErrorKind, TimeLimit};
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
        let CallError { method, cause, .. } = error;
        let error = match cause {
            Cause::Http(error) => Self::from(error),
            Cause::Ended(error) => error,
            Cause::Fault(fault) => fault.into(),
            Cause::DeadSession => Self::new(
                ErrorKind::Unauthenticated,
                format!("{method}: the server ended the session and a new one was not accepted either"),
            ),
            Cause::Status(status) => of_status(method, status),
            Cause::Xml(XmlError::TooLarge { what, limit, unit }) => Self::new(
                ErrorKind::Protocol,
                format!("{method}: {what} is larger than {limit} {unit}, which no vSphere server sends"),
            ),
            cause @ (Cause::Xml(_) | Cause::NotSoap(_) | Cause::Read(_)) => {
                Self::new(ErrorKind::Protocol, format!("{method}: {cause}: is this a vSphere server?")).caused_by(cause)
            }
        };
        let error = error.platform(PlatformKind::VSPHERE);
        if unsettled { error.retry(Retry::Unsettled) } else { error }
    }
}

fn of_status(method: &str, status: StatusCode) -> Error {
    let (kind, hint) = match status.as_u16() {
        401 | 407 => (ErrorKind::Unauthenticated, "something in front of the server asks for a login of its own"),
        403 => (ErrorKind::Forbidden, "something in front of the server refuses the request"),
        404 | 405 | 410 => (ErrorKind::Protocol, "there is no vSphere API at this address"),
        300..=399 => (ErrorKind::Protocol, "it points elsewhere: give the address of the vCenter or host itself"),
        503 => (ErrorKind::Unavailable, "it is starting or has no session left"),
        429 | 502 | 504 => (ErrorKind::Unavailable, "it cannot answer now"),
        _ => (ErrorKind::Protocol, "a vSphere server does not do that"),
    };
    let retry = if kind == ErrorKind::Unavailable { Retry::Exhausted } else { Retry::Never };
    Error::new(kind, format!("{method}: the server answered {status}: {hint}")).retry(retry)
}

impl From<Box<Fault>> for Error {
    fn from(fault: Box<Fault>) -> Self {
        Self::from(*fault)
    }
}

impl From<Fault> for Error {
    /// The same for a call that was refused and for a task that failed.
    fn from(fault: Fault) -> Self {
        let (kind, retry, advice) = match &fault.kind {
            FaultKind::InvalidLogin => (
                ErrorKind::Unauthenticated,
                Retry::Never,
                "check user name and password; the login is not tried again, since servers lock accounts",
            ),
            FaultKind::NotAuthenticated { .. } => (ErrorKind::Unauthenticated, Retry::Never, ""),
            FaultKind::NoPermission { .. } => {
                (ErrorKind::Forbidden, Retry::Never, "give the account a role with that privilege")
            }
            FaultKind::MethodDisabled { .. } => {
                (ErrorKind::Forbidden, Retry::Never, "another product has disabled this")
            }
            FaultKind::RestrictedVersion => {
                (ErrorKind::Unsupported, Retry::Never, "the free ESXi licence lets nobody write through the API")
            }
            FaultKind::InvalidPowerState { .. } | FaultKind::InvalidState => {
                (ErrorKind::InvalidState, Retry::Never, "")
            }
            FaultKind::QuestionPending { .. } => {
                (ErrorKind::InvalidState, Retry::Never, "answer the question in the vSphere client")
            }
            FaultKind::TaskInProgress { .. } => {
                (ErrorKind::InvalidState, Retry::Later, "another task is at work on the VM")
            }
            FaultKind::ToolsUnavailable => {
                (ErrorKind::InvalidState, Retry::Never, "VMware Tools do not answer in the guest")
            }
            FaultKind::ManagedObjectNotFound { .. } => (ErrorKind::NotFound, Retry::Never, "it is gone"),
            FaultKind::NotSupported | FaultKind::MethodNotFound { .. } => (ErrorKind::Unsupported, Retry::Never, ""),
            FaultKind::HostNotConnected | FaultKind::HostCommunication => {
                (ErrorKind::Unavailable, Retry::Later, "the vCenter does not reach the VM's host")
            }
            FaultKind::RequestCanceled => (ErrorKind::Unavailable, Retry::Later, "the server gave up the call"),
            FaultKind::InvalidCollectorVersion
            | FaultKind::InvalidProperty { .. }
            | FaultKind::InvalidArgument { .. } => {
                (ErrorKind::Protocol, Retry::Never, "the server does not understand this client")
            }
            FaultKind::SystemError { .. } | FaultKind::Other(_) => (ErrorKind::Failed, Retry::Never, ""),
        };
        let message = if advice.is_empty() { fault.to_string() } else { format!("{fault}: {advice}") };
        Self::new(kind, message).retry(retry).platform(PlatformKind::VSPHERE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vim::MoRef;

    fn fault(kind: FaultKind) -> Fault {
        Fault { kind, message: String::new() }
    }

    #[test]
    fn a_missing_permission_says_which_and_where() {
        let error = Error::from(fault(FaultKind::NoPermission {
            object: Some(MoRef::vm("vm-1")),
            privilege: Some("VirtualMachine.Interact.PowerOff".into()),
        }));
        assert_eq!(error.kind(), ErrorKind::Forbidden);
        assert_eq!(
            error.to_string(),
            "NoPermission: privilege VirtualMachine.Interact.PowerOff is missing on VirtualMachine:vm-1: \
             give the account a role with that privilege"
        );
    }

    #[test]
    fn an_unreadable_answer_to_a_power_call_is_unsettled_and_a_refusal_is_not() {
        let error = |effect, cause| CallError { method: "PowerOffVM_Task", effect, cause };
        let unreadable = Error::from(error(Effect::Once, Cause::Status(StatusCode::BAD_GATEWAY)));
        assert_eq!(unreadable.retry_class(), Retry::Unsettled);
        let read = Error::from(error(Effect::Repeatable, Cause::Status(StatusCode::BAD_GATEWAY)));
        assert_eq!((read.kind(), read.retry_class()), (ErrorKind::Unavailable, Retry::Exhausted));
        let refused = error(Effect::Once, Cause::Fault(Box::new(fault(FaultKind::TaskInProgress { task: None }))));
        assert!(!refused.may_have_taken_effect());
        assert_eq!(Error::from(refused).retry_class(), Retry::Later);
    }

    #[test]
    fn a_server_that_is_no_vsphere_is_called_so() {
        let error = Error::from(CallError {
            method: "Login",
            effect: Effect::Once,
            cause: Cause::Status(StatusCode::NOT_FOUND),
        });
        assert_eq!(
            error.to_string(),
            "Login: the server answered 404 Not Found: there is no vSphere API at this address"
        );
    }
}
