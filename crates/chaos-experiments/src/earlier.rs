//! Finds before a run what is wrong with references to the outputs of earlier steps.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::declared::{is_native, referenced};
use crate::error::Finding;
use crate::extensions::Extension;
use crate::inputs::Inputs;
use crate::parallel::members;
use crate::steps::Reference;
use crate::substitute::step_references;

/// Where in an activity an output may stand.
const PLACES: [&str; 5] = ["/provider/arguments", "/provider/url", "/provider/headers", "/tolerance", "/until"];
/// Where else a name could stand that is replaced.
const NOWHERE: [&str; 5] = ["/pauses", "/timeout", "/retry", "/provider/timeout", "/provider/path"];

/// Checks every reference of the experiment.
pub(crate) fn check(root: &Map<String, Value>, inputs: &Inputs, findings: &mut Vec<Finding>) {
    let hypothesis = root.get("steady-state-hypothesis").and_then(|hypothesis| hypothesis.get("probes"));
    let sections = [
        (hypothesis, "/steady-state-hypothesis/probes"),
        (root.get("method"), "/method"),
        (root.get("rollbacks"), "/rollbacks"),
    ];
    let names: BTreeSet<&str> = sections
        .iter()
        .flat_map(|(list, place)| entries(*list, place))
        .flatten()
        .filter_map(|(entry, _)| name(entry))
        .collect();
    let mut check = Check { root, inputs, names, ended: BTreeSet::new(), findings };
    for (list, place) in sections {
        for group in entries(list, place) {
            for (entry, place) in &group {
                check.entry(entry, place);
            }
            check.ended.extend(group.iter().filter_map(|(entry, _)| name(entry)));
        }
    }
    for (entry, place) in entries(root.get("stop-conditions"), "/stop-conditions").into_iter().flatten() {
        check.watched(entry, &place);
    }
}

/// Activities that begin at once, with their places.
type Entries<'a> = Vec<(&'a Map<String, Value>, String)>;

fn entries<'a>(list: Option<&'a Value>, place: &str) -> Vec<Entries<'a>> {
    let items = list.and_then(Value::as_array).into_iter().flatten().enumerate();
    let group = |(at, item): (usize, &'a Value)| -> Entries<'a> {
        let place = format!("{place}/{at}");
        match members(item) {
            Some(members) => {
                let members = members.iter().enumerate();
                members.filter_map(|(at, one)| Some((one.as_object()?, format!("{place}/parallel/{at}")))).collect()
            }
            None => item.as_object().map(|map| (map, place)).into_iter().collect(),
        }
    };
    items.map(group).collect()
}

/// The name by which a step is known to later ones.
fn name(entry: &Map<String, Value>) -> Option<&str> {
    entry.get("ref").or_else(|| entry.get("name")).and_then(Value::as_str)
}

struct Check<'a> {
    root: &'a Map<String, Value>,
    inputs: &'a Inputs,
    names: BTreeSet<&'a str>,
    /// The steps that have ended when the one that is looked at begins.
    ended: BTreeSet<&'a str>,
    findings: &'a mut Vec<Finding>,
}

impl Check<'_> {
    fn entry(&mut self, entry: &Map<String, Value>, place: &str) {
        let target = entry.get("ref").and_then(Value::as_str).and_then(|name| referenced(self.root, name));
        self.activity(entry, place);
        if let Some((target, _)) = target {
            let provider: Map<String, Value> = target.iter().filter(|(key, _)| *key == "provider").map(owned).collect();
            self.activity(&provider, place);
        }
    }

    fn activity(&mut self, map: &Map<String, Value>, place: &str) {
        let whole = Value::Object(map.clone());
        for below in PLACES {
            for text in found(&whole, below) {
                let place = format!("{place}{below}");
                if let Some(warning) = Extension::OUTPUTS.used(place.clone(), self.inputs) {
                    let message = format!("`${{{text}}}` stays as it is written, as in Chaos Toolkit");
                    self.findings.push(Finding { message, ..warning });
                } else if is_native(map) && below.starts_with("/provider") {
                    let message = "the VMs of a run are found before it begins, so no output of a step can stand here";
                    self.findings.push(Finding::error(place, message).hint("name the VM, or use `configuration`"));
                } else if let Err((message, hint)) = self.reference(&text) {
                    let message = format!("`${{{text}}}` stands for nothing: {message}");
                    let finding = Finding::error(place, message);
                    self.findings.push(match hint {
                        Some(hint) => finding.hint(hint),
                        None => finding,
                    });
                }
            }
        }
        for below in NOWHERE.into_iter().filter(|_| self.inputs.rules.knows_extensions()) {
            if !found(&whole, below).is_empty() {
                let hint = "it may stand in `arguments`, `url` and `headers` of a provider, and in a tolerance";
                let finding = Finding::error(format!("{place}{below}"), "no output of a step can stand here");
                self.findings.push(finding.hint(hint));
            }
        }
    }

    fn reference(&self, text: &str) -> Result<(), (String, Option<String>)> {
        let step = Reference::parse(text).map_err(|why| (why, None))?.step;
        if self.ended.contains(step.as_str()) {
            return Ok(());
        }
        let known = || self.ended.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let hint = if self.ended.is_empty() {
            "no step ends before it".to_owned()
        } else {
            format!("before it end {}", known())
        };
        let why = if self.names.contains(step.as_str()) { "does not end before this one begins" } else { "is no step" };
        Err((format!("`{step}` {why}"), Some(hint)))
    }

    fn watched(&mut self, entry: &Map<String, Value>, place: &str) {
        let whole = Value::Object(entry.clone());
        if PLACES.iter().chain(&NOWHERE).any(|below| !found(&whole, below).is_empty()) {
            let message = "a stop condition is looked at beside the steps, so no output of one can stand here";
            self.findings.push(match Extension::OUTPUTS.used(place, self.inputs) {
                Some(warning) => warning,
                None => Finding::error(place, message),
            });
        }
    }
}

fn owned((key, value): (&String, &Value)) -> (String, Value) {
    (key.clone(), value.clone())
}

fn found(whole: &Value, below: &str) -> BTreeSet<String> {
    whole.pointer(below).map(step_references).unwrap_or_default()
}
