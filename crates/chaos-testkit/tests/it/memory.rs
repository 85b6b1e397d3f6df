//! What the platform in memory does beyond what the conformance suite asks of every platform.

use std::time::Duration;

use chaos_core::{
    Context, ErrorKind, Fault, How, Platform, PlatformExt, Problem, ProgressStep, Selector, Stop, VMPowerState,
};
use chaos_testkit::memory::{CallKind, Failure};
use chaos_testkit::{EstateSpec, MemoryEstate, MemoryPlatform, RecordingProgress, TestClock, VmSpec};

struct Bench {
    estate: MemoryEstate,
    platform: MemoryPlatform,
    cx: Context,
}

async fn bench(spec: &EstateSpec) -> Bench {
    let clock = TestClock::auto();
    let estate = MemoryEstate::new(spec, clock.shared());
    let cx = Context::on_clock(clock.shared(), Duration::from_hours(1)).reason("game day");
    let platform = estate.connect(&cx, "memory").await.expect("the password is right");
    Bench { estate, platform, cx }
}

#[tokio::test(start_paused = true)]
async fn an_operation_takes_as_long_as_its_guest() {
    let Bench { platform, cx, .. } =
        bench(&EstateSpec::new().with([VmSpec::new("db").slow(Duration::from_secs(90))])).await;
    let off = platform.power_off(&cx, "db", Stop::graceful()).await.unwrap();
    assert_eq!((off.how, off.duration.as_secs()), (How::GuestShutdown, 90));
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_was_given_up_on_still_does_what_it_was_asked() {
    let Bench { estate, platform, cx } =
        bench(&EstateSpec::new().with([VmSpec::new("db").slow(Duration::from_secs(90))])).await;
    let stop = Stop::GuestOnly { grace: Duration::from_secs(30) };
    assert_eq!(platform.power_off(&cx, "db", stop).await.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(estate.power_state("db"), Some(VMPowerState::PoweredOn));
    cx.pause("waiting for the guest", Duration::from_secs(61)).await.unwrap();
    assert_eq!(estate.power_state("db"), Some(VMPowerState::PoweredOff));
}

#[tokio::test(start_paused = true)]
async fn every_call_is_on_record_with_its_run_and_reason() {
    let Bench { estate, platform, cx } = bench(&EstateSpec::of(["web-01"])).await;
    platform.suspend(&cx, "web-01").await.unwrap();
    let calls = estate.calls();
    assert_eq!(calls[0].kind, CallKind::Login);
    assert!(calls.iter().all(|call| call.reason == "game day" && call.run_id == *cx.run_id()));
    assert_eq!(estate.destructive_calls("vm-1"), [CallKind::Suspend]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_on_demand_hits_one_call_of_its_kind_on_its_vm() {
    let Bench { estate, platform, cx } = bench(&EstateSpec::of(["a", "b"])).await;
    estate.fail_next(Failure::refuse(ErrorKind::Failed, "the disk is locked").of(CallKind::PowerOff).on("vm-2"));
    assert!(platform.power_off(&cx, "a", Stop::hard()).await.is_ok());
    let error = platform.power_off(&cx, "b", Stop::hard()).await.unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Failed, "/DC0/vm/b: the disk is locked"));
    assert!(platform.power_off(&cx, "b", Stop::hard()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn progress_tells_what_was_tried() {
    let Bench { platform, cx, .. } = bench(&EstateSpec::new().with([VmSpec::new("db").hanging()])).await;
    let progress = RecordingProgress::new();
    let stop = Stop::GuestThenHard { grace: Duration::from_secs(5), hard: Duration::from_secs(5) };
    let off = platform.power_off(&cx.progress_to(progress.sink()), "db", stop).await.unwrap();
    assert_eq!((off.how, off.duration.as_secs()), (How::HardAfterGuestTimeout, 5));
    assert_eq!(
        progress.steps_of("vm-1"),
        [
            ProgressStep::GuestAsked,
            ProgressStep::FallingBack,
            ProgressStep::Accepted,
            ProgressStep::State(VMPowerState::PoweredOff)
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn what_others_do_to_the_estate_is_seen() {
    let Bench { estate, platform, cx } = bench(&EstateSpec::of(["a", "b", "c"])).await;
    estate.set_power_state("vm-1", VMPowerState::Suspended);
    estate.set_unmanageable("vm-2", "its host is disconnected");
    estate.delete("vm-3");
    estate.add_problem(Problem::new("host-7", "does not answer"));

    let found = platform.discover(&cx, &Selector::all()).await.unwrap();
    assert_eq!(found.problems, [Problem::new("host-7", "does not answer")]);
    assert_eq!(found.vms.len(), 2);
    assert_eq!(found.vms[0].power_state, VMPowerState::Suspended);
    let error = platform.suspend(&cx, "b").await.unwrap_err();
    assert_eq!(error.to_string(), "/DC0/vm/b: cannot be managed: its host is disconnected");
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_someone_else_powers_off_during_a_guest_shutdown_counts_as_off() {
    let Bench { estate, platform, cx } = bench(&EstateSpec::new().with([VmSpec::new("db").hanging()])).await;
    let vm = platform.find(&cx, "db").await.unwrap();
    let target = platform.vm_ref(&vm).into();
    let fault = Fault::power_off(Stop::graceful());
    let (outcome, ()) = tokio::join!(platform.apply(&cx, &target, &fault), async {
        cx.pause("letting the shutdown begin", Duration::from_secs(1)).await.unwrap();
        estate.set_power_state("vm-1", VMPowerState::PoweredOff);
    });
    let outcome = outcome.unwrap();
    assert_eq!((outcome.how, outcome.duration.as_secs()), (How::GuestShutdown, 1));
}
