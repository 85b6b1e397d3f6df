//! Many VMs and many callers at once, limits that hold, and waits that end when they are told to.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use chaos_core::VMPowerState::{PoweredOff, PoweredOn, Suspended};
use chaos_core::{ErrorKind, Fault, How, Outcome, PlatformExt, PowerReport, Stop, VMInfo};
use tokio_util::sync::CancellationToken;

use super::bench::{Bench, PLENTY, PROMPT, SHORT, graceful, hard, offered};
use super::harness::{Ability, Harness};
use super::watched::Watched;
use crate::estate::{EstateSpec, VmKey, VmSpec};

const OFF: &[Ability] = &[Ability::CountCalls, Ability::PowerOff];
const GUESTS: &[Ability] = &[Ability::CountCalls, Ability::Guests];
const GUESTS_OFF: &[Ability] = &[Ability::CountCalls, Ability::Guests, Ability::PowerOff];

fn parallel(n: usize) -> NonZeroUsize {
    NonZeroUsize::new(n).expect("not 0")
}

async fn infos(bench: &Bench) -> Vec<VMInfo> {
    let mut vms = Vec::new();
    for vm in bench.spec.keys() {
        vms.push(bench.info(vm).await);
    }
    vms
}

fn kinds(reports: &[PowerReport]) -> Vec<Result<How, ErrorKind>> {
    let kind =
        |report: &PowerReport| report.result.as_ref().map(|outcome| outcome.how).map_err(chaos_core::Error::kind);
    reports.iter().map(kind).collect()
}

pub async fn a_batch_keeps_to_its_limit(harness: &dyn Harness) {
    for limit in [1, 3] {
        let Some(bench) = Bench::start(harness, OFF, EstateSpec::of(["a", "b", "c", "d", "e", "f"])).await else {
            return;
        };
        let watched = Watched::new(Arc::clone(&bench.platform));
        let vms = infos(&bench).await;
        let reports = watched.apply_each(&bench.cx, &vms, &Fault::power_off(hard()), parallel(limit)).await;
        assert_eq!(kinds(&reports), [Ok(How::HardPowerOff); 6]);
        assert_eq!(watched.peak(), limit);
    }
}

pub async fn a_batch_of_many_reaches_all(harness: &dyn Harness) {
    let needs = &[Ability::CountCalls, Ability::PowerOff, Ability::Places];
    let Some(bench) = Bench::start(harness, needs, EstateSpec::many(40)).await else { return };
    let vms = infos(&bench).await;
    let reports = bench.platform.apply_each(&bench.cx, &vms, &Fault::power_off(hard()), parallel(16)).await;
    assert_eq!(kinds(&reports), vec![Ok(How::HardPowerOff); 40]);
    for (vm, report) in bench.spec.keys().zip(&reports) {
        assert_eq!(report.vm.id, bench.server.id_of(vm).await, "in the order given");
        assert_eq!(bench.server.power_state(vm).await, PoweredOff);
        assert_eq!(bench.server.destructive_calls(vm).await, 1);
    }
}

pub async fn one_that_fails_does_not_stop_the_others(harness: &dyn Harness) {
    let spec = EstateSpec::new().with([VmSpec::new("a"), VmSpec::new("hung").hanging(), VmSpec::new("c")]);
    let Some(bench) = Bench::start(harness, GUESTS_OFF, spec).await else { return };
    let vms = infos(&bench).await;
    // Enough for the guests that obey, and meant to run out for the one that hangs.
    let fault = Fault::power_off(Stop::GuestOnly { grace: PROMPT });
    let reports = bench.platform.apply_each(&bench.cx, &vms, &fault, parallel(2)).await;
    assert_eq!(kinds(&reports), [Ok(How::GuestShutdown), Err(ErrorKind::Timeout), Ok(How::GuestShutdown)]);
    let states: Vec<_> = reports.iter().map(|report| report.state).collect();
    assert_eq!(states, [Some(PoweredOff), Some(PoweredOn), Some(PoweredOff)], "also of the one that failed");
    bench.assert_state(VmKey(1), PoweredOn).await;
}

