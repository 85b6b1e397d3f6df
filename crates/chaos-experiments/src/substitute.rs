//! Substitution of `${name}` by configuration and secrets.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::python;
use crate::steps;

/// What names stand for: the configuration first, then each scope of the secrets in order.
#[derive(Clone, Default)]
pub(crate) struct Variables {
    /// Configuration, resolved.
    pub(crate) configuration: IndexMap<String, Value>,
    /// Secrets by scope, resolved.
    pub(crate) secrets: IndexMap<String, Value>,
    /// The keys of the configuration whose value was given from outside.
    pub(crate) overridden: BTreeSet<String>,
    /// The keys of the configuration that are declared to come from an environment variable named like a secret.
    pub(crate) sensitive: BTreeSet<String>,
    /// The keys of the configuration whose value only a run finds out.
    pub(crate) pending: BTreeSet<String>,
    /// What references to the outputs of earlier steps stand for, by what is written between the braces.
    pub(crate) steps: BTreeMap<String, Value>,
}

/// A value after substitution.
#[derive(Debug, PartialEq)]
pub(crate) struct Substituted {
    /// The value.
    pub(crate) value: Value,
    /// The names that were replaced.
    pub(crate) used: BTreeSet<String>,
    /// The names in `${name}` that stand for nothing; they stay as they are written.
    pub(crate) unresolved: BTreeSet<String>,
}

