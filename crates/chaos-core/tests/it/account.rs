//! What the events of a run say about its targets.

use std::time::Duration;

use chaos_core::{
    CallResult, Error, ErrorKind, Failure, Fault, How, Outcome, PlatformKind, RunAccount, RunEvent, RunEventKind,
    RunId, RunMode, RunState, RunStatus, Standing, Stop, Target, Undo, VMInfo, VMPowerState, VMRef,
};
use jiff::Timestamp;
use serde_json::json;

const ON: VMPowerState = VMPowerState::PoweredOn;
const OFF: VMPowerState = VMPowerState::PoweredOff;

/// A run that writes down what it does.
#[derive(Default)]
struct Log(Vec<RunEvent>);

impl Log {
    fn new() -> Self {
        let mut log = Self::default();
        log.add(RunEventKind::RunStarted {
            engine: "engine".into(),
            system: "system".into(),
            node: "laptop".into(),
            mode: RunMode::Real,
            experiment: json!({"title": "t"}),
            seed: None,
            source: None,
        });
        log
    }

    fn add(&mut self, kind: RunEventKind) -> u64 {
        let number = self.0.len() as u64;
        self.0.push(RunEvent::new(RunId::new("r"), number, at(number), kind));
        number
    }

    /// Powers off a VM that is reached through a settings entry, as it is now.
    fn prepare(&mut self, entry: &str, id: &str, now: VMPowerState) -> u64 {
        let vm = VMRef {
            platform: PlatformKind::VSPHERE,
            entry: entry.into(),
            instance: "instance-1".into(),
            id: id.to_owned(),
        };
        let target = Target::from(vm);
        let fault = Fault::power_off(Stop::graceful());
        let seen = VMInfo::new(id, id, now, PlatformKind::VSPHERE);
        let undo = Undo::of_power(target.clone(), &seen, &fault, at(0));
        self.add(RunEventKind::Prepared { activity: 0, target, fault, undo })
    }

    fn send(&mut self, prepared: u64, result: Option<CallResult>) {
        self.add(RunEventKind::Sent { prepared });
        if let Some(result) = result {
            self.add(RunEventKind::Outcome { prepared, result });
        }
    }

    fn account(&self) -> RunAccount {
        RunAccount::fold(&self.0)
    }

    fn state(&self) -> RunState {
        self.account().state()
    }
}

fn at(second: u64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + i64::try_from(second).expect("a few")).expect("a time of our days")
}

fn ended(how: How, from: VMPowerState, to: VMPowerState) -> Outcome {
    Outcome::new(how, from, to, Duration::from_secs(1))
}

fn off() -> CallResult {
    CallResult::Ok(ended(How::HardPowerOff, ON, OFF))
}

fn back() -> Outcome {
    ended(How::PoweredOn, OFF, ON)
}

fn failure() -> Failure {
    Failure::from(&Error::new(ErrorKind::Failed, "no host has room"))
}

fn over(status: RunStatus) -> RunEventKind {
    RunEventKind::RunEnded { status, deviated: false }
}

#[test]
fn a_target_is_open_from_the_moment_at_which_something_may_have_left() {
    let mut log = Log::new();
    let prepared = log.prepare("vsphere", "vm-1", ON);
    assert_eq!((log.state(), &log.account().targets[0].standing), (RunState::Died, &Standing::Untouched));
    log.send(prepared, None);
    assert_eq!(log.state(), RunState::Unrecovered);
    // A call that failed may have had its effect.
    log.add(RunEventKind::Outcome { prepared, result: CallResult::Error(failure()) });
    assert_eq!(log.state(), RunState::Unrecovered);
    log.add(RunEventKind::Undone { prepared, outcome: back() });
    assert_eq!((log.state(), &log.account().targets[0].standing), (RunState::Died, &Standing::Back));
    log.add(over(RunStatus::Completed));
    assert_eq!(log.state(), RunState::Completed);
}

