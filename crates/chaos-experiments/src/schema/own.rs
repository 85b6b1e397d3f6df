//! Keys that Chaos Toolkit does not know and ignores. Whoever teaches the engine another one adds it here.

use serde_json::{Value, json};

use super::values::described;

/// Keys beside the method.
pub(super) fn of_experiment() -> Vec<(&'static str, Value)> {
    let every = "How long is waited between two looks, in seconds: 1 if it is not given, 0.1 at least.";
    let frequency = described(json!({"$ref": "#/$defs/time"}), every);
    let conditions = json!({
        "description": "Probes that are looked at all along. The first one that does not hold stops the run, and \
                        everything is put back.",
        "type": ["array", "null"],
        "items": {"allOf": [{"$ref": "#/$defs/judged"}], "properties": {"frequency": frequency}},
    });
    let policy = json!({
        "description": "Rules that every fault has to keep, beside those of the settings, such as `at most 2` or \
                        `protect db-*`.",
        "type": ["array", "null"],
        "items": {"type": "string"},
    });
    vec![("stop-conditions", conditions), ("policy", policy)]
}

/// Keys of an activity.
pub(super) fn of_activity() -> Vec<(&'static str, Value)> {
    let time = || json!({"$ref": "#/$defs/time"});
    let retry = json!({
        "description": "How often it is tried again if it fails. Not for what changes a VM.",
        "type": ["object", "null"],
        "required": ["times"],
        "properties": {
            "times": {"description": "How many tries beside the first.", "type": "integer", "minimum": 1, "maximum": 1000},
            "delay": described(time(), "Seconds before the second try: 1 if it is not given."),
            "backoff": {
                "description": "How many times as long each wait after it is: 1 if it is not given.",
                "type": ["number", "null"],
                "minimum": 1,
                "maximum": 10,
            },
        },
        "additionalProperties": false,
    });
    let until = json!({
        "description": "What a probe waits for: it looks again until its output is within the tolerance.",
        "type": ["object", "null"],
        "required": ["tolerance", "timeout"],
        "properties": {
            "tolerance": {"$ref": "#/$defs/tolerance"},
            "timeout": described(time(), "How long it waits at most, in seconds."),
            "every": described(time(), "Seconds between two looks: 1 if it is not given."),
        },
        "additionalProperties": false,
    });
    vec![("retry", retry), ("until", until)]
}

/// An entry of the method or the rollbacks: an activity, or some that go on at once.
pub(super) fn step() -> Value {
    json!({
        "if": {"required": ["parallel"]},
        "then": {
            "type": "object",
            "properties": {
                "name": {"description": "What the group is called.", "type": ["string", "null"], "minLength": 1},
                "parallel": {
                    "description": "Activities that go on at once. The next step waits for all of them.",
                    "type": "array",
                    "minItems": 1,
                    "items": {"$ref": "#/$defs/activity"},
                },
            },
            "additionalProperties": false,
        },
        "else": {"$ref": "#/$defs/activity"},
    })
}
