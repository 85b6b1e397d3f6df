//! The VMs of a call: named one by one, drawn at random from a group, or chosen by a selector.

use std::num::NonZeroUsize;

use chaos_core::{NamePattern, Selection, SelectorError, TargetPattern};
use serde_json::{Map, Value};

use crate::draw::Lot;
use crate::native::arguments::{Arguments, count, flag, seed};
use crate::selected::Selected;

/// The entry that makes a mapping a lot.
const GROUP: &str = "random";
/// All that a lot may hold.
const KNOWN: [&str; 6] = [GROUP, "count", "seed", "datacenter", "cluster", "host"];
/// The entry that makes a mapping a selector.
const SELECT: &str = "select";
/// All that there may be beside a selector.
const BESIDE: [&str; 3] = [SELECT, "seed", "empty"];
const SEED: &str = "a whole number that is not negative";

/// Which VMs a call is about.
#[derive(Debug, Clone)]
pub(crate) enum Vms {
    /// Each means exactly one VM.
    Named(Vec<TargetPattern>),
    /// Some of a group.
    Drawn(Box<Lot>),
    /// What a selector means.
    Selected(Box<Selected>),
}

impl Vms {
    /// The targets that have to be discovered; none if it takes the whole inventory.
    pub(crate) fn targets(&self) -> Option<&[TargetPattern]> {
        match self {
            Self::Named(targets) => Some(targets),
            Self::Drawn(lot) => Some(std::slice::from_ref(&lot.group)),
            Self::Selected(_) => None,
        }
    }

    /// The VMs and groups that are named, and whether each may mean several VMs.
    pub(crate) fn named(&self) -> Vec<(String, bool)> {
        match self {
            Self::Named(targets) => targets.iter().map(|target| (target.to_string(), false)).collect(),
            Self::Drawn(lot) => vec![(lot.group.to_string(), true)],
            Self::Selected(selected) => {
                let is_group = |target: &TargetPattern| match target {
                    TargetPattern::Name(name) => name.is_glob(),
                    TargetPattern::Id(_) | TargetPattern::Path(_) => false,
                    TargetPattern::Regex { .. } | _ => true,
                };
                let targets = selected.selection.filter.targets();
                // A selector that names none is about all that there are.
                let all = targets.is_empty().then(|| ("*".to_owned(), true));
                targets.into_iter().map(|target| (target.to_string(), is_group(target))).chain(all).collect()
            }
        }
    }
}

impl Arguments<'_> {
    /// Whether the argument is a mapping, which says what to choose from.
    pub(super) fn is_choice(&self, name: &str) -> bool {
        self.left.get(name).is_some_and(|argument| argument.value.is_object())
    }

    /// What to choose from: a group at random, or by a selector.
    pub(super) fn choice(&mut self, name: &str, many: bool) -> Option<Vms> {
        let Value::Object(written) = self.take(name)?.value else { return None };
        if written.contains_key(SELECT) {
            self.selected(name, &written, many).map(Vms::Selected)
        } else {
            self.lot(name, &written, many).map(Vms::Drawn)
        }
    }

    fn selected(&mut self, name: &str, written: &Map<String, Value>, many: bool) -> Option<Box<Selected>> {
        let before = self.findings.len();
        for key in written.keys().filter(|key| !BESIDE.contains(&key.as_str())) {
            let message = format!("`{key}` is not known here: a selector takes {}", BESIDE.join(", "));
            self.refuse(name, &message);
        }
        let seed = self.entry(name, written, "seed", SEED, seed);
        let may_be_empty = self.entry(name, written, "empty", "true or false", flag).unwrap_or(false);
        let text = match &written[SELECT] {
            Value::String(text) => Some(text.clone()),
            // A VM may have such a name.
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let selection: Option<Selection> = match text.map(|text| text.parse()) {
            Some(Ok(selection)) => Some(selection),
            Some(Err(error)) => {
                self.refuse(name, &SelectorError::to_string(&error));
                None
            }
            None => {
                self.refuse(
                    name,
                    "`select` has to be a selector, such as `cluster:prod and not db-* take 2 at random`",
                );
                None
            }
        };
        if !many && selection.as_ref().is_some_and(Selected::takes_several) {
            self.refuse(name, "this means one VM: the selector can only `take 1`");
        }
        if self.findings.len() > before {
            return None;
        }
        Some(Box::new(Selected { selection: selection?, seed, may_be_empty, many }))
    }

    fn lot(&mut self, name: &str, written: &Map<String, Value>, many: bool) -> Option<Box<Lot>> {
        let before = self.findings.len();
        for key in written.keys().filter(|key| !KNOWN.contains(&key.as_str())) {
            let message = format!("`{key}` is not known here: a random choice takes {}", KNOWN.join(", "));
            self.refuse(name, &message);
        }
        let count = self.entry(name, written, "count", "a whole number of at least 1", count);
        let seed = self.entry(name, written, "seed", SEED, seed);
        let group = if let Some(Value::String(text)) = present(written, GROUP) {
            self.pattern(name, text)
        } else {
            self.refuse(name, "`random` has to be a group of VMs: a name, a glob or `re:…`");
            None
        };
        let filter = |value: &Value| value.as_str().and_then(|text| NamePattern::new(text).ok());
        let [datacenter, cluster, host] =
            ["datacenter", "cluster", "host"].map(|key| self.entry(name, written, key, "a name or a glob", filter));
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
