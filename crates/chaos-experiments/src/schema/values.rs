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

/// The values that have a name in the schema: see [`named`].
pub(super) fn definitions() -> Vec<(&'static str, Value)> {
    let or_null =
        |either: &[Value]| json!({"anyOf": either.iter().cloned().chain([json!({"type": "null"})]).collect::<Value>()});
    let numeral = json!({"type": "string", "pattern": "\\$|^\\s*\\+?0*[1-9][0-9]*\\s*$"});
    let number = json!({"type": "number"});
    let list = json!({"type": "array", "items": text()});
    let mut time = or_null(&[json!({"type": "number", "minimum": 0}), json!({"type": "string", "pattern": TIME})]);
    time["examples"] = json!([1, "${pause}"]);
    let some = json!({"anyOf": [
        {"type": "array", "items": text(), "minItems": 1},
        {"type": "string", "pattern": "[^,\\s]"},
    ]});
    vec![
        // Seconds, or a text such as `90s`.
        ("time", time),
        // The same, of more than nothing.
        (
            "limit",
            or_null(&[json!({"type": "number", "exclusiveMinimum": 0}), json!({"type": "string", "pattern": LIMIT})]),
        ),
        ("flag", or_null(&[json!({"type": "boolean"}), json!({"enum": [0, 1]}), flag_word()])),
        ("count", or_null(&[json!({"type": "integer", "minimum": 1}), numeral.clone()])),
        ("port", or_null(&[json!({"type": "integer", "minimum": 1, "maximum": u16::MAX}), numeral])),
        // A text, for which a number counts too.
        ("words", or_null(&[word(), number.clone()])),
        ("target", json!({"anyOf": [word(), number]})),
        ("targets", or_null(&[list, json!({"type": "string"})])),
        ("some-targets", some),
        // VMs of a group at random.
        ("draw", draw()),
        // VMs that a selector means.
        ("select", select()),
    ]
}

/// The value of that name among the definitions.
pub(super) fn named(name: &str) -> Value {
    json!({"$ref": format!("#/$defs/{name}")})
}

/// Some VMs of a group, drawn by a seed.
fn draw() -> Value {
    let part = |what: &str| described(named("words"), &format!("Only VMs of this {what}."));
    json!({
        "type": "object",
        "required": ["random"],
        "properties": {
            "random": described(named("target"), "The group of VMs that are drawn from."),
            "count": described(named("count"), "How many: 1 if it is not given."),
            "seed": {"description": "The same seed draws the same VMs.", "type": ["integer", "string", "null"]},
            "datacenter": part("datacenter"),
            "cluster": part("cluster"),
            "host": part("host"),
        },
        "additionalProperties": false,
    })
}

/// What a selector means, all or some of it.
fn select() -> Value {
    let select = "A selector, such as `cluster:prod and not db-* take 2 at random`. Without `take` all that fit.";
    let seed = "For a choice at random whose text has none: the same seed takes the same VMs.";
    json!({
        "type": "object",
        "required": ["select"],
        "properties": {
            "select": described(named("target"), select),
            "seed": {"description": seed, "type": ["integer", "string", "null"]},
            "empty": described(named("flag"), "Whether no VM may fit. Then nothing is done."),
        },
        "additionalProperties": false,
    })
}

/// The words that count as true or false do so in any case of their letters.
fn flag_word() -> Value {
    let any_case = |word: &str| -> String {
        word.chars().flat_map(|letter| ['[', letter.to_ascii_uppercase(), letter, ']']).collect()
    };
    let words = ["true", "yes", "on", "1", "false", "no", "off", "0"].map(any_case).join("|");
    json!({"type": "string", "pattern": format!("\\$|^\\s*({words})\\s*$")})
}

/// The value of a parameter of that kind.
pub(super) fn of_kind(kind: ParameterKind, required: bool) -> Value {
    named(match kind {
        ParameterKind::Target | ParameterKind::Group if required => "target",
        ParameterKind::Target | ParameterKind::Group => "words",
        ParameterKind::Targets if required => "some-targets",
        ParameterKind::Targets => "targets",
        ParameterKind::Count => "count",
        ParameterKind::Flag => "flag",
        ParameterKind::Seconds => "limit",
        // Only templates have parameters of these kinds.
        ParameterKind::Text => return json!({"type": "string"}),
        ParameterKind::Seed | ParameterKind::Integer => return json!({"type": ["integer", "string"]}),
        ParameterKind::Number => return json!({"type": ["number", "string"]}),
    })
}
