//! What an engine does that a client would not expect, one test each.

use std::time::Duration;

use chaos_core::{
    Context, ErrorKind, Fault, How, Platform, PlatformExt, Retry, Selector, Stop, SuspendedMemory, Target,
    VMPowerState, VMRef,
};
use chaos_olvm::{Config, LoginMethod, Olvm};
use chaos_sim::{
    Builder, EngineVersion, Estate, Guest, HostState, OnShutdown, Power, Sim, Timing, Tools, VmSpec, WireAction,
    WireFault,
};

pub(crate) const GRACE: Duration = Duration::from_secs(5);

pub(crate) async fn engine(builder: Builder) -> (Sim, Olvm, Context) {
    engine_with(builder, Timing { jitter: 0.0, ..Timing::fast() }).await
}

pub(crate) async fn engine_with(builder: Builder, timing: Timing) -> (Sim, Olvm, Context) {
    let sim = builder.olvm().timing(timing).start().await.unwrap();
    let cx = Context::with_timeout(Duration::from_mins(1));
    let mut config = Config::new(sim.url(), "chaos@internal", "chaos".into());
    config.shortest_tick = Duration::from_millis(20);
    config.longest_tick = Duration::from_millis(200);
    let olvm = Olvm::connect(&cx, config).await.unwrap();
    (sim, olvm, cx)
}

pub(crate) fn empty() -> Builder {
    Sim::builder().estate(Estate::of_size(0))
}

fn graceful() -> Stop {
    Stop::GuestThenHard { grace: GRACE, hard: GRACE }
}

#[tokio::test]
async fn names_that_no_search_can_say_are_found_all_the_same() {
    let names = ["o'brien", "a;b", "say \"hi\"", "back\\slash", "50%", "a_b", "Grün", "my vm"];
    let builder = names.into_iter().fold(empty(), |builder, name| builder.vm(VmSpec::new(name)));
    let (_sim, olvm, cx) = engine(builder).await;
    for name in names {
        assert_eq!(olvm.find(&cx, name).await.unwrap().name, name);
    }
}

