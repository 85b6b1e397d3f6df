//! Several VMs at once: what is done to them, and that each ends as it was found.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use chaos_core::{Error, ErrorKind, EventSink, RunEvent, RunEventKind, VMPowerState};
use chaos_experiments::{MemorySink, Verdict};
use chaos_testkit::memory::{CallKind, Failure};
use chaos_testkit::{EstateSpec, MemoryEstate, VmSpec};
use serde_json::{Value, json};

use crate::interruption::FullDisk;
use crate::lab::{Lab, action, count, document, options, probe, read, rendered, with_hypothesis};

const TEMPLATE: &str = "olvm-vm-batch-shutdown";

fn is_undone(event: &RunEventKind) -> bool {
    matches!(event, RunEventKind::Undone { .. })
}

/// Running VMs `vm1`, `vm2` and so on, whose guests take 20 s each way.
fn slow_vms(count: usize) -> EstateSpec {
    let vms = (1..=count).map(|number| VmSpec::new(&format!("vm{number}")).slow(Duration::from_secs(20)));
    EstateSpec::new().with(vms)
}

fn column<'a>(outputs: &'a Value, field: &str) -> Vec<&'a str> {
    outputs.as_array().unwrap().iter().map(|output| output[field].as_str().unwrap_or_default()).collect()
}

#[tokio::test(start_paused = true)]
async fn each_vm_ends_as_it_was_found_and_the_journal_says_how() {
    let spec = EstateSpec::of(["web-01"]).with([VmSpec::new("web-02").off(), VmSpec::new("web-03").hanging()]);
    let lab = Lab::olvm(&spec);
    let given = ["vm_names=web-01,web-02,web-03", "parallel=3", "timeout=30"];
    let (report, events) = lab.run(rendered(TEMPLATE, &given)).await;
    assert_eq!((report.verdict, &report.reason), (Verdict::Completed, &None));
    assert!(report.touched && report.left_changed.is_empty());

    let [off, all_off] = report.journal.run.as_slice() else { panic!("{:?}", report.journal.run) };
    assert_eq!(column(&off.output, "outcome"), ["guest_shutdown", "already_there", "hard_after_guest_timeout"]);
    assert_eq!(off.output[1]["note"], "nothing was done: it was powered_off already");
    assert_eq!((&all_off.output, all_off.tolerance_met), (&json!("powered_off"), Some(true)));

    let [restored] = report.journal.rollbacks.as_slice() else { panic!("{:?}", report.journal.rollbacks) };
    assert_eq!(column(&restored.output, "operation"), ["restore"; 3]);
    assert_eq!(column(&restored.output, "outcome"), ["powered_on", "already_there", "powered_on"]);
    assert_eq!(column(&restored.output, "state"), ["powered_on", "powered_off", "powered_on"]);
    assert_eq!(restored.output[1]["note"], "nothing to put back: it is powered_off as it was found");

    assert_eq!(lab.state("web-01"), VMPowerState::PoweredOn);
    assert_eq!(lab.state("web-02"), VMPowerState::PoweredOff);
    assert_eq!(lab.state("web-03"), VMPowerState::PoweredOn);
    assert!(lab.estate.destructive_calls("vm-2").is_empty());
    // Each was put back once, by its own record, in the rollbacks.
    assert_eq!(count(&events, is_undone), 3);
    let last_undone = events.iter().rposition(|event| is_undone(&event.event)).unwrap();
    let rolled_back = events.iter().position(|event| event.event == RunEventKind::RollbacksEnded).unwrap();
    assert!(last_undone < rolled_back);
}

