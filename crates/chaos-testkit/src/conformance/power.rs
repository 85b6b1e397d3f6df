//! Every cell of the table of [`check_power`](chaos_core::check_power), every way down, and what a batch reports.

use std::num::NonZeroUsize;
use std::time::Duration;

use chaos_core::VMPowerState::{PoweredOff, PoweredOn, Suspended};
use chaos_core::{ErrorKind, Fault, How, Operation, PlatformExt, Stop, ToolsStatus};

use super::bench::{
    Bench, PLENTY, SHORT, ability, all_faults, discard, every_fault, graceful, hard, impatient, lacks, offered, skipped,
};
use super::harness::{Ability, Harness};
use crate::estate::{EstateSpec, VmKey, VmSpec};

const CALLS: &[Ability] = &[Ability::CountCalls];
const ON: &[Ability] = &[Ability::CountCalls, Ability::PowerOn];
const OFF: &[Ability] = &[Ability::CountCalls, Ability::PowerOff];
const REBOOT: &[Ability] = &[Ability::CountCalls, Ability::Reboot];
const SUSPEND: &[Ability] = &[Ability::CountCalls, Ability::Suspend];
const RESUME: &[Ability] = &[Ability::CountCalls, Ability::SuspendedVms, Ability::PowerOn];
const DISCARD: &[Ability] = &[Ability::CountCalls, Ability::SuspendedVms, Ability::PowerOff];
const REBOOT_OF_SUSPENDED: &[Ability] = &[Ability::CountCalls, Ability::SuspendedVms, Ability::Reboot];
const SUSPEND_OF_SUSPENDED: &[Ability] = &[Ability::CountCalls, Ability::SuspendedVms, Ability::Suspend];
const GUESTS: &[Ability] = &[Ability::CountCalls, Ability::Guests];
const GUESTS_OFF: &[Ability] = &[Ability::CountCalls, Ability::Guests, Ability::PowerOff];
const GUESTS_REBOOT: &[Ability] = &[Ability::CountCalls, Ability::Guests, Ability::Reboot];
const AGENTS: &[Ability] = &[Ability::CountCalls, Ability::Guests, Ability::GuestAgentNeeded];
const AGENTS_OFF: &[Ability] = &[Ability::CountCalls, Ability::Guests, Ability::GuestAgentNeeded, Ability::PowerOff];
const AGENTS_REBOOT: &[Ability] = &[Ability::CountCalls, Ability::Guests, Ability::GuestAgentNeeded, Ability::Reboot];

pub async fn power_on_of_a_vm_that_is_off(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, ON, VmSpec::new("a").off()).await else { return };
    bench.assert_goes(vm, &Fault::power_on(), How::PoweredOn, PoweredOn).await;
    assert_eq!(bench.server.destructive_calls(vm).await, 1);
}

pub async fn power_on_of_a_suspended_vm_resumes_it(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, RESUME, VmSpec::new("a").suspended()).await else { return };
    bench.assert_goes(vm, &Fault::power_on(), How::Resumed, PoweredOn).await;
    assert_eq!(bench.server.destructive_calls(vm).await, 1);
}

pub async fn power_on_of_a_running_vm_does_nothing(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, ON, VmSpec::new("a")).await else { return };
    bench.assert_goes(vm, &Fault::power_on(), How::AlreadyThere, PoweredOn).await;
    assert_eq!(bench.server.destructive_calls(vm).await, 0);
}

pub async fn hard_power_off_of_a_running_vm(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, OFF, VmSpec::new("a")).await else { return };
    bench.assert_goes(vm, &Fault::power_off(hard()), How::HardPowerOff, PoweredOff).await;
    assert_eq!((bench.server.destructive_calls(vm).await, bench.server.hard_calls(vm).await), (1, 1));
}