#[tokio::test]
async fn case_is_the_clients_and_not_the_engines() {
    let (_sim, olvm, cx) = engine(empty().vm(VmSpec::new("Web-01"))).await;
    assert_eq!(olvm.find(&cx, "web-01").await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(olvm.find(&cx, "Web-01").await.unwrap().name, "Web-01");
}

#[tokio::test]
async fn an_empty_answer_is_looked_at_twice_before_a_vm_is_called_missing() {
    let (sim, olvm, cx) = engine(empty().vm(VmSpec::new("a"))).await;
    olvm.find(&cx, "nobody").await.unwrap_err();
    let searches: Vec<Option<String>> = sim.calls_of("vms").into_iter().map(|call| call.search).collect();
    assert_eq!(searches, [Some("name=\"nobody\"".to_owned()), None]);
}

#[tokio::test]
async fn a_shutdown_is_sent_once_and_a_guest_that_refuses_is_stopped_hard_at_once() {
    let stubborn = Guest { on_shutdown: OnShutdown::Ignores, ..Guest::default() };
    let (sim, olvm, cx) = engine(empty().vm(VmSpec::new("stubborn").guest(stubborn))).await;
    let outcome = olvm.power_off(&cx, "stubborn", graceful()).await.unwrap();
    assert_eq!((outcome.how, outcome.state), (How::HardAfterGuestTimeout, VMPowerState::PoweredOff));
    assert!(outcome.note.as_deref().is_some_and(|note| note.contains("refused")), "{outcome:?}");
    assert_eq!((sim.calls_of("shutdown").len(), sim.calls_of("stop").len()), (1, 1));
}

#[tokio::test]
async fn a_vm_that_is_powering_up_is_not_shut_down_before_it_is_up() {
    let slow = Guest { boot: Some(Duration::from_millis(600)), ..Guest::default() };
    let (sim, olvm, cx) = engine(empty().vm(VmSpec::new("fresh").guest(slow).power(Power::Off))).await;
    olvm.power_on(&cx, "fresh").await.unwrap();
    assert_eq!(olvm.find(&cx, "fresh").await.unwrap().native_state, "powering_up");
    let outcome = olvm.power_off(&cx, "fresh", graceful()).await.unwrap();
    assert_eq!(outcome.how, How::GuestShutdown, "the engine would have stopped it hard: {outcome:?}");
    assert_eq!((sim.calls_of("shutdown").len(), sim.calls_of("stop").len()), (1, 0));
}

#[tokio::test]
async fn the_engines_log_shows_who_did_it_and_why() {
    let (sim, olvm, cx) = engine(empty().vm(VmSpec::new("a"))).await;
    let cx = cx.reason("game day <7>");
    olvm.power_off(&cx, "a", Stop::Hard { limit: GRACE }).await.unwrap();
    let stop = sim.calls_of("stop").remove(0);
    assert_eq!(stop.reason, Some(format!("chaosmonkey {}: game day <7>", cx.run_id())));
    let correlation = stop.operation_id.unwrap();
    assert!(
        correlation.starts_with(&format!("chaosmonkey-{}-", cx.run_id())) && correlation.len() <= 36,
        "{correlation}"
    );
}

#[tokio::test]
async fn an_engine_that_restarts_in_mid_operation_costs_a_login_and_no_second_call() {
    let slow = Guest { shutdown: Some(Duration::from_secs(2)), ..Guest::default() };
    let (sim, olvm, cx) = engine(empty().vm(VmSpec::new("a").guest(slow))).await;
    let vm = olvm.find(&cx, "a").await.unwrap();
    let target = VMRef::new(olvm.identity(), vm.id).into();
    let fault = Fault::power_off(Stop::GuestOnly { grace: Duration::from_secs(20) });
    let restart = async {
        while sim.calls_of("shutdown").is_empty() {
            tokio::task::yield_now().await;
        }
        sim.restart_engine(Duration::from_millis(400), Duration::from_millis(400));
    };
    let (outcome, ()) = tokio::join!(olvm.apply(&cx, &target, &fault), restart);
    assert_eq!(outcome.unwrap().how, How::GuestShutdown);
    assert_eq!(sim.calls_of("shutdown").len(), 1);
}

#[tokio::test]
async fn a_page_of_apache_is_an_engine_that_is_away() {
    let (sim, olvm, cx) = engine(empty().vm(VmSpec::new("a"))).await;
    sim.restart_engine(Duration::from_mins(5), Duration::from_mins(5));
    let short = cx.limit(Duration::from_secs(8));
    let error = olvm.discover(&short, &Selector::all()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert!(error.to_string().contains("503"), "{error}");
}

#[tokio::test]
async fn a_malformed_or_unknown_id_is_no_vm_and_gets_into_no_search() {
    let (sim, olvm, cx) = engine(empty().vm(VmSpec::new("a"))).await;
    sim.clear_calls();
    let ids = ["x or name=*", "00000000-0000-0000-0000-000000000000"];
    let refs = ids.map(|id| VMRef::new(olvm.identity(), id));
    for answer in olvm.get(&cx, &refs).await {
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::NotFound);
    }
    let error = olvm.apply(&cx, &refs[0].clone().into(), &Fault::suspend()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(sim.calls().iter().all(|call| call.search.as_deref().is_none_or(|search| !search.contains('*'))));
}

#[tokio::test]
async fn basic_authentication_keeps_one_session_and_gives_it_back() {
    let sim = Sim::builder().olvm().start().await.unwrap();
    let cx = Context::with_timeout(Duration::from_secs(30));
    let mut config = Config::new(sim.url(), "chaos@internal", "chaos".into());
    config.login = LoginMethod::Basic;
    let olvm = Olvm::connect(&cx, config.clone()).await.unwrap();
    assert!(!olvm.discover(&cx, &Selector::all()).await.unwrap().vms.is_empty());
    assert_eq!((sim.sessions().len(), sim.calls_of("token").len()), (1, 0));
    olvm.disconnect(&cx).await.unwrap();
    assert_eq!(sim.sessions().len(), 0);
    config.password = "wrong".into();
    assert_eq!(Olvm::connect(&cx, config).await.unwrap_err().kind(), ErrorKind::Unauthenticated);
}

#[tokio::test]
async fn a_vm_that_is_suspended_meanwhile_is_not_taken_for_off() {
    let timing = Timing { jitter: 0.0, suspend: Duration::from_secs(2), ..Timing::fast() };
    let (sim, olvm, cx) = engine_with(empty().vm(VmSpec::new("a")), timing).await;
    let vm = olvm.find(&cx, "a").await.unwrap();
    let target = VMRef::new(olvm.identity(), vm.id).into();
    let suspend = async { olvm.suspend(&cx, "a").await };
    let power_off = async {
        while olvm.find(&cx, "a").await.unwrap().native_state != "saving_state" {}
        let fault = Fault::PowerOff { stop: graceful(), suspended: SuspendedMemory::Discard };
        olvm.apply(&cx, &target, &fault).await
    };
    let (_, outcome) = tokio::join!(suspend, power_off);
    let outcome = outcome.unwrap();
    assert_eq!((outcome.how, outcome.state), (How::HardWithoutTools, VMPowerState::PoweredOff), "{outcome:?}");
    assert_eq!(sim.world().vm("a").unwrap().power, Power::Off);
}

#[tokio::test]
async fn nobody_waits_longer_than_it_may_for_the_look_of_another() {
    let (sim, olvm, cx) = engine(empty().vm(VmSpec::new("a")).vm(VmSpec::new("b"))).await;
    let vms = olvm.discover(&cx, &Selector::all()).await.unwrap().vms;
    let targets: Vec<Target> = vms.iter().map(|vm| VMRef::new(olvm.identity(), &vm.id).into()).collect();
    sim.inject(WireFault::new(WireAction::Stall { after_effect: false }).method("vm").always());
    let (patient, hurried) = (cx.limit(Duration::from_secs(20)), cx.limit(Duration::from_millis(300)));
    let fault = Fault::suspend();
    let patient = olvm.apply(&patient, &targets[0], &fault);
    let second = async {
        while sim.calls_of("vm").is_empty() {
            tokio::task::yield_now().await;
        }
        olvm.apply(&hurried, &targets[1], &fault).await
    };
    let ended = tokio::select! {
        _ = patient => panic!("the one that stalls has twenty seconds"),
        ended = second => ended,
    };
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn a_vm_whose_host_is_lost_is_refused_and_nothing_is_sent() {
    let (sim, olvm, cx) = engine(empty().vm(VmSpec::new("a"))).await;
    sim.world().set_host(&sim.world().hosts()[0].name, HostState::Disconnected).unwrap();
    let vm = olvm.find(&cx, "a").await.unwrap();
    assert_eq!((vm.power_state, vm.native_state.as_str()), (VMPowerState::Unknown, "unknown"));
    for fault in [Fault::power_on(), Fault::power_off(graceful()), Fault::suspend(), Fault::reboot(graceful())] {
        let target = VMRef::new(olvm.identity(), &vm.id).into();
        assert_eq!(olvm.apply(&cx, &target, &fault).await.unwrap_err().kind(), ErrorKind::InvalidState);
    }
    assert!(
        ["start", "stop", "shutdown", "suspend", "reboot", "reset"].iter().all(|word| sim.calls_of(word).is_empty())
    );
}

#[tokio::test]
async fn a_shutdown_that_the_engine_carried_out_as_a_hard_stop_is_called_one() {
    // Neither ACPI nor an agent: the engine has no way to ask.
    let mute = |name: &str| VmSpec::new(name).deaf().guest(Guest { tools: Tools::NotInstalled, ..Guest::default() });
    // The kill takes long enough to be seen as `powering_down`.
    let timing = Timing { jitter: 0.0, power_off: Duration::from_millis(400), ..Timing::fast() };
    let (sim, olvm, cx) = engine_with(empty().vm(mute("a")).vm(mute("b")), timing).await;
    let outcome = olvm.power_off(&cx, "a", graceful()).await.unwrap();
    assert_eq!(outcome.how, How::HardWithoutTools, "{outcome:?}");
    let error = olvm.power_off(&cx, "b", Stop::GuestOnly { grace: GRACE }).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed, "{error:?}");
    assert!(error.to_string().contains("without asking"), "{error}");
    assert_eq!((sim.calls_of("shutdown").len(), sim.calls_of("stop").len()), (2, 0));
}

#[tokio::test]
async fn a_restart_on_an_engine_that_shows_the_old_state_is_not_over_before_it_was_seen() {
    let slow = Guest {
        shutdown: Some(Duration::from_millis(700)),
        boot: Some(Duration::from_millis(700)),
        ..Guest::default()
    };
    let (sim, olvm, cx) = engine(empty().vm(VmSpec::new("a").guest(slow)).engine_version(EngineVersion::V43)).await;
    let outcome = olvm.reboot(&cx, "a", Stop::GuestOnly { grace: Duration::from_secs(20) }).await.unwrap();
    assert_eq!(outcome.how, How::GuestReboot);
    assert!(outcome.duration >= Duration::from_millis(1400), "down and up take longer: {outcome:?}");
    assert_eq!(sim.calls_of("reset").len(), 0);
}

#[tokio::test]
async fn a_reset_that_an_old_engine_does_not_know_names_the_way_out() {
    let (_sim, olvm, cx) = engine(empty().vm(VmSpec::new("a")).engine_version(EngineVersion::V43)).await;
    let error = olvm.reboot(&cx, "a", Stop::Hard { limit: GRACE }).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error:?}");
    assert!(error.to_string().contains("off and on"), "{error}");
}

#[tokio::test]
async fn a_clock_that_is_a_day_off_and_in_another_zone_changes_nothing() {
    let yesterday = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(26);
    let builder = empty().vm(VmSpec::new("a")).starts_at(yesterday).engine_zone(jiff::tz::offset(-7));
    let (_sim, olvm, cx) = engine(builder).await;
    let before = olvm.find(&cx, "a").await.unwrap().boot_time.unwrap();
    assert!(before < jiff::Timestamp::now() - jiff::SignedDuration::from_hours(25), "{before}");
    assert_eq!(olvm.power_off(&cx, "a", graceful()).await.unwrap().how, How::GuestShutdown);
    assert_eq!(olvm.power_on(&cx, "a").await.unwrap().how, How::PoweredOn);
}

#[tokio::test]
async fn a_question_that_was_lost_is_not_blamed_on_the_guest() {
    let (sim, olvm, cx) = engine(empty().vm(VmSpec::new("a"))).await;
    let busy = WireAction::Status { code: 503, retry_after: None, after_effect: false };
    sim.inject(WireFault::new(busy).method("shutdown"));
    let stop = Stop::GuestThenHard { grace: Duration::from_millis(500), hard: GRACE };
    let outcome = olvm.power_off(&cx, "a", stop).await.unwrap();
    assert_eq!(outcome.how, How::HardAfterGuestTimeout);
    let note = outcome.note.unwrap();
    assert!(note.contains("may not have been asked") && note.contains("503"), "{note}");
    assert_eq!(sim.calls_of("shutdown").len(), 1);
}

#[tokio::test]
async fn an_engine_that_is_being_deployed_is_asked_again_since_nothing_was_done() {
    for (fault, how) in [
        (Fault::reboot(Stop::Hard { limit: Duration::from_secs(20) }), How::Reset),
        (Fault::power_off(Stop::Hard { limit: Duration::from_secs(20) }), How::HardPowerOff),
    ] {
        let (sim, olvm, cx) = engine(empty().vm(VmSpec::new("a"))).await;
        let vm = olvm.find(&cx, "a").await.unwrap();
        sim.inject(WireFault::new(WireAction::Html { code: 404 }).method("reset"));
        sim.inject(WireFault::new(WireAction::Html { code: 404 }).method("stop"));
        let outcome = olvm.apply(&cx, &VMRef::new(olvm.identity(), vm.id).into(), &fault).await.unwrap();
        assert_eq!(outcome.how, how);
    }
}

#[tokio::test]
async fn a_vm_that_is_being_suspended_is_not_taken_for_on() {
    let timing = Timing { jitter: 0.0, suspend: Duration::from_secs(2), ..Timing::fast() };
    let (_sim, olvm, cx) = engine_with(empty().vm(VmSpec::new("a")), timing).await;
    let target: Target = VMRef::new(olvm.identity(), olvm.find(&cx, "a").await.unwrap().id).into();
    let undo = olvm.prepare(&cx, std::slice::from_ref(&target), &Fault::suspend()).await.remove(0).unwrap();
    let impatient = Fault::Suspend { limit: Duration::from_millis(1400) };
    assert_eq!(olvm.apply(&cx, &target, &impatient).await.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(olvm.find(&cx, "a").await.unwrap().native_state, "saving_state");
    let outcome = olvm.undo(&cx, &undo).await.unwrap();
    assert_eq!((outcome.how, outcome.state), (How::Resumed, VMPowerState::PoweredOn));
}

#[tokio::test]
async fn one_vm_that_may_not_be_looked_at_does_not_end_the_wait_for_the_others() {
    let slow = Guest { shutdown: Some(Duration::from_secs(1)), ..Guest::default() };
    let builder =
        ["a", "b", "c"].into_iter().fold(empty(), |builder, name| builder.vm(VmSpec::new(name).guest(slow.clone())));
    let (sim, olvm, cx) = engine(builder).await;
    let vms = olvm.discover(&cx, &Selector::all()).await.unwrap().vms;
    let gone = async {
        while sim.calls_of("shutdown").len() < 3 {
            tokio::task::yield_now().await;
        }
        // It vanishes from the search, and a look at it alone is refused.
        sim.inject(WireFault::new(WireAction::Html { code: 403 }).method("vm").always());
        sim.world().remove("a").unwrap();
    };
    let fault = Fault::power_off(Stop::GuestOnly { grace: GRACE });
    let parallel = std::num::NonZeroUsize::new(3).unwrap();
    let (reports, ()) = tokio::join!(olvm.apply_each(&cx, &vms, &fault, parallel), gone);
    assert_eq!(reports[0].result.as_ref().unwrap_err().retry_class(), Retry::Unsettled, "{:?}", reports[0].result);
    // The last one that is waited for is looked at by itself.
    let fine = reports[1..].iter().filter(|report| report.result.is_ok()).count();
    assert!(fine >= 1, "{reports:?}");
}

#[tokio::test]
async fn a_time_out_says_what_was_waited_for() {
    let timing = Timing { jitter: 0.0, suspend: Duration::from_secs(20), ..Timing::fast() };
    let (_sim, olvm, cx) = engine_with(empty().vm(VmSpec::new("a")), timing).await;
    let target: Target = VMRef::new(olvm.identity(), olvm.find(&cx, "a").await.unwrap().id).into();
    let error = olvm.apply(&cx, &target, &Fault::Suspend { limit: Duration::from_millis(500) }).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_class()), (ErrorKind::Timeout, Retry::Unsettled));
    assert!(error.to_string().contains("waiting for the VM to be suspended"), "{error}");
}
