//! What a template takes: names, types, defaults and limits, and how a value from outside is read.

use std::borrow::Cow;

use chaos_core::TargetPattern;
use regex::Regex;
use serde_json::Value;

use crate::inputs::{Given, ValueType};
use crate::native::{count, flag, seconds, seed, target_texts};

/// A parameter of a template, given as an override of that name.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Parameter {
    /// The name.
    pub name: Cow<'static, str>,
    /// What it means.
    pub summary: Cow<'static, str>,
    /// What it has to be.
    pub kind: ParameterKind,
    /// The value where none is given, as it would be written.
    pub default: Option<Cow<'static, str>>,
    /// Whether it has to be given.
    pub required: bool,
    pub(super) limits: Limits,
}

/// What a value has to be beside its kind.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    /// One of these, if there are any.
    pub(super) choices: Vec<Value>,
    pub(super) minimum: Option<f64>,
    pub(super) maximum: Option<f64>,
    /// The whole text has to match it.
    pub(super) pattern: Option<(String, Regex)>,
}

impl Limits {
    pub(super) const NONE: Self = Self { choices: Vec::new(), minimum: None, maximum: None, pattern: None };

    fn admits(&self, value: &Value) -> bool {
        let number = value.as_f64();
        (self.choices.is_empty() || self.choices.contains(value))
            && self.minimum.is_none_or(|least| number.is_some_and(|number| number >= least))
            && self.maximum.is_none_or(|most| number.is_some_and(|number| number <= most))
            && self.pattern.as_ref().is_none_or(|(_, whole)| value.as_str().is_some_and(|text| whole.is_match(text)))
    }
}

/// What the value of a parameter has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParameterKind {
    /// One VM, in the target notation.
    Target,
    /// Some VMs: a list, or one text with commas between them, each one in the target notation.
    Targets,
    /// A group of VMs, in the target notation.
    Group,
    /// A whole number of at least 1.
    Count,
    /// True or false.
    Flag,
    /// A time of more than nothing: seconds, or a text such as `90s`.
    Seconds,
    /// A whole number that is not negative.
    Seed,
    /// Any text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
}

impl ParameterKind {
    /// All kinds, by the words that files have for them.
    pub(super) const WORDS: [(&'static str, Self); 10] = [
        ("vm", Self::Target),
        ("vms", Self::Targets),
        ("group", Self::Group),
        ("count", Self::Count),
        ("flag", Self::Flag),
        ("seconds", Self::Seconds),
        ("seed", Self::Seed),
        ("text", Self::Text),
        ("integer", Self::Integer),
        ("number", Self::Number),
    ];

    fn form(self) -> &'static str {
        match self {
            Self::Target => "a name, `id:…` or `path:/…`",
            Self::Targets => "a list of VMs, or a text with commas between them, each a name, `id:…` or `path:/…`",
            Self::Group => "a name, a glob or `re:…`",
            Self::Count => "a whole number of at least 1",
            Self::Flag => "true or false",
            Self::Seconds => "seconds, or a time such as `90s`, of more than 0",
            Self::Seed => "a whole number that is not negative",
            Self::Text => "a text that is not empty",
            Self::Integer => "a whole number",
            Self::Number => "a number",
        }
    }

    pub(super) fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Number | Self::Count)
    }

    fn read(self, given: &Given) -> Option<Value> {
        match self {
            Self::Target | Self::Group => {
                let Value::String(text) = given.plain() else { return None };
                text.parse::<TargetPattern>().is_ok().then(|| text.into())
            }
            Self::Targets => {
                let texts = target_texts(&given.plain()).filter(|texts| !texts.is_empty())?;
                texts.iter().all(|text| text.parse::<TargetPattern>().is_ok()).then(|| texts.into())
            }
            Self::Count => count(&given.plain()).map(|count| count.get().into()),
            Self::Flag => flag(&given.plain()).map(Value::Bool),
            Self::Seconds => {
                let value = given.read(ValueType::Int).filter(Value::is_number).unwrap_or_else(|| given.plain());
                seconds(&value).is_some_and(|time| !time.is_zero()).then_some(value)
            }
            Self::Seed => seed(&given.plain()).map(Value::from),
            Self::Text => match given.plain() {
                Value::String(text) if !text.is_empty() => Some(text.into()),
                Value::Number(number) => Some(number.to_string().into()),
                _ => None,
            },
            Self::Integer => given.read(ValueType::Int).filter(|value| value.is_i64() || value.is_u64()),
            Self::Number => {
                let whole = given.read(ValueType::Int).filter(Value::is_number);
                whole.or_else(|| given.read(ValueType::Float)).filter(Value::is_number)
            }
        }
    }
}

impl Parameter {
    /// What a value has to look like, in words.
    #[must_use]
    pub fn form(&self) -> String {
        let Limits { choices, minimum, maximum, pattern } = &self.limits;
        if !choices.is_empty() {
            let choices: Vec<String> = choices.iter().map(plain).collect();
            return format!("one of {}", choices.join(", "));
        }
        let form = self.kind.form();
        match (minimum, maximum, pattern) {
            (Some(least), Some(most), _) => format!("{form} from {least} to {most}"),
            (Some(least), None, _) => format!("{form}, {least} or more"),
            (None, Some(most), _) => format!("{form}, {most} or less"),
            (None, None, Some((pattern, _))) => format!("{form} that matches `{pattern}`"),
            (None, None, None) => form.to_owned(),
        }
    }

    /// Whether it is null where it is not given, which to a function is the same as not given.
    pub(super) fn stands_for_nothing(&self) -> bool {
        !self.required && !matches!(self.kind, ParameterKind::Group)
    }

    pub(super) fn read(&self, given: &Given) -> Option<Value> {
        self.kind.read(given).filter(|value| self.limits.admits(value))
    }
}

/// A value as it would be written on the command line.
pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