impl Variables {
    /// What `name` stands for.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.configuration
            .get(name)
            .or_else(|| self.secrets.values().find_map(|scope| scope.as_object().and_then(|scope| scope.get(name))))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.configuration.is_empty() && self.secrets.is_empty() && self.steps.is_empty()
    }

    /// Replaces names in every text of `value`, once: what comes in is not looked at again.
    ///
    /// A text that is exactly `${name}` becomes the value with its type; in any other text the value's text comes in
    /// its place. `$$` is a dollar sign. Keys of mappings stay as they are. Where nothing is declared, nothing at all is
    /// replaced; the unresolved names are reported all the same.
    pub(crate) fn substitute(&self, value: &Value) -> Substituted {
        let replaced = self.substitute_always(value);
        if self.is_empty() { Substituted { value: value.clone(), ..replaced } } else { replaced }
    }

    /// The same also where nothing is declared, so that `$$` is a dollar sign there too: what Chaos Toolkit does with
    /// the URL, the headers and the time limit of a request.
    pub(crate) fn substitute_always(&self, value: &Value) -> Substituted {
        let mut result = Substituted { value: Value::Null, used: BTreeSet::new(), unresolved: BTreeSet::new() };
        result.value = self.walk(value, &mut result.used, &mut result.unresolved);
        result
    }

    fn walk(&self, value: &Value, used: &mut BTreeSet<String>, unresolved: &mut BTreeSet<String>) -> Value {
        match value {
            Value::String(text) => self.text(text, used, unresolved),
            Value::Array(items) => items.iter().map(|item| self.walk(item, used, unresolved)).collect(),
            Value::Object(map) => {
                let walked: Map<String, Value> =
                    map.iter().map(|(key, value)| (key.clone(), self.walk(value, used, unresolved))).collect();
                Value::Object(walked)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    fn text(&self, text: &str, used: &mut BTreeSet<String>, unresolved: &mut BTreeSet<String>) -> Value {
        if let Some(name) = whole_reference(text)
            && let Some(value) = self.get(name)
        {
            used.insert(name.to_owned());
            return value.clone();
        }
        if let Some(value) = whole_step(text).and_then(|step| self.steps.get(step)) {
            return value.clone();
        }
        let mut replaced = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            replaced.push_str(&rest[..at]);
            rest = &rest[at..];
            let (token, mut length) = token(rest);
            match token {
                Token::Step(step) => {
                    if let Some(value) = self.steps.get(step) {
                        replaced.push_str(&python::text(value));
                    } else {
                        // Text like any other, with whatever stands in it.
                        replaced.push('$');
                        length = 1;
                    }
                }
                Token::Dollar => replaced.push('$'),
                Token::Name { name, braced } => {
                    if let Some(value) = self.get(name) {
                        used.insert(name.to_owned());
                        replaced.push_str(&python::text(value));
                    } else {
                        if braced {
                            unresolved.insert(name.to_owned());
                        }
                        replaced.push_str(&rest[..length]);
                    }
                }
                Token::Text => replaced.push_str(&rest[..length]),
            }
            rest = &rest[length..];
        }
        replaced.push_str(rest);
        Value::String(replaced)
    }
}

/// Whether any text in `value` refers to `name`.
pub(crate) fn mentions(value: &Value, name: &str) -> bool {
    match value {
        Value::String(text) => {
            let mut rest = text.as_str();
            while let Some(at) = rest.find('$') {
                let (token, mut length) = token(&rest[at..]);
                if matches!(token, Token::Step(_)) {
                    length = 1;
                }
                if matches!(token, Token::Name { name: found, .. } if found == name) {
                    return true;
                }
                rest = &rest[at + length..];
            }
            false
        }
        Value::Array(items) => items.iter().any(|item| mentions(item, name)),
        Value::Object(map) => map.values().any(|value| mentions(value, name)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The references to outputs of earlier steps in the texts of `value`: what is written between the braces.
pub(crate) fn step_references(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    find_steps(value, &mut found);
    found
}

/// `value` with what earlier steps gave in the place of each reference to it, and nothing else replaced.
pub(crate) fn with_steps(value: &Value, steps: &BTreeMap<String, Value>) -> Value {
    match value {
        Value::String(text) => steps_in_text(text, steps),
        Value::Array(items) => items.iter().map(|item| with_steps(item, steps)).collect(),
        Value::Object(map) => {
            let each = map.iter().map(|(key, value)| (key.clone(), with_steps(value, steps)));
            Value::Object(each.collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn steps_in_text(text: &str, steps: &BTreeMap<String, Value>) -> Value {
    if let Some(value) = whole_step(text).and_then(|step| steps.get(step)) {
        return value.clone();
    }
    let (mut replaced, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find('$') {
        replaced.push_str(&rest[..at]);
        rest = &rest[at..];
        let (token, length) = token(rest);
        match token {
            Token::Step(step) if steps.contains_key(step) => {
                replaced.extend(steps.get(step).map(python::text));
            }
            _ => replaced.push_str(&rest[..length]),
        }
        rest = &rest[length..];
    }
    replaced.push_str(rest);
    Value::String(replaced)
}

fn find_steps(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            let mut rest = text.as_str();
            while let Some(at) = rest.find('$') {
                let (token, length) = token(&rest[at..]);
                if let Token::Step(step) = token {
                    found.insert(step.to_owned());
                }
                rest = &rest[at + length..];
            }
        }
        Value::Array(items) => items.iter().for_each(|item| find_steps(item, found)),
        Value::Object(map) => map.values().for_each(|item| find_steps(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

enum Token<'a> {
    Dollar,
    /// A reference to the output of a step.
    Step(&'a str),
    Name {
        name: &'a str,
        braced: bool,
    },
    Text,
}

/// The token at the `$` that `text` begins with, and its length in bytes.
fn token(text: &str) -> (Token<'_>, usize) {
    let after = &text[1..];
    if after.starts_with('$') {
        return (Token::Dollar, 2);
    }
    if let Some(inner) = after.strip_prefix('{') {
        let name = identifier(inner);
        if !name.is_empty() && inner[name.len()..].starts_with('}') {
            return (Token::Name { name, braced: true }, name.len() + 3);
        }
        if let Some(step) = steps::reference(inner) {
            return (Token::Step(step), step.len() + 3);
        }
        return (Token::Text, 1);
    }
    match identifier(after) {
        "" => (Token::Text, 1),
        name => (Token::Name { name, braced: false }, name.len() + 1),
    }
}

/// The name in a text that is exactly `${name}`.
pub(crate) fn whole_reference(text: &str) -> Option<&str> {
    let name = text.strip_prefix("${")?.strip_suffix('}')?;
    (!name.is_empty() && identifier(name).len() == name.len()).then_some(name)
}

/// The reference in a text that is exactly one to the output of a step.
fn whole_step(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("${")?;
    steps::reference(inner).filter(|step| step.len() + 1 == inner.len())
}

/// The longest `[_a-zA-Z][_a-zA-Z0-9]*` that `text` begins with.
fn identifier(text: &str) -> &str {
    let starts = text.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic());
    let end = text.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    if starts { &text[..end] } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn variables() -> Variables {
        let mut variables = Variables::default();
        for (key, value) in [
            ("name", json!("web-01")),
            ("count", json!(3)),
            ("flag", json!(true)),
            ("nothing", json!(null)),
            ("list", json!([1, "x"])),
            ("again", json!("${name}")),
            ("my-var", json!("hyphen")),
        ] {
            variables.configuration.insert(key.into(), value);
        }
        variables.secrets.insert("a".into(), json!({"token": "first", "name": "never seen"}));
        variables.secrets.insert("b".into(), json!({"token": "second", "other": 7}));
        variables
    }

    #[test]
    fn the_table_of_substitutions() {
        for (text, expected) in [
            (json!("${count}"), json!(3)),
            (json!("${flag}"), json!(true)),
            (json!("${nothing}"), json!(null)),
            (json!("${list}"), json!([1, "x"])),
            (json!("$count"), json!("3")),
            (json!("${count}s"), json!("3s")),
            (json!("<${flag} ${nothing} ${list}>"), json!("<True None [1, 'x']>")),
            (json!("$name/${name}"), json!("web-01/web-01")),
            (json!("${again}"), json!("${name}")),
            (json!("x${again}"), json!("x${name}")),
            (json!("$${name} $$"), json!("${name} $")),
            (json!("${unknown} $unknown"), json!("${unknown} $unknown")),
            (json!("${my-var} ${a.b} ${} $ ${ 5$"), json!("${my-var} ${a.b} ${} $ ${ 5$")),
            (json!("${token}"), json!("first")),
            (json!("${other}"), json!(7)),
            (json!({"${name}": ["${name}", ["${count}"]]}), json!({"${name}": ["web-01", [3]]})),
            (json!("é${name}é"), json!("éweb-01é")),
            (json!(1.5), json!(1.5)),
        ] {
            assert_eq!(variables().substitute(&text).value, expected, "{text}");
        }
    }

    #[test]
    fn unresolved_names_are_told_only_where_they_are_braced() {
        let result = variables().substitute(&json!(["${gone} $bare", {"k": "${name} ${lost}"}, "$${kept}"]));
        assert_eq!(result.unresolved.into_iter().collect::<Vec<_>>(), ["gone", "lost"]);
        assert_eq!(result.used.into_iter().collect::<Vec<_>>(), ["name"]);
    }

    #[test]
    fn where_nothing_is_declared_nothing_is_replaced() {
        let result = Variables::default().substitute(&json!("$${i} ${name}"));
        assert_eq!(result.value, json!("$${i} ${name}"));
        assert!(result.unresolved.contains("name"));
    }

    proptest! {
        #[test]
        fn any_text_is_substituted_without_a_crash(text in ".{0,40}") {
            let result = variables().substitute(&json!(text));
            if !text.contains('$') {
                prop_assert_eq!(result.value, json!(text));
            }
        }
    }
}
