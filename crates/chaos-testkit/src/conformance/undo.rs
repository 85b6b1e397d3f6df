//! A record made before a fault lets any other client put the VM back, as often as it likes.

use chaos_core::VMPowerState::{PoweredOff, PoweredOn, Suspended};
use chaos_core::{ErrorKind, Fault, How, Operation, Outcome, Target, Undo, UndoAction, VMPowerState};

use super::bench::{Bench, can_also, discard, every_fault, hard, offered};
use super::harness::{Ability, Harness};
use crate::estate::{EstateSpec, VmKey, VmSpec};

const CALLS: &[Ability] = &[Ability::CountCalls];
const OFF: &[Ability] = &[Ability::CountCalls, Ability::PowerOff];
const ON_AND_OFF: &[Ability] = &[Ability::CountCalls, Ability::PowerOn, Ability::PowerOff];
const REBOOT: &[Ability] = &[Ability::CountCalls, Ability::Reboot];
const RESUME: &[Ability] = &[Ability::CountCalls, Ability::SuspendedVms, Ability::PowerOn, Ability::Suspend];
const DISCARD: &[Ability] = &[Ability::CountCalls, Ability::SuspendedVms, Ability::PowerOff];
const CHANGE: &[Ability] = &[Ability::CountCalls, Ability::PowerOn, Ability::PowerOff, Ability::ChangeVms];

/// The record as another process reads it.
fn through_json(undo: &Undo) -> Undo {
    let json = serde_json::to_string(undo).expect("a record can be written down");
    let read: Undo = serde_json::from_str(&json).expect("and read again");
    assert_eq!(read, *undo);
    read
}

/// Prepares and applies a fault, and plays the record by another client after the first one has left.
async fn there_and_back(bench: &Bench, vm: VmKey, fault: &Fault) -> Outcome {
    let found = bench.server.power_state(vm).await;
    let undo = bench.prepare(vm, fault).await.expect("can be prepared");
    bench.apply(vm, fault).await.expect("can be applied");
    let undo = through_json(&undo);
    let second = bench.second_client().await;
    let outcome = second.undo(&bench.cx, &undo).await.unwrap_or_else(|error| panic!("undo of {fault:?}: {error:?}"));
    assert_eq!(outcome.state, found, "the outcome's state");
    bench.assert_state(vm, found).await;
    outcome
}

pub async fn prepare_changes_nothing_and_answers_in_order(harness: &dyn Harness) {
    let Some(bench) = Bench::start(harness, CALLS, EstateSpec::of(["a", "b", "c"])).await else { return };
    let mut targets: Vec<Target> = Vec::new();
    for vm in [VmKey(1), VmKey(2), VmKey(0)] {
        targets.push(bench.target(vm).await);
    }
    for fault in every_fault(harness) {
        let undos = bench.platform.prepare(&bench.cx, &targets, &fault).await;
        let answers: Vec<(String, &Target)> = undos
            .iter()
            .map(|undo| undo.as_ref().expect("can be prepared"))
            .map(|u| (u.name.clone(), &u.target))
            .collect();
        let expected: Vec<(String, &Target)> = ["b", "c", "a"].map(str::to_owned).into_iter().zip(&targets).collect();
        assert_eq!(answers, expected, "{fault:?}");
    }
    assert!(bench.platform.prepare(&bench.cx, &[], &Fault::suspend()).await.is_empty());
    for vm in bench.spec.keys() {
        bench.assert_state(vm, PoweredOn).await;
        assert_eq!(bench.server.destructive_calls(vm).await, 0);
    }
}