#[test]
fn what_is_sent_after_it_was_put_back_opens_it_again_with_the_state_it_was_found_in_at_first() {
    let mut log = Log::new();
    let first = log.prepare("vsphere", "vm-1", ON);
    log.send(first, Some(off()));
    log.add(RunEventKind::Undoing { prepared: first });
    log.add(RunEventKind::Undone { prepared: first, outcome: back() });
    let second = log.prepare("vsphere", "vm-1", ON);
    log.send(second, Some(off()));
    let account = log.account();
    let [target] = account.targets.as_slice() else { panic!("{account:?}") };
    assert_eq!((target.prepared, target.undoing, target.sent.len()), (first, false, 1));
    assert_eq!((target.undo.found.power_state, account.is_unrecovered()), (ON, true));
}

#[test]
fn one_vm_that_is_reached_in_two_ways_is_one_target() {
    let mut log = Log::new();
    let first = log.prepare("vsphere", "vm-1", ON);
    log.send(first, Some(off()));
    let second = log.prepare("the-other-entry", "vm-1", OFF);
    log.send(second, Some(off()));
    let account = log.account();
    assert_eq!(account.targets.len(), 1);
    assert_eq!((account.targets[0].sent.len(), account.targets[0].undo.found.power_state), (2, ON));
}

#[test]
fn every_end_has_its_word() {
    let changed = || {
        let mut log = Log::new();
        let prepared = log.prepare("vsphere", "vm-1", ON);
        log.send(prepared, Some(off()));
        (log, prepared)
    };
    for (status, expected) in [
        (RunStatus::Completed, RunState::Completed),
        (RunStatus::Failed, RunState::Failed),
        (RunStatus::Aborted, RunState::Failed),
        (RunStatus::Interrupted, RunState::Interrupted),
    ] {
        let mut log = Log::new();
        log.add(over(status));
        assert_eq!(log.state(), expected);
        // Whatever the run says of itself, what is left changed counts.
        let (mut log, prepared) = changed();
        log.add(RunEventKind::UndoFailed { prepared, failure: failure() });
        log.add(over(status));
        assert_eq!(log.state(), RunState::Unrecovered);
        assert_eq!(log.account().targets[0].standing, Standing::Open(Some(failure())));
    }
    let mut log = Log::new();
    log.add(RunEventKind::RunEnded { status: RunStatus::Completed, deviated: true });
    assert_eq!(log.state(), RunState::Deviated);

    let (mut log, prepared) = changed();
    log.add(RunEventKind::LeftAlone { prepared, why: "it is gone".into() });
    log.add(over(RunStatus::Interrupted));
    log.add(RunEventKind::RecoveryEnded);
    assert_eq!(log.state(), RunState::Recovered);

    let (mut log, _) = changed();
    log.add(RunEventKind::RecoveryEnded);
    assert_eq!(log.state(), RunState::Unrecovered, "a recovery that could not");
    log.add(RunEventKind::Abandoned { reason: "by hand".into() });
    assert_eq!((log.state(), log.account().open().count()), (RunState::Abandoned, 0));
}

#[test]
fn a_read_back_that_something_is_not_back_any_more_opens_it_again() {
    let mut log = Log::new();
    let prepared = log.prepare("vsphere", "vm-1", ON);
    log.send(prepared, Some(off()));
    log.add(RunEventKind::Undone { prepared, outcome: back() });
    log.add(RunEventKind::UndoFailed { prepared, failure: failure() });
    assert_eq!(log.state(), RunState::Unrecovered);
}

#[test]
fn events_that_refer_to_nothing_are_passed_over() {
    let mut log = Log::new();
    log.send(77, Some(off()));
    for kind in [
        RunEventKind::Undoing { prepared: 77 },
        RunEventKind::Undone { prepared: 77, outcome: back() },
        RunEventKind::UndoFailed { prepared: 77, failure: failure() },
        RunEventKind::LeftAlone { prepared: 77, why: String::new() },
    ] {
        log.add(kind);
    }
    assert!(log.account().targets.is_empty());
}
