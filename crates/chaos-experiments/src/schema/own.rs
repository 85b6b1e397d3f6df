//! Keys that Chaos Toolkit does not know and ignores. Whoever teaches the engine another one adds it here.

use serde_json::{Value, json};

use super::values::described;

/// Keys beside the method.
pub(super) fn of_experiment() -> Vec<(&'static str, Value)> {
    let every = "How long is waited between two looks, in seconds: 1 if it is not given, 0.1 at least.";
    let frequency = described(json!({"$ref": "#/$defs/time"}), every);
    vec![(
        "stop-conditions",
        json!({
            "description": "Probes that are looked at all along. The first one that does not hold stops the run, and \
                            everything is put back.",
            "type": ["array", "null"],
            "items": {"allOf": [{"$ref": "#/$defs/judged"}], "properties": {"frequency": frequency}},
        }),
    )]
}

/// Keys of an activity.
pub(super) fn of_activity() -> Vec<(&'static str, Value)> {
    Vec::new()
}