pub async fn concurrent_callers_share_one_client(harness: &dyn Harness) {
    let needs = &[Ability::PowerOn, Ability::PowerOff, Ability::Reboot, Ability::Suspend];
    let spec = EstateSpec::new().with([VmSpec::new("a"), VmSpec::new("b"), VmSpec::new("c").off(), VmSpec::new("d")]);
    let Some(bench) = Bench::start(harness, needs, spec).await else { return };
    let faults = [Fault::power_off(hard()), Fault::suspend(), Fault::power_on(), Fault::reboot(hard())];
    let mut callers = Vec::new();
    for (vm, fault) in bench.spec.keys().zip(faults) {
        callers.push(bench.spawn_apply(&bench.cx, vm, fault).await);
    }
    let mut outcomes = Vec::new();
    for caller in callers {
        outcomes.push(caller.await.expect("no panic").map(|outcome: Outcome| outcome.how).map_err(|e| e.kind()));
    }
    assert_eq!(outcomes, [Ok(How::HardPowerOff), Ok(How::Suspended), Ok(How::PoweredOn), Ok(How::Reset)]);
    for (vm, state) in bench.spec.keys().zip([PoweredOff, Suspended, PoweredOn, PoweredOn]) {
        bench.assert_state(vm, state).await;
    }
}

pub async fn two_callers_may_want_the_same(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, OFF, VmSpec::new("a")).await else { return };
    let first = bench.spawn_apply(&bench.cx, vm, Fault::power_off(hard())).await;
    let second = bench.spawn_apply(&bench.cx, vm, Fault::power_off(hard())).await;
    for caller in [first, second] {
        let outcome = caller.await.expect("no panic").expect("the VM is off, as both wanted");
        assert_eq!(outcome.state, PoweredOff);
    }
    bench.assert_state(vm, PoweredOff).await;
}

pub async fn cancellation_ends_a_wait(harness: &dyn Harness) {
    for fault in offered(harness, [Fault::power_off(graceful()), Fault::reboot(graceful())]) {
        let Some((bench, vm)) = Bench::of_one(harness, GUESTS, VmSpec::new("a").hanging()).await else { return };
        let cancel = CancellationToken::new();
        let cx = bench.cx.clone().cancelled_by(cancel.clone());
        let applied = bench.spawn_apply(&cx, vm, fault).await;
        bench.until_called(vm).await;
        cancel.cancel();
        let result = bench.assert_within(Duration::ZERO, applied).await.expect("no panic");
        assert_eq!(result.expect_err("cancelled").kind(), ErrorKind::Cancelled);
        bench.assert_state(vm, PoweredOn).await;
        assert_eq!(bench.server.hard_calls(vm).await, 0);
    }
}

pub async fn the_deadline_ends_a_wait(harness: &dyn Harness) {
    // The guest's own grace is longer than the whole call may take: no hard stop may follow.
    let stop = Stop::GuestThenHard { grace: PLENTY, hard: PLENTY };
    for fault in offered(harness, [Fault::power_off(stop), Fault::reboot(stop)]) {
        let Some((bench, vm)) = Bench::of_one(harness, GUESTS, VmSpec::new("a").hanging()).await else { return };
        let target = bench.target(vm).await;
        let cx = bench.cx.limit(SHORT);
        let error = bench.assert_within(SHORT, bench.platform.apply(&cx, &target, &fault)).await.expect_err("hangs");
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
        bench.assert_state(vm, PoweredOn).await;
        assert_eq!(bench.server.hard_calls(vm).await, 0);
    }
}

pub async fn a_cancelled_batch_leaves_the_rest_alone(harness: &dyn Harness) {
    let spec = EstateSpec::new().with([VmSpec::new("hung").hanging(), VmSpec::new("b"), VmSpec::new("c")]);
    let Some(bench) = Bench::start(harness, GUESTS_OFF, spec).await else { return };
    let vms = infos(&bench).await;
    let cancel = CancellationToken::new();
    let cx = bench.cx.clone().cancelled_by(cancel.clone());
    let fault = Fault::power_off(graceful());
    let (reports, ()) = tokio::join!(bench.platform.apply_each(&cx, &vms, &fault, parallel(1)), async {
        bench.until_called(VmKey(0)).await;
        cancel.cancel();
    });
    assert_eq!(kinds(&reports), [Err(ErrorKind::Cancelled); 3]);
    for vm in [VmKey(1), VmKey(2)] {
        bench.assert_state(vm, PoweredOn).await;
        assert_eq!(bench.server.destructive_calls(vm).await, 0);
    }
}
