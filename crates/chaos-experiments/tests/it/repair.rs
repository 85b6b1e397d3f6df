//! Undo: every VM ends in the state that it was found in, or is named.

use std::time::Duration;

use chaos_core::{CallResult, ErrorKind, Fault, RunEventKind, VMPowerState};
use chaos_experiments::Verdict;
use chaos_testkit::memory::{CallKind, Failure};
use chaos_testkit::{EstateSpec, VmSpec};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::lab::{Lab, action, count, document, read};

#[tokio::test(start_paused = true)]
async fn a_vm_that_was_off_ends_off_whatever_the_rollbacks_say() {
    let lab = Lab::new(&EstateSpec::new().with([VmSpec::new("a").off()]));
    let experiment = document(
        &[action("off", "vm_power_off", json!({"vm_name": "a"}))],
        &[action("on", "vm_power_on", json!({"vm_name": "a"}))],
    );
    let (report, _) = lab.run(read(experiment).unwrap()).await;
    assert_eq!(report.verdict, Verdict::Completed);
    // Nothing was tested, which is said, and the VM is not even powered on for a moment.
    assert_eq!(report.journal.run[0].output["note"], "nothing was done: it was powered_off already");
    assert_eq!(report.journal.rollbacks[0].output["outcome"], "skipped");
    assert_eq!(lab.state("a"), VMPowerState::PoweredOff);
    assert_eq!(lab.destructive_calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_was_suspended_is_suspended_again() {
    let lab = Lab::new(&EstateSpec::new().with([VmSpec::new("a").suspended()]));
    let experiment = document(&[action("on", "vm_power_on", json!({"vm_name": "a"}))], &[]);
    let (report, _) = lab.run(read(experiment).unwrap()).await;
    assert_eq!(report.verdict, Verdict::Completed);
    assert_eq!(lab.state("a"), VMPowerState::Suspended);
}

#[tokio::test(start_paused = true)]
async fn a_suspended_vm_is_never_powered_off() {
    let lab = Lab::new(&EstateSpec::new().with([VmSpec::new("a").suspended()]));
    let experiment = document(&[action("off", "vm_power_off", json!({"vm_name": "a"}))], &[]);
    let error = lab.resolve(read(experiment).unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidState);
    assert_eq!(lab.destructive_calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_was_changed_last_is_put_back_first() {
    let lab = Lab::with(&["db", "app", "web"]);
    let off = |vm: &str| action(vm, "vm_power_off", json!({"vm_name": vm}));
    let (report, _) = lab.run(read(document(&[off("web"), off("app"), off("db")], &[])).unwrap()).await;
    assert_eq!(report.verdict, Verdict::Completed);
    let order: Vec<String> = lab
        .estate
        .calls()
        .into_iter()
        .filter(|call| call.kind == CallKind::PowerOn)
        .filter_map(|call| call.vm)
        .collect();
    assert_eq!(order, ["vm-1", "vm-2", "vm-3"]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_put_back_is_named_and_the_run_failed() {
    let lab = Lab::with(&["a", "b"]);
    lab.estate.fail_next(Failure::refuse(ErrorKind::Failed, "no host has room").of(CallKind::PowerOn).on("vm-1"));
    let off = |vm: &str| action(vm, "vm_power_off", json!({"vm_name": vm}));
    let (report, events) = lab.run(read(document(&[off("a"), off("b")], &[])).unwrap()).await;
    assert_eq!(report.verdict, Verdict::Failed);
    let [left] = report.left_changed.as_slice() else { panic!("{:?}", report.left_changed) };
    assert_eq!((left.name.as_str(), left.found), ("a", VMPowerState::PoweredOn));
    assert!(left.why.contains("no host has room"));
    assert!(report.reason.unwrap().starts_with("/DC0/vm/a was found powered_on and may not be so now"));
    assert_eq!(lab.state("b"), VMPowerState::PoweredOn);
    assert_eq!(count(&events, |event| matches!(event, RunEventKind::UndoFailed { .. })), 1);
}

#[tokio::test(start_paused = true)]
async fn an_undo_whose_call_was_lost_is_tried_again() {
    let lab = Lab::with(&["a"]);
    lab.estate.fail_next(Failure::cut_before_effect().of(CallKind::PowerOn));
    let (report, _) =
        lab.run(read(document(&[action("off", "vm_power_off", json!({"vm_name": "a"}))], &[])).unwrap()).await;
    assert_eq!((report.verdict, report.reason), (Verdict::Completed, None));
    assert_eq!(lab.state("a"), VMPowerState::PoweredOn);
}

#[tokio::test(start_paused = true)]
async fn a_rollback_that_fails_fails_the_run_though_the_undo_mends_it() {
    let lab = Lab::with(&["a"]);
    lab.estate.fail_next(Failure::refuse(ErrorKind::Failed, "not now").of(CallKind::PowerOn));
    let experiment = document(
        &[action("off", "vm_power_off", json!({"vm_name": "a"}))],
        &[action("on", "vm_power_on", json!({"vm_name": "a"}))],
    );
    let (report, _) = lab.run(read(experiment).unwrap()).await;
    assert_eq!(report.verdict, Verdict::Failed);
    assert!(report.reason.unwrap().starts_with("rollback `on`: "));
    assert!(report.left_changed.is_empty());
    assert_eq!(lab.state("a"), VMPowerState::PoweredOn);
}

#[tokio::test(start_paused = true)]
async fn an_undo_that_goes_on_and_on_is_told_at_growing_intervals() {
    let lab = Lab::with(&["a"]);
    let off = action("off", "vm_power_off", json!({"vm_name": "a"}));
    let resolved = lab.resolve(read(document(&[off], &[])).unwrap()).await.unwrap();
    // It fails once, and then takes its time.
    lab.estate.fail_next(Failure::refuse(ErrorKind::Unavailable, "not now").of(CallKind::PowerOn));
    let sink = chaos_experiments::MemorySink::default();
    resolved.run(&lab.cx, &sink, &crate::lab::options()).await;
    let events = sink.events();
    let delayed: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.event {
            RunEventKind::UndoDelayed { until, failure, .. } => Some((*until > event.at, failure.clone())),
            _ => None,
        })
        .collect();
    let [(true, Some(failure))] = delayed.as_slice() else { panic!("{delayed:?}") };
    assert!(failure.message.contains("not now"), "{failure:?}");

    let lab = Lab::new(&EstateSpec::new().with([VmSpec::new("a").slow(Duration::from_secs(100))]));
    let off = action("off", "vm_power_off", json!({"vm_name": "a"}));
    let cancel = lab.cx.cancellation().clone();
    let interrupt = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        cancel.cancel();
    };
    let ((_, events), ()) = tokio::join!(lab.run(read(document(&[off], &[])).unwrap()), interrupt);
    assert!(count(&events, |event| matches!(event, RunEventKind::UndoDelayed { failure: None, .. })) >= 2);
}

/// One step of a random method.
fn step() -> impl Strategy<Value = (usize, usize, bool)> {
    (0..5_usize, 0..4_usize, any::<bool>())
}

fn method(steps: &[(usize, usize, bool)]) -> Vec<Value> {
    let functions = ["vm_power_off", "vm_power_on", "vm_reboot", "vm_suspend", "vm_restore"];
    steps
        .iter()
        .map(|(function, vm, graceful)| {
            let mut arguments = json!({if *function == 4 { "vm_names" } else { "vm_name" }: format!("vm{vm}")});
            if matches!(function, 0 | 2) {
                arguments["graceful"] = (*graceful).into();
            }
            action("step", functions[*function], arguments)
        })
        .collect()
}

fn estate(states: &[usize]) -> EstateSpec {
    let vms = states.iter().enumerate().map(|(number, state)| {
        let vm = VmSpec::new(&format!("vm{number}")).slow(Duration::from_secs(3));
        match state {
            0 => vm,
            1 => vm.off(),
            2 => vm.suspended(),
            _ => vm.hanging(),
        }
    });
    EstateSpec::new().with(vms)
}

proptest! {
    /// The promise of this crate, for any method, any found states, a failure and an interruption anywhere.
    #[test]
    fn found_state_or_named(
        states in prop::collection::vec(0..4_usize, 4),
        steps in prop::collection::vec(step(), 0..6),
        failing in prop::option::of(1..5_usize),
        interrupted_after in prop::option::of(0..400_u64),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let lab = Lab::new(&estate(&states));
            let found: Vec<VMPowerState> = (0..4).map(|number| lab.state(&format!("vm{number}"))).collect();
            let Ok(resolved) = lab.resolve(read(document(&method(&steps), &[])).unwrap()).await else {
                prop_assert_eq!(lab.destructive_calls(), 0);
                return Ok(());
            };
            if let Some(vm) = failing {
                lab.estate.fail_next(Failure::refuse(ErrorKind::Failed, "refused").on(&format!("vm-{vm}")));
            }
            let sink = chaos_experiments::MemorySink::default();
            let cancel = lab.cx.cancellation().clone();
            let options = crate::lab::options();
            let run = resolved.run(&lab.cx, &sink, &options);
            let report = match interrupted_after {
                None => run.await,
                Some(seconds) => {
                    let interrupt = async {
                        tokio::time::sleep(Duration::from_secs(seconds)).await;
                        cancel.cancel();
                    };
                    tokio::pin!(run);
                    tokio::select! { report = &mut run => report, () = interrupt => run.await }
                }
            };
            // Whatever is still under way has its effect before this looks.
            tokio::time::sleep(Duration::from_hours(1)).await;
            for (number, found) in found.into_iter().enumerate() {
                let name = format!("vm{number}");
                let named = report.left_changed.iter().any(|left| left.name == name);
                prop_assert!(named || lab.state(&name) == found, "{name} is {} {report:?}", lab.state(&name));
            }
            prop_assert!(report.left_changed.is_empty() || report.verdict != Verdict::Completed);
            // Nothing was sent that was not prepared and written down before.
            let events = sink.events();
            for (at, event) in events.iter().enumerate() {
                if let RunEventKind::Sent { prepared } = event.event {
                    let before = events[..at].iter().find(|event| event.sequence == prepared);
                    let written = matches!(before.map(|event| &event.event), Some(RunEventKind::Prepared { .. }));
                    prop_assert!(written);
                }
            }
            Ok(())
        })?;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_prepared_alone_says_how_to_put_the_vm_back() {
    let lab = Lab::with(&["a"]);
    let (_, events) = lab
        .run(read(document(&[action("off", "vm_power_off", json!({"vm_name": "a", "graceful": "no"}))], &[])).unwrap())
        .await;
    let prepared = events.iter().find_map(|event| match &event.event {
        RunEventKind::Prepared { fault, undo, .. } => Some((fault, undo)),
        _ => None,
    });
    let (fault, undo) = prepared.unwrap();
    assert!(matches!(fault, Fault::PowerOff { stop: chaos_core::Stop::Hard { .. }, .. }));
    lab.estate.set_power_state("vm-1", VMPowerState::PoweredOff);
    // As another process would, from the record on the disk.
    let undo: chaos_core::Undo = serde_json::from_str(&serde_json::to_string(undo).unwrap()).unwrap();
    let platform = lab.estate.connect(&lab.cx, "vsphere").await.unwrap();
    chaos_core::Platform::undo(&platform, &lab.cx, &undo).await.unwrap();
    assert_eq!(lab.state("a"), VMPowerState::PoweredOn);
    assert_eq!(count(&events, |event| matches!(event, RunEventKind::Outcome { result: CallResult::Ok(_), .. })), 1);
}