pub async fn power_off_of_a_vm_that_is_off_does_nothing(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, OFF, VmSpec::new("a").off()).await else { return };
    for stop in [hard(), graceful(), Stop::GuestOnly { grace: SHORT }] {
        bench.assert_goes(vm, &Fault::power_off(stop), How::AlreadyThere, PoweredOff).await;
    }
    assert_eq!(bench.server.destructive_calls(vm).await, 0);
}

pub async fn power_off_of_a_suspended_vm_is_refused(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, DISCARD, VmSpec::new("a").suspended()).await else { return };
    for stop in [hard(), graceful()] {
        bench.assert_refused(vm, &Fault::power_off(stop)).await;
    }
}

pub async fn power_off_of_a_suspended_vm_whose_memory_may_go(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, DISCARD, VmSpec::new("a").suspended()).await else { return };
    bench.assert_goes(vm, &discard(), How::HardPowerOff, PoweredOff).await;
}

pub async fn reset_of_a_running_vm(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, REBOOT, VmSpec::new("a")).await else { return };
    bench.assert_goes(vm, &Fault::reboot(hard()), How::Reset, PoweredOn).await;
    assert_eq!((bench.server.destructive_calls(vm).await, bench.server.hard_calls(vm).await), (1, 1));
}

pub async fn reboot_of_a_vm_that_is_off_is_refused(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, REBOOT, VmSpec::new("a").off()).await else { return };
    for stop in [hard(), graceful()] {
        bench.assert_refused(vm, &Fault::reboot(stop)).await;
    }
}

pub async fn reboot_of_a_suspended_vm_is_refused(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, REBOOT_OF_SUSPENDED, VmSpec::new("a").suspended()).await else {
        return;
    };
    for stop in [hard(), graceful()] {
        bench.assert_refused(vm, &Fault::reboot(stop)).await;
    }
}

pub async fn suspend_of_a_running_vm(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, SUSPEND, VmSpec::new("a")).await else { return };
    bench.assert_goes(vm, &Fault::suspend(), How::Suspended, Suspended).await;
    assert_eq!(bench.server.destructive_calls(vm).await, 1);
}

pub async fn suspend_of_a_vm_that_is_off_is_refused(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, SUSPEND, VmSpec::new("a").off()).await else { return };
    bench.assert_refused(vm, &Fault::suspend()).await;
}

pub async fn suspend_of_a_suspended_vm_does_nothing(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, SUSPEND_OF_SUSPENDED, VmSpec::new("a").suspended()).await else {
        return;
    };
    bench.assert_goes(vm, &Fault::suspend(), How::AlreadyThere, Suspended).await;
    assert_eq!(bench.server.destructive_calls(vm).await, 0);
}

pub async fn a_guest_shuts_itself_down(harness: &dyn Harness) {
    let slow = Duration::from_millis(200);
    for stop in [graceful(), Stop::GuestOnly { grace: PLENTY }] {
        let vm = VmSpec::new("a").slow(slow);
        let Some((bench, vm)) = Bench::of_one(harness, GUESTS_OFF, vm).await else { return };
        let outcome = bench.assert_goes(vm, &Fault::power_off(stop), How::GuestShutdown, PoweredOff).await;
        assert!(outcome.duration >= slow, "the guest takes {slow:?}, this took {:?}", outcome.duration);
        assert_eq!((bench.server.destructive_calls(vm).await, bench.server.hard_calls(vm).await), (1, 0));
    }
}

pub async fn a_guest_that_hangs_is_powered_off_hard(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, GUESTS_OFF, VmSpec::new("a").hanging()).await else { return };
    let fault = Fault::power_off(impatient());
    let outcome = bench.assert_goes(vm, &fault, How::HardAfterGuestTimeout, PoweredOff).await;
    assert!(outcome.duration >= SHORT, "the guest's grace is {SHORT:?}, this took {:?}", outcome.duration);
    assert_eq!((bench.server.destructive_calls(vm).await, bench.server.hard_calls(vm).await), (2, 1));
}

