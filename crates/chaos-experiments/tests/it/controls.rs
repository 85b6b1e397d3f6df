//! Controls: processes, requests and functions in Python around the parts of a run.

use std::os::unix::fs::PermissionsExt;

use chaos_core::{ActivityStatus, RunStatus};
use chaos_experiments::{Document, Experiment, GlobalControls, Inputs, Rules, RunReport, Verdict};
use chaos_testkit::contains_secret;
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::lab::{Lab, document, with_hypothesis};
use crate::pythons::{Modules, call};

/// Writes down every function that is called, and does what its arguments say.
const TRACING: &str = r#"
import json, os

class InterruptExecution(Exception):
    pass

def mark(text):
    with open(os.path.join(os.path.dirname(__file__), "trace"), "a") as file:
        file.write(text + "\n")

def configure_control(configuration=None, secrets=None, settings=None, experiment=None, name="c"):
    mark("configure " + name)

def cleanup_control():
    mark("cleanup")

def tell(hook, context, name, stop, state=None):
    mark("%s %s %s" % (name, hook, context.get("name", "-")))
    if stop == hook:
        raise InterruptExecution("enough")
    if stop == "fail":
        raise ValueError("broken")

def before_experiment_control(context, name="c", stop=None): tell("before_experiment", context, name, stop)
def after_experiment_control(context, state, name="c", stop=None): tell("after_experiment " + state["status"], context, name, stop)
def before_hypothesis_control(context, name="c", stop=None): tell("before_hypothesis", context, name, stop)
def after_hypothesis_control(context, state, name="c", stop=None): tell("after_hypothesis %s" % state["steady_state_met"], context, name, stop)
def before_method_control(context, name="c", stop=None): tell("before_method", context, name, stop)
def after_method_control(context, state, name="c", stop=None): tell("after_method %d" % len(state), context, name, stop)
def before_rollback_control(context, name="c", stop=None): tell("before_rollback", context, name, stop)
def after_rollback_control(context, state, name="c", stop=None): tell("after_rollback %d" % len(state), context, name, stop)
def before_activity_control(context, name="c", stop=None): tell("before_activity", context, name, stop)
def after_activity_control(context, state, name="c", stop=None):
    tell("after_activity %s %s" % (state and state["status"], "tolerance_met" in (state or {})), context, name, stop)

def look(): return 1
def echo(value=None, secrets=None): return value
"#;

const CHANGING: &str = r#"
def before_experiment_control(context, configuration, secrets):
    configuration["word"] = "changed"
    secrets["scope"] = {"key": "sup3rsecret-of-a-control"}
    context["extensions"] = [{"name": "mine", "found": True}]

def before_activity_control(context, experiment):
    if context["name"] == "renamed":
        context["provider"]["arguments"]["value"] = "from ${word}"

def after_activity_control(context, state):
    if context["name"] == "judged":
        state["output"] = 2
    state["seen"] = True

def after_experiment_control(context, state):
    state["note"] = "kept"
"#;

fn python(module: &str, more: &Value) -> Value {
    let mut control = json!({"name": "c", "provider": {"type": "python", "module": module}});
    for (key, value) in more.as_object().unwrap() {
        if key == "arguments" {
            control["provider"]["arguments"] = value.clone();
        } else {
            control[key] = value.clone();
        }
    }
    control
}

fn look(name: &str) -> Value {
    let mut look = call("tracing", "look", &json!({}));
    look["name"] = name.into();
    look
}

fn read(modules: &Modules, document: Value, rules: Rules) -> Experiment {
    read_with(document, &modules.inputs(&[]).rules(rules))
}

fn read_with(document: Value, inputs: &Inputs) -> Experiment {
    Experiment::new(&Document::from_value("e.json", document).unwrap(), inputs).unwrap()
}

async fn run(experiment: Experiment) -> RunReport {
    Lab::in_real_time(&[]).run(experiment).await.0
}

