//! Guests that obey, hang, ignore, lack Tools, or do something else than they were asked for.

use chaos_core::{ErrorKind, Fault, How, Platform, ProgressStep, Stop, VMPowerState};
use chaos_sim::{OnReboot, OnShutdown, Operation, Power, Sim, Tools, VmSpec};

use super::{Bench, seconds};

const PATIENT: Stop = Stop::GuestThenHard { grace: seconds_const(60), hard: seconds_const(60) };
const SHORT: Stop = Stop::GuestThenHard { grace: seconds_const(10), hard: seconds_const(60) };
const GUEST_ONLY: Stop = Stop::GuestOnly { grace: seconds_const(10) };

const fn seconds_const(seconds: u64) -> std::time::Duration {
    std::time::Duration::from_secs(seconds)
}

async fn apply(vm: VmSpec, fault: Fault) -> (Bench, Result<chaos_core::Outcome, chaos_core::Error>) {
    let bench = Bench::start(Sim::builder().vm(vm.clone())).await;
    let target = bench.target("one").await;
    let result = bench.client.apply(&bench.cx, &target, &fault).await;
    (bench, result)
}

fn one() -> VmSpec {
    VmSpec::new("one")
}

#[tokio::test]
async fn a_guest_is_asked_and_shuts_down() {
    let (mut bench, result) = apply(one(), Fault::power_off(PATIENT)).await;
    let outcome = result.unwrap();
    assert_eq!((outcome.how, outcome.state), (How::GuestShutdown, VMPowerState::PoweredOff));
    assert_eq!(bench.power_calls(), ["ShutdownGuest"]);
    assert_eq!(bench.told(), [ProgressStep::GuestAsked, ProgressStep::State(VMPowerState::PoweredOff)]);
}

#[tokio::test]
async fn a_guest_that_hangs_is_powered_off_hard_and_the_result_says_so() {
    for behaviour in [OnShutdown::Hangs, OnShutdown::Ignores] {
        let (mut bench, result) = apply(one().on_shutdown(behaviour), Fault::power_off(SHORT)).await;
        let outcome = result.unwrap();
        assert_eq!((outcome.how, outcome.state), (How::HardAfterGuestTimeout, VMPowerState::PoweredOff));
        assert!(outcome.duration >= seconds(10), "{outcome:?}");
        assert_eq!(outcome.note.as_deref(), Some("its guest did not shut down within 10 s"));
        assert_eq!(bench.power_calls(), ["ShutdownGuest", "PowerOffVM_Task"]);
        assert!(bench.told().contains(&ProgressStep::FallingBack));
    }
}

#[tokio::test]
async fn guest_only_never_stops_hard() {
    let (bench, result) = apply(one().on_shutdown(OnShutdown::Hangs), Fault::power_off(GUEST_ONLY)).await;
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.to_string().starts_with("one: its guest did not shut down within 10 s"), "{error}");
    assert_eq!(bench.power_calls(), ["ShutdownGuest"]);
    assert_eq!(bench.power("one"), Power::On);
}

#[tokio::test]
async fn a_guest_without_tools_is_not_waited_for() {
    for tools in [Tools::NotInstalled, Tools::Stopped, Tools::WithoutScripts] {
        let (bench, result) = apply(one().tools(tools), Fault::power_off(PATIENT)).await;
        let outcome = result.unwrap();
        assert_eq!(outcome.how, How::HardWithoutTools, "{tools:?}");
        assert!(outcome.duration < seconds(10), "{outcome:?}");
        assert_eq!(bench.power("one"), Power::Off);

        let (bench, result) = apply(one().tools(tools), Fault::power_off(GUEST_ONLY)).await;
        assert_eq!(result.unwrap_err().kind(), ErrorKind::InvalidState);
        assert!(!bench.power_calls().contains(&"PowerOffVM_Task".to_owned()));
        assert_eq!(bench.power("one"), Power::On);
    }
}

#[tokio::test]
async fn a_guest_that_shuts_down_already_is_waited_for_and_not_cut_off() {
    let bench = Bench::start(Sim::builder().vm(one())).await;
    let target = bench.target("one").await;
    let vm = bench.sim.world().vm("one").unwrap().id;
    bench.sim.world().operate(vm, Operation::ShutdownGuest, "somebody").unwrap();
    let outcome = bench.client.apply(&bench.cx, &target, &Fault::power_off(PATIENT)).await.unwrap();
    assert_eq!(outcome.how, How::GuestShutdown);
    assert_eq!(bench.power_calls(), [""; 0]);
}

#[tokio::test]
async fn a_restart_is_over_when_the_guest_went_down_and_came_up() {
    let (mut bench, result) = apply(one(), Fault::reboot(PATIENT)).await;
    let outcome = result.unwrap();
    assert_eq!((outcome.how, outcome.state), (How::GuestReboot, VMPowerState::PoweredOn));
    assert!(outcome.duration >= seconds(6), "down in 4 s, up in 8 s, give or take: {outcome:?}");
    assert_eq!(bench.told(), [ProgressStep::GuestAsked, ProgressStep::GuestDown, ProgressStep::GuestUp]);
    assert_eq!(bench.power_calls(), ["RebootGuest"]);
}

#[tokio::test]
async fn a_restart_that_power_cycles_is_a_restart() {
    let (bench, result) = apply(one().on_reboot(OnReboot::PowerCycles), Fault::reboot(PATIENT)).await;
    assert_eq!(result.unwrap().how, How::GuestReboot);
    assert_eq!(bench.power("one"), Power::On);
}

#[tokio::test]
async fn a_guest_that_does_not_restart_is_reset_if_that_is_allowed() {
    for behaviour in [OnReboot::Ignores, OnReboot::Hangs] {
        let (bench, result) = apply(one().on_reboot(behaviour), Fault::reboot(SHORT)).await;
        let outcome = result.unwrap();
        assert_eq!(outcome.how, How::ResetAfterGuestTimeout);
        assert_eq!(bench.power_calls(), ["RebootGuest", "ResetVM_Task"]);

        let (bench, result) = apply(one().on_reboot(behaviour), Fault::reboot(GUEST_ONLY)).await;
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        let word = if behaviour == OnReboot::Ignores { "ignored it" } else { "did not come up again" };
        assert!(error.to_string().contains(word), "{error}");
        assert_eq!(bench.power_calls(), ["RebootGuest"]);
    }
}

#[tokio::test]
async fn a_restart_that_leaves_the_vm_off_is_an_error() {
    let (bench, result) = apply(one().on_reboot(OnReboot::PowersOff), Fault::reboot(SHORT)).await;
    let error = result.unwrap_err();
    assert!(error.to_string().contains("is powered_off since: power it on"), "{error}");
    assert_eq!(bench.power_calls(), ["RebootGuest"]);
}

#[tokio::test]
async fn a_reset_is_over_with_its_task_and_says_so() {
    let (bench, result) = apply(one(), Fault::reboot(Stop::hard())).await;
    let outcome = result.unwrap();
    assert_eq!((outcome.how, outcome.state), (How::Reset, VMPowerState::PoweredOn));
    assert_eq!(outcome.note.as_deref(), Some("the VM was reset; its guest was not waited for"));
    assert_eq!(bench.power_calls(), ["ResetVM_Task"]);

    let (bench, result) = apply(one().tools(Tools::NotInstalled), Fault::reboot(PATIENT)).await;
    assert_eq!(result.unwrap().how, How::ResetWithoutTools);
    assert_eq!(bench.power_calls(), ["ResetVM_Task"]);
}
