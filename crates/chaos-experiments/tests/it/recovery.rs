//! A run whose process died is put back from its log: what is still its own to put back, and nothing else.

use std::time::Duration;

use async_trait::async_trait;
use chaos_core::{
    CallResult, Damage, Error, ErrorKind, EventSink, RecordedRun, RunEvent, RunEventKind, RunId, RunState, RunStatus,
    VMPowerState,
};
use chaos_experiments::{Journal, RecoverOptions, Recovered, RecoveredTarget, Recovery, RecoveryReport};
use chaos_testkit::memory::{CallKind, Failure};
use chaos_testkit::{EstateSpec, VmSpec};
use serde_json::{Value, json};

use crate::crash::{Crash, LIMIT, everything_comes_to_rest, recover, recovery, run};
use crate::lab::{Lab, action, count, document, kinds, read};

const NAMES: [&str; 5] = ["off", "suspended", "restarted", "started", "twice"];

fn lab() -> Lab {
    let vm = |name: &str| VmSpec::new(name).slow(Duration::from_secs(3));
    Lab::new(&EstateSpec::new().with(NAMES.map(|name| if name == "started" { vm(name).off() } else { vm(name) })))
}

fn experiment() -> Value {
    let on = |vm: &str| json!({"vm_name": vm});
    document(
        &[
            action("off", "vm_power_off", on("off")),
            action("suspend", "vm_suspend", on("suspended")),
            action("restart", "vm_reboot", on("restarted")),
            action("start", "vm_power_on", on("started")),
            action("first", "vm_power_off", on("twice")),
            action("then", "vm_power_on", on("twice")),
            action("and", "vm_suspend", on("twice")),
        ],
        &[action("back", "vm_power_on", on("off"))],
    )
}

fn states(lab: &Lab) -> Vec<VMPowerState> {
    NAMES.iter().map(|name| lab.state(name)).collect()
}

fn only(report: &RecoveryReport) -> &RecoveredTarget {
    let [only] = report.targets.as_slice() else { panic!("{report:?}") };
    only
}

/// Why a target is listed.
fn why(report: &RecoveryReport) -> &str {
    match &only(report).result {
        Recovered::LeftAlone { why } | Recovered::OtherServer { why } | Recovered::Open { why } => why,
        other => panic!("{other:?}"),
    }
}

/// A run that powered off the only VM, and died.
async fn powered_off(lab: &Lab) -> Vec<RunEvent> {
    let off = action("off", "vm_power_off", json!({"vm_name": "a"}));
    let experiment = || read(document(std::slice::from_ref(&off), &[])).unwrap();
    // Behind the outcome, which is the sixth event.
    let events = run(lab, experiment(), Crash::Behind(4)).await;
    assert_eq!(
        kinds(&events),
        ["run_started", "activity_started", "prepared", "sent", "outcome"],
        "the run died behind its outcome"
    );
    assert_eq!(lab.state("a"), VMPowerState::PoweredOff);
    events
}

