//! The schemas of the providers.

use serde_json::{Value, json};

use super::native;
use super::values::{described, named, reference, word};
use crate::native::MODULES;
use crate::provider::TYPES;

/// `provider`, and one for each type.
pub(super) fn definitions() -> Vec<(&'static str, Value)> {
    let by_type = TYPES.map(|name| {
        json!({
            "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
            "then": {"$ref": format!("#/$defs/{name}")},
        })
    });
    let provider = json!({
        "description": "Who carries it out.",
        "type": "object",
        "required": ["type"],
        "properties": {"type": {
            "description": "`python` calls a function, which for VMs needs no Python; `process` runs a program; `http` sends \
                            a request.",
            "enum": TYPES,
        }},
        "allOf": by_type,
    });
    let each = TYPES.into_iter().map(|name| (name, of_type(name)));
    [("provider", provider), ("native", native::functions())].into_iter().chain(each).collect()
}

/// By the type, so that one that is added has to be described.
fn of_type(name: &str) -> Value {
    match name {
        "python" => python(),
        "process" => process(),
        "http" => http(),
        _ => json!(true),
    }
}

fn python() -> Value {
    let module = "`chaosmonkey.vm` for VMs, which needs no Python, or any module that Python can import.";
    let mut module = described(word(), module);
    module["examples"] = json!(MODULES);
    json!({
        "required": ["module", "func"],
        "properties": {
            "module": module,
            "func": described(word(), "The function of that module."),
            "arguments": {
                "description": "Its arguments by name.",
                "anyOf": [{"type": "object"}, reference(), {"type": "null"}],
            },
            "secrets": {
                "description": "The scopes of the secrets that it gets, if it takes an argument `secrets`.",
                "anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}, {"type": "null"}],
            },
        },
        "if": {"properties": {"module": {"enum": MODULES}}, "required": ["module"]},
        "then": {"$ref": "#/$defs/native"},
    })
}

fn process() -> Value {
    json!({
        "required": ["path"],
        "properties": {
            "path": described(word(), "The program: a name to be found in `PATH`, or a path."),
            "arguments": {
                "description": "A list of arguments, or one text that goes through `/bin/sh`. A mapping is an old form.",
                "type": ["array", "string", "object", "null"],
            },
            "timeout": described(named("limit"), "After how many seconds it is killed: an hour if it is not given."),
        },
    })
}

fn http() -> Value {
    let timeout = "Seconds to connect, and of silence: one number for both, or a list of two.";
    json!({
        "required": ["url"],
        "properties": {
            "url": described(word(), "Where to send the request. Names in `${…}` are replaced."),
            "method": {
                "description": "The method: GET if it is not given.",
                "type": ["string", "null"],
                "examples": ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"],
            },
            "headers": {
                "description": "Headers by name.",
                "anyOf": [{"type": "object"}, reference(), {"type": "null"}],
            },
            "arguments": {
                "description": "Parameters of a GET, else the body: a form, a text, or any value if the header `Content-Type` \
                                is `application/json`.",
            },
            "timeout": {
                "description": timeout,
                "anyOf": [named("limit"), {"type": "array", "items": named("limit"), "minItems": 2, "maxItems": 2}],
            },
            "verify_tls": {
                "description": "Whether the certificate of the server is checked: true if it is not given.",
                "type": ["boolean", "null"],
            },
            "max_retries": {
                "description": "How often it is sent again where no answer came.",
                "type": ["integer", "null"],
                "minimum": 0,
            },
        },
    })
}
