//! Reads the arguments of a VM function: typed, forgiving in spelling, strict in meaning.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::time::Duration;

use chaos_core::TargetPattern;
use indexmap::IndexMap;
use jiff::SignedDuration;
use serde_json::{Map, Value};

use crate::configuration::escape;
use crate::error::Finding;
use crate::native::vms::Vms;
use crate::substitute::{Variables, whole_reference};

pub(super) struct Argument {
    pub(super) value: Value,
    /// Whether the value was given from outside and not written in the experiment.
    given: bool,
}

/// The arguments of one call, taken out one by one.
pub(crate) struct Arguments<'a> {
    place: String,
    pub(super) left: IndexMap<String, Argument>,
    /// Those that cannot be read, which must not be called missing as well.
    broken: BTreeSet<String>,
    pub(super) findings: &'a mut Vec<Finding>,
}

impl<'a> Arguments<'a> {
    /// Substitutes every declared argument. A `${name}` that stands for nothing is a finding: what a call would do with
    /// it is never guessed.
    pub(crate) fn new(
        declared: &Map<String, Value>,
        place: &str,
        variables: &Variables,
        findings: &'a mut Vec<Finding>,
    ) -> Self {
        let mut arguments = Self { place: place.to_owned(), left: IndexMap::new(), broken: BTreeSet::new(), findings };
        for (name, value) in declared {
            let substituted = variables.substitute(value);
            if substituted.unresolved.is_empty() {
                let given = value
                    .as_str()
                    .and_then(whole_reference)
                    .is_some_and(|reference| variables.overridden.contains(reference));
                arguments.left.insert(name.clone(), Argument { value: substituted.value, given });
                continue;
            }
            for unresolved in substituted.unresolved {
                let place = arguments.place_of(name);
                arguments.findings.push(
                    Finding::error(place, format!("`${{{unresolved}}}` stands for nothing"))
                        .hint(format!("declare `{unresolved}` under `configuration`")),
                );
            }
            arguments.broken.insert(name.clone());
        }
        arguments
    }

    /// Arguments that are taken as they are: they were given from outside, and a `$` in them is no reference.
    pub(crate) fn literal(values: Map<String, Value>, place: &str, findings: &'a mut Vec<Finding>) -> Self {
        let left = values.into_iter().map(|(name, value)| (name, Argument { value, given: true })).collect();
        Self { place: place.to_owned(), left, broken: BTreeSet::new(), findings }
    }

    fn place_of(&self, name: &str) -> String {
        format!("{}/{}", self.place, escape(name))
    }

