//! The schema of activities.

use serde_json::{Value, json};

use super::own;
use super::values::{described, object, text};
use crate::native::Kind;

/// `activity`, and `judged`: one with a tolerance.
pub(super) fn definitions() -> Vec<(&'static str, Value)> {
    let judged = json!({"allOf": [{"$ref": "#/$defs/activity"}], "required": ["tolerance"]});
    vec![("activity", activity()), ("judged", judged)]
}

fn activity() -> Value {
    let pause = |when: &str| described(json!({"$ref": "#/$defs/time"}), &format!("Seconds {when} it."));
    let pauses = json!({
        "description": "How long is waited around it.",
        "type": ["object", "null"],
        "properties": {"before": pause("before"), "after": pause("after")},
    });
    let mut properties = object([
        (
            "type",
            json!({
                "description": "A probe only looks, an action does something.",
                "enum": [Kind::Probe.as_str(), Kind::Action.as_str()],
            }),
        ),
        ("name", described(text(), "What it is called in plan, events and journal, and by `ref`.")),
        ("provider", json!({"$ref": "#/$defs/provider"})),
        (
            "tolerance",
            described(
                json!({"$ref": "#/$defs/tolerance"}),
                "What the output has to be. A probe of the hypothesis needs one; in the method and the rollbacks only \
                 `execute` looks at it.",
            ),
        ),
        ("pauses", pauses),
        ("background", json!({"description": "Whether the next activity does not wait for it.", "type": "boolean"})),
        (
            "timeout",
            json!({
                "description": "The longest that it may take as a whole, in seconds. Only `execute` looks at it.",
                "anyOf": [{"$ref": "#/$defs/time"}, {"type": "boolean"}],
            }),
        ),
        ("controls", json!({"$ref": "#/$defs/controls"})),
        (
            "ref",
            described(text(), "The name of an activity of the method or the hypothesis, which is done here once more."),
        ),
    ]);
    properties.extend(object(own::of_activity()));
    json!({
        "type": "object",
        "properties": properties,
        "if": {"required": ["ref"]},
        "else": {"required": ["type", "name", "provider"]},
    })
}
