//! What a platform cannot do it refuses as unsupported, in so many words, and without a call that could change anything.

use std::num::NonZeroUsize;

use chaos_core::VMPowerState::{PoweredOff, PoweredOn, Suspended};
use chaos_core::{Error, ErrorKind, Fault, How, PlatformExt, Stop, UndoAction, VMPowerState};

use super::bench::{Bench, PLENTY, SHORT, ability, all_faults, can_also, graceful, hard, lacks, offered, skipped};
use super::harness::{Ability, Harness};
use crate::estate::{EstateSpec, VmSpec};

/// One fault of each operation that the harness cannot do; that there is none is said.
fn unsupported_faults(harness: &dyn Harness) -> Vec<Fault> {
    let missing = |fault: &Fault| lacks(harness, ability(fault.operation()));
    let faults: Vec<Fault> = all_faults().into_iter().filter(missing).collect();
    if faults.is_empty() {
        skipped(format_args!("the platform supports every operation"));
    }
    faults
}

fn assert_unsupported(bench: &Bench, fault: &Fault, error: &Error) {
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{fault:?}: {error:?}");
    let (kind, operation) = (&bench.platform.identity().kind, fault.operation().words());
    assert_eq!(error.platform_kind(), Some(kind), "{error:?}");
    assert_eq!(error.operation_name(), Some(operation), "{error:?}");
    let message = error.to_string();
    assert!(message.contains(kind.as_str()) && message.contains(operation), "{message}");
}

pub async fn an_operation_that_is_no_capability_is_unsupported(harness: &dyn Harness) {
    let faults = unsupported_faults(harness);
    if faults.is_empty() {
        return;
    }
    // In every state: that it cannot be done at all comes before that it cannot be done now, or need not be.
    let mut spec = EstateSpec::new().with([VmSpec::new("on"), VmSpec::new("off").off()]);
    if can_also(harness, &[Ability::SuspendedVms]) {
        spec.add(VmSpec::new("asleep").suspended());
    }
    let Some(bench) = Bench::start(harness, &[Ability::CountCalls], spec).await else { return };
    for fault in faults {
        for vm in bench.spec.keys() {
            let before = bench.server.power_state(vm).await;
            assert_unsupported(&bench, &fault, &bench.prepare(vm, &fault).await.expect_err("prepare"));
            assert_unsupported(&bench, &fault, &bench.apply(vm, &fault).await.expect_err("apply"));
            assert_eq!(bench.server.destructive_calls(vm).await, 0);
            bench.assert_state(vm, before).await;
        }
    }
}

pub async fn a_batch_of_an_unsupported_operation_touches_nothing(harness: &dyn Harness) {
    for fault in unsupported_faults(harness) {
        let spec = EstateSpec::of(["a", "b", "c"]);
        let Some(bench) = Bench::start(harness, &[Ability::CountCalls], spec).await else { return };
        let vms = bench.platform.find_each(&bench.cx, &["c", "a", "b"]).await.expect("all are known");
        let parallel = NonZeroUsize::new(2).expect("2 is not 0");
        let reports = bench.platform.apply_each(&bench.cx, &vms, &fault, parallel).await;
        let order: Vec<&str> = reports.iter().map(|report| report.name.as_str()).collect();
        assert_eq!(order, ["c", "a", "b"]);
        for report in &reports {
            assert_unsupported(&bench, &fault, report.result.as_ref().expect_err("apply"));
            assert_eq!((report.undo.as_ref(), report.state), (None, Some(PoweredOn)));
        }
        for vm in bench.spec.keys() {
            assert_eq!(bench.server.destructive_calls(vm).await, 0);
            bench.assert_state(vm, PoweredOn).await;
        }
    }
}

pub async fn an_undo_that_needs_an_unsupported_operation_touches_nothing(harness: &dyn Harness) {
    for fault in unsupported_faults(harness) {
        let (now, found): (VMPowerState, VMPowerState) = match fault {
            Fault::PowerOn { .. } => (PoweredOff, PoweredOn),
            Fault::PowerOff { .. } => (PoweredOn, PoweredOff),
            Fault::Suspend { .. } => (PoweredOn, Suspended),
            // No state is led back to by a reboot.
            _ => continue,
        };
        let vm = VmSpec::new("a").state(now);
        let Some((bench, vm)) = Bench::of_one(harness, &[Ability::CountCalls], vm).await else { return };
        // A record of somebody who could: the same VM through another version, or through another platform.
        let mut undo = bench.record(vm, &fault).await;
        undo.action = UndoAction::RestorePower { to: found };
        let error = bench.platform.undo(&bench.cx, &undo).await.expect_err("undo");
        assert_unsupported(&bench, &fault, &error);
        assert_eq!(bench.server.destructive_calls(vm).await, 0);
        bench.assert_state(vm, now).await;

        undo.action = UndoAction::RestorePower { to: now };
        let outcome = bench.platform.undo(&bench.cx, &undo).await.expect("there is nothing to do");
        assert_eq!((outcome.how, outcome.state), (How::AlreadyThere, now));
    }
}

pub async fn without_guest_operations_no_guest_is_asked(harness: &dyn Harness) {
    if !lacks(harness, Ability::Guests) {
        return skipped(format_args!("the platform can ask guests"));
    }
    let gentle = Stop::GuestOnly { grace: SHORT };
    for fault in offered(harness, [Fault::power_off(gentle), Fault::reboot(gentle)]) {
        let needs = &[Ability::CountCalls];
        let Some((bench, vm)) = Bench::of_one(harness, needs, VmSpec::new("a")).await else { return };
        let error = bench.apply(vm, &fault).await.expect_err("nobody can be asked");
        let allowed = [ErrorKind::Unsupported, ErrorKind::InvalidState];
        assert!(allowed.contains(&error.kind()), "{fault:?}: {error:?}");
        assert_eq!(bench.server.destructive_calls(vm).await, 0, "{fault:?}");
        bench.assert_state(vm, PoweredOn).await;
    }
    for (fault, how, state) in [
        (Fault::power_off(graceful()), How::HardWithoutTools, PoweredOff),
        (Fault::reboot(graceful()), How::ResetWithoutTools, PoweredOn),
        (Fault::power_off(hard()), How::HardPowerOff, PoweredOff),
        (Fault::reboot(Stop::Hard { limit: PLENTY }), How::Reset, PoweredOn),
    ] {
        for fault in offered(harness, [fault]) {
            let needs = &[Ability::CountCalls];
            let Some((bench, vm)) = Bench::of_one(harness, needs, VmSpec::new("a")).await else { return };
            bench.assert_goes(vm, &fault, how, state).await;
            assert_eq!((bench.server.destructive_calls(vm).await, bench.server.hard_calls(vm).await), (1, 1));
        }
    }
}
