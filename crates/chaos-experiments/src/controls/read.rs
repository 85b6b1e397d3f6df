//! Reads declared controls, and tells what is wrong with them.

use chaos_core::RunMode;
use serde_json::{Map, Value};

use super::{Control, ControlProvider, When};
use crate::error::Finding;
use crate::inputs::Inputs;
use crate::python::truthy;

/// The controls of an experiment, a hypothesis or an activity, which is declared at `place`. A rehearsal leaves them out.
pub(crate) fn of_owner(
    owner: &Map<String, Value>,
    place: &str,
    inputs: &Inputs,
    findings: &mut Vec<Finding>,
) -> Vec<Control> {
    let place = format!("{place}/controls");
    let items = match owner.get("controls") {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(items)) => items,
        Some(_) => {
            findings.push(Finding::error(place, "this has to be a list of controls"));
            return Vec::new();
        }
    };
    if items.is_empty() {
        return Vec::new();
    }
    if inputs.mode == RunMode::Rehearsal {
        findings.push(Finding::warning(place, "controls are left out of the rehearsal"));
        return Vec::new();
    }
    let each = items.iter().enumerate();
    each.filter_map(|(at, item)| read(item, None, &format!("{place}/{at}"), inputs, findings)).collect()
}

/// The controls from outside of the experiment.
pub(crate) fn globals(inputs: &Inputs, findings: &mut Vec<Finding>) -> Vec<Control> {
    let declared = inputs.controls.declared();
    if declared.is_empty() {
        return Vec::new();
    }
    if inputs.mode == RunMode::Rehearsal {
        findings.push(Finding::warning("", "controls from outside of the experiment are left out of the rehearsal"));
        return Vec::new();
    }
    let mut told = Vec::new();
    let each = declared.iter();
    let controls = each.filter_map(|(name, item)| read(item, Some(name), "", inputs, &mut told)).collect();
    // They belong to no place of the document.
    findings.extend(told.into_iter().map(|finding| Finding { place: String::new(), ..finding }));
    controls
}

/// A `ref` of a control names another one that is declared.
pub(crate) fn references(root: &Map<String, Value>, inputs: &Inputs, findings: &mut Vec<Finding>) {
    if !inputs.validates || inputs.mode == RunMode::Rehearsal {
        return;
    }
    let mut owners = vec![(Some(root), String::new())];
    let hypothesis = root.get("steady-state-hypothesis").and_then(Value::as_object);
    owners.push((hypothesis, "/steady-state-hypothesis".to_owned()));
    let lists = [
        (hypothesis.and_then(|hypothesis| hypothesis.get("probes")), "/steady-state-hypothesis/probes"),
        (root.get("method"), "/method"),
        (root.get("rollbacks"), "/rollbacks"),
    ];
    for (list, place) in lists {
        let activities = list.and_then(Value::as_array).into_iter().flatten().enumerate();
        owners.extend(activities.map(|(at, activity)| (activity.as_object(), format!("{place}/{at}"))));
    }
    let mut declared: Vec<(&Value, String)> = Vec::new();
    for (owner, place) in &owners {
        let controls = owner.and_then(|owner| owner.get("controls")).and_then(Value::as_array);
        let each = controls.into_iter().flatten().enumerate();
        declared.extend(each.map(|(at, control)| (control, format!("{place}/controls/{at}"))));
    }
    let plain = declared.iter().filter(|(control, _)| control.get("ref").is_none());
    let names: Vec<&Value> = plain.filter_map(|(control, _)| control.get("name")).collect();
    for (control, place) in &declared {
        if let Some(reference) = control.get("ref").filter(|reference| !names.contains(reference)) {
            findings.push(Finding::error(format!("{place}/ref"), format!("there is no control {reference}")));
        }
    }
}