pub async fn a_guest_without_agent_is_powered_off_hard(harness: &dyn Harness) {
    for tools in [ToolsStatus::NotInstalled, ToolsStatus::NotRunning] {
        let Some((bench, vm)) = Bench::of_one(harness, AGENTS_OFF, VmSpec::new("a").tools(tools)).await else { return };
        assert_eq!(bench.info(vm).await.tools_status, Some(tools));
        let fault = Fault::power_off(graceful());
        bench.assert_goes(vm, &fault, How::HardWithoutTools, PoweredOff).await;
        assert_eq!(bench.server.hard_calls(vm).await, 1);
    }
}

pub async fn graceful_only_never_becomes_hard(harness: &dyn Harness) {
    let stop = Stop::GuestOnly { grace: SHORT };
    for fault in offered(harness, [Fault::power_off(stop), Fault::reboot(stop)]) {
        let Some((bench, vm)) = Bench::of_one(harness, GUESTS, VmSpec::new("a").hanging()).await else { return };
        let error = bench.assert_within(SHORT, bench.apply(vm, &fault)).await.expect_err("the guest hangs");
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
        bench.assert_state(vm, PoweredOn).await;
        assert_eq!(bench.server.hard_calls(vm).await, 0, "{fault:?}");
    }
}

pub async fn graceful_only_without_agent_is_refused(harness: &dyn Harness) {
    let stop = Stop::GuestOnly { grace: SHORT };
    for fault in offered(harness, [Fault::power_off(stop), Fault::reboot(stop)]) {
        let vm = VmSpec::new("a").tools(ToolsStatus::NotInstalled);
        let Some((bench, vm)) = Bench::of_one(harness, AGENTS, vm).await else { return };
        let error = bench.apply(vm, &fault).await.expect_err("nobody can be asked");
        assert_eq!(error.kind(), ErrorKind::InvalidState, "{error:?}");
        bench.assert_state(vm, PoweredOn).await;
        assert_eq!(bench.server.hard_calls(vm).await, 0, "{fault:?}");
    }
}

pub async fn a_guest_reboot_is_over_after_down_and_up(harness: &dyn Harness) {
    let each_way = Duration::from_millis(200);
    let vm = VmSpec::new("a").slow(each_way);
    let Some((bench, vm)) = Bench::of_one(harness, GUESTS_REBOOT, vm).await else { return };
    let outcome = bench.assert_goes(vm, &Fault::reboot(graceful()), How::GuestReboot, PoweredOn).await;
    assert!(outcome.duration >= 2 * each_way, "down and up take {:?}, this took {:?}", 2 * each_way, outcome.duration);
    assert_eq!(bench.info(vm).await.tools_status, Some(ToolsStatus::Running), "the guest is up again");
    assert_eq!((bench.server.destructive_calls(vm).await, bench.server.hard_calls(vm).await), (1, 0));
}

pub async fn a_guest_that_hangs_is_reset(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, GUESTS_REBOOT, VmSpec::new("a").hanging()).await else { return };
    bench.assert_goes(vm, &Fault::reboot(impatient()), How::ResetAfterGuestTimeout, PoweredOn).await;
    assert_eq!((bench.server.destructive_calls(vm).await, bench.server.hard_calls(vm).await), (2, 1));
}

pub async fn a_guest_without_agent_is_reset(harness: &dyn Harness) {
    let vm = VmSpec::new("a").tools(ToolsStatus::NotInstalled);
    let Some((bench, vm)) = Bench::of_one(harness, AGENTS_REBOOT, vm).await else { return };
    bench.assert_goes(vm, &Fault::reboot(graceful()), How::ResetWithoutTools, PoweredOn).await;
    assert_eq!(bench.server.hard_calls(vm).await, 1);
}

