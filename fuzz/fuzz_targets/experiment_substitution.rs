//! Names in texts. The first line is the value, as JSON or as a text; the rest is a mapping with `configuration` and
//! `secrets`.
#![no_main]

#[path = "../value.rs"]
mod value;

use chaos_experiments::fuzzing::{Names, refers_to};
use serde_json::{Map, Value, json};
use value::{read, texts};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let declared = read(first);
    let section = |name: &str| match serde_json::from_str::<Value>(rest).ok()?.get(name)? {
        Value::Object(map) => Some(map.clone()),
        _ => None,
    };
    let few = || json!({"a": 1, "b": "${a}", "c": ["$a", null], "d": "$$"}).as_object().cloned().unwrap_or_default();
    let configuration = section("configuration").unwrap_or_else(few);
    let secrets = section("secrets").unwrap_or_default();
    let keys = configuration.keys().chain(secrets.values().filter_map(Value::as_object).flat_map(Map::keys));
    let known: Vec<String> = keys.cloned().collect();
    let names = Names::new(configuration, secrets);

    let replaced = names.replace_always(&declared);
    assert_eq!(replaced, names.replace_always(&declared));
    // Where nothing refers to anything, nothing changes.
    if !texts(&declared, &mut |text| text.contains('$')) {
        assert_eq!(replaced.value, declared);
        assert!(replaced.used.is_empty() && replaced.unresolved.is_empty());
    }
    // What is used stands for something, and is all that is referred to.
    assert!(replaced.used.iter().all(|name| names.has(name) && refers_to(&declared, name)));
    assert!(replaced.unresolved.iter().all(|name| !names.has(name) && refers_to(&declared, name)));
    assert!(known.iter().all(|name| replaced.used.contains(name) == refers_to(&declared, name)));
    // Dollar signs that are doubled are those that were meant.
    let meant = names.replace_always(&doubled(&declared));
    assert_eq!(meant.value, declared);
    assert!(meant.used.is_empty() && meant.unresolved.is_empty());
    // Where nothing is declared, nothing is replaced.
    let without = Names::default().replace(&declared);
    assert_eq!(without.value, declared);
    assert!(without.used.is_empty());
});

fn doubled(value: &Value) -> Value {
    match value {
        Value::String(text) => text.replace('$', "$$").into(),
        Value::Array(items) => items.iter().map(doubled).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), doubled(value))).collect(),
        other => other.clone(),
    }
}
