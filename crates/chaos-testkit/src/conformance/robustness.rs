//! What goes wrong on the way ends in success or in a typed error, in time, and never in a second power call.

use std::time::Duration;

use chaos_core::{Error, ErrorKind, Fault, How, Retry, Selector, Stop, VMPowerState};

use super::bench::{Bench, PLENTY, SHORT, every_fault, graceful, hard, offered};
use super::harness::{Ability, Break, Harness, Outage};
use crate::estate::{EstateSpec, VmKey, VmSpec};

const OUTAGES: &[Ability] = &[Ability::Outages, Ability::CountCalls];
const BREAK: &[Ability] = &[Ability::BreakCalls, Ability::CountCalls];
const BREAK_OFF: &[Ability] = &[Ability::BreakCalls, Ability::CountCalls, Ability::PowerOff];
const MID_WAIT: &[Ability] = &[Ability::CountCalls, Ability::Guests, Ability::ChangeVms, Ability::PowerOff];

/// How long a call may take that is going to find nobody: clients may try again before they give up.
const PATIENCE: Duration = Duration::from_secs(3);

fn assert_kind(error: &Error, allowed: &[ErrorKind]) {
    assert!(allowed.contains(&error.kind()), "{:?} is none of {allowed:?}: {error:?}", error.kind());
}

pub async fn a_server_that_refuses_connections_is_unavailable(harness: &dyn Harness) {
    let Some(bench) = Bench::start(harness, OUTAGES, EstateSpec::of(["a"])).await else { return };
    bench.server.set_outage(Some(Outage::Refuses)).await;
    let cx = bench.cx.limit(PATIENCE);
    let connected = bench.assert_within(PATIENCE, bench.server.connect(&cx, &bench.spec.password)).await;
    assert_kind(&connected.expect_err("nobody is there"), &[ErrorKind::Unavailable, ErrorKind::Timeout]);
    let cx = bench.cx.limit(PATIENCE);
    let found = bench.assert_within(PATIENCE, bench.platform.discover(&cx, &Selector::all())).await;
    assert_kind(&found.expect_err("nobody is there"), &[ErrorKind::Unavailable, ErrorKind::Timeout]);
}

pub async fn a_server_that_never_answers_costs_no_more_than_the_deadline(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, OUTAGES, VmSpec::new("a")).await else { return };
    let silent = [ErrorKind::Unavailable, ErrorKind::Timeout];
    let undo = bench.record(vm, &Fault::power_off(hard())).await;
    let (vm_ref, target) = (bench.vm_ref(vm).await, bench.target(vm).await);
    bench.server.set_outage(Some(Outage::Stalls)).await;
    let cx = || bench.cx.limit(SHORT);
    let platform = &bench.platform;

    let call = bench.server.connect(&cx(), &bench.spec.password).await;
    assert_kind(&call.expect_err("connect"), &silent);
    let call = bench.assert_within(SHORT, platform.discover(&cx(), &Selector::all())).await;
    assert_kind(&call.expect_err("discover"), &silent);
    let mut calls = bench.assert_within(SHORT, platform.get(&cx(), &[vm_ref])).await;
    assert_kind(&calls.remove(0).expect_err("get"), &silent);
    for fault in offered(harness, [Fault::power_off(hard())]) {
        let call = bench.assert_within(SHORT, platform.apply(&cx(), &target, &fault)).await;
        assert_kind(&call.expect_err("apply"), &silent);
    }
    let call = bench.assert_within(SHORT, platform.undo(&cx(), &undo)).await;
    assert_kind(&call.expect_err("undo"), &silent);
    // Logging out may fail, it may not take longer.
    let _ = bench.assert_within(SHORT, platform.disconnect(&cx())).await;
    assert_eq!(bench.server.power_state(vm).await, VMPowerState::PoweredOn);
}

pub async fn a_call_in_an_outage_ends_in_time_and_the_next_one_works(harness: &dyn Harness) {
    for outage in [Outage::Refuses, Outage::Stalls] {
        let Some((bench, vm)) = Bench::of_one(harness, OUTAGES, VmSpec::new("a")).await else { return };
        bench.server.set_outage(Some(outage)).await;
        let cx = bench.cx.limit(SHORT);
        let found = bench.assert_within(SHORT, bench.platform.discover(&cx, &Selector::all())).await;
        assert!(found.is_err(), "{outage:?}");
        bench.server.set_outage(None).await;
        for fault in offered(harness, [Fault::power_off(hard())]) {
            bench.assert_goes(vm, &fault, How::HardPowerOff, VMPowerState::PoweredOff).await;
            assert_eq!(bench.server.destructive_calls(vm).await, 1);
        }
        assert_eq!(bench.info(vm).await.power_state, bench.server.power_state(vm).await);
    }
}

