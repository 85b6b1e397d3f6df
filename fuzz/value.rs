//! Values as the input of a fuzz target has them.

use serde_json::Value;

/// JSON, or else the text itself: a fuzzer seldom writes quotation marks in pairs.
pub fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}

/// Whether any text in a value, which is no key, is such.
#[allow(dead_code, reason = "not every target asks")]
pub fn texts(value: &Value, is_such: &mut impl FnMut(&str) -> bool) -> bool {
    match value {
        Value::String(text) => is_such(text),
        Value::Array(items) => items.iter().any(|item| texts(item, is_such)),
        Value::Object(map) => map.values().any(|value| texts(value, is_such)),
        _ => false,
    }
}
