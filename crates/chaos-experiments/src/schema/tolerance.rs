//! The schema of tolerances.

use serde_json::{Value, json};

use super::values::{described, object};
use crate::tolerance::KINDS;

/// `tolerance`, and one for each type that a mapping may have.
pub(super) fn definitions() -> Vec<(&'static str, Value)> {
    let by_type = KINDS.map(|name| {
        json!({
            "if": {"type": "object", "properties": {"type": {"const": name}}, "required": ["type"]},
            "then": {"$ref": format!("#/$defs/tolerance-{name}")},
        })
    });
    let tolerance = json!({
        "description": "What the output of a probe has to be: a value that it is equal to; two numbers that it is between, or \
                        for what has a `status` a list of those that are fine; or a mapping with a `type`.",
        "anyOf": [
            {"type": ["boolean", "integer", "string", "array"]},
            {"type": "object", "required": ["type"], "properties": {"type": {"enum": KINDS}}},
        ],
        "allOf": by_type,
    });
    vec![
        ("tolerance", tolerance),
        ("tolerance-regex", regex()),
        ("tolerance-jsonpath", jsonpath()),
        ("tolerance-range", range()),
        ("tolerance-probe", probe()),
    ]
}

/// What may be said beside the types of most.
fn target() -> (&'static str, Value) {
    (
        "target",
        described(json!({"examples": ["stdout", "body"]}), "The key of the output that is meant, such as `stdout`."),
    )
}

fn regex() -> Value {
    let pattern =
        described(json!({"type": "string"}), "What is searched anywhere in a text, in the syntax of Python's `re`.");
    json!({"required": ["pattern"], "properties": object([("pattern", pattern), target()])})
}

fn jsonpath() -> Value {
    let path = json!({
        "description": "A path in the syntax of jsonpath2: keys in double quotes, one `=`, filters on `[*]`.",
        "type": "string",
        "pattern": "\\S",
        "examples": ["$.vms[*][?(@.state = \"up\")].name"],
    });
    let properties = [
        ("path", path),
        ("count", json!({"description": "How many values it has to find. Without it and without `expect`: any."})),
        ("expect", json!({"description": "The values that it has to find, in order."})),
        target(),
    ];
    json!({"required": ["path"], "properties": object(properties)})
}

fn range() -> Value {
    let range = json!({
        "description": "The smallest and the largest number that is fine.",
        "type": "array",
        "items": {"type": ["number", "boolean"]},
        "minItems": 2,
        "maxItems": 2,
    });
    json!({"required": ["range"], "properties": object([("range", range), target()])})
}

fn probe() -> Value {
    json!({
        "description": "A probe that gets the output as its argument `value`, and whose own output has to count as true.",
        "required": ["name", "provider"],
        "allOf": [{"$ref": "#/$defs/activity"}],
    })
}
