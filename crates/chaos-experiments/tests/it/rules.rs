//! What is found wrong with an experiment before anything is asked of a platform, and what values become.

use chaos_core::ErrorKind;
use chaos_experiments::{Document, Environment, Experiment, ExperimentError, Inputs, Overrides, Severity, Verdict};
use serde_json::{Value, json};

use crate::lab::{Lab, action, document, inputs, probe, read, read_with, with_hypothesis};

fn messages(document: Value) -> String {
    read(document).unwrap_err().to_string()
}

#[test]
fn a_probe_that_cannot_be_read_is_not_called_missing() {
    let refused = |tolerance: Value| {
        let probe = probe("there", "vm_exists", json!({"vm_name": "a", "frob": 1}), tolerance);
        messages(with_hypothesis(document(&[], &[]), &[probe]))
    };
    let told = refused(json!(true));
    assert!(told.contains("frob") && !told.contains("there is no probe"), "{told}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_without_an_end_is_too_large() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("endless.json");
    std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
    let message = Document::load(&path).unwrap_err().to_string();
    assert!(message.contains("too many for an experiment"), "{message}");
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let experiment = json!({
        "title": "",
        "tags": ["ok", ""],
        "configuration": {"port": {"type": "env", "key": "NO_SUCH_PORT", "env_var_type": "int"}},
        "secrets": {"flat": "value", "vault": {"key": {"type": "vault", "path": "secret/x"}}},
        "controls": [{"name": "c"}],
        "runtime": {"hypothesis": {"strategy": "continuously"}, "rollbacks": {"strategy": "never"}},
        "steady-state-hypothesis": {"probes": [
            {"type": "probe", "name": "p", "provider": {"type": "python", "module": "chaosmonkey.vm",
             "func": "vm_exists", "arguments": {"vm_name": "a", "platform_type": "vsphere"}}},
            probe("float", "vm_power_state", json!({"vm_name": "a"}), json!(1.5)),
        ]},
        "method": [
            action("unknown", "vm_explode", json!({"vm_name": "a"})),
            action("args", "vm_power_off", json!({"vm": "a", "graceful": "perhaps", "timeout": -1})),
            action("gone", "vm_power_off", json!({"vm_name": "${vm_name}", "graceful": "${graceful}"})),
            probe("acts", "vm_reboot", json!({"vm_name": "a"}), json!(true)),
            {"type": "action", "name": "p", "provider": {"type": "process", "path": "/bin/true"}},
            {"type": "action", "name": "m", "provider": {"type": "python", "module": "time", "func": "sleep"}},
            {"type": "action", "name": "b", "background": true, "dry": "actions", "provider": {"type": "magic"}},
            {"ref": "nobody"},
            {"type": "action", "name": false, "provider": {"type": "process"}},
            "not an activity",
        ],
        "rollbacks": {"not": "a list"},
    });
    insta::assert_snapshot!(messages(experiment));
}

#[test]
fn an_unresolved_name_in_a_destructive_action_is_refused() {
    let experiment = document(&[action("off", "vm_power_off", json!({"vm_name": "${vm_name}"}))], &[]);
    let findings = read(experiment.clone()).unwrap_err();
    assert_eq!(findings.list[0].place, "/method/0/provider/arguments/vm_name");
    assert_eq!(findings.list[0].message, "`${vm_name}` stands for nothing");
    assert_eq!(ExperimentError::from(findings).kind(), ErrorKind::Configuration);

    let mut declared = experiment;
    declared["configuration"] = json!({"vm_name": "a"});
    assert_eq!(read(declared).unwrap().vms()[0].target, "a");
}

#[test]
fn a_warning_does_not_keep_an_experiment_from_running() {
    let experiment = read(document(&[], &[])).unwrap();
    assert!(experiment.warnings().iter().all(|finding| finding.severity == Severity::Warning));
    assert_eq!(experiment.warnings()[0].place, "/steady-state-hypothesis");
}

#[test]
fn an_override_takes_the_type_of_what_it_replaces() {
    let mut experiment =
        document(&[action("off", "vm_power_off", json!({"vm_name": "${vm}", "timeout": "${t}"}))], &[]);
    experiment["configuration"] = json!({"vm": "a", "t": 60, "env": {"type": "env", "key": "E", "default": "x"}});
    let read = |overrides: &[&str]| read_with(experiment.clone(), &inputs(overrides));
    assert_eq!(read(&["vm=b", "t=5"]).unwrap().vms()[0].target, "b");
    let findings = read(&["t=soon"]).unwrap_err();
    assert_eq!(findings.list[0].message, "the override has to be a whole number, as the declared value is");
    let findings = read(&["vmname=b"]).unwrap_err();
    assert!(findings.to_string().contains("the experiment takes no override `vmname`"), "{findings}");
    assert!(findings.to_string().contains("it takes vm, t, env, "), "{findings}");
}

#[test]
fn configuration_comes_from_the_environment_with_default_and_type() {
    let mut experiment = document(
        &[action("off", "vm_batch_power_off", json!({"vm_names": "${names}", "parallel": "${parallel}"}))],
        &[],
    );
    experiment["configuration"] = json!({
        "names": {"type": "env", "key": "NAMES", "env_var_type": "json"},
        "parallel": {"type": "env", "key": "PARALLEL", "env_var_type": "int", "default": "3"},
    });
    let environment = |value: &str| -> Environment { [("NAMES".to_owned(), value.to_owned())].into_iter().collect() };
    let with =
        |value: &str| read_with(experiment.clone(), &Inputs::new(Overrides::none()).environment(environment(value)));
    let targets: Vec<String> = with(r#"["a", "b"]"#).unwrap().vms().into_iter().map(|vm| vm.target).collect();
    assert_eq!(targets, ["a", "b"]);
    assert_eq!(with("[").unwrap_err().list[0].message, "the environment variable is not JSON");
    assert!(messages(experiment.clone()).contains("the environment variable `NAMES` is not set"));
}

#[test]
fn the_names_of_the_python_tool_are_understood() {
    let mut old = document(&[action("off", "vm_batch_power_off", json!({"vm_names": ["a", "b"]}))], &[]);
    old["method"][0]["provider"]["module"] = "chaosmonkey.stubs.actions".into();
    assert_eq!(read(old).unwrap().vms().len(), 2);
}

#[test]
fn a_reference_runs_the_activity_of_that_name() {
    let look = probe("look", "vm_exists", json!({"vm_name": "a"}), json!(true));
    let experiment = with_hypothesis(document(&[json!({"ref": "look"})], &[json!({"ref": "look"})]), &[look]);
    assert!(read(experiment).is_ok());
}

#[test]
fn a_hypothesis_only_looks() {
    let mut acts = action("off", "vm_power_off", json!({"vm_name": "a"}));
    acts["tolerance"] = json!(true);
    let reference = json!({"ref": "off", "tolerance": true});
    let experiment = with_hypothesis(document(&[acts.clone()], &[]), &[acts, reference]);
    let findings = read(experiment).unwrap_err();
    let places: Vec<&str> = findings.list.iter().map(|finding| finding.place.as_str()).collect();
    assert_eq!(places, ["/steady-state-hypothesis/probes/0", "/steady-state-hypothesis/probes/1"]);
    assert_eq!(findings.list[0].message, "`off` changes VMs by `vm_power_off`: a hypothesis only looks");
}

const FOREIGN: &str = r#"
title: old
description: d
configuration:
  olvm_url: {type: env, key: OLVM_URL}
steady-state-hypothesis:
  title: web answers
  probes:
    - type: probe
      name: web
      tolerance: {type: jsonpath, path: "$.ok", target: body}
      provider: {type: http, url: "http://web"}
controls: [{name: c, provider: {type: python, module: mine}}]
secrets:
  from: {vault: {type: vault, path: secret/x}}
method:
  - type: action
    name: "off"
    provider:
      type: python
      module: chaosmonkey.stubs.actions
      func: vm_power_off
      arguments: {vm_name: db-01, platform_type: vsphere, url: "${olvm_url}", password: "${nowhere}"}
  - {type: action, name: load, provider: {type: process, path: k6}}
  - {type: action, name: nap, provider: {type: python, module: time, func: sleep}}
"#;

#[tokio::test(start_paused = true)]
async fn a_rehearsal_leaves_foreign_activities_out_and_ignores_connection_values() {
    let old = Document::from_yaml("old.yaml", FOREIGN).unwrap();
    let inputs = Inputs::new(Overrides::none()).environment(Environment::default());
    assert!(Experiment::new(&old, &inputs).is_err());

    let experiment = Experiment::new(&old, &inputs.rehearsal()).unwrap();
    assert!(experiment.ignores_connection_values());
    let vms: Vec<(String, String)> = experiment.vms().into_iter().map(|vm| (vm.platform, vm.target)).collect();
    assert_eq!(vms, [("vsphere".to_owned(), "db-01".to_owned())]);

    let lab = Lab::with(&["db-01"]);
    let (report, _) = lab.run(experiment).await;
    assert_eq!(report.verdict, Verdict::Completed);
    assert!(lab.source.opened()[0].connection.is_empty());
    let left_out: Vec<&str> = report.not_rehearsed.iter().map(|left| left.name.as_str()).collect();
    assert_eq!(left_out, ["web", "load", "nap"]);
    assert_eq!(report.journal.run.len(), 3);
    // What was not looked at is not said to be met.
    assert_eq!(report.journal.steady_states.before.unwrap().probes[0].tolerance_met, None);
}

#[test]
fn files_are_loaded_by_their_extension() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("e.yml");
    std::fs::write(&path, FOREIGN).unwrap();
    assert_eq!(Document::load(&path).unwrap().root()["title"], "old");
    for name in ["e.txt", "e.JSON", "none.json"] {
        let path = directory.path().join(name);
        assert!(Document::load(&path).unwrap_err().to_string().contains(name));
    }
    let torn = directory.path().join("torn.json");
    std::fs::write(&torn, "{\"title\": \"t\",\n  \"method\": [}").unwrap();
    let message = Document::load(&torn).unwrap_err().to_string();
    assert!(message.ends_with("torn.json:2:14: a value or `]` is expected, not `}`"), "{message}");
}

mod any_document {
    use super::*;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = Value> {
        let words = prop::sample::select(vec![
            "",
            "probe",
            "action",
            "python",
            "process",
            "chaosmonkey.vm",
            "vm_power_off",
            "vm_group_powered_on",
            "a",
            "${x}",
            "$$",
            "env",
            "regex",
            "range",
            "[",
            "x",
            "-1",
            "true",
            "vsphere",
            "{",
        ]);
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            words.prop_map(Value::from),
        ];
        let keys = prop::sample::select(vec![
            "title",
            "description",
            "method",
            "rollbacks",
            "steady-state-hypothesis",
            "probes",
            "configuration",
            "secrets",
            "type",
            "name",
            "provider",
            "module",
            "func",
            "arguments",
            "vm_name",
            "vm_names",
            "group",
            "platform_type",
            "graceful",
            "timeout",
            "parallel",
            "password",
            "url",
            "port",
            "tolerance",
            "pattern",
            "range",
            "target",
            "ref",
            "pauses",
            "before",
            "controls",
            "runtime",
            "strategy",
            "key",
            "default",
            "env_var_type",
            "tags",
            "x",
        ]);
        leaf.prop_recursive(6, 96, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((keys.clone(), inner), 0..8)
                    .prop_map(|entries| entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn is_read_or_refused_without_a_crash(mut document in value(), overrides in value()) {
            if let Value::Object(root) = &mut document {
                root.entry("method").or_insert_with(|| json!([{"provider": {"type": "python"}}]));
            }
            let mut given = Overrides::none();
            for (name, value) in overrides.as_object().into_iter().flatten() {
                given.set(name, value.clone());
            }
            if let Ok(document) = Document::from_value("any", document) {
                for inputs in [Inputs::new(given.clone()), Inputs::new(given).rehearsal()] {
                    match Experiment::new(&document, &inputs) {
                        Ok(experiment) => prop_assert!(!experiment.title().is_empty()),
                        Err(findings) => prop_assert!(!findings.list.is_empty()),
                    }
                }
            }
        }

        #[test]
        fn any_text_is_loaded_or_refused_without_a_crash(text in "[ \\n{}\\[\\]:,\"'&*!|>%@a-c0-9.-]{0,60}") {
            let _ = Document::from_json("any.json", &text);
            let _ = Document::from_yaml("any.yaml", &text);
        }
    }
}
