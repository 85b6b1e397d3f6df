//! The schemas of configuration and secrets.

use serde_json::{Value, json};

use super::values::{described, text};
use crate::inputs::ValueType;

/// `configuration`, `secrets`, and what they are made of.
pub(super) fn definitions() -> Vec<(&'static str, Value)> {
    let configuration = json!({
        "description": "Values by name, which `${name}` stands for anywhere below, with their types. `--override` and `--var` \
                        take their place.",
        "type": ["object", "null"],
        "additionalProperties": {"$ref": "#/$defs/configured"},
    });
    let configured = json!({
        "allOf": [
            when_type("env", &json!({"$ref": "#/$defs/env"})),
            when_type("probe", &json!({"$ref": "#/$defs/measured"})),
        ],
    });
    let secrets = json!({
        "description": "Secrets by scope and name. They are masked in everything that is written.",
        "type": ["object", "null"],
        "additionalProperties": {
            "description": "A scope: secrets by name.",
            "type": "object",
            "properties": {"type": {"not": {"type": "string"}}},
            "additionalProperties": {"$ref": "#/$defs/secret"},
        },
    });
    vec![
        ("configuration", configuration),
        ("configured", configured),
        ("env", env()),
        ("measured", measured()),
        ("secrets", secrets),
        ("secret", secret()),
    ]
}

fn when_type(name: &str, then: &Value) -> Value {
    json!({"if": {"type": "object", "properties": {"type": {"const": name}}, "required": ["type"]}, "then": then})
}

fn env() -> Value {
    let mut words: Vec<Value> = ValueType::NAMES.iter().map(|(word, _)| (*word).into()).collect();
    words.push(Value::Null);
    json!({
        "description": "The value of an environment variable.",
        "required": ["key"],
        "properties": {
            "key": described(text(), "The name of the variable."),
            "env_var_type": {"description": "What its text is read as: `str` if it is not given.", "enum": words},
            "default": {"description": "The value where the variable is not set. Without one it has to be set."},
        },
    })
}

fn measured() -> Value {
    json!({
        "description": "What a probe finds before the run. Not a VM function; of a process it is what it writes, of a \
                        request the body of the answer.",
        "required": ["provider"],
        "properties": {"name": {"type": "string"}, "provider": {"$ref": "#/$defs/provider"}},
    })
}

fn secret() -> Value {
    let key = described(text(), "The name of the environment variable.");
    let is_other = json!({"type": "object", "properties": {"type": {"enum": ["env", "vault"]}}, "required": ["type"]});
    json!({
        "description": "A secret: a value, an environment variable, or a mapping of more.",
        "allOf": [
            when_type("env", &json!({"required": ["key"], "properties": {"key": key}})),
            when_type("vault", &json!({"description": "Not supported yet: a run refuses it."})),
        ],
        "if": is_other,
        "else": {"additionalProperties": {"$ref": "#/$defs/secret"}},
    })
}
