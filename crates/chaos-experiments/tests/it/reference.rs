//! How documents are read: the same as by Chaos Toolkit, case by case, but for what is listed here.

use std::fmt::Write;

use chaos_experiments::{Document, LoadError};
use serde_json::{Map, Value, json};

/// What `generate_loader.py` recorded.
const YAML: &str = include_str!("../reference/yaml.jsonl");
/// What `generate_loader.py` recorded.
const JSON: &str = include_str!("../reference/json.jsonl");

/// Texts that are read otherwise on purpose. A long one is named by its beginning.
const YAML_DIFFERENCES: &[&str] = &[
    // YAML 1.2 takes a tab wherever a space can separate.
    "a: 2001-12-14  \t21:59:43\t+01:00",
    "{\n\t\"a\": 1,\n\t\"b\": 2\n}",
    "\ta: 1",
    "a:\t1",
    "a: \t1",
    "a: 1\t",
    "a: [1,\t2]",
    "a:\n  - 1\n  -\t2",
    "a: 1 \t# c",
    "a: b\tc",
    "a:\n  b:\t c",
    // A mapping with the key `=` is no single value.
    "a: !!str {=: x}",
    "a: !!int {=: 1}",
    // A key that is missing is rather a slip of the pen than null.
    "?\n: b",
    // A journal could not hold a date as a key; here it is a text, as it is as a value.
    "2020-01-01: a",
    // Python takes the keys 1, 1.0 and true for one.
    "true: a\n1: b",
    "1: a\n1.0: b",
    // As in YAML 1.2 an anchor can be used again, and its name may have more characters.
    "a: &x 1\nb: &x 2\nc: *x",
    "a: &x-1.2/y 1\nb: *x-1.2/y",
    "a: &é 1\nb: *é",
    // Of merged mappings the first with a key counts, as YAML says and as PyYAML did before 6.0.4. A notice tells it.
    "x: &x {key: 1}\ny: &y {key: 2}\nz: {<<: [*x, *y]}",
    // Half of a surrogate pair is no character, and both halves are one.
    "a: \"\\ud83d\\ude00\"",
    "a: \"\\ud800\"",
    // Only carriage return and line feed end a line in YAML 1.2; a byte order mark is no text.
    "a: b\u{85} c",
    "a: b\u{2028} c",
    "a: \u{feff}b",
    // More levels could not be read again from what a run writes down.
    "a: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    // More than 20 parts of base 60 would be rounded otherwise, and nobody writes them.
    "a: 1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1.5",
];

/// Texts that are read otherwise on purpose. A long one is named by its beginning.
const JSON_DIFFERENCES: &[&str] = &[
    // More levels could not be read again from what a run writes down.
    "{\"a\": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    // Editors put a byte order mark in front.
    "\u{feff}{\"a\": 1}",
];

/// The value that a recorded one becomes here.
fn expected(recorded: &Value) -> Value {
    match recorded {
        Value::Array(items) => items.iter().map(expected).collect(),
        Value::Object(marker) => {
            if let Some(float) = marker.get("$float").and_then(|text| text.as_str()?.parse::<f64>().ok())
                && float.is_finite()
            {
                return float.into();
            }
            if let Some(text) = ["$int", "$float", "$iso"].iter().find_map(|kind| marker.get(*kind)) {
                return text.clone();
            }
            let mut map = Map::new();
            for entry in marker["$map"].as_array().unwrap() {
                map.insert(entry[0].as_str().unwrap().to_owned(), expected(&entry[1]));
            }
            map.into()
        }
        other => other.clone(),
    }
}

/// The order of keys, and 1 and 1.0, are told apart in it.
fn written(value: &Value) -> String {
    value.to_string()
}

/// Compares every case, and gives how many there are.
fn compare(cases: &str, differences: &[&str], read: fn(&str, &str) -> Result<Document, LoadError>) -> usize {
    let mut unexpected = String::new();
    let mut used = vec![false; differences.len()];
    for case in cases.lines() {
        let case: Value = serde_json::from_str(case).unwrap();
        let text = case["text"].as_str().unwrap();
        let wanted =
            case.get("value").map(expected).filter(|value| value.as_object().is_some_and(|map| !map.is_empty()));
        let got = read("case", text);
        let is_same = match (&wanted, &got) {
            (Some(wanted), Ok(got)) => written(wanted) == written(&json!(got.root())),
            (None, Err(_)) => true,
            _ => false,
        };
        let listed = differences.iter().position(|begin| *begin == text || begin.len() > 45 && text.starts_with(begin));
        match listed {
            Some(at) if !is_same => used[at] = true,
            None if is_same => {}
            _ => {
                let got = got.map_or_else(|error| error.to_string(), |got| json!(got.root()).to_string());
                let wanted = wanted.map_or_else(|| case["refused"].to_string(), |wanted| wanted.to_string());
                let _ = writeln!(unexpected, "{text:?}\n  reference: {wanted}\n  here: {got}");
            }
        }
    }
    for (begin, _) in differences.iter().zip(used).filter(|(_, is_used)| !is_used) {
        let _ = writeln!(unexpected, "{begin:?} is listed and no difference");
    }
    assert!(unexpected.is_empty(), "{unexpected}");
    cases.lines().count()
}

#[test]
fn yaml_is_read_as_by_the_reference() {
    assert!(compare(YAML, YAML_DIFFERENCES, Document::from_yaml) > 600);
}

#[test]
fn json_is_read_as_by_the_reference() {
    assert!(compare(JSON, JSON_DIFFERENCES, Document::from_json) > 150);
}
