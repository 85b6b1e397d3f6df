//! How an action is asked for, and the documents that answer it.
//!
//! Source: API model, type `Action`.

use std::time::Duration;

use super::body::{Fields, Malformed};
use super::element::Element;
use super::fault::Fault;
use super::request::Request;
use super::route::{Action, Route};

/// What an action is asked for with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) reason: Option<String>,
    pub(super) force: Option<bool>,
    pub(super) pause: Option<bool>,
    is_async: Option<bool>,
    /// The time that the engine sleeps before it does anything.
    pub(super) sleep: Option<Duration>,
}

impl Options {
    /// Reads the body of a request: at least `<action/>`, or `{}` in JSON.
    pub(super) fn read(request: &Request) -> Result<Self, Malformed> {
        let fields = Fields::read(request, "action")?;
        Ok(Self {
            reason: fields.text("reason").map(str::to_owned),
            force: fields.flag("force"),
            pause: fields.flag("pause"),
            is_async: fields.flag("async"),
            sleep: fields.text("grace_period/expiry").and_then(|millis| millis.parse().ok()).map(Duration::from_millis),
        })
    }

    /// The document that answers: what was asked for, and what came of it, in the order of their names.
    pub(super) fn answer(&self, came: impl IntoIterator<Item = Element>) -> Element {
        let flag = |name, flag: Option<bool>| flag.map(|flag| Element::flag(name, flag));
        let sleep = self.sleep.map(|sleep| {
            let millis = i64::try_from(sleep.as_millis()).unwrap_or(i64::MAX);
            Element::of("grace_period", [Element::long("expiry", millis)])
        });
        let reason = self.reason.as_ref().map(|reason| Element::text("reason", reason.as_str()));
        let asked = [flag("async", self.is_async), flag("force", self.force), flag("pause", self.pause), sleep, reason];
        let mut members: Vec<Element> = asked.into_iter().flatten().collect();
        for came in came {
            members.retain(|member| member.name != came.name || came.is_member);
            members.push(came);
        }
        // Links stand before all else.
        members.sort_by_key(|member| (member.name != "link", member.name));
        Element::of("action", members)
    }

    /// The document for an action that is refused.
    pub(super) fn refused(&self, fault: &Fault) -> Element {
        self.answer([fault.element(), Element::text("status", "failed")])
    }
}

/// The reason that a request gives for an action, for the record.
pub(super) fn reason_of(request: &Request) -> Option<String> {
    matches!(request.route, Route::Action(..)).then(|| Options::read(request).ok()).flatten()?.reason
}

/// Where to read how an action is asked for.
pub(super) fn misused(request: &Request, action: Action) -> Fault {
    Fault::syntax(request.host(), &format!("vm/methods/{}", action.word()))
}