#[tokio::test(start_paused = true)]
async fn a_run_that_dies_at_any_record_is_put_back_once() {
    let whole = run(&lab(), read(experiment()).unwrap(), Crash::Never).await;
    assert!(whole.len() > 50, "{}", whole.len());
    for number in 0..whole.len() as u64 {
        for crash in [Crash::Before(number), Crash::Behind(number)] {
            let lab = lab();
            let found = states(&lab);
            let mut events = run(&lab, read(experiment()).unwrap(), crash).await;
            let looked = recovery(&events).look(&lab.cx, &lab.source, &RecoverOptions::default()).await;
            let report = recover(&lab, &mut events, Crash::Never).await.unwrap();
            assert!(report.is_settled() && report.not_back().next().is_none(), "{crash:?}: {report:?}");
            for (looked, done) in looked.targets.iter().zip(&report.targets) {
                match (&looked.result, &done.result) {
                    (Recovered::WouldPutBack { .. }, Recovered::PutBack { .. })
                    | (Recovered::AsFound, Recovered::AsFound)
                    | (Recovered::WouldWatch { .. }, _) => {}
                    other => panic!("{crash:?}: a look said otherwise: {other:?}"),
                }
            }
            everything_comes_to_rest().await;
            assert_eq!(states(&lab), found, "{crash:?}: {:?}", kinds(&events));
            let was_over = count(&events, |event| matches!(event, RunEventKind::RunEnded { .. })) == 1
                && whole.len() as u64 - 1 == number
                && matches!(crash, Crash::Behind(_));
            let expected = if was_over { RunStatus::Completed } else { RunStatus::Interrupted };
            assert_eq!(Journal::fold(&events).status, expected, "{crash:?}");
            let interrupted = count(&events, |event| matches!(event, RunEventKind::Interrupted { .. }));
            assert_eq!(interrupted, usize::from(!was_over), "{crash:?}: {:?}", kinds(&events));

            let calls = lab.destructive_calls();
            let again = recover(&lab, &mut events, Crash::Never).await.unwrap();
            assert!(again.targets.is_empty() && lab.destructive_calls() == calls, "{crash:?}: {again:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_recovery_that_dies_at_any_record_is_gone_on_with() {
    for dies in [Crash::Before, Crash::Behind] {
        let mut number = 0;
        loop {
            let lab = lab();
            let found = states(&lab);
            let mut events = run(&lab, read(experiment()).unwrap(), Crash::Behind(35)).await;
            let begin = events.len() as u64;
            let first = recover(&lab, &mut events, dies(begin + number)).await;
            let report = recover(&lab, &mut events, Crash::Never).await.unwrap();
            // What the first one put back and could not write down is its own doing, and not somebody else's.
            assert!(report.is_settled() && report.not_back().next().is_none(), "{report:?}");
            everything_comes_to_rest().await;
            assert_eq!(states(&lab), found, "died at {number}: {:?}", kinds(&events));
            if first.is_some() {
                assert!(number > 8, "a recovery of {number} records");
                break;
            }
            number += 1;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_somebody_else_changed_is_left_alone() {
    for (state, says) in [
        (VMPowerState::PoweredOn, "somebody else has put it back"),
        (VMPowerState::Suspended, "which nothing that this run did leads to: somebody else has changed it"),
    ] {
        let lab = Lab::with(&["a"]);
        let mut events = powered_off(&lab).await;
        lab.estate.set_power_state("vm-1", state);
        let calls = lab.destructive_calls();
        for _ in 0..2 {
            let report = recover(&lab, &mut events, Crash::Never).await.unwrap();
            assert!(report.is_settled());
            assert_eq!((lab.destructive_calls(), lab.state("a")), (calls, state), "nothing was touched");
            match report.targets.as_slice() {
                [] => assert_eq!(report.state, RunState::Recovered),
                [_] => assert!(why(&report).contains(says), "{}", why(&report)),
                _ => panic!("{report:?}"),
            }
        }
        assert_eq!(count(&events, |event| matches!(event, RunEventKind::LeftAlone { .. })), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_somebody_else_started_anew_is_left_alone() {
    let lab = Lab::new(&EstateSpec::new().with([VmSpec::new("a").off()]));
    let on = action("on", "vm_power_on", json!({"vm_name": "a"}));
    let mut events = run(&lab, read(document(&[on], &[])).unwrap(), Crash::Behind(4)).await;
    assert_eq!(lab.state("a"), VMPowerState::PoweredOn);
    // Off and on again: only the boot time tells.
    tokio::time::sleep(Duration::from_mins(10)).await;
    lab.estate.set_power_state("vm-1", VMPowerState::PoweredOff);
    lab.estate.set_power_state("vm-1", VMPowerState::PoweredOn);
    let report = recover(&lab, &mut events, Crash::Never).await.unwrap();
    assert!(why(&report).starts_with("somebody else has started it since, at 2026-01-01T00:"), "{}", why(&report));
    assert_eq!(lab.state("a"), VMPowerState::PoweredOn);
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_the_run_had_nothing_to_do_for_does_not_hide_that_somebody_else_started_it() {
    let lab = Lab::with(&["a"]);
    let on = action("on", "vm_power_on", json!({"vm_name": "a"}));
    let mut events = run(&lab, read(document(&[on], &[])).unwrap(), Crash::Behind(4)).await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    lab.estate.set_power_state("vm-1", VMPowerState::PoweredOn);
    let report = recover(&lab, &mut events, Crash::Never).await.unwrap();
    assert!(why(&report).contains("as it was found, and somebody else has started it"), "{}", why(&report));
    assert_eq!(lab.destructive_calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_was_put_back_and_changed_again_before_the_end_is_listed() {
    let lab = Lab::with(&["slow", "fast"]);
    let off = |vm: &str| action(vm, "vm_power_off", json!({"vm_name": vm, "graceful": false}));
    let mut events = run(&lab, read(document(&[off("slow"), off("fast")], &[])).unwrap(), Crash::Behind(10)).await;
    // The fast one is back at once, and goes off before the slow one is tried again.
    lab.estate.fail_next(Failure::refuse(ErrorKind::Failed, "not now").of(CallKind::PowerOn).on("vm-1"));
    let meanwhile = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(lab.state("fast"), VMPowerState::PoweredOn);
        lab.estate.set_power_state("vm-2", VMPowerState::PoweredOff);
    };
    let (report, ()) = tokio::join!(recover(&lab, &mut events, Crash::Never), meanwhile);
    let report = report.unwrap();
    let listed: Vec<String> = report.not_back().map(ToString::to_string).collect();
    let [fast] = listed.as_slice() else { panic!("{report:?}") };
    assert!(fast.contains("it was put back and is powered_off now"), "{fast}");
    assert!(!report.is_settled());
}

#[tokio::test(start_paused = true)]
async fn a_call_of_which_nobody_knows_the_end_is_waited_for() {
    let vm = VmSpec::new("a").slow(Duration::from_secs(30));
    let lab = Lab::new(&EstateSpec::new().with([vm]));
    let off = action("off", "vm_power_off", json!({"vm_name": "a"}));
    // The guest has been asked, and shuts down half a minute later.
    let mut events = run(&lab, read(document(&[off], &[])).unwrap(), Crash::After(Duration::from_secs(3))).await;
    assert_eq!((kinds(&events).last().unwrap().as_str(), lab.state("a")), ("sent", VMPowerState::PoweredOn));
    let looked = recovery(&events).look(&lab.cx, &lab.source, &RecoverOptions::default()).await;
    assert!(matches!(only(&looked).result, Recovered::WouldWatch { seconds: 60.. }), "{looked:?}");
    let report = recover(&lab, &mut events, Crash::Never).await.unwrap();
    assert!(matches!(only(&report).result, Recovered::PutBack { .. }), "{report:?}");
    everything_comes_to_rest().await;
    assert_eq!(lab.state("a"), VMPowerState::PoweredOn);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_comes_back_in_time_is_waited_for() {
    let lab = Lab::with(&["a"]);
    let mut events = powered_off(&lab).await;
    for stalls in [false, true] {
        if stalls {
            lab.estate.stall();
        } else {
            lab.estate.go_away();
        }
        let back = async {
            tokio::time::sleep(Duration::from_mins(3)).await;
            lab.estate.come_back();
        };
        let mut events = events.clone();
        let (report, ()) = tokio::join!(recover(&lab, &mut events, Crash::Never), back);
        assert!(matches!(only(report.as_ref().unwrap()).result, Recovered::PutBack { .. }), "{report:?}");
        lab.estate.set_power_state("vm-1", VMPowerState::PoweredOff);
    }
    // One that does not is in the list, when the time is over and not later.
    lab.estate.go_away();
    let begin = lab.cx.monotonic();
    let report = recover(&lab, &mut events, Crash::Never).await.unwrap();
    let took = lab.cx.monotonic().saturating_sub(begin);
    assert!(took <= LIMIT + Duration::from_secs(5), "{took:?}");
    assert!(matches!(only(&report).result, Recovered::Open { .. }));
    assert_eq!((report.state, report.is_settled()), (RunState::Unrecovered, false));
    assert_eq!(count(&events, |event| matches!(event, RunEventKind::UndoFailed { .. })), 1);
    // And the next recovery goes on.
    lab.estate.come_back();
    assert!(recover(&lab, &mut events, Crash::Never).await.unwrap().is_settled());
    assert_eq!(lab.state("a"), VMPowerState::PoweredOn);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_dies_and_a_connection_that_breaks_are_no_obstacle() {
    for cut in [Failure::cut_before_effect(), Failure::cut_after_effect()] {
        let lab = Lab::with(&["a"]);
        let mut events = powered_off(&lab).await;
        lab.estate.kill_sessions();
        lab.estate.fail_next(cut.of(CallKind::PowerOn));
        let report = recover(&lab, &mut events, Crash::Never).await.unwrap();
        assert!(report.is_settled() && report.not_back().next().is_none(), "{report:?}");
        assert_eq!(lab.state("a"), VMPowerState::PoweredOn);
    }
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_is_gone_is_listed_and_settled() {
    let lab = Lab::with(&["a"]);
    let mut events = powered_off(&lab).await;
    lab.estate.delete("vm-1");
    let report = recover(&lab, &mut events, Crash::Never).await.unwrap();
    assert!(why(&report).starts_with("it is gone: "), "{}", why(&report));
    assert!(report.is_settled());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_be_found_does_not_make_its_vms_gone() {
    let lab = Lab::with(&["a"]);
    let mut events = powered_off(&lab).await;
    // Such as a proxy that answers 404 to everything.
    lab.source.fail_next_open(ErrorKind::NotFound, "there is no such object");
    let report = recover(&lab, &mut events, Crash::Never).await.unwrap();
    assert!(matches!(only(&report).result, Recovered::PutBack { .. }), "{report:?}");
    assert_eq!(lab.state("a"), VMPowerState::PoweredOn);
}

#[tokio::test(start_paused = true)]
async fn a_restart_of_which_nobody_knows_the_end_is_watched() {
    let lab = Lab::new(&EstateSpec::new().with([VmSpec::new("a").slow(Duration::from_secs(20))]));
    let restart = action("restart", "vm_reboot", json!({"vm_name": "a"}));
    let mut events = run(&lab, read(document(&[restart], &[])).unwrap(), Crash::After(Duration::from_secs(3))).await;
    assert_eq!((kinds(&events).last().unwrap().as_str(), lab.state("a")), ("sent", VMPowerState::PoweredOn));
    // The guest goes down for it, and stays there.
    let stays_down = async {
        tokio::time::sleep(Duration::from_secs(15)).await;
        lab.estate.set_power_state("vm-1", VMPowerState::PoweredOff);
    };
    let (report, ()) = tokio::join!(recover(&lab, &mut events, Crash::Never), stays_down);
    assert!(report.unwrap().is_settled());
    everything_comes_to_rest().await;
    assert_eq!(lab.state("a"), VMPowerState::PoweredOn);
}

#[tokio::test(start_paused = true)]
async fn to_recover_a_run_that_is_over_changes_nothing_of_what_became_of_it() {
    let lab = lab();
    let mut events = run(&lab, read(experiment()).unwrap(), Crash::Never).await;
    let before = events.len();
    let report = recover(&lab, &mut events, Crash::Never).await.unwrap();
    assert_eq!((report.state, events.len()), (RunState::Completed, before));
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_is_locked_is_tried_again_until_it_is_free_or_the_time_is_over() {
    let locked = || Failure::refuse(ErrorKind::Failed, "another task holds the VM").of(CallKind::PowerOn);
    for refusals in [3, 500] {
        let lab = Lab::with(&["a"]);
        let mut events = powered_off(&lab).await;
        for _ in 0..refusals {
            lab.estate.fail_next(locked());
        }
        let begin = lab.cx.monotonic();
        let report = recover(&lab, &mut events, Crash::Never).await.unwrap();
        if refusals == 3 {
            assert!(matches!(only(&report).result, Recovered::PutBack { .. }), "{report:?}");
        } else {
            assert!(why(&report).contains("another task holds the VM"), "{}", why(&report));
            assert!(lab.cx.monotonic().saturating_sub(begin) <= LIMIT + Duration::from_secs(5));
            assert!(lab.destructive_calls() < 100, "{} calls", lab.destructive_calls());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn another_server_behind_the_same_name_is_not_touched() {
    let lab = Lab::with(&["a"]);
    let events = powered_off(&lab).await;
    let text = serde_json::to_string(&events).unwrap().replace("in-memory", "the old server");
    let mut events: Vec<RunEvent> = serde_json::from_str(&text).unwrap();
    let calls = lab.destructive_calls();
    let begin = lab.cx.monotonic();
    let report = recover(&lab, &mut events, Crash::Never).await.unwrap();
    assert!(matches!(only(&report).result, Recovered::OtherServer { .. }), "{report:?}");
    assert!(why(&report).contains("the run was on instance the old server"), "{}", why(&report));
    assert_eq!((lab.destructive_calls(), report.is_settled()), (calls, false));
    assert!(lab.cx.monotonic().saturating_sub(begin) < Duration::from_secs(5), "nothing that time would mend");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_told_at_once_and_not_tried_again() {
    let lab = Lab::with(&["a"]);
    let mut events = powered_off(&lab).await;
    let opened = lab.source.opened().len();
    lab.source.fail_next_open(ErrorKind::Unauthenticated, "wrong user or password");
    let report = recover(&lab, &mut events, Crash::Never).await.unwrap();
    assert_eq!(why(&report), "cannot open `vsphere`: wrong user or password");
    assert_eq!(lab.source.opened().len(), opened + 1);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_touched_by_a_log_that_is_damaged() {
    let lab = Lab::with(&["a"]);
    let events = powered_off(&lab).await;
    let mut recorded = RecordedRun::new(RunId::new("run-1"), events);
    recorded.damage = Some(Damage::new("0000.log", 77, "the record does not fit its checksum"));
    let (calls, sink) = (lab.estate.calls().len(), chaos_experiments::MemorySink::default());
    let recovery = Recovery::new(recorded);
    let looked = recovery.look(&lab.cx, &lab.source, &RecoverOptions::default()).await;
    let report = recovery.run(&lab.cx, &lab.source, &sink, &RecoverOptions::default()).await;
    assert_eq!(looked.targets, report.targets);
    assert!(why(&report).contains("0000.log is damaged at byte 77"), "{}", why(&report));
    assert_eq!((lab.estate.calls().len(), sink.events().len()), (calls, 0));
    assert_eq!(report.state, RunState::Damaged);
}

/// A disk that is full.
#[derive(Debug)]
struct Full;

#[async_trait]
impl EventSink for Full {
    async fn record(&self, _: &RunEvent) -> Result<(), Error> {
        Err(Error::new(ErrorKind::Failed, "No space left on device"))
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_keeps_nothing_from_being_put_back() {
    let lab = Lab::with(&["a"]);
    let events = powered_off(&lab).await;
    let report = recovery(&events).run(&lab.cx, &lab.source, &Full, &RecoverOptions::default()).await;
    assert!(matches!(only(&report).result, Recovered::PutBack { .. }), "{report:?}");
    assert_eq!(lab.state("a"), VMPowerState::PoweredOn);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_a_person_took_over_is_not_touched() {
    let lab = Lab::with(&["a"]);
    let mut events = powered_off(&lab).await;
    let sink = chaos_experiments::MemorySink::default();
    recovery(&events).abandon(&lab.cx, &sink, "moved to another host").await.unwrap();
    events.extend(sink.events());
    let calls = lab.destructive_calls();
    let report = recover(&lab, &mut events, Crash::Never).await.unwrap();
    assert_eq!((report.state, report.targets.len()), (RunState::Abandoned, 0));
    assert_eq!((lab.destructive_calls(), lab.state("a")), (calls, VMPowerState::PoweredOff));
    assert!(recovery(&events).abandon(&lab.cx, &Full, "again").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn what_an_activity_changed_last_is_put_back_first() {
    let lab = Lab::with(&["db", "app", "web"]);
    let off = |vm: &str| action(vm, "vm_power_off", json!({"vm_name": vm}));
    let method = document(&[off("web"), off("app"), off("db")], &[]);
    let outcomes = |events: &[RunEvent]| {
        count(events, |event| matches!(event, RunEventKind::Outcome { result: CallResult::Ok(_), .. }))
    };
    let mut events = run(&lab, read(method).unwrap(), Crash::Behind(15)).await;
    assert_eq!(outcomes(&events), 3, "{:?}", kinds(&events));
    recover(&lab, &mut events, Crash::Never).await.unwrap();
    let calls = lab.estate.calls();
    let order: Vec<&str> =
        calls.iter().filter(|call| call.kind == CallKind::PowerOn).filter_map(|call| call.vm.as_deref()).collect();
    assert_eq!(order, ["vm-1", "vm-2", "vm-3"]);
}