/// One control. What is wrong with it keeps the experiment from running, unless nothing is checked beforehand or it comes
/// from outside of the experiment: then it is left out.
fn read(
    declared: &Value,
    global: Option<&str>,
    place: &str,
    inputs: &Inputs,
    findings: &mut Vec<Finding>,
) -> Option<Control> {
    let refused = |field: &str, message: String| {
        let place = format!("{place}{field}");
        if inputs.rules.refuses_bad_values() || (inputs.validates && global.is_none()) {
            Finding::error(place, message)
        } else {
            Finding::warning(place, format!("{message}; it is left out"))
        }
    };
    let of = global.map(|name| format!("the control `{name}`: ")).unwrap_or_default();
    let Some(map) = declared.as_object() else {
        findings.push(refused("", format!("{of}a control is a mapping with name and provider")));
        return None;
    };
    let name = global.or_else(|| map.get("name").and_then(Value::as_str));
    let Some(name) = name.filter(|_| global.is_some() || map.get("name").is_some_and(truthy)) else {
        findings.push(refused("/name", "a control needs a `name`".to_owned()));
        return None;
    };
    let Some(provider) = map.get("provider").and_then(Value::as_object) else {
        findings.push(refused("/provider", format!("{of}a control needs a `provider`, which is a mapping")));
        return None;
    };
    let scope = match map.get("scope").filter(|scope| truthy(scope)).map(Value::as_str) {
        None => None,
        Some(Some("before")) => Some(When::Before),
        Some(Some("after")) => Some(When::After),
        Some(_) => {
            findings.push(refused("/scope", format!("{of}the scope of a control is `before` or `after`")));
            return None;
        }
    };
    let kind = provider.get("type").and_then(Value::as_str).unwrap_or_default();
    let provider = match kind {
        "python" => {
            let module = provider.get("module").and_then(Value::as_str).filter(|module| !module.is_empty());
            let Some(module) = module else {
                findings.push(refused("/provider/module", format!("{of}a control in Python needs a `module`")));
                return None;
            };
            let arguments = provider.get("arguments").filter(|arguments| !arguments.is_null()).cloned();
            let arguments = arguments.unwrap_or_else(|| Value::Object(Map::new()));
            if !arguments.is_object() {
                let message = format!("{of}arguments are a mapping of names to values");
                findings.push(refused("/provider/arguments", message));
                return None;
            }
            ControlProvider::Python { module: module.to_owned(), arguments }
        }
        "process" | "http" => {
            if let Some(what) = misfit(kind, provider) {
                findings.push(refused("/provider", format!("{of}{what}")));
                return None;
            }
            ControlProvider::Native(provider.clone())
        }
        _ => {
            let message = format!("{of}the type of a control's provider is `python`, `process` or `http`");
            let place = format!("{place}/provider/type");
            findings.push(if inputs.rules.refuses_bad_values() {
                Finding::error(place, message)
            } else {
                // Chaos Toolkit ignores it without a word.
                Finding::warning(place, format!("{message}; it is left out"))
            });
            return None;
        }
    };
    let mut declaration = map.clone();
    declaration.insert("name".to_owned(), name.into());
    Some(Control {
        name: name.to_owned(),
        place: place.to_owned(),
        declaration: Value::Object(declaration),
        scope,
        automatic: map.get("automatic").is_none_or(truthy),
        interrupts: map.get("interrupts").is_some_and(truthy),
        refers: map.get("ref").and_then(Value::as_str).map(str::to_owned),
        provider,
    })
}

/// Why a process or a request cannot be a control.
fn misfit(kind: &str, provider: &Map<String, Value>) -> Option<&'static str> {
    let has_text =
        |field: &str| provider.get(field).and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty());
    match kind {
        "process" if !has_text("path") => Some("a process needs a `path`"),
        "http" if !has_text("url") => Some("a request needs a `url`"),
        "http" if provider.contains_key("arguments") => Some("the body of a control's request is what it is told"),
        "http" if provider.get("method").is_some_and(|method| method != "POST") => {
            Some("a control's request is a POST")
        }
        _ => None,
    }
}