    /// Complains about an argument.
    pub(crate) fn refuse(&mut self, name: &str, message: &str) {
        let finding = Finding::error(self.place_of(name), message);
        self.findings.push(finding);
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Argument> {
        // Null is the same as not given.
        self.left.shift_remove(name).filter(|argument| !argument.value.is_null())
    }

    fn missing(&mut self, name: &str) {
        if !self.broken.contains(name) {
            self.refuse(name, "this argument is missing");
        }
    }

    /// Whether every one of `names` that is there was given from outside.
    pub(crate) fn all_given(&self, names: &[&str]) -> bool {
        names.iter().filter_map(|name| self.left.get(*name)).all(|argument| argument.given)
    }

    /// Takes arguments out without a look, with the findings about them.
    pub(crate) fn forget(&mut self, names: &[&str]) {
        for name in names {
            self.left.shift_remove(*name);
            if self.broken.remove(*name) {
                let place = self.place_of(name);
                self.findings.retain(|finding| finding.place != place);
            }
        }
    }

    /// A text; a number counts as its text.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        match self.take(name)?.value {
            Value::String(text) if !text.trim().is_empty() => Some(text),
            Value::Number(number) => Some(number.to_string()),
            _ => {
                self.refuse(name, "this has to be a text that is not empty");
                None
            }
        }
    }

    /// A text that has to be there.
    pub(crate) fn required_text(&mut self, name: &str) -> Option<String> {
        if self.left.get(name).is_none_or(|argument| argument.value.is_null()) {
            self.missing(name);
            return None;
        }
        self.text(name)
    }

    /// Exactly one target.
    pub(crate) fn target(&mut self, name: &str) -> Option<TargetPattern> {
        let text = self.required_text(name)?;
        self.pattern(name, &text)
    }

    /// Exactly one VM: a target, or one that is chosen.
    pub(crate) fn vm(&mut self, name: &str) -> Option<Vms> {
        if self.is_choice(name) {
            return self.choice(name, false);
        }
        self.target(name).map(|target| Vms::Named(vec![target]))
    }

    /// Several VMs: a list, one text with commas between them, or some that are chosen.
    pub(crate) fn vms(&mut self, name: &str, required: bool) -> Option<Vms> {
        if self.is_choice(name) {
            return self.choice(name, true);
        }
        let Some(argument) = self.take(name) else {
            if required {
                self.missing(name);
            }
            return (!required && !self.broken.contains(name)).then(|| Vms::Named(Vec::new()));
        };
        let Some(texts) = target_texts(&argument.value) else {
            self.refuse(name, "this has to be a list of VMs, or one text with commas between them");
            return None;
        };
        if required && texts.is_empty() {
            self.refuse(name, "this names no VM");
            return None;
        }
        texts.iter().map(|text| self.pattern(name, text)).collect::<Option<_>>().map(Vms::Named)
    }

    pub(super) fn pattern(&mut self, name: &str, text: &str) -> Option<TargetPattern> {
        match text.parse() {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                self.refuse(name, &chaos_core::Error::to_string(&error));
                None
            }
        }
    }

    /// A flag; the texts `true`, `yes`, `on`, `1` and `false`, `no`, `off`, `0` count in any case, and nothing else.
    pub(crate) fn flag(&mut self, name: &str, default: bool) -> Option<bool> {
        self.optional_flag(name).map_or_else(|| (!self.broken.contains(name)).then_some(default), Some)
    }

    /// A flag that may be left out.
    pub(crate) fn optional_flag(&mut self, name: &str) -> Option<bool> {
        let value = self.take(name)?.value;
        let flag = flag(&value);
        if flag.is_none() {
            self.broken.insert(name.to_owned());
            self.refuse(name, "this has to be true or false");
        }
        flag
    }

    /// A time of more than nothing: seconds, or a text such as `90s` or `5m`.
    pub(crate) fn seconds(&mut self, name: &str, default: Duration) -> Option<Duration> {
        let Some(argument) = self.take(name) else {
            return (!self.broken.contains(name)).then_some(default);
        };
        let duration = seconds(&argument.value).filter(|duration| !duration.is_zero());
        if duration.is_none() {
            self.refuse(name, "this has to be seconds, or a time such as `90s` or `5m`, of more than 0");
        }
        duration
    }

    /// A whole number of at least 1.
    pub(crate) fn count(&mut self, name: &str, default: NonZeroUsize) -> Option<NonZeroUsize> {
        let Some(argument) = self.take(name) else {
            return (!self.broken.contains(name)).then_some(default);
        };
        let count = count(&argument.value);
        if count.is_none() {
            self.refuse(name, "this has to be a whole number of at least 1");
        }
        count
    }

    /// A TCP port.
    pub(crate) fn port(&mut self, name: &str) -> Option<u16> {
        let argument = self.take(name)?;
        let port = match &argument.value {
            Value::Number(number) => number.as_u64().and_then(|number| u16::try_from(number).ok()),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let port = port.filter(|port| *port > 0);
        if port.is_none() {
            self.refuse(name, "this has to be a port from 1 to 65535");
        }
        port
    }

    /// A value of any kind.
    pub(crate) fn value(&mut self, name: &str) -> Option<Value> {
        self.take(name).map(|argument| argument.value)
    }

    /// Complains about what is left.
    pub(crate) fn finish(self, function: &str, known: &[&str]) {
        self.finish_with(function, known, " and connection values");
    }

    /// The same where `more` names what else could have been there.
    pub(crate) fn finish_with(mut self, function: &str, known: &[&str], more: &str) {
        let unknown: Vec<String> = self.left.keys().cloned().collect();
        for name in unknown {
            if !known.contains(&name.as_str()) {
                self.refuse(&name, &format!("`{function}` takes {}{more}", known.join(", ")));
            }
        }
    }
}

/// A time: a number of seconds, as a number or text, or a text such as `90s`.
pub(crate) fn seconds(value: &Value) -> Option<Duration> {
    match value {
        Value::Number(number) => Duration::try_from_secs_f64(number.as_f64()?).ok(),
        Value::String(text) => match text.trim().parse::<f64>() {
            Ok(number) => Duration::try_from_secs_f64(number).ok(),
            Err(_) => text.trim().parse::<SignedDuration>().ok().and_then(|duration| duration.try_into().ok()),
        },
        _ => None,
    }
}

/// Targets: a list of texts, or one text with commas between them, which may also be such a list in JSON.
pub(crate) fn target_texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => {
            // A name may begin with a bracket: what is no list of texts is one text.
            let list = text.trim_start().starts_with('[').then(|| serde_json::from_str(text).ok()).flatten();
            list.or_else(|| {
                Some(text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).collect())
            })
        }
        Value::Array(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
    .filter(|texts: &Vec<String>| texts.iter().all(|text| !text.is_empty()))
}

/// A flag: true or false, 1 or 0, or one of the texts `true`, `yes`, `on`, `1`, `false`, `no`, `off`, `0` in any case.
pub(crate) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Some(true),
            "false" | "no" | "off" | "0" => Some(false),
            _ => None,
        },
        Value::Number(number) => match number.as_u64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A whole number of at least 1, as a number or text.
pub(crate) fn count(value: &Value) -> Option<NonZeroUsize> {
    let count = match value {
        Value::Number(number) => number.as_u64().and_then(|number| usize::try_from(number).ok()),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    count.and_then(NonZeroUsize::new)
}

/// A whole number that is not negative, as a number or text.
pub(crate) fn seed(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