pub async fn a_guest_without_agent_is_asked_where_none_is_needed(harness: &dyn Harness) {
    if !lacks(harness, Ability::GuestAgentNeeded) {
        return skipped(format_args!("guests without an agent cannot be asked here"));
    }
    for (fault, how, state) in [
        (Fault::power_off(graceful()), How::GuestShutdown, PoweredOff),
        (Fault::power_off(Stop::GuestOnly { grace: PLENTY }), How::GuestShutdown, PoweredOff),
        (Fault::reboot(graceful()), How::GuestReboot, PoweredOn),
    ] {
        for fault in offered(harness, [fault]) {
            let vm = VmSpec::new("a").tools(ToolsStatus::NotInstalled);
            let Some((bench, vm)) = Bench::of_one(harness, GUESTS, vm).await else { return };
            assert_ne!(bench.info(vm).await.tools_status, Some(ToolsStatus::Running));
            bench.assert_goes(vm, &fault, how, state).await;
            assert_eq!((bench.server.destructive_calls(vm).await, bench.server.hard_calls(vm).await), (1, 0));
        }
    }
}

pub async fn a_template_is_refused(harness: &dyn Harness) {
    let needs = &[Ability::CountCalls, Ability::Templates];
    let Some((bench, vm)) = Bench::of_one(harness, needs, VmSpec::new("golden").template()).await else { return };
    for fault in every_fault(harness) {
        bench.assert_refused(vm, &fault).await;
    }
}

pub async fn a_batch_gives_one_report_each_in_order(harness: &dyn Harness) {
    let spec = EstateSpec::new().with([
        VmSpec::new("on"),
        VmSpec::new("off").off(),
        VmSpec::new("asleep").suspended(),
        VmSpec::new("late"),
    ]);
    let Some(bench) = Bench::start(harness, DISCARD, spec).await else { return };
    let names = ["late", "off", "asleep", "on"];
    let parallel = NonZeroUsize::new(4).expect("4 is not 0");
    let reports = bench.platform.batch_power_off(&bench.cx, &names, hard(), parallel).await.expect("all are known");
    let results: Vec<(&str, Result<How, ErrorKind>)> = reports
        .iter()
        .map(|report| {
            let how = report.result.as_ref().map(|outcome| outcome.how);
            (report.name.as_str(), how.map_err(chaos_core::Error::kind))
        })
        .collect();
    assert_eq!(
        results,
        [
            ("late", Ok(How::HardPowerOff)),
            ("off", Ok(How::AlreadyThere)),
            ("asleep", Err(ErrorKind::InvalidState)),
            ("on", Ok(How::HardPowerOff)),
        ]
    );
    for report in &reports {
        assert_eq!(report.vm.platform, bench.platform.identity().kind);
        assert_eq!(report.operation, Operation::PowerOff);
        assert_eq!(report.undo.is_some(), report.result.is_ok(), "a record wherever something could be done");
    }
    bench.assert_state(VmKey(0), PoweredOff).await;
    bench.assert_state(VmKey(2), Suspended).await;
}

pub async fn a_batch_with_an_unknown_name_touches_nothing(harness: &dyn Harness) {
    let Some(bench) = Bench::start(harness, CALLS, EstateSpec::of(["a", "b"])).await else { return };
    let parallel = NonZeroUsize::new(2).expect("2 is not 0");
    let error = bench.platform.batch_suspend(&bench.cx, &["a", "typo", "b"], parallel).await.expect_err("unknown");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    for vm in bench.spec.keys() {
        assert_eq!(bench.server.destructive_calls(vm).await, 0);
    }
}

pub async fn every_operation_is_a_capability(harness: &dyn Harness) {
    let Some(bench) = Bench::start(harness, &[], EstateSpec::new()).await else { return };
    let capabilities = bench.platform.capabilities();
    for operation in all_faults().map(|fault| fault.operation()) {
        assert_eq!(capabilities.supports(operation), !lacks(harness, ability(operation)), "{operation}");
    }
    assert_eq!(capabilities.guest_operations, !lacks(harness, Ability::Guests), "guest operations");
}
