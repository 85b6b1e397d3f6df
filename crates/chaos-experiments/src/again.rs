//! `retry` and `until`: an activity that is tried again, and a probe that waits for what it looks for.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::activity::{Call, Judge};
use crate::error::Finding;
use crate::extensions::Extension;
use crate::native::Kind;
use crate::reading::Reader;

/// How long is waited before the next try or look that does not say.
const DEFAULT_WAIT: Duration = Duration::from_secs(1);
/// The shortest wait between two looks: a server has other things to do.
const SHORTEST_WAIT: Duration = Duration::from_millis(100);
/// The longest wait between two tries.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// How many more tries there may be.
const MOST_TRIES: u64 = 1000;

/// How often an activity is tried again that has failed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Retry {
    /// How many tries there are beside the first.
    pub(crate) times: u64,
    /// How long is waited before the second try.
    pub(crate) delay: Duration,
    /// How many times as long is waited before each one after it: 1 to 10.
    pub(crate) backoff: f64,
}

/// What a probe waits for.
#[derive(Debug)]
pub(crate) struct Until {
    pub(crate) judge: Judge,
    /// How long it waits at most.
    pub(crate) timeout: Duration,
    /// How long is waited between two looks.
    pub(crate) every: Duration,
}

impl Reader<'_> {
    /// What an activity says under `retry`.
    pub(crate) fn retry(&mut self, map: &Map<String, Value>, place: &str, call: Option<&Call>) -> Option<Retry> {
        let (declared, place) = self.heeded(map, "retry", place, &Extension::RETRY)?;
        self.only(declared, &place, &["times", "delay", "backoff"]);
        if let Some(Call::Vm(call)) = call
            && call.function.kind() == Kind::Action
        {
            let hint = "wait with `until` in a probe behind it; the undo of what it did is tried again in any case";
            let message = "a call that changes a VM is never sent twice";
            self.findings.push(Finding::error(&place, message).hint(hint));
            return None;
        }
        let times = declared.get("times").and_then(Value::as_u64).filter(|times| (1..=MOST_TRIES).contains(times));
        if times.is_none() {
            let message = format!("how often it is tried again is a whole number from 1 to {MOST_TRIES}");
            self.findings.push(Finding::error(format!("{place}/times"), message));
        }
        let delay = self.wait(declared, "delay", &place);
        let backoff = match declared.get("backoff") {
            None | Some(Value::Null) => Some(1.0),
            Some(backoff) => backoff.as_f64().filter(|factor| (1.0..=10.0).contains(factor)),
        };
        if backoff.is_none() {
            let message = "this is by how much each wait is longer than the one before: a number from 1 to 10";
            self.findings.push(Finding::error(format!("{place}/backoff"), message));
        }
        Some(Retry { times: times?, delay: delay.min(LONGEST_WAIT), backoff: backoff? })
    }

    /// What an activity says under `until`.
    pub(crate) fn until(&mut self, map: &Map<String, Value>, place: &str, kind: Option<Kind>) -> Option<Arc<Until>> {
        let (declared, place) = self.heeded(map, "until", place, &Extension::UNTIL)?;
        self.only(declared, &place, &["tolerance", "timeout", "every"]);
        if kind == Some(Kind::Action) {
            let message = "only a probe waits: an action would be done again and again";
            self.findings.push(Finding::error(&place, message).hint("put a probe behind the action"));
            return None;
        }
        let judge = match declared.get("tolerance") {
            None => {
                self.findings.push(Finding::error(&place, "`until` needs a `tolerance`, which is what it waits for"));
                None
            }
            Some(tolerance) => self.judge(tolerance, &format!("{place}/tolerance")),
        };
        let timeout = declared.get("timeout").filter(|timeout| !timeout.is_null());
        let timeout = match timeout {
            None => {
                let message = "`until` needs a `timeout`, which is how long it waits at most";
                self.findings.push(Finding::error(&place, message));
                None
            }
            Some(timeout) => self.time(timeout, &format!("{place}/timeout")),
        };
        let every = self.wait(declared, "every", &place).max(SHORTEST_WAIT);
        Some(Arc::new(Until { judge: judge?, timeout: timeout?, every }))
    }

    /// A mapping that only these rules heed; else nothing, with a warning.
    fn heeded<'m>(
        &mut self,
        map: &'m Map<String, Value>,
        key: &str,
        place: &str,
        extension: &Extension,
    ) -> Option<(&'m Map<String, Value>, String)> {
        let declared = map.get(key).filter(|declared| !declared.is_null())?;
        let place = format!("{place}/{key}");
        if let Some(warning) = extension.used(place.clone(), self.inputs) {
            self.findings.push(warning);
            return None;
        }
        if declared.as_object().is_none() {
            self.findings.push(Finding::error(&place, format!("`{key}` is a mapping")));
        }
        Some((declared.as_object()?, place))
    }

    fn only(&mut self, declared: &Map<String, Value>, place: &str, known: &[&str]) {
        for key in declared.keys().filter(|key| !known.contains(&key.as_str())) {
            let finding = Finding::error(format!("{place}/{key}"), format!("there is no `{key}` here"));
            self.findings.push(finding.hint(format!("there are {}", known.join(", "))));
        }
    }

    fn wait(&mut self, declared: &Map<String, Value>, key: &str, place: &str) -> Duration {
        let wait = declared.get(key).and_then(|wait| self.time(wait, &format!("{place}/{key}")));
        wait.unwrap_or(DEFAULT_WAIT)
    }
}
