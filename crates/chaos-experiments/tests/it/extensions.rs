//! What experiments may say beyond Chaos Toolkit: outputs of earlier steps, and activities at once.

use chaos_core::{RunEventKind, RunMode, Target, VMPowerState};
use chaos_experiments::{Findings, MemorySink, Rules, Severity, Verdict};
use chaos_testkit::contains_secret;
use chaos_testkit::memory::Failure;
use serde_json::{Value, json};

use crate::lab::{Lab, action, count, document, inputs, options, probe, read, read_with, with_hypothesis};

/// A process that prints what its script says.
pub(crate) fn says(name: &str, script: &str) -> Value {
    json!({"type": "probe", "name": name, "provider": {"type": "process", "path": "/bin/sh", "arguments": ["-c", script]}})
}

pub(crate) fn echo(name: &str, text: &str) -> Value {
    json!({"type": "probe", "name": name, "provider": {"type": "process", "path": "/bin/echo", "arguments": ["-n", text]}})
}

pub(crate) fn together(name: &str, activities: &[Value]) -> Value {
    json!({"name": name, "parallel": activities})
}

pub(crate) fn refused(experiment: Value) -> Vec<String> {
    read(experiment).unwrap_err().list.iter().map(ToString::to_string).collect()
}

pub(crate) fn compat(experiment: Value, checked_only: bool) -> Result<chaos_experiments::Experiment, Findings> {
    let mut inputs = inputs(&[]).rules(Rules::Compat);
    inputs.names_extensions = checked_only;
    read_with(experiment, &inputs)
}

