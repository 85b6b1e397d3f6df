//! The schema of the VM functions: which there are, and what each takes.

use serde_json::{Value, json};

use super::values::{described, named, object, of_kind, reference};
use crate::native::{CONNECTION_ARGUMENTS, Function};
use crate::templates::ParameterKind;

/// A call of a function of ours: its name decides about its arguments.
pub(super) fn functions() -> Value {
    let names = Function::ALL.map(Function::name);
    let by_name = Function::ALL.map(|function| {
        json!({
            "if": {"properties": {"func": {"const": function.name()}}, "required": ["func"]},
            "then": {"required": ["arguments"], "properties": {"arguments": arguments(function)}},
        })
    });
    json!({"properties": {"func": {"description": "The VM function.", "enum": names}}, "allOf": by_name})
}

fn arguments(function: Function) -> Value {
    let platform = "The platform: its name in the settings, or its kind, such as `vsphere` or `olvm`.";
    let mut platform = described(named("target"), platform);
    platform["examples"] = json!(["vsphere", "olvm"]);
    let mut required = vec!["platform_type"];
    required.extend(function.parameters().iter().filter(|name| is_required(name)));
    let own = function.parameters().iter().map(|name| (*name, parameter(name)));
    let connection = CONNECTION_ARGUMENTS.into_iter().map(|name| (name, connection(name)));
    json!({
        "description": format!("The arguments of `{}`, an {}.", function.name(), function.kind().as_str()).replace("an probe", "a probe"),
        "type": "object",
        "required": required,
        "properties": object([("platform_type", platform)].into_iter().chain(own).chain(connection)),
        // A mistyped argument would be refused by the run as well.
        "additionalProperties": false,
    })
}

fn is_required(parameter: &str) -> bool {
    ["vm_name", "vm_names", "group"].contains(&parameter)
}

fn parameter(name: &str) -> Value {
    let (kind, what) = match name {
        "vm_name" => (ParameterKind::Target, "The VM: a name, `id:…` or `path:/…`."),
        "vm_names" => (ParameterKind::Targets, "The VMs: a list, or one text with commas between them."),
        "group" => (ParameterKind::Group, "The group of VMs: a name, a glob or `re:…`."),
        "except" => (ParameterKind::Targets, "VMs of the group that do not matter."),
        "graceful" => (ParameterKind::Flag, "Whether the guest is asked first: true if it is not given."),
        "timeout" => (ParameterKind::Seconds, "How long it may take, in seconds or as `5m`: 300 if it is not given."),
        "hard_timeout" => {
            (ParameterKind::Seconds, "How long the hard way may take after the guest: 60 if it is not given.")
        }
        "parallel" => (ParameterKind::Count, "How many VMs at the same time: 5 if it is not given."),
        "power_state" => {
            let states = json!({"enum": ["powered_on", "powered_off", "suspended", "unknown", null]});
            return described(json!({"anyOf": [states, reference()]}), "Only VMs in this state count.");
        }
        _ => return json!(true),
    };
    let kind = of_kind(kind, is_required(name));
    if ["vm_name", "vm_names", "except"].contains(&name) {
        return described(json!({"anyOf": [kind, named("draw"), named("select")]}), what);
    }
    described(kind, what)
}

/// A connection value. The settings are the place for these.
fn connection(name: &str) -> Value {
    let what = "How to reach the platform. Better left to the settings.";
    let form = match name {
        "port" => "port",
        "insecure" => "flag",
        _ => "words",
    };
    described(named(form), what)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::values;
    use super::*;
    use crate::inputs::{Environment, Overrides};
    use crate::native::{Reading, read_call};
    use crate::provider::Providers;
    use crate::rules::Rules;
    use crate::substitute::Variables;

    /// Whether the engine takes such a call.
    fn is_read(function: Function, arguments: &Value) -> bool {
        let mut reading = Reading {
            variables: &Variables::default(),
            overrides: &Overrides::none(),
            exported: &Environment::default(),
            providers: &Providers::default(),
            rules: Rules::Strict,
            refuses_unresolved: false,
            names_extensions: false,
            without_connection: false,
            findings: &mut Vec::new(),
            secrets: &mut BTreeSet::new(),
        };
        read_call(function, arguments.as_object().unwrap(), "/a", &mut reading).is_some()
    }

    #[test]
    fn arguments_are_those_that_the_engine_takes() {
        let samples = [
            json!("web-01"),
            json!("web-*"),
            json!("a, b"),
            json!(","),
            json!(" "),
            json!(""),
            json!("5"),
            json!("0"),
            json!("90s"),
            json!("5m"),
            json!("true"),
            json!(" OFF "),
            json!("1"),
            json!(0),
            json!(1),
            json!(2),
            json!(-1),
            json!(0.5),
            json!(1.5),
            json!(70000),
            json!(true),
            json!(null),
            json!([]),
            json!(["a"]),
            json!(["a", ""]),
            json!([1]),
            json!({}),
            json!({"random": "web-*"}),
            json!({"random": "web-*", "empty": true}),
            json!({"select": "web-* take 1 at random", "seed": 7}),
            json!({"select": "web-*", "seed": null, "empty": "yes"}),
            json!({"select": 5}),
            json!({"select": " "}),
            json!({"select": null}),
            json!({"select": ["a"]}),
            json!({"select": "a", "empty": "maybe"}),
            json!({"select": "a", "random": "a"}),
        ];
        for function in Function::ALL {
            let mut schema = arguments(function);
            schema["$defs"] = Value::Object(object(values::definitions()));
            let validator = jsonschema::validator_for(&schema).unwrap();
            let mut whole = json!({"platform_type": "vsphere", "vm_name": "a", "vm_names": ["a"], "group": "a"});
            whole
                .as_object_mut()
                .unwrap()
                .retain(|name, _| name == "platform_type" || function.parameters().contains(&name.as_str()));
            let names = ["platform_type", "unknown"]
                .into_iter()
                .chain(function.parameters().iter().copied())
                .chain(CONNECTION_ARGUMENTS);
            for name in names {
                let mut changed = whole.clone();
                changed.as_object_mut().unwrap().remove(name);
                let mut calls = vec![changed.clone()];
                calls.extend(samples.iter().map(|sample| {
                    changed[name] = sample.clone();
                    changed.clone()
                }));
                for call in calls {
                    assert_eq!(validator.is_valid(&call), is_read(function, &call), "{}: {call}", function.name());
                }
            }
        }
    }
}
