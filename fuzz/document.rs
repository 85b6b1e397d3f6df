//! What holds for every document that was read, whatever its text.

use chaos_experiments::{Document, Environment, Experiment, Inputs, Overrides};
use serde_json::Value;

/// Every value has a position inside of the text, and what is written down again is read as the same.
pub fn check(document: &Document, text: &str) {
    // What an alias names is there several times: a few of many are enough.
    let mut left = 2_000;
    let root = Value::Object(document.root().clone());
    visit(document, &root, "", text.matches(['\n', '\r']).count() as u64 + 1, &mut left);
    for finding in document.duplicates().iter().chain(document.notices()) {
        assert!(finding.position.is_some(), "{finding}");
    }

    let written = root.to_string();
    let again = Document::from_json(document.name(), &written).expect("what was written is read");
    assert_eq!(again.root(), document.root());
    assert!(again.duplicates().is_empty() && again.notices().is_empty());

    // Nothing but the text decides what is found.
    let inputs = Inputs::new(Overrides::none()).environment(Environment::default());
    if let Err(findings) = Experiment::new(document, &inputs) {
        assert!(findings.list.iter().all(|finding| finding.position.is_some()), "{findings}");
    }
}

fn visit(document: &Document, value: &Value, pointer: &str, lines: u64, left: &mut u32) {
    let position = document.position(pointer).expect("every value has a position");
    assert!((1..=lines).contains(&position.line) && position.column >= 1, "{pointer}: {position:?}");
    *left = left.saturating_sub(1);
    if *left == 0 {
        return;
    }
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                visit(document, value, &format!("{pointer}/{key}"), lines, left);
            }
        }
        Value::Array(items) => {
            for (at, value) in items.iter().enumerate() {
                visit(document, value, &format!("{pointer}/{at}"), lines, left);
            }
        }
        _ => {}
    }
}
