//! The strict mode: what stops a run, and what is then done.

use chaos_core::{ErrorKind, RunEventKind, RunStatus, VMPowerState};
use chaos_experiments::Verdict;
use chaos_testkit::memory::{CallKind, Failure};
use chaos_testkit::{EstateSpec, VmSpec};
use serde_json::json;

use crate::lab::{Lab, action, count, document, probe, read, with_hypothesis};

#[tokio::test(start_paused = true)]
async fn where_the_steady_state_is_not_there_nothing_is_touched() {
    let lab = Lab::new(&EstateSpec::of(["web-01"]).with([VmSpec::new("web-02").off()]));
    let experiment = with_hypothesis(
        document(
            &[action("off", "vm_power_off", json!({"vm_name": "web-01"}))],
            &[action("on", "vm_power_on", json!({"vm_name": "web-02"}))],
        ),
        &[
            probe("web-02-is-on", "vm_power_state", json!({"vm_name": "web-02"}), json!("powered_on")),
            probe("not-asked", "vm_exists", json!({"vm_name": "web-01"}), json!(true)),
        ],
    );
    let (report, _) = lab.run(read(experiment).unwrap()).await;
    assert_eq!(report.verdict, Verdict::Failed);
    assert_eq!(
        report.reason.as_deref(),
        Some(
            r#"the steady state is not there, nothing was touched: `web-02-is-on`: "powered_off" is not "powered_on""#
        )
    );
    assert!(!report.touched);
    assert_eq!(lab.destructive_calls(), 0);
    let before = report.journal.steady_states.before.unwrap();
    assert_eq!((before.steady_state_met, before.probes.len()), (false, 1));
    assert_eq!((report.journal.status, report.journal.deviated), (RunStatus::Failed, false));
    assert!(report.journal.run.is_empty() && report.journal.rollbacks.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_failed_action_stops_the_method_and_everything_is_put_back() {
    let lab = Lab::with(&["a", "b", "c"]);
    lab.estate.fail_next(Failure::refuse(ErrorKind::Forbidden, "no right to do that").on("vm-2"));
    let off = |vm: &str| action(&format!("off-{vm}"), "vm_power_off", json!({"vm_name": vm}));
    let experiment = with_hypothesis(
        document(&[off("a"), off("b"), off("c")], &[action("on", "vm_power_on", json!({"vm_name": "a"}))]),
        &[probe("there", "vm_exists", json!({"vm_name": "a"}), json!(true))],
    );
    let (report, events) = lab.run(read(experiment).unwrap()).await;
    assert_eq!(report.verdict, Verdict::Failed);
    let reason = report.reason.unwrap();
    assert!(reason.starts_with("`off-b`: ") && reason.contains("no right to do that"), "{reason}");
    for vm in ["a", "b", "c"] {
        assert_eq!(lab.state(vm), VMPowerState::PoweredOn, "{vm}");
    }
    assert!(lab.estate.destructive_calls("vm-3").is_empty());
    let run = &report.journal.run;
    assert_eq!(run.len(), 2);
    assert!(run[1].exception.as_ref().unwrap().last().unwrap().contains("no right to do that"));
    assert_eq!(report.journal.rollbacks.len(), 1);
    assert_eq!(report.journal.steady_states.after, None);
    assert_eq!(count(&events, |event| matches!(event, RunEventKind::Undone { .. })), 2);
}

#[tokio::test(start_paused = true)]
async fn a_tolerance_in_the_method_counts() {
    let lab = Lab::with(&["a"]);
    let experiment = document(
        &[
            probe("is-off", "vm_power_state", json!({"vm_name": "a"}), json!("powered_off")),
            action("off", "vm_power_off", json!({"vm_name": "a"})),
        ],
        &[],
    );
    let (report, _) = lab.run(read(experiment).unwrap()).await;
    assert_eq!(report.verdict, Verdict::Failed);
    assert_eq!(report.reason.as_deref(), Some(r#"`is-off`: "powered_on" is not "powered_off""#));
    assert_eq!(report.journal.run[0].tolerance_met, Some(false));
    assert_eq!(lab.destructive_calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_steady_state_that_is_lost_is_a_deviation_and_is_put_back() {
    let lab = Lab::with(&["web-01", "web-02"]);
    let experiment = with_hypothesis(
        document(&[action("off", "vm_power_off", json!({"vm_name": "web-02"}))], &[]),
        &[probe("group", "vm_group_powered_on", json!({"group": "web-*"}), json!(true))],
    );
    let (report, _) = lab.run(read(experiment).unwrap()).await;
    assert_eq!(report.verdict, Verdict::Deviated);
    assert_eq!(
        report.reason.as_deref(),
        Some("the steady state is lost: `group`: false is not true (/DC0/vm/web-02 is powered_off)")
    );
    assert_eq!((report.journal.status, report.journal.deviated), (RunStatus::Completed, true));
    assert_eq!(lab.state("web-02"), VMPowerState::PoweredOn);
}

#[tokio::test(start_paused = true)]
async fn every_name_is_resolved_before_anything_is_touched() {
    let twins = [VmSpec::new("twin").folder("x"), VmSpec::new("twin").folder("y")];
    let lab =
        Lab::new(&EstateSpec::of(["a"]).with(twins).with([VmSpec::new("tpl").template(), VmSpec::new("off").off()]));
    let first = action("first", "vm_power_off", json!({"vm_name": "a"}));
    for (second, kind) in [
        (action("s", "vm_power_on", json!({"vm_name": "nobody"})), ErrorKind::NotFound),
        (action("s", "vm_power_off", json!({"vm_name": "twin"})), ErrorKind::Ambiguous),
        (action("s", "vm_power_off", json!({"vm_name": "*"})), ErrorKind::Ambiguous),
        (action("s", "vm_power_off", json!({"vm_name": "tpl"})), ErrorKind::InvalidState),
        (action("s", "vm_reboot", json!({"vm_name": "off"})), ErrorKind::InvalidState),
        (probe("s", "vm_group_powered_on", json!({"group": "a", "except": "a"}), json!(true)), ErrorKind::NotFound),
    ] {
        let experiment = read(document(&[first.clone(), second.clone()], &[])).unwrap();
        let error = lab.resolve(experiment).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{second}: {error}");
    }
    assert_eq!(lab.destructive_calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_state_that_the_method_makes_is_not_asked_of_the_vm_beforehand() {
    let lab = Lab::new(&EstateSpec::new().with([VmSpec::new("off").off()]));
    let experiment = document(
        &[
            action("on", "vm_power_on", json!({"vm_name": "off"})),
            action("again", "vm_reboot", json!({"vm_name": "off"})),
        ],
        &[],
    );
    let (report, _) = lab.run(read(experiment).unwrap()).await;
    assert_eq!((report.verdict, report.reason), (Verdict::Completed, None));
    assert_eq!(lab.state("off"), VMPowerState::PoweredOff);
}

#[tokio::test(start_paused = true)]
async fn one_platform_is_asked_once_whatever_the_experiment_names() {
    let lab = Lab::with(&["a", "b"]);
    let experiment = with_hypothesis(
        document(
            &[
                action("off", "vm_batch_power_off", json!({"vm_names": "a, b", "parallel": "2"})),
                probe("off", "vm_power_state", json!({"vm_name": "id:vm-2"}), json!("powered_off")),
            ],
            &[],
        ),
        &[probe("there", "vm_exists", json!({"vm_name": "a"}), json!(true))],
    );
    lab.resolve(read(experiment).unwrap()).await.unwrap();
    assert_eq!(lab.source.opened().len(), 1);
    let lists = lab.estate.calls().iter().filter(|call| call.kind == CallKind::List).count();
    assert_eq!(lists, 1);
}

#[tokio::test(start_paused = true)]
async fn in_a_batch_nothing_is_begun_after_a_failure() {
    let names: Vec<String> = (0..9).map(|number| format!("vm{number}")).collect();
    let lab = Lab::with(&names.iter().map(String::as_str).collect::<Vec<_>>());
    lab.estate.fail_next(Failure::refuse(ErrorKind::Failed, "the task failed").on("vm-3"));
    let batch = action("off", "vm_batch_power_off", json!({"vm_names": names, "parallel": 2}));
    let (report, events) = lab.run(read(document(&[batch], &[])).unwrap()).await;
    assert_eq!(report.verdict, Verdict::Failed);
    assert!(report.reason.as_ref().unwrap().contains("the task failed"), "{:?}", report.reason);
    // All were prepared and written down first, and only a few were sent.
    assert_eq!(count(&events, |event| matches!(event, RunEventKind::Prepared { .. })), 9);
    let sent = count(&events, |event| matches!(event, RunEventKind::Sent { .. }));
    assert!((3..=5).contains(&sent), "{sent}");
    assert_eq!(count(&events, |event| matches!(event, RunEventKind::Undone { .. })), sent);
    for name in &names {
        assert_eq!(lab.state(name), VMPowerState::PoweredOn, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_prepared_as_a_whole_or_not_at_all() {
    let lab = Lab::with(&["a", "b"]);
    let batch = action("off", "vm_batch_power_off", json!({"vm_names": ["a", "b"]}));
    let resolved = lab.resolve(read(document(&[batch], &[])).unwrap()).await.unwrap();
    lab.estate.set_power_state("vm-2", VMPowerState::Suspended);
    let sink = chaos_experiments::MemorySink::default();
    let report = resolved.run(&lab.cx, &sink, &crate::lab::options()).await;
    assert_eq!(report.verdict, Verdict::Failed);
    assert!(!report.touched);
    assert_eq!(lab.destructive_calls(), 0);
    assert_eq!(count(&sink.events(), |event| matches!(event, RunEventKind::Prepared { .. })), 0);
}

#[tokio::test(start_paused = true)]
async fn an_activity_has_its_own_time_limit() {
    let lab = Lab::new(&EstateSpec::new().with([VmSpec::new("slow").hanging()]));
    let mut off = action("off", "vm_power_off", json!({"vm_name": "slow", "timeout": 600}));
    off["timeout"] = json!(5);
    let (report, _) = lab.run(read(document(&[off], &[])).unwrap()).await;
    assert_eq!(report.verdict, Verdict::Failed);
    let record = &report.journal.run[0];
    assert!(record.duration.unwrap() <= 6.0, "{record:?}");
    assert_eq!(lab.state("slow"), VMPowerState::PoweredOn);
}

#[tokio::test(start_paused = true)]
async fn pauses_are_kept_and_are_not_part_of_the_activity() {
    let lab = Lab::with(&["a"]);
    let mut look = probe("look", "vm_exists", json!({"vm_name": "a"}), json!(true));
    look["pauses"] = json!({"before": 10, "after": "${rest}"});
    let mut experiment = document(&[look], &[]);
    experiment["configuration"] = json!({"rest": 2.5});
    let (report, _) = lab.run(read(experiment).unwrap()).await;
    assert!(report.journal.duration >= 12.5, "{}", report.journal.duration);
    assert!(report.journal.run[0].duration.unwrap() < 1.0);
    assert!(report.journal.run[0].start.starts_with("2026-01-01T00:00:10"));
}
