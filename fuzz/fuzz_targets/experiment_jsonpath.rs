//! Paths of tolerances, and what they find. The first line is the path, the rest is the value, as JSON or as a text.
#![no_main]

#[path = "../value.rs"]
mod value;

use chaos_experiments::fuzzing::Path;
use serde_json::Value;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let path = match Path::parse(first) {
        Ok(path) => path,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    assert!(Path::parse(first).is_ok_and(|again| again == path));
    let value = match rest {
        "" => serde_json::json!({"a": [1, -2.5, "é", {"b": null}], "b": {"a": true, "B": ["x", "y", "z"]}, "A": "a"}),
        rest => value::read(rest),
    };
    let found = path.find(&value, false);
    assert_eq!(found, path.find(&value, false));
    let _ = path.find(&value, true);

    // One step more finds what is one step below.
    if let (Ok(found), Ok(longer)) = (found, Path::parse(&format!("{first}[*]")))
        && let Ok(below) = longer.find(&value, false)
    {
        assert_eq!(below, found.iter().flat_map(children).cloned().collect::<Vec<_>>());
    }
});

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(map) => map.values().collect(),
        _ => Vec::new(),
    }
}
