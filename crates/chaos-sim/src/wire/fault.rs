//! Faults on the wire: what goes wrong between the client and the server, and for which calls.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::record::Subject;
use crate::world::seconds;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum WireAction {
    /// The answer comes later, by real time.
    Latency {
        /// Seconds.
        #[serde(with = "seconds")]
        delay: Duration,
    },
    /// No answer ever comes; the connection stays open.
    Stall {
        /// Whether the call is carried out.
        #[serde(default)]
        after_effect: bool,
    },
    /// An HTTP status with a short text, as a proxy in front of the server gives it.
    Status {
        /// The status code, for example 503.
        code: u16,
        /// The value of `Retry-After`, in whole seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<u64>,
        /// Whether the call is carried out.
        #[serde(default)]
        after_effect: bool,
    },
    /// An HTML page.
    Html {
        /// The status code; a login page of a proxy comes with 200.
        code: u16,
    },
    /// The call is carried out, but its answer breaks off in the middle.
    CutBody,
    /// The connection is reset; the call is not carried out.
    ResetBefore,
    /// The call is carried out; then the connection is reset without an answer.
    ResetAfter,
    /// The caller's session ends just before the call is looked at.
    KillSession,
    /// The call is refused with a SOAP fault of this type. An engine has none, and answers as if nothing were wrong.
    SoapFault {
        /// The type of the fault, for example `HostNotConnected`; unknown types become `SystemError`.
        fault: String,
    },
}

/// A fault and the calls that it strikes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WireFault {
    /// Only calls of this method, as the record names it, for example `PowerOffVM_Task`; `vimServiceVersions` for the
    /// question about versions; `stop` for that action of an engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Only calls on the object with this id or name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// How many matching calls pass before it strikes.
    #[serde(default)]
    pub skip: u32,
    /// How many calls it strikes; none for all.
    #[serde(default = "once")]
    pub count: Option<u32>,
    /// What goes wrong.
    pub action: WireAction,
}

#[expect(clippy::unnecessary_wraps, reason = "the type of the field whose default it is")]
const fn once() -> Option<u32> {
    Some(1)
}

impl WireFault {
    /// Strikes the next call, whatever it is.
    #[must_use]
    pub const fn new(action: WireAction) -> Self {
        Self { method: None, object: None, skip: 0, count: once(), action }
    }

    /// Strikes only calls of this method.
    #[must_use]
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.method = Some(method.into());
        self
    }

    /// Strikes only calls on the object with this id or name.
    #[must_use]
    pub fn object(mut self, object: impl Into<String>) -> Self {
        self.object = Some(object.into());
        self
    }

    /// Strikes the `nth` matching call, counted from one, instead of the first.
    #[must_use]
    pub const fn nth(mut self, nth: u32) -> Self {
        self.skip = nth.saturating_sub(1);
        self
    }

    /// Strikes that many calls instead of one.
    #[must_use]
    pub const fn times(mut self, count: u32) -> Self {
        self.count = Some(count);
        self
    }

    /// Strikes every matching call from the first on.
    #[must_use]
    pub const fn always(mut self) -> Self {
        self.count = None;
        self
    }

    fn matches(&self, subject: &Subject) -> bool {
        let is_method = self.method.as_ref().is_none_or(|method| *method == subject.method);
        let is_object = self
            .object
            .as_ref()
            .is_none_or(|object| *object == subject.object || Some(object) == subject.object_name.as_ref());
        is_method && is_object
    }
}

/// The faults that are waiting to strike.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<WireFault>>);

impl Faults {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<WireFault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, fault: WireFault) {
        self.lock().push(fault);
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    pub(crate) fn all(&self) -> Vec<WireFault> {
        self.lock().clone()
    }

    /// What strikes this call: all latencies that match, and the first of the others.
    pub(crate) fn strike(&self, subject: &Subject) -> (Duration, Option<WireAction>) {
        let mut faults = self.lock();
        let mut delay = Duration::ZERO;
        let mut action = None;
        for fault in faults.iter_mut().filter(|fault| fault.matches(subject)) {
            if let WireAction::Latency { .. } = fault.action {
            } else if action.is_some() {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            fault.count = fault.count.map(|count| count.saturating_sub(1));
            match &fault.action {
                WireAction::Latency { delay: longer } => delay += *longer,
                other => action = Some(other.clone()),
            }
        }
        faults.retain(|fault| fault.count != Some(0));
        (delay, action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(method: &str, object: &str) -> Subject {
        Subject { method: method.into(), object: object.into(), ..Subject::default() }
    }

    #[test]
    fn a_fault_strikes_the_nth_matching_call_and_as_often_as_told() {
        let faults = Faults::default();
        faults.add(WireFault::new(WireAction::ResetAfter).method("PowerOffVM_Task").object("vm-1").nth(2).times(2));
        let strikes = ["vm-1", "vm-2", "vm-1", "vm-1", "vm-1"].map(|vm| faults.strike(&call("PowerOffVM_Task", vm)).1);
        assert_eq!(strikes, [None, None, Some(WireAction::ResetAfter), Some(WireAction::ResetAfter), None]);
        assert_eq!(faults.all(), []);
    }

    #[test]
    fn latencies_add_up_and_go_with_another_fault() {
        let faults = Faults::default();
        let latency = WireAction::Latency { delay: Duration::from_secs(1) };
        faults.add(WireFault::new(latency.clone()).always());
        faults.add(WireFault::new(latency));
        faults.add(WireFault::new(WireAction::CutBody));
        assert_eq!(faults.strike(&call("Login", "")), (Duration::from_secs(2), Some(WireAction::CutBody)));
        assert_eq!(faults.strike(&call("Login", "")), (Duration::from_secs(1), None));
    }

    #[test]
    fn the_json_form_is_short() {
        let fault: WireFault =
            serde_json::from_str(r#"{"method":"Login","action":{"type":"status","code":503,"retry_after":2}}"#)
                .unwrap();
        assert_eq!(fault.count, Some(1));
        assert_eq!(fault.action, WireAction::Status { code: 503, retry_after: Some(2), after_effect: false });
    }
}