pub async fn prepare_refuses_what_apply_refuses(harness: &dyn Harness) {
    let mut spec = EstateSpec::new();
    let on = spec.add(VmSpec::new("on"));
    let off = spec.add(VmSpec::new("off").off());
    let mut refused = vec![(off, Fault::reboot(hard())), (off, Fault::suspend())];
    if can_also(harness, &[Ability::SuspendedVms]) {
        let asleep = spec.add(VmSpec::new("asleep").suspended());
        refused.extend([(asleep, Fault::reboot(hard())), (asleep, Fault::power_off(hard()))]);
    }
    let Some(bench) = Bench::start(harness, CALLS, spec).await else { return };
    for (vm, fault) in refused {
        for fault in offered(harness, [fault]) {
            let error = bench.prepare(vm, &fault).await.expect_err("has to be refused");
            assert_eq!(error.kind(), ErrorKind::InvalidState, "{fault:?}");
            bench.assert_refused(vm, &fault).await;
        }
    }
    // One that is refused does not take the others with it.
    let targets = [bench.target(off).await, bench.target(on).await];
    for fault in offered(harness, [Fault::reboot(hard()), Fault::suspend()]) {
        let undos = bench.platform.prepare(&bench.cx, &targets, &fault).await;
        assert_eq!(undos.iter().map(Result::is_ok).collect::<Vec<_>>(), [false, true], "{fault:?}");
    }
}

pub async fn a_record_says_what_was_found(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, &[Ability::PowerOff], VmSpec::new("a")).await else { return };
    let info = bench.info(vm).await;
    let undo = bench.prepare(vm, &Fault::power_off(hard())).await.expect("can be prepared");
    assert_eq!(undo.version, Undo::VERSION);
    assert_eq!(undo.target, bench.target(vm).await);
    assert_eq!((undo.name, undo.path), (info.name, info.path));
    assert_eq!(undo.operation, Operation::PowerOff);
    assert_eq!(undo.action, UndoAction::RestorePower { to: PoweredOn });
    assert_eq!(undo.found.power_state, PoweredOn);
    assert_eq!(undo.found.native_state, info.native_state);
    assert_eq!(undo.found.boot_time, info.boot_time);
    assert!(undo.found.at <= bench.cx.now());
}

pub async fn power_off_is_undone_by_a_second_client(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, ON_AND_OFF, VmSpec::new("a")).await else { return };
    let outcome = there_and_back(&bench, vm, &Fault::power_off(hard())).await;
    assert_eq!((outcome.how, outcome.previous_state), (How::PoweredOn, PoweredOff));
}

pub async fn power_on_is_undone_by_a_second_client(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, ON_AND_OFF, VmSpec::new("a").off()).await else { return };
    let outcome = there_and_back(&bench, vm, &Fault::power_on()).await;
    assert_eq!(outcome.previous_state, PoweredOn);
}

pub async fn resume_is_undone_by_a_second_client(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, RESUME, VmSpec::new("a").suspended()).await else { return };
    assert_eq!(there_and_back(&bench, vm, &Fault::power_on()).await.how, How::Suspended);
}

pub async fn suspend_is_undone_by_a_second_client(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, RESUME, VmSpec::new("a")).await else { return };
    assert_eq!(there_and_back(&bench, vm, &Fault::suspend()).await.how, How::Resumed);
}

pub async fn a_reboot_leaves_nothing_to_undo(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, REBOOT, VmSpec::new("a")).await else { return };
    let outcome = there_and_back(&bench, vm, &Fault::reboot(hard())).await;
    assert_eq!(outcome.how, How::AlreadyThere);
    assert_eq!(bench.server.destructive_calls(vm).await, 1, "only the reboot itself");
}

pub async fn the_found_state_is_reached_from_every_other(harness: &dyn Harness) {
    let mut states = vec![PoweredOn, PoweredOff];
    if can_also(harness, &[Ability::SuspendedVms, Ability::Suspend]) {
        states.push(Suspended);
    }
    for &found in &states {
        for &now in &states {
            let Some((bench, vm)) = Bench::of_one(harness, CHANGE, VmSpec::new("a").state(found)).await else { return };
            let undo = through_json(&bench.prepare(vm, &Fault::power_on()).await.expect("can be prepared"));
            bench.server.set_power_state(vm, now).await;
            let result = bench.platform.undo(&bench.cx, &undo).await;
            if (found, now) == (Suspended, PoweredOff) {
                assert_eq!(result.expect_err("its memory is lost").kind(), ErrorKind::InvalidState);
                assert_eq!(bench.server.destructive_calls(vm).await, 0);
                continue;
            }
            let outcome = result.unwrap_or_else(|error| panic!("from {now} to {found}: {error:?}"));
            assert_eq!((outcome.previous_state, outcome.state), (now, found));
            assert_eq!(outcome.how == How::AlreadyThere, now == found, "from {now} to {found}");
            bench.assert_state(vm, found).await;
        }
    }
}

