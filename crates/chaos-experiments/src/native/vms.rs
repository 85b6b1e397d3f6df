//! The VMs of a call: named one by one, or drawn at random from a group.

use std::num::NonZeroUsize;

use chaos_core::{NamePattern, TargetPattern};
use serde_json::{Map, Value};

use crate::draw::Lot;
use crate::native::arguments::{Arguments, count, seed};

/// The entry that makes a mapping a lot.
const GROUP: &str = "random";
/// All that a lot may hold.
const KNOWN: [&str; 6] = [GROUP, "count", "seed", "datacenter", "cluster", "host"];

/// Which VMs a call is about.
#[derive(Debug, Clone)]
pub(crate) enum Vms {
    /// Each means exactly one VM.
    Named(Vec<TargetPattern>),
    /// Some of a group.
    Drawn(Box<Lot>),
}

impl Vms {
    /// The targets that have to be discovered, and whether each may mean several VMs.
    pub(crate) fn targets(&self) -> (&[TargetPattern], bool) {
        match self {
            Self::Named(targets) => (targets, false),
            Self::Drawn(lot) => (std::slice::from_ref(&lot.group), true),
        }
    }
}

impl Arguments<'_> {
    /// Whether the argument is a mapping, which says what to draw from.
    pub(super) fn is_lot(&self, name: &str) -> bool {
        self.left.get(name).is_some_and(|argument| argument.value.is_object())
    }

    /// What to draw from.
    pub(super) fn lot(&mut self, name: &str, many: bool) -> Option<Box<Lot>> {
        let before = self.findings.len();
        let Value::Object(written) = self.take(name)?.value else { return None };
        for key in written.keys().filter(|key| !KNOWN.contains(&key.as_str())) {
            let message = format!("`{key}` is not known here: a random choice takes {}", KNOWN.join(", "));
            self.refuse(name, &message);
        }
        let count = self.entry(name, &written, "count", "a whole number of at least 1", count);
        let seed = self.entry(name, &written, "seed", "a whole number that is not negative", seed);
        let group = if let Some(Value::String(text)) = present(&written, GROUP) {
            self.pattern(name, text)
        } else {
            self.refuse(name, "`random` has to be a group of VMs: a name, a glob or `re:…`");
            None
        };
        let filter = |value: &Value| value.as_str().and_then(|text| NamePattern::new(text).ok());
        let [datacenter, cluster, host] =
            ["datacenter", "cluster", "host"].map(|key| self.entry(name, &written, key, "a name or a glob", filter));
        let count = count.unwrap_or(NonZeroUsize::MIN);
        if !many && count > NonZeroUsize::MIN {
            self.refuse(name, "this means one VM: `count` can only be 1");
        }
        if self.findings.len() > before {
            return None;
        }
        Some(Box::new(Lot { group: group?, datacenter, cluster, host, count, seed }))
    }

    /// An entry that may be left out.
    fn entry<T>(
        &mut self,
        name: &str,
        written: &Map<String, Value>,
        key: &str,
        form: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Option<T> {
        let value = present(written, key)?;
        let entry = read(value);
        if entry.is_none() {
            self.refuse(name, &format!("`{key}` has to be {form}"));
        }
        entry
    }
}

/// Null is the same as not given.
fn present<'v>(written: &'v Map<String, Value>, key: &str) -> Option<&'v Value> {
    written.get(key).filter(|value| !value.is_null())
}
