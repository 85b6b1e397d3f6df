//! Refusals of the engine: an HTTP status, a reason and a detail.
//!
//! Source: API model, type `Fault`; the texts are the engine's messages in English.

use super::element::Element;

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) status: u16,
    pub(super) reason: &'static str,
    pub(super) detail: String,
}

impl Fault {
    /// What a command or a query of the engine says, in the brackets of its list of messages.
    pub(super) fn failed(status: u16, message: impl AsRef<str>) -> Self {
        Self { status, reason: "Operation Failed", detail: format!("[{}]", message.as_ref()) }
    }

    /// A request that makes no sense, and where to read how it would.
    pub(super) fn syntax(host: &str, method: &str) -> Self {
        let detail = format!("For correct usage, see: https://{host}/ovirt-engine/apidoc#services/{method}");
        Self { status: 400, reason: "Request syntactically incorrect.", detail }
    }

    /// A request that lacks something.
    pub(super) fn incomplete(detail: impl Into<String>) -> Self {
        Self { status: 400, reason: "Incomplete parameters", detail: detail.into() }
    }

    pub(super) fn forbidden() -> Self {
        Self::failed(403, "User is not authorized to perform this action.")
    }

    pub(super) fn element(&self) -> Element {
        Element::of("fault", [Element::text("detail", self.detail.as_str()), Element::text("reason", self.reason)])
    }
}

/// Why there is no document to answer with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refused {
    Fault(Fault),
    /// Such a thing does not exist: 404 without a word.
    Absent,
    /// The engine stumbled over something that is not there: a page.
    Stumbled,
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}