pub async fn undo_of_an_untouched_vm_does_nothing(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, CALLS, VmSpec::new("a")).await else { return };
    for fault in every_fault(harness) {
        let undo = bench.prepare(vm, &fault).await.expect("can be prepared");
        let outcome = bench.platform.undo(&bench.cx, &undo).await.expect("nothing to do");
        assert_eq!((outcome.how, outcome.state), (How::AlreadyThere, PoweredOn), "{fault:?}");
    }
    assert_eq!(bench.server.destructive_calls(vm).await, 0);
}

pub async fn undo_twice_does_it_once(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, ON_AND_OFF, VmSpec::new("a")).await else { return };
    let fault = Fault::power_off(hard());
    let undo = bench.prepare(vm, &fault).await.expect("can be prepared");
    bench.apply(vm, &fault).await.expect("can be applied");
    let first = bench.platform.undo(&bench.cx, &undo).await.expect("can be undone");
    let calls = bench.server.destructive_calls(vm).await;
    let second = bench.platform.undo(&bench.cx, &undo).await.expect("is undone");
    assert_eq!((first.how, second.how), (How::PoweredOn, How::AlreadyThere));
    assert_eq!(bench.server.destructive_calls(vm).await, calls);
    bench.assert_state(vm, PoweredOn).await;
}

pub async fn lost_memory_cannot_be_put_back(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, DISCARD, VmSpec::new("a").suspended()).await else { return };
    let undo = through_json(&bench.prepare(vm, &discard()).await.expect("can be prepared"));
    assert!(undo.why_impossible().is_some(), "the record says so beforehand");
    bench.apply(vm, &discard()).await.expect("can be applied");
    let calls = bench.server.destructive_calls(vm).await;
    let error = bench.platform.undo(&bench.cx, &undo).await.expect_err("the memory is gone");
    assert_eq!(error.kind(), ErrorKind::InvalidState);
    assert_eq!(bench.server.destructive_calls(vm).await, calls);
}

/// Applies a fault, changes the record, and sees that it is refused and the VM left as the fault left it.
async fn assert_not_played(harness: &dyn Harness, kind: ErrorKind, change: impl FnOnce(&mut Undo)) {
    let Some((bench, vm)) = Bench::of_one(harness, OFF, VmSpec::new("a")).await else { return };
    let fault = Fault::power_off(hard());
    let mut undo = bench.prepare(vm, &fault).await.expect("can be prepared");
    bench.apply(vm, &fault).await.expect("can be applied");
    change(&mut undo);
    let error = bench.platform.undo(&bench.cx, &undo).await.expect_err("has to be refused");
    assert_eq!(error.kind(), kind, "{error:?}");
    let left: VMPowerState = bench.server.power_state(vm).await;
    assert_eq!((left, bench.server.destructive_calls(vm).await), (PoweredOff, 1));
}

pub async fn a_record_of_a_newer_format_is_refused(harness: &dyn Harness) {
    assert_not_played(harness, ErrorKind::Unsupported, |undo| undo.version = Undo::VERSION + 1).await;
}

pub async fn a_record_of_another_server_is_refused(harness: &dyn Harness) {
    assert_not_played(harness, ErrorKind::NotFound, |undo| {
        let mut vm = undo.target.vm().expect("aimed at a VM").clone();
        vm.instance.push_str("-of-others");
        undo.target = vm.into();
    })
    .await;
}
