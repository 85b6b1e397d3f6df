//! Faults: what the engine says when it refuses (API model, type `Fault`), and what that means.

use chaos_core::{Error, ErrorKind, PlatformKind, Retry};
use chaos_http::StatusCode;
use chaos_xml::Node;

/// Texts by which the engine says that the same request is worth another try soon: another command holds the VM.
const BUSY: [&str; 3] =
    ["Related operation is currently in progress", "VM is locked", "performing an operation on a Snapshot"];

/// Texts by which it says that the VM's state does not allow the action.
const STATE: [&str; 7] = [
    "because the VM is in",
    "VM is not running",
    "VM is running",
    "VM is not up",
    "VM is in saving/restoring state",
    "is during a backup operation",
    "is not managed by the engine",
];

/// A request that the engine refused. It was not executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) status: StatusCode,
    pub(crate) reason: String,
    /// The engine's messages in one line, without the brackets of their list.
    pub(crate) detail: String,
}

impl Fault {
    /// Reads a `<fault>`, or the one within an `<action>` that failed.
    pub(crate) fn read(status: StatusCode, root: Node<'_>) -> Option<Self> {
        let fault = match root.name() {
            "fault" => root,
            _ => root.child("fault")?,
        };
        let text = |name| one_line(fault.child_text(name).unwrap_or_default());
        Some(Self { status, reason: text("reason"), detail: text("detail") })
    }

    /// Whether the same request is worth another try soon.
    pub(crate) fn is_busy(&self) -> bool {
        self.status == StatusCode::CONFLICT && BUSY.iter().any(|text| self.detail.contains(text))
    }

    /// Whether the VM that was named does not exist. The engine says so with 400 to an action, not with 404.
    pub(crate) fn is_not_found(&self) -> bool {
        self.status == StatusCode::NOT_FOUND || self.detail.contains("VM is not found")
    }

    /// Whether a query is not for this account. The engine says so with 400, not with 403.
    pub(crate) fn lacks_permission(&self) -> bool {
        self.detail.contains("insufficient permissions")
    }

    fn kind(&self) -> ErrorKind {
        if self.is_not_found() {
            return ErrorKind::NotFound;
        }
        match self.status.as_u16() {
            403 => ErrorKind::Forbidden,
            500..=599 => ErrorKind::Unavailable,
            _ if self.detail.contains("requires cluster compatibility version") => ErrorKind::Unsupported,
            _ if self.is_busy() || STATE.iter().any(|text| self.detail.contains(text)) => ErrorKind::InvalidState,
            _ => ErrorKind::Failed,
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let kind = fault.kind();
        let told = match (fault.detail.as_str(), fault.reason.as_str()) {
            ("", "") => format!("HTTP status {}, without a reason", fault.status.as_u16()),
            ("", reason) => reason.to_owned(),
            (detail, _) => detail.to_owned(),
        };
        let told = told.trim_end_matches('.');
        let message = match kind {
            ErrorKind::Forbidden => format!("the engine refused it: {told}: the account needs a role that permits it"),
            ErrorKind::Unsupported => {
                format!("the engine refused it: {told}: power the VM off and on instead")
            }
            _ => format!("the engine refused it: {told}"),
        };
        let passes = fault.is_busy() || kind == ErrorKind::Unavailable;
        let retry = if passes { Retry::Later } else { Retry::Never };
        Self::new(kind, message).retry(retry).platform(PlatformKind::OLVM)
    }
}

/// A text of the engine as a part of one line: its list is in brackets and its messages hold line feeds.
fn one_line(text: &str) -> String {
    let text = text.trim();
    let text = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use chaos_xml::{Limits, XmlStream};

    use super::*;
    use crate::api::VOCABULARY;

    fn read(status: u16, document: &str) -> Fault {
        let tree = XmlStream::read_all(document.as_bytes(), Limits::SMALL, &VOCABULARY).unwrap();
        Fault::read(StatusCode::from_u16(status).unwrap(), tree.root().unwrap()).unwrap()
    }

    fn of_action(status: u16, detail: &str) -> Error {
        let document = format!(
            "<action><fault><detail>[{detail}]</detail><reason>Operation Failed</reason></fault><status>failed</status></action>"
        );
        read(status, &document).into()
    }

    #[test]
    fn a_fault_is_read_on_its_own_and_within_an_action() {
        let alone = read(400, "<fault><detail>[a, b]</detail><reason>Operation Failed</reason></fault>");
        assert_eq!((alone.detail.as_str(), alone.reason.as_str()), ("a, b", "Operation Failed"));
        let usage = read(
            400,
            "<fault><detail>For correct usage, see: https://e/apidoc</detail><reason>Request syntactically incorrect.</reason></fault>",
        );
        assert_eq!(usage.detail, "For correct usage, see: https://e/apidoc");
    }

    #[test]
    fn messages_are_one_line_without_the_engines_brackets() {
        let text =
            "Cannot stop VM. VM is in saving/restoring state.\n-Please try again when the VM is either up or down.";
        assert_eq!(
            of_action(409, text).to_string(),
            "the engine refused it: Cannot stop VM. VM is in saving/restoring state. -Please try again when the VM is \
             either up or down"
        );
    }

    #[test]
    fn the_three_texts_of_a_busy_vm_and_no_others_are_worth_another_try() {
        for text in [
            "Cannot run VM. Related operation is currently in progress. Please try again later.",
            "Cannot run VM: VM is locked. Please try again in a few minutes.",
            "Cannot run VM. The VM is performing an operation on a Snapshot. Please wait for the operation to finish, and try again.",
        ] {
            assert_eq!(of_action(409, text).retry_class(), Retry::Later, "{text}");
            assert_eq!(of_action(400, text).retry_class(), Retry::Never, "only a conflict passes: {text}");
        }
        let other = of_action(409, "Cannot run VM because the VM is in Up status.");
        assert_eq!((other.kind(), other.retry_class()), (ErrorKind::InvalidState, Retry::Never));
    }

    #[test]
    fn each_refusal_has_its_kind() {
        for (status, text, kind) in [
            (400, "Cannot stop VM. VM is not found.", ErrorKind::NotFound),
            (403, "User is not authorized to perform this action.", ErrorKind::Forbidden),
            (
                400,
                "Cannot reset VM. Reset VM requires cluster compatibility version 4.6 or higher.",
                ErrorKind::Unsupported,
            ),
            (409, "Cannot hibernate VM. VM is not up.", ErrorKind::InvalidState),
            (409, "Cannot stop VM. VM is not running.", ErrorKind::InvalidState),
            (500, "could not open a connection to the database", ErrorKind::Unavailable),
            (409, "Cannot run VM. There is no host that satisfies current scheduling constraints.", ErrorKind::Failed),
        ] {
            assert_eq!(of_action(status, text).kind(), kind, "{text}");
        }
    }
}
