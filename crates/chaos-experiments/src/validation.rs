//! What Chaos Toolkit finds wrong with an experiment before it runs: rules on what is written, before any substitution.

use serde_json::{Map, Value};

use crate::error::Finding;
use crate::inputs::Inputs;
use crate::provider;
use crate::python::truthy;

/// Checks an activity that is no reference.
pub(crate) fn activity(map: &Map<String, Value>, place: &str, inputs: &Inputs, findings: &mut Vec<Finding>) {
    let mut find = |field: &str, message: &str| findings.push(Finding::error(format!("{place}/{field}"), message));
    if !matches!(map.get("type").and_then(Value::as_str), Some("probe" | "action")) {
        find("type", "the type of an activity is `probe` or `action`");
    }
    if !map.get("name").is_some_and(truthy) {
        find("name", "an activity needs a name");
    }
    if map.get("timeout").is_some_and(|timeout| !timeout.is_null() && !timeout.is_number() && !timeout.is_boolean()) {
        find("timeout", "the time limit of an activity is a number of seconds");
    }
    for which in ["before", "after"] {
        let pause = map.get("pauses").and_then(|pauses| pauses.get(which));
        if pause.and_then(Value::as_str).is_some_and(|text| !text.starts_with("${") || !text.ends_with('}')) {
            find(&format!("pauses/{which}"), "a pause is a number of seconds, or one `${name}` that stands for one");
        }
    }
    background(map, place, findings);
    check_provider(map.get("provider"), &format!("{place}/provider"), inputs, findings);
}

/// Whether an activity runs in the background is true or false.
pub(crate) fn background(map: &Map<String, Value>, place: &str, findings: &mut Vec<Finding>) {
    if map.get("background").is_some_and(|background| !background.is_boolean()) {
        findings.push(Finding::error(format!("{place}/background"), "`background` is true or false"));
    }
}

fn check_provider(declared: Option<&Value>, place: &str, inputs: &Inputs, findings: &mut Vec<Finding>) {
    let Some(provider) = declared.and_then(Value::as_object) else {
        findings.push(Finding::error(place, "an activity needs a `provider`, which is a mapping"));
        return;
    };
    let mut find = |field: &str, message: String| findings.push(Finding::error(format!("{place}/{field}"), message));
    let given = |field: &str| provider.get(field).filter(|value| truthy(value));
    match provider.get("type").and_then(Value::as_str) {
        Some("process") => match given("path").map(Value::as_str) {
            None => find("path", "a process needs a `path`".to_owned()),
            Some(Some(path)) if provider::is_program(path) => {}
            Some(path) => {
                find("path", format!("there is no program `{}` that this user can run", path.unwrap_or_default()));
            }
        },
        Some("http") => {
            if given("url").is_none() {
                find("url", "a request needs a `url`".to_owned());
            }
            if given("headers").is_some_and(|headers| !headers.is_object()) {
                find("headers", "headers are a mapping of names to values".to_owned());
            }
        }
        Some("python") => {
            for field in ["module", "func"] {
                if given(field).and_then(Value::as_str).is_none() {
                    find(field, format!("a provider of this type needs `{field}`, which is a text"));
                }
            }
        }
        // What was brought along checks itself.
        Some(kind) if inputs.providers.has(kind) => {}
        _ => find("type", "the type of a provider is `python`, `process` or `http`".to_owned()),
    }
}

/// Checks what stands beside the activities.
pub(crate) fn top_level(root: &Map<String, Value>, inputs: &Inputs, findings: &mut Vec<Finding>) {
    let is_strict = inputs.rules.refuses_bad_values();
    for field in ["title", "description"] {
        let value = root.get(field);
        let is_there = if is_strict {
            value.and_then(Value::as_str).is_some_and(|text| !text.is_empty())
        } else {
            value.is_some_and(truthy)
        };
        // A run can do without the one, and not without the other.
        if !is_there && (inputs.validates || field == "title") {
            findings.push(Finding::error(format!("/{field}"), format!("an experiment needs a {field}")));
        }
    }
    if !root.get("method").is_some_and(Value::is_array) {
        let finding = Finding::error("/method", "an experiment needs a method, which is a list of activities");
        findings.push(finding.hint("the list may be empty"));
    }
    if inputs.validates {
        tags_and_extensions(root, findings);
    }
}

fn tags_and_extensions(root: &Map<String, Value>, findings: &mut Vec<Finding>) {
    let list = |field: &str| root.get(field).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for (at, tag) in list("tags").iter().enumerate() {
        if tag.as_str().is_none_or(str::is_empty) {
            findings.push(Finding::error(format!("/tags/{at}"), "a tag is a text that is not empty"));
        }
    }
    for (at, extension) in list("extensions").iter().enumerate() {
        let name = extension.get("name").and_then(Value::as_str);
        if name.is_none_or(|name| name.trim().is_empty()) {
            findings.push(Finding::error(format!("/extensions/{at}"), "an extension is a mapping with a `name`"));
        }
    }
}