fn trace(modules: &Modules) -> Vec<String> {
    let text = std::fs::read_to_string(modules.path("trace")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// An experiment with a probe in its hypothesis, its method and its rollbacks.
fn whole(controls: &Value) -> Value {
    let mut probe = look("h");
    probe["tolerance"] = 1.into();
    let mut document = with_hypothesis(document(&[look("m")], &[look("r")]), &[probe]);
    document["controls"] = controls.clone();
    document
}

#[tokio::test]
async fn functions_in_python_are_called_in_the_order_of_chaos_toolkit() {
    let modules = Modules::of("tracing", TRACING);
    let report = run(read(&modules, whole(&json!([python("tracing", &json!({}))])), Rules::Compat)).await;
    assert_eq!(report.verdict, Verdict::Completed);
    insta::assert_snapshot!(trace(&modules).join("\n"));
}

#[tokio::test]
async fn a_control_that_interrupts_ends_the_run_and_the_functions_behind_it_are_called() {
    for rules in [Rules::Compat, Rules::Strict] {
        let modules = Modules::of("tracing", TRACING);
        let mut method = look("m");
        method["controls"] = json!([python(
            "tracing",
            &json!({"name": "own", "arguments": {"name": "own", "stop": "before_activity"}})
        )]);
        let mut document = document(&[method, look("later")], &[]);
        document["controls"] = json!([python("tracing", &json!({}))]);
        let report = run(read(&modules, document, rules)).await;
        assert_eq!((report.journal.status, report.journal.run.len()), (RunStatus::Interrupted, 0), "{rules:?}");
        assert_eq!(report.reason.as_deref(), Some("the control `own` has interrupted the run: enough"));
        let expected = [
            "configure c",
            "c before_experiment -",
            "c before_method -",
            "c before_activity m",
            "own before_activity m",
            "c after_activity None False m",
            "own after_activity None False m",
            "c after_method 0 -",
        ];
        let trace = trace(&modules);
        assert_eq!(trace[..expected.len()], expected, "{rules:?}");
        assert_eq!(trace.last().map(String::as_str), Some("cleanup"));
        assert!(trace.iter().any(|line| line == "c after_experiment interrupted -"), "{trace:?}");
    }
}

#[tokio::test]
async fn what_goes_wrong_in_a_control_changes_nothing() {
    let modules = Modules::of("tracing", TRACING);
    let controls = json!([
        python("tracing", &json!({"arguments": {"stop": "fail"}})),
        python("no_such_module", &json!({"name": "missing"})),
        python("tracing", &json!({"name": "odd", "arguments": {"no_such_parameter": 1}})),
    ]);
    let report = run(read(&modules, whole(&controls), Rules::Strict)).await;
    assert_eq!((report.verdict, &report.reason), (Verdict::Completed, &None));
}

#[tokio::test]
async fn what_controls_change_is_seen_by_what_follows_and_by_the_journal() {
    let modules = Modules::of("tracing", TRACING);
    modules.add("changing", CHANGING);
    let mut judged = look("judged");
    judged["tolerance"] = 2.into();
    let mut renamed = call("tracing", "echo", &json!({"value": "as written"}));
    renamed["name"] = "renamed".into();
    let mut secret = call("tracing", "echo", &json!({"value": "${key}"}));
    secret["name"] = "secret".into();
    let mut document = with_hypothesis(document(&[renamed, secret], &[]), &[judged]);
    document["controls"] = json!([python("changing", &json!({}))]);
    document["configuration"] = json!({"word": "before"});
    document["extensions"] = json!([{"name": "theirs"}]);
    let report = run(read(&modules, document, Rules::Compat)).await;
    assert_eq!(report.verdict, Verdict::Completed, "{:?}", report.reason);
    let journal = serde_json::to_value(&report.journal).unwrap();
    assert_eq!(journal["steady_states"]["before"]["probes"][0]["output"], 2);
    assert_eq!(journal["steady_states"]["before"]["probes"][0]["tolerance_met"], true);
    assert_eq!(journal["run"][0]["output"], "from changed");
    assert_eq!(journal["run"][0]["seen"], true);
    assert_eq!(journal["run"][0]["activity"]["provider"]["arguments"]["value"], "from ${word}");
    assert_eq!(journal["run"][1]["output"], "********");
    assert_eq!(journal["experiment"]["extensions"][0]["found"], true);
    assert_eq!(journal["note"], "kept");
    assert!(!contains_secret(&journal.to_string(), "sup3rsecret-of-a-control"));
}

#[tokio::test]
async fn controls_from_outside_are_called_too_and_see_the_loading() {
    let modules = Modules::of("tracing", TRACING);
    modules.add(
        "loading",
        "from tracing import *\n\
         def before_loading_experiment_control(context, name): mark('loading ' + context)\n\
         def after_loading_experiment_control(context, state, name):\n    state['title'] = 'of a control'\n",
    );
    let mut controls = GlobalControls::new(json!({}));
    let global = json!({"outside": {"provider": {"type": "python", "module": "loading", "arguments": {"name": "g"}}}});
    controls.add(global.as_object().unwrap());
    let inputs = modules.inputs(&[]).rules(Rules::Compat).controls(controls);
    let lab = Lab::in_real_time(&[]);
    let load = async { Document::from_value("e.json", document(&[look("m")], &[])) };
    let document = inputs.load_controlled(&lab.cx, "e.json", load).await.unwrap().unwrap();
    let report = lab.run(read_with(Value::Object(document.root().clone()), &inputs)).await.0;
    assert_eq!(report.journal.experiment["title"], "of a control");
    let expected = [
        "loading e.json",
        "configure g",
        "g before_experiment -",
        "g before_method -",
        "g before_activity m",
        "g after_activity succeeded False m",
        "g after_method 1 -",
        "g before_rollback -",
        "g after_rollback 0 -",
        "g after_experiment completed -",
        "cleanup",
    ];
    assert_eq!(trace(&modules), expected);
}

#[tokio::test]
async fn processes_and_requests_are_told_without_secrets_and_a_failing_safeguard_interrupts() {
    let modules = Modules::of("tracing", TRACING);
    let script = modules.path("told.sh");
    let text = format!(
        "#!/bin/sh\necho \"$CHAOSMONKEY_HOOK\" >> {0}/trace\ncat \"$CHAOSMONKEY_CONTEXT\" >> {0}/told\n",
        modules.path("").display()
    );
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(500)).mount(&server).await;
    let mut document = document(&[look("m")], &[]);
    document["secrets"] = json!({"s": {"password": "hunter2-is-long"}});
    document["configuration"] = json!({"word": "hunter2-is-long"});
    document["controls"] = json!([
        {"name": "process", "provider": {"type": "process", "path": script}},
        {"name": "http", "scope": "after", "provider": {"type": "http", "url": server.uri()}},
    ]);
    let report = run(read(&modules, document.clone(), Rules::Strict)).await;
    assert_eq!(report.verdict, Verdict::Completed, "{:?}", report.reason);
    let points = ["before_experiment", "before_method", "before_activity", "after_activity", "after_method"];
    assert_eq!(trace(&modules)[..5], points);
    let told = std::fs::read_to_string(modules.path("told")).unwrap();
    assert!(!contains_secret(&told, "hunter2-is-long"), "{told}");
    let bodies: Vec<Value> =
        server.received_requests().await.unwrap().iter().map(|sent| sent.body_json().unwrap()).collect();
    assert_eq!(bodies[0]["hook"], "after_activity");
    assert_eq!(bodies[0]["context"]["name"], "m");
    assert_eq!(bodies[0]["state"]["status"], "succeeded");
    assert!(bodies.iter().all(|body| !contains_secret(&body.to_string(), "hunter2-is-long")));

    document["controls"] = json!([
        {"name": "guard", "interrupts": true, "provider": {"type": "http", "url": server.uri()}},
    ]);
    let report = run(read(&modules, document, Rules::Strict)).await;
    assert_eq!((report.verdict, report.journal.run.len()), (Verdict::Interrupted, 0));
    assert_eq!(report.reason.as_deref(), Some("the control `guard` has interrupted the run: status 500"));
}

#[tokio::test]
async fn a_module_that_is_not_there_is_only_worth_a_warning() {
    let modules =
        Modules::of("picky", "def validate_control(control):\n    raise ValueError('no ' + control['name'])\n");
    let mut document = document(&[], &[]);
    document["controls"] = json!([python("no_such_module", &json!({}))]);
    let experiment = read(&modules, document.clone(), Rules::Strict);
    let lab = Lab::in_real_time(&[]);
    let checked = experiment.with_checked_python(&lab.cx).await.unwrap();
    assert!(checked.warnings().iter().any(|warning| warning.message.contains("no_such_module")));

    document["controls"] = json!([python("picky", &json!({}))]);
    let refused = read(&modules, document, Rules::Strict).with_checked_python(&lab.cx).await.unwrap_err();
    assert!(refused.to_string().contains("ValueError: no c"), "{refused}");
}

#[tokio::test]
async fn a_record_that_a_control_has_changed_keeps_its_form() {
    let modules = Modules::of("tracing", TRACING);
    modules.add("failing", "def after_activity_control(context, state):\n    state['status'] = 'failed'\n");
    let mut document = document(&[look("m"), look("later")], &[]);
    document["method"][0]["controls"] = json!([python("failing", &json!({}))]);
    let report = run(read(&modules, document, Rules::Strict)).await;
    assert_eq!((report.verdict, report.journal.run.len()), (Verdict::Failed, 1));
    assert_eq!(report.journal.run[0].status, Some(ActivityStatus::Failed));
}