#[tokio::test(start_paused = true)]
async fn the_plan_of_a_batch_shows_every_vm() {
    let lab = Lab::olvm(&EstateSpec::of(["web-01"]).with([VmSpec::new("web-02").off()]));
    let resolved = lab.resolve(rendered(TEMPLATE, &["vm_names=web-01,web-02", "graceful=no"])).await.unwrap();
    insta::assert_snapshot!(resolved.plan(), @"
    Several VMs are shut down and come back
    steady state:
      probe vms-are-manageable: reads
        /DC0/vm/web-01 (powered_on)
        /DC0/vm/web-02 (powered_off)
    method:
      action shut-down-vms: power off: hard, within 300s
        /DC0/vm/web-01 (powered_on)
        /DC0/vm/web-02 (powered_off)
      probe all-vms-are-off: reads
        /DC0/vm/web-01 (powered_on)
        /DC0/vm/web-02 (powered_off)
    rollbacks:
      action restore-vms: restore the state that each was found in
        /DC0/vm/web-01 (powered_on)
        /DC0/vm/web-02 (powered_off)
    in the end every VM is put back to the state shown here
    ");
}

#[tokio::test(start_paused = true)]
async fn no_more_vms_are_worked_on_at_a_time_than_was_asked_for() {
    let lab = Lab::olvm(&slow_vms(6));
    let (report, events) = lab.run(rendered(TEMPLATE, &["vm_names=vm1,vm2,vm3,vm4,vm5,vm6", "parallel=2"])).await;
    assert_eq!(report.verdict, Verdict::Completed);
    let (mut now, mut most) = (0, 0);
    for event in &events {
        match event.event {
            RunEventKind::Sent { .. } => now += 1,
            RunEventKind::Outcome { .. } => now -= 1,
            _ => {}
        }
        most = most.max(now);
    }
    assert_eq!(most, 2);
    // Nor are more put back at a time: the next two begin when the last two are on.
    let calls = lab.estate.calls();
    let began: BTreeSet<_> = calls.iter().filter(|call| call.kind == CallKind::PowerOn).map(|call| call.at).collect();
    assert_eq!(began.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_interruption_in_a_batch_undoes_each_vm_that_was_touched() {
    let lab = Lab::olvm(&slow_vms(4));
    let cancel = lab.cx.cancellation().clone();
    let interrupt = async {
        // The first two are off by then, and the guests of the others were asked.
        tokio::time::sleep(Duration::from_secs(25)).await;
        cancel.cancel();
    };
    let experiment = rendered(TEMPLATE, &["vm_names=vm1,vm2,vm3,vm4", "parallel=2"]);
    let ((report, events), ()) = tokio::join!(lab.run(experiment), interrupt);
    assert_eq!(report.verdict, Verdict::Interrupted);
    assert!(report.left_changed.is_empty(), "{:?}", report.left_changed);
    // Guests that had been asked to shut down did so, though nobody waited for them any more.
    tokio::time::sleep(Duration::from_hours(1)).await;
    for (name, id) in [("vm1", "vm-1"), ("vm2", "vm-2"), ("vm3", "vm-3"), ("vm4", "vm-4")] {
        assert_eq!(lab.state(name), VMPowerState::PoweredOn, "{name}");
        assert_eq!(lab.estate.destructive_calls(id), [CallKind::GuestShutdown, CallKind::PowerOn], "{name}");
    }
    assert_eq!(count(&events, is_undone), 4);
    assert_eq!(column(&report.journal.rollbacks[0].output, "outcome"), ["powered_on"; 4]);
}

#[tokio::test(start_paused = true)]
async fn what_an_interruption_kept_from_being_touched_is_left_alone() {
    let lab = Lab::olvm(&slow_vms(3));
    let cancel = lab.cx.cancellation().clone();
    let interrupt = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        cancel.cancel();
    };
    let experiment = rendered(TEMPLATE, &["vm_names=vm1,vm2,vm3", "parallel=1"]);
    let ((report, _), ()) = tokio::join!(lab.run(experiment), interrupt);
    assert_eq!(report.verdict, Verdict::Interrupted);
    let restored = &report.journal.rollbacks[0].output;
    assert_eq!(column(restored, "outcome"), ["powered_on", "skipped", "skipped"]);
    assert_eq!(restored[1]["note"], "nothing to put back: the run sent it nothing");
    assert!(lab.estate.destructive_calls("vm-2").is_empty() && lab.estate.destructive_calls("vm-3").is_empty());
    assert_eq!(lab.state("vm1"), VMPowerState::PoweredOn);
}

#[tokio::test(start_paused = true)]
async fn a_second_interruption_stops_the_restoring_and_names_what_is_left() {
    let lab = Lab::olvm(&slow_vms(1).with([VmSpec::new("fast")]));
    let resolved = lab.resolve(rendered(TEMPLATE, &["vm_names=vm1,fast", "parallel=2"])).await.unwrap();
    let options = options();
    let (first, second) = (lab.cx.cancellation().clone(), options.stop_repair.clone());
    let interrupt = async {
        // While one guest is shutting down; then while that one, which cannot be called back, is watched.
        tokio::time::sleep(Duration::from_secs(5)).await;
        first.cancel();
        tokio::time::sleep(Duration::from_secs(5)).await;
        second.cancel();
    };
    let sink = MemorySink::default();
    let (report, ()) = tokio::join!(resolved.run(&lab.cx, &sink, &options), interrupt);
    assert_eq!(report.verdict, Verdict::Interrupted);
    let restored = &report.journal.rollbacks[0];
    assert!(restored.status.is_none() && restored.end.is_some(), "{restored:?}");
    let names: Vec<&str> = report.left_changed.iter().map(|left| left.name.as_str()).collect();
    assert_eq!(names, ["vm1"]);
    assert_eq!(lab.state("fast"), VMPowerState::PoweredOn);
    assert_eq!(count(&sink.events(), is_undone), 1);
}

#[tokio::test(start_paused = true)]
async fn wherever_the_sink_fails_every_vm_of_a_batch_is_put_back() {
    let spec = || EstateSpec::of(["a", "b"]).with([VmSpec::new("off").off()]);
    let given = ["vm_names=a,b,off"];
    let all = Lab::olvm(&spec()).run(rendered(TEMPLATE, &given)).await.1.len();
    for taken in 0..all {
        let lab = Lab::olvm(&spec());
        let sink = FullDisk::after(taken);
        let report = lab.run_with(rendered(TEMPLATE, &given), &sink).await;
        assert_eq!(report.verdict, Verdict::Failed, "{taken} events");
        assert!(report.left_changed.is_empty(), "{taken} events");
        let states = ["a", "b", "off"].map(|name| lab.state(name));
        assert_eq!(states, [VMPowerState::PoweredOn, VMPowerState::PoweredOn, VMPowerState::PoweredOff], "{taken}");
        let sent = count(&sink.taken.events(), |event| matches!(event, RunEventKind::Sent { .. }));
        let stops = lab.estate.calls().iter().filter(|call| call.kind == CallKind::GuestShutdown).count();
        assert!(stops <= sent, "{taken} events: {stops} calls and {sent} records");
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_names_a_vm_that_is_unknown_or_suspended_touches_none() {
    let lab = Lab::olvm(&EstateSpec::of(["a"]).with([VmSpec::new("asleep").suspended()]));
    for (names, kind) in [("a,nobody", ErrorKind::NotFound), ("a,asleep", ErrorKind::InvalidState)] {
        let error = lab.resolve(rendered(TEMPLATE, &[&format!("vm_names={names}")])).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
    assert_eq!(lab.destructive_calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_is_named_twice_is_touched_once() {
    let lab = Lab::olvm(&EstateSpec::of(["a", "b"]));
    let (report, events) = lab.run(rendered(TEMPLATE, &["vm_names=a, b,id:vm-1,a"])).await;
    assert_eq!(report.verdict, Verdict::Completed);
    assert_eq!(column(&report.journal.run[0].output, "vm"), ["a", "b"]);
    assert_eq!(column(&report.journal.rollbacks[0].output, "vm"), ["a", "b"]);
    assert_eq!(count(&events, |event| matches!(event, RunEventKind::Sent { .. })), 2);
    assert_eq!(lab.estate.destructive_calls("vm-1"), [CallKind::GuestShutdown, CallKind::PowerOn]);
}

#[tokio::test(start_paused = true)]
async fn the_others_of_the_group_have_to_be_on() {
    let lab = Lab::olvm(&EstateSpec::of(["web-01", "web-02"]).with([VmSpec::new("web-03").off()]));
    let (report, _) = lab.run(rendered(TEMPLATE, &["vm_names=web-01,web-02", "group=web-*"])).await;
    assert_eq!(report.verdict, Verdict::Failed);
    assert!(report.reason.unwrap().ends_with("false is not true (/DC0/vm/web-03 is powered_off)"));
    assert_eq!(lab.destructive_calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn one_vm_that_cannot_be_managed_keeps_the_batch_from_running() {
    let lab = Lab::olvm(&EstateSpec::of(["a", "b"]));
    let resolved = lab.resolve(rendered(TEMPLATE, &["vm_names=a,b"])).await.unwrap();
    lab.estate.set_unmanageable("vm-2", "its host does not answer");
    let report = resolved.run(&lab.cx, &MemorySink::default(), &options()).await;
    assert_eq!(report.verdict, Verdict::Failed);
    let reason = report.reason.unwrap();
    assert!(reason.ends_with("(/DC0/vm/b cannot be managed: its host does not answer)"), "{reason}");
    assert!(!report.touched);
}

#[tokio::test(start_paused = true)]
async fn a_batch_in_different_states_is_mixed_and_the_odd_ones_are_named() {
    let names: Vec<String> = (1..=14).map(|number| format!("vm{number:02}")).collect();
    for (off, told) in [
        (1, "(/DC0/vm/vm01 is powered_off, the other 13 are powered_on)"),
        (13, "(/DC0/vm/vm14 is powered_on, the other 13 are powered_off)"),
    ] {
        let lab = Lab::new(&EstateSpec::new().with(
            names.iter().enumerate().map(
                |(at, name)| {
                    if at < off { VmSpec::new(name).off() } else { VmSpec::new(name) }
                },
            ),
        ));
        let look = probe("alike", "vm_batch_power_state", json!({"vm_names": names}), json!("powered_off"));
        let (report, _) = lab.run(read(with_hypothesis(document(&[], &[]), &[look])).unwrap()).await;
        let reason = report.reason.unwrap();
        assert!(reason.ends_with(&format!(r#"`alike`: "mixed" is not "powered_off" {told}"#)), "{reason}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_function_on_several_vms_gives_a_list_also_for_one() {
    let lab = Lab::with(&["a"]);
    let names = json!({"vm_names": "a"});
    let experiment =
        document(&[action("off", "vm_batch_power_off", names.clone())], &[action("restore", "vm_restore", names)]);
    let (report, _) = lab.run(read(experiment).unwrap()).await;
    assert_eq!(column(&report.journal.run[0].output, "vm"), ["a"]);
    assert_eq!(column(&report.journal.rollbacks[0].output, "vm"), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn a_restore_that_finds_nothing_to_undo_says_so_and_succeeds() {
    let lab = Lab::with(&["a"]);
    let restore = action("restore", "vm_restore", json!({"vm_names": ["a"]}));
    let (report, events) = lab.run(read(document(&[], &[restore])).unwrap()).await;
    assert_eq!((report.verdict, report.reason), (Verdict::Completed, None));
    assert!(!report.touched);
    let restored = &report.journal.rollbacks[0].output[0];
    assert_eq!((&restored["vm"], &restored["outcome"]), (&json!("a"), &json!("skipped")));
    assert_eq!(restored["note"], "nothing to put back: the run sent it nothing");
    assert_eq!(count(&events, is_undone), 0);
}

#[tokio::test(start_paused = true)]
async fn a_restore_that_fails_for_one_vm_restores_the_others_and_is_mended_in_the_end() {
    let lab = Lab::olvm(&EstateSpec::of(["a", "b"]));
    lab.estate.fail_next(Failure::refuse(ErrorKind::Failed, "no host has room").of(CallKind::PowerOn).on("vm-1"));
    let (report, events) = lab.run(rendered(TEMPLATE, &["vm_names=a,b"])).await;
    assert_eq!(report.verdict, Verdict::Failed);
    let reason = report.reason.unwrap();
    assert!(reason.starts_with("rollback `restore-vms`: ") && reason.contains("no host has room"), "{reason}");
    assert!(report.left_changed.is_empty());
    assert_eq!((lab.state("a"), lab.state("b")), (VMPowerState::PoweredOn, VMPowerState::PoweredOn));
    assert_eq!(count(&events, is_undone), 2);
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_was_restored_and_changed_again_is_put_back_again() {
    let lab = Lab::with(&["a"]);
    let off = action("off", "vm_power_off", json!({"vm_name": "a", "graceful": false}));
    let restore = action("restore", "vm_restore", json!({"vm_names": "a"}));
    let is_on = probe("is-on", "vm_power_state", json!({"vm_name": "a"}), json!("powered_on"));
    let (report, events) = lab.run(read(document(&[off.clone(), restore, is_on, off], &[])).unwrap()).await;
    assert_eq!((report.verdict, report.reason), (Verdict::Completed, None));
    assert_eq!(lab.state("a"), VMPowerState::PoweredOn);
    let calls = lab.estate.destructive_calls("vm-1");
    assert_eq!(calls, [CallKind::PowerOff, CallKind::PowerOn, CallKind::PowerOff, CallKind::PowerOn]);
    let first = events.iter().find(|event| matches!(event.event, RunEventKind::Prepared { .. })).unwrap().sequence;
    let of_first = |event: &RunEventKind| matches!(event, RunEventKind::Undone { prepared, .. } if *prepared == first);
    assert_eq!(count(&events, of_first), 2);
}

#[tokio::test(start_paused = true)]
async fn a_rollback_does_not_disturb_what_was_restored_before() {
    let lab = Lab::new(&EstateSpec::new().with([VmSpec::new("a").off()]));
    let experiment = document(
        &[action("on", "vm_power_on", json!({"vm_name": "a"}))],
        &[
            action("restore", "vm_restore", json!({"vm_names": "a"})),
            action("on", "vm_power_on", json!({"vm_name": "a"})),
        ],
    );
    let (report, _) = lab.run(read(experiment).unwrap()).await;
    assert_eq!(report.verdict, Verdict::Completed);
    assert_eq!(
        report.journal.rollbacks[1].output["note"],
        "nothing was done: it was put back before, and it is powered_off as it was found"
    );
    assert_eq!(lab.state("a"), VMPowerState::PoweredOff);
}

/// Powers a VM off behind the back of the run when its rollbacks were played.
#[derive(Debug)]
struct Meddling {
    estate: MemoryEstate,
    taken: MemorySink,
}

#[async_trait]
impl EventSink for Meddling {
    async fn record(&self, event: &RunEvent) -> Result<(), Error> {
        if event.event == RunEventKind::RollbacksEnded {
            self.estate.set_power_state("vm-1", VMPowerState::PoweredOff);
        }
        self.taken.record(event).await
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_lost_again_after_it_was_restored_is_put_back_in_the_end() {
    let lab = Lab::olvm(&EstateSpec::of(["a", "b"]));
    let sink = Meddling { estate: lab.estate.clone(), taken: MemorySink::default() };
    let report = lab.run_with(rendered(TEMPLATE, &["vm_names=a,b"]), &sink).await;
    assert_eq!((report.verdict, report.reason), (Verdict::Completed, None));
    assert_eq!(lab.state("a"), VMPowerState::PoweredOn);
    assert_eq!(lab.estate.destructive_calls("vm-2"), [CallKind::GuestShutdown, CallKind::PowerOn]);
}

#[test]
fn restoring_is_an_action_and_no_part_of_a_hypothesis() {
    let restore = probe("restore", "vm_restore", json!({"vm_names": "a"}), json!(true));
    let findings = read(with_hypothesis(document(&[], &[]), &[restore])).unwrap_err();
    assert!(findings.to_string().contains("`vm_restore` changes VMs and is an action"), "{findings}");
}