#[tokio::test]
async fn a_step_takes_what_an_earlier_one_gave() {
    let lab = Lab::in_real_time(&["a"]);
    let mut second = echo("second", r#"<${steps["step 1"].output.stdout}> ${steps["step 1"].status} $${steps.x} ${x}"#);
    second["tolerance"] =
        json!({"type": "regex", "target": "stdout", "pattern": "^<${steps[\"step 1\"].output.stdout}>"});
    let mut third = echo("third", "${steps.second.output.stdout}");
    third["tolerance"] = json!("${steps.second.output.status}");
    let mut experiment = with_hypothesis(
        document(
            &[says("step 1", "printf '${x}'"), second, third, echo("fourth", "${steps.state.output}")],
            &[echo("back", "${steps.third.output.status}")],
        ),
        &[probe("state", "vm_power_state", json!({"vm_name": "a"}), json!("powered_on"))],
    );
    experiment["configuration"] = json!({"x": "y"});
    let (report, _) = lab.run(read(experiment).unwrap()).await;
    assert_eq!((report.verdict, report.reason), (Verdict::Completed, None));
    let said = |at: usize| report.journal.run[at].output["stdout"].clone();
    assert_eq!(said(0), json!("y"));
    assert_eq!(said(1), json!("<y> succeeded ${steps.x} y"));
    assert_eq!(said(2), said(1));
    assert_eq!(said(3), json!("powered_on"));
    assert_eq!(report.journal.rollbacks[0].output["stdout"], json!("0"));
    assert!(report.journal.run[2].activity.to_string().contains("${steps.second.output.stdout}"));
}

#[tokio::test]
async fn what_a_step_gave_is_not_replaced_in_again() {
    let lab = Lab::in_real_time(&["a"]);
    let mut experiment =
        document(&[says("first", "printf '$${secret}'"), echo("second", "${steps.first.output.stdout}")], &[]);
    experiment["secrets"] = json!({"s": {"secret": "canary-7f3a-hunter2"}});
    let (report, _) = lab.run(read(experiment).unwrap()).await;
    assert_eq!(report.journal.run[1].output["stdout"], json!("${secret}"));
}

#[tokio::test]
async fn a_secret_that_goes_from_step_to_step_is_masked() {
    const CANARY: &str = "canary-7f3a-hunter2";
    let lab = Lab::in_real_time(&["a"]);
    let mut last = echo("third", "${steps.second.output.stdout}");
    last["tolerance"] = json!({"type": "regex", "target": "stdout", "pattern": "no ${steps.first.output.stdout}"});
    let group = together("both", &[echo("second", "${steps.first.output.stdout}"), echo("beside", CANARY)]);
    let mut experiment = document(&[echo("first", "${token}"), group, last], &[]);
    experiment["secrets"] = json!({"s": {"token": CANARY}});
    let resolved = lab.resolve(read(experiment).unwrap()).await.unwrap();
    let sink = MemorySink::default();
    let plan = resolved.plan();
    let report = resolved.run(&lab.cx, &sink, &options()).await;
    assert_eq!(report.verdict, Verdict::Failed);
    let seen = format!("{plan} {plan:?} {report:?} {} {:?}", report.journal.to_text(), sink.events());
    assert!(!contains_secret(&seen, CANARY), "{seen}");
    assert_eq!(report.journal.run[1].output["stdout"], json!("********"));
}

#[tokio::test]
async fn a_path_that_is_not_there_fails_the_step() {
    let lab = Lab::in_real_time(&["a"]);
    let experiment = document(&[echo("first", "x"), echo("second", "${steps.first.output.body.id}")], &[]);
    let (report, _) = lab.run(read(experiment).unwrap()).await;
    let reason =
        "`second`: `${steps.first.output.body.id}` stands for nothing: there is no `body` in what `first` gave";
    assert_eq!(report.reason.as_deref(), Some(reason));
}

#[test]
fn a_reference_that_can_never_be_there_is_found_before_the_run() {
    let off = |vm: &str| action("off", "vm_power_off", json!({"vm_name": vm}));
    for (method, part) in [
        (
            vec![echo("a", "${steps.b.output}"), echo("b", "")],
            "`b` does not end before this one begins (no step ends before it)",
        ),
        (vec![echo("b", ""), echo("a", "${steps.c.output}")], "`c` is no step (before it end `b`)"),
        (vec![echo("b", ""), echo("a", "${steps.b}")], "write `steps.NAME.output`"),
        (vec![echo("b", ""), off("${steps.b.output.stdout}")], "the VMs of a run are found before it begins"),
        (vec![together("g", &[echo("b", ""), echo("a", "${steps.b.output}")])], "`b` does not end before"),
    ] {
        let found = refused(document(&method, &[]));
        assert!(found.iter().any(|finding| finding.contains(part)), "{part}: {found:?}");
    }
    let mut paused = echo("a", "");
    paused["pauses"] = json!({"before": "${steps.b.output}"});
    let found = refused(document(&[echo("b", ""), paused], &[]));
    assert!(found.iter().any(|finding| finding.contains("no output of a step can stand here")), "{found:?}");
}

#[tokio::test]
async fn by_compatible_rules_a_reference_stays_as_it_is_written() {
    let lab = Lab::in_real_time(&["a"]);
    let text = "${steps.first.output.stdout}";
    let experiment = compat(document(&[echo("first", "x"), echo("second", text)], &[]), false).unwrap();
    let warnings: Vec<String> = experiment.warnings().iter().map(ToString::to_string).collect();
    assert!(
        warnings.iter().any(|warning| warning.starts_with("/method/1/provider/arguments: `${steps.first")),
        "{warnings:?}"
    );
    let (report, _) = lab.run(experiment).await;
    assert_eq!(report.journal.run[1].output["stdout"], json!(text));
}

#[tokio::test(start_paused = true)]
async fn a_rehearsal_leaves_out_what_needs_what_it_has_left_out() {
    let lab = Lab::with(&["a"]);
    let mut judged = probe("state", "vm_power_state", json!({"vm_name": "a"}), json!("${steps.first.output.stdout}"));
    judged["name"] = "judged".into();
    let mut inputs = inputs(&[]);
    inputs.mode = RunMode::Rehearsal;
    let experiment = document(&[echo("first", "x"), judged, echo("second", "${steps.first.output.stdout}")], &[]);
    let (report, _) = lab.run(read_with(experiment, &inputs).unwrap()).await;
    assert_eq!((report.verdict, report.reason), (Verdict::Completed, None));
}

#[tokio::test(start_paused = true)]
async fn a_group_goes_on_at_once_and_is_waited_for() {
    let lab = Lab::with(&["a", "b"]);
    let off = |vm: &str| action(&format!("off-{vm}"), "vm_power_off", json!({"vm_name": vm}));
    let mut slow = off("a");
    slow["pauses"] = json!({"after": 60});
    let mut look = probe("look", "vm_power_state", json!({"vm_name": "b"}), json!("powered_off"));
    look["pauses"] = json!({"after": 60});
    let group = together("both", &[slow, off("b")]);
    let experiment =
        document(&[group, look], &[together("on", &[action("r", "vm_restore", json!({"vm_names": "a"}))])]);
    let resolved = lab.resolve(read(experiment).unwrap()).await.unwrap();
    let targets: Vec<String> = resolved.targets().into_iter().map(|(_, name)| name).collect();
    assert_eq!(targets, ["/DC0/vm/a", "/DC0/vm/b"]);
    let plan = resolved.plan();
    assert_eq!(plan.method[1].at_once.as_deref(), Some("both"));
    assert!(plan.to_string().contains("method:\n  at once, both:\n    action off-a:"), "{plan}");
    let sink = MemorySink::default();
    let report = resolved.run(&lab.cx, &sink, &options()).await;
    assert_eq!((report.verdict, report.reason), (Verdict::Completed, None));
    let names: Vec<&str> = report.journal.run.iter().filter_map(|record| record.activity["name"].as_str()).collect();
    assert_eq!(names, ["off-a", "off-b", "look"]);
    assert_eq!(report.journal.run[0].start, report.journal.run[1].start);
    assert!(report.journal.run[2].start.as_str() >= "2026-01-01T00:01", "{}", report.journal.run[2].start);
    for vm in ["a", "b"] {
        assert_eq!(lab.state(vm), VMPowerState::PoweredOn, "{vm}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_in_a_group_ends_the_method_behind_it_and_all_of_it_is_put_back() {
    let lab = Lab::with(&["a", "b", "c", "d"]);
    lab.estate.fail_next(Failure::refuse(chaos_core::ErrorKind::Forbidden, "no right to do that").on("vm-1"));
    let off = |vms: &[&str]| action("off", "vm_batch_power_off", json!({"vm_names": vms, "parallel": 1}));
    let never = action("never", "vm_suspend", json!({"vm_name": "d"}));
    let experiment = document(&[together("both", &[off(&["a"]), off(&["b", "c"])]), never], &[]);
    let (report, events) = lab.run(read(experiment).unwrap()).await;
    assert_eq!(report.verdict, Verdict::Failed);
    assert!(
        report.reason.as_deref().is_some_and(|reason| reason.contains("no right to do that")),
        "{:?}",
        report.reason
    );
    assert_eq!(report.journal.run.len(), 2);
    // The other one came to its end.
    assert_eq!(report.journal.run[1].output.as_array().map(Vec::len), Some(2));
    assert_eq!(count(&events, |event| matches!(event, RunEventKind::Undone { .. })), 3);
    let prepared = |wanted: &str| {
        events.iter().find_map(|event| match &event.event {
            RunEventKind::Prepared { target: Target::Vm { vm }, .. } if vm.id == wanted => Some(event.sequence),
            _ => None,
        })
    };
    let undone: Vec<u64> = events
        .iter()
        .filter_map(|event| match &event.event {
            RunEventKind::Undone { prepared, .. } => Some(*prepared),
            _ => None,
        })
        .collect();
    let expected: Vec<u64> = ["vm-3", "vm-2", "vm-1"].into_iter().filter_map(prepared).collect();
    assert_eq!(undone, expected);
    assert!(report.left_changed.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_group_changes_no_vm_twice_and_holds_no_group() {
    let lab = Lab::with(&["a"]);
    let off = action("off", "vm_power_off", json!({"vm_name": "a"}));
    let suspend = action("suspend", "vm_suspend", json!({"vm_name": "id:vm-1"}));
    let group = together("both", &[off.clone(), suspend]);
    let error = lab.resolve(read(document(std::slice::from_ref(&group), &[])).unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("`suspend` changes /DC0/vm/a at once with another"), "{error}");
    assert_eq!(lab.destructive_calls(), 0);

    let mut background = off.clone();
    background["background"] = json!(true);
    for (entry, part) in [
        (together("g", std::slice::from_ref(&group)), "/method/0/parallel/0/parallel: a group holds activities"),
        (together("g", &[background]), "/method/0/parallel/0/background: a group waits"),
        (together("g", &[]), "/method/0/parallel: a group is a list of activities"),
        (json!({"parallel": [off], "pauses": {"after": 1}}), "/method/0/pauses: a group has `parallel` and `name`"),
    ] {
        let found = refused(document(&[entry], &[]));
        assert!(found.iter().any(|finding| finding.starts_with(part)), "{part}: {found:?}");
    }
    let found = refused(with_hypothesis(document(&[], &[]), &[group]));
    assert!(found.iter().any(|finding| finding.contains("stands in the method or in the rollbacks")), "{found:?}");
}

#[test]
fn what_chaos_toolkit_cannot_run_is_refused_by_its_rules_and_named_by_a_check() {
    let group = together("g", &[action("off", "vm_power_off", json!({"vm_name": "a"}))]);
    let refused = compat(document(std::slice::from_ref(&group), &[]), false).unwrap_err();
    let finding = &refused.list[0];
    assert_eq!((finding.severity, finding.place.as_str()), (Severity::Error, "/method/0/parallel"));
    assert!(finding.message.starts_with("Chaos Toolkit itself cannot run this"), "{finding}");
    assert!(finding.hint.as_deref().is_some_and(|hint| hint.contains("--strict")), "{finding}");
    let checked = compat(document(&[group], &[]), true).unwrap();
    assert!(checked.warnings()[0].message.starts_with("Chaos Toolkit itself cannot run this"));
}