pub async fn a_power_call_cut_before_its_effect_is_not_repeated(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, BREAK_OFF, VmSpec::new("a")).await else { return };
    bench.server.break_next(Break::PowerBeforeEffect).await;
    // A client may wait as long as it is allowed to for an effect that is late.
    let fault = Fault::power_off(Stop::Hard { limit: PATIENCE });
    let error = bench.assert_within(PATIENCE, bench.apply(vm, &fault)).await.expect_err("nothing was done");
    assert_kind(&error, &[ErrorKind::Unavailable, ErrorKind::Timeout]);
    assert_ne!(error.retry_class(), Retry::Never, "{error:?}");
    assert_eq!(bench.server.destructive_calls(vm).await, 1, "calls that reached the VM");
    bench.assert_state(vm, VMPowerState::PoweredOn).await;
}

pub async fn a_power_call_cut_after_its_effect_succeeds_without_another(harness: &dyn Harness) {
    for fault in offered(harness, [Fault::power_off(hard()), Fault::suspend()]) {
        let Some((bench, vm)) = Bench::of_one(harness, BREAK, VmSpec::new("a")).await else { return };
        bench.server.break_next(Break::PowerAfterEffect).await;
        let outcome = bench.apply(vm, &fault).await.unwrap_or_else(|error| panic!("it was done: {error:?}"));
        assert_eq!(outcome.previous_state, VMPowerState::PoweredOn);
        bench.assert_state(vm, outcome.state).await;
        assert_ne!(outcome.state, VMPowerState::PoweredOn);
        assert_eq!(bench.server.destructive_calls(vm).await, 1, "calls that reached the VM");
    }
}

/// Breaks the next read, and sees that the call gives the truth or a typed error, and the next call the truth.
async fn assert_read_survives(harness: &dyn Harness, what: Break, allowed: &[ErrorKind]) {
    let Some(bench) = Bench::start(harness, BREAK, EstateSpec::of(["a", "b"])).await else { return };
    bench.server.break_next(what).await;
    match bench.assert_within(PLENTY, bench.platform.discover(&bench.cx, &Selector::all())).await {
        Ok(found) => assert_eq!(found.vms.len(), 2, "half an answer is none"),
        Err(error) => assert_kind(&error, allowed),
    }
    let found = bench.platform.discover(&bench.cx, &Selector::all()).await.expect("the server is well again");
    assert_eq!(found.vms.len(), 2);

    if let Some(fault) = every_fault(harness).pop() {
        bench.server.break_next(what).await;
        match bench.prepare(VmKey(0), &fault).await {
            Ok(undo) => assert_eq!(undo.found.power_state, VMPowerState::PoweredOn),
            Err(error) => assert_kind(&error, allowed),
        }
    }
    assert_eq!(bench.server.destructive_calls(VmKey(0)).await, 0);
}

pub async fn a_read_that_is_cut_harms_nobody(harness: &dyn Harness) {
    assert_read_survives(harness, Break::ReadCut, &[ErrorKind::Unavailable, ErrorKind::Protocol]).await;
}

pub async fn a_busy_server_is_asked_again_or_reported(harness: &dyn Harness) {
    assert_read_survives(harness, Break::ReadBusy, &[ErrorKind::Unavailable]).await;
}

pub async fn an_answer_without_sense_is_an_error(harness: &dyn Harness) {
    assert_read_survives(harness, Break::ReadNonsense, &[ErrorKind::Protocol, ErrorKind::Unavailable]).await;
}

pub async fn a_vm_deleted_in_mid_wait_ends_the_wait(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, MID_WAIT, VmSpec::new("a").hanging()).await else { return };
    let applied = bench.spawn_apply(&bench.cx, vm, Fault::power_off(graceful())).await;
    bench.until_called(vm).await;
    bench.server.delete(vm).await;
    let result = bench.assert_within(Duration::ZERO, applied).await.expect("no panic");
    assert_kind(&result.expect_err("the VM is gone"), &[ErrorKind::NotFound, ErrorKind::Failed]);
}

pub async fn a_vm_that_someone_else_powers_off_is_off(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, MID_WAIT, VmSpec::new("a").hanging()).await else { return };
    let applied = bench.spawn_apply(&bench.cx, vm, Fault::power_off(graceful())).await;
    bench.until_called(vm).await;
    bench.server.set_power_state(vm, VMPowerState::PoweredOff).await;
    let result = bench.assert_within(Duration::ZERO, applied).await.expect("no panic");
    assert_eq!(result.expect("the goal is reached").state, VMPowerState::PoweredOff);
    assert_eq!(bench.server.hard_calls(vm).await, 0);
}
