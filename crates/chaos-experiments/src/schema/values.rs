//! Schemas of single values, each as forgiving as the engine: a text with a `$` may stand for anything.

use serde_json::{Map, Value, json};

use crate::templates::ParameterKind;

/// A mapping in this order.
pub(super) fn object<K: Into<String>>(entries: impl IntoIterator<Item = (K, Value)>) -> Map<String, Value> {
    entries.into_iter().map(|(key, value)| (key.into(), value)).collect()
}

/// The same schema with a description.
pub(super) fn described(schema: Value, description: &str) -> Value {
    let mut described = object([("description", description.into())]);
    if let Value::Object(schema) = schema {
        described.extend(schema);
    }
    Value::Object(described)
}

/// A text that is not empty.
pub(super) fn text() -> Value {
    json!({"type": "string", "minLength": 1})
}

/// A text that says something.
pub(super) fn word() -> Value {
    json!({"type": "string", "pattern": "\\S"})
}

/// A text in which a name stands for something.
pub(super) fn reference() -> Value {
    json!({"type": "string", "pattern": "\\$"})
}

/// A name, or what begins like a time: the rest is left to the engine.
const TIME: &str = r"\$|^\s*\+?[PpTt]{0,2}[0-9.]";
/// The same without those of nothing.
const LIMIT: &str = r"\$|^(?=.*[1-9])\s*\+?[PpTt]{0,2}[0-9.]";

/// A time: seconds, or a text such as `90s`.
pub(super) fn time() -> Value {
    json!({
        "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": TIME}, {"type": "null"}],
        "examples": [1, "${pause}"],
    })
}

/// A time of more than nothing.
pub(super) fn limit() -> Value {
    json!({"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string", "pattern": LIMIT}, {"type": "null"}]})
}

/// True or false; the words that count as such do in any case of their letters.
pub(super) fn flag() -> Value {
    let any_case = |word: &str| -> String {
        word.chars().map(|letter| format!("[{}{letter}]", letter.to_ascii_uppercase())).collect()
    };
    let words = ["true", "yes", "on", "1", "false", "no", "off", "0"].map(any_case).join("|");
    let written = json!({"type": "string", "pattern": format!("\\$|^\\s*({words})\\s*$")});
    json!({"anyOf": [{"type": "boolean"}, {"enum": [0, 1]}, written, {"type": "null"}]})
}

/// A whole number from 1 on.
pub(super) fn count(most: Option<u64>) -> Value {
    let mut number = json!({"type": "integer", "minimum": 1});
    if let Some(most) = most {
        number["maximum"] = most.into();
    }
    json!({"anyOf": [number, {"type": "string", "pattern": "\\$|^\\s*\\+?0*[1-9][0-9]*\\s*$"}, {"type": "null"}]})
}

/// A text, for which a number counts too.
pub(super) fn words() -> Value {
    json!({"anyOf": [word(), {"type": "number"}, {"type": "null"}]})
}

/// The value of a parameter of that kind.
pub(super) fn of_kind(kind: ParameterKind, required: bool) -> Value {
    match kind {
        ParameterKind::Target | ParameterKind::Group if required => json!({"anyOf": [word(), {"type": "number"}]}),
        ParameterKind::Target | ParameterKind::Group => words(),
        ParameterKind::Targets if required => json!({"anyOf": [
            {"type": "array", "items": text(), "minItems": 1},
            {"type": "string", "pattern": "[^,\\s]"},
        ]}),
        ParameterKind::Targets => {
            json!({"anyOf": [{"type": "array", "items": text()}, {"type": "string"}, {"type": "null"}]})
        }
        ParameterKind::Count => count(None),
        ParameterKind::Flag => flag(),
        ParameterKind::Seconds => limit(),
    }
}
