//! What somebody who wants to break the client would try: callers at once, sessions that die, answers that lie.

use std::time::Duration;

use chaos_core::{
    Context, ErrorKind, Fault, How, Platform, PlatformExt, Retry, Selector, Stop, Target, VMPowerState, VMRef,
};
use chaos_olvm::{Config, LoginMethod, Olvm};
use chaos_sim::{Builder, EngineVersion, Guest, OnReboot, OnShutdown, Sim, Timing, VmSpec, WireAction, WireFault};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::traps::{GRACE, empty, engine, engine_with};

/// The VM, and a shutdown of its guest alone that waits for long.
async fn asked_alone(olvm: &Olvm, cx: &Context) -> (Target, Fault) {
    let vm = olvm.find(cx, "a").await.unwrap();
    let fault = Fault::power_off(Stop::GuestOnly { grace: Duration::from_secs(20) });
    (VMRef::new(olvm.identity(), vm.id).into(), fault)
}

fn slow(shutdown: Duration) -> Builder {
    empty().vm(VmSpec::new("a").guest(Guest { shutdown: Some(shutdown), ..Guest::default() }))
}

async fn called(sim: &Sim, word: &str) {
    while sim.calls_of(word).is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_engine_that_is_not_found_makes_no_vm_gone() {
    // Beyond the login it answers as an engine does of what is not there: with 404 and nothing else.
    let server = MockServer::start().await;
    let token = r#"{"access_token":"token","token_type":"bearer"}"#;
    let token = ResponseTemplate::new(200).set_body_raw(token, "application/json");
    Mock::given(path("/ovirt-engine/sso/oauth/token")).respond_with(token).mount(&server).await;
    let cx = Context::with_timeout(Duration::from_secs(30));
    let olvm = Olvm::connect(&cx, Config::new(server.uri(), "chaos@internal", "secret".into())).await.unwrap();
    let vm = |number: u32| VMRef::new(olvm.identity(), format!("0a1b2c3d-0000-4000-8000-{number:012}"));
    for vms in [&[vm(1)][..], &[vm(1), vm(2)]] {
        for seen in olvm.get(&cx, vms).await {
            assert_eq!(seen.unwrap_err().kind(), ErrorKind::Protocol);
        }
    }
}

#[tokio::test]
async fn two_callers_ask_a_guest_once() {
    let (sim, olvm, cx) = engine(slow(Duration::from_secs(1))).await;
    let (target, fault) = asked_alone(&olvm, &cx).await;
    let delay = Duration::from_millis(200);
    sim.inject(WireFault::new(WireAction::Latency { delay }).method("shutdown").always());
    let (one, two) = tokio::join!(olvm.apply(&cx, &target, &fault), olvm.apply(&cx, &target, &fault));
    assert_eq!(sim.calls_of("shutdown").len(), 1, "the second is an order to stop hard: {one:?} {two:?}");
}

#[tokio::test]
async fn a_shutdown_that_met_a_dead_session_is_not_sent_again_without_a_look() {
    let (sim, olvm, cx) = engine(slow(Duration::from_secs(4))).await;
    let (target, fault) = asked_alone(&olvm, &cx).await;
    let config = Config::new(sim.url(), "chaos@internal", "chaos".into());
    let other = Olvm::connect(&cx, config).await.unwrap();
    sim.inject(WireFault::new(WireAction::KillSession).method("shutdown"));
    sim.inject(WireFault::new(WireAction::Latency { delay: Duration::from_secs(1) }).method("token"));
    let somebody = async {
        called(&sim, "shutdown").await;
        other.apply(&cx, &target, &fault).await
    };
    let (_, outcome) = tokio::join!(olvm.apply(&cx, &target, &fault), somebody);
    let outcome = outcome.unwrap();
    assert!(outcome.duration > Duration::from_secs(3), "its guest takes four seconds and was cut off: {outcome:?}");
}

#[tokio::test]
async fn an_undo_does_not_take_a_vm_that_is_powering_down_for_running() {
    let (_sim, olvm, cx) = engine(slow(Duration::from_secs(2))).await;
    let (target, _) = asked_alone(&olvm, &cx).await;
    let fault = Fault::power_off(Stop::GuestOnly { grace: Duration::from_millis(500) });
    let undo = olvm.prepare(&cx, std::slice::from_ref(&target), &fault).await.remove(0).unwrap();
    olvm.apply(&cx, &target, &fault).await.unwrap_err();
    let undone = olvm.undo(&cx, &undo).await.unwrap();
    let state = olvm.find(&cx, "a").await.unwrap().native_state;
    assert!(matches!(state.as_str(), "up" | "powering_up"), "{state}, {undone:?}");
}

#[tokio::test]
async fn a_vm_that_is_being_suspended_is_not_powered_on_already() {
    let timing = Timing { jitter: 0.0, suspend: Duration::from_secs(2), ..Timing::fast() };
    let (_sim, olvm, cx) = engine_with(empty().vm(VmSpec::new("a")), timing).await;
    let power_on = async {
        while olvm.find(&cx, "a").await.unwrap().native_state != "saving_state" {}
        olvm.power_on(&cx, "a").await
    };
    let (_, outcome) = tokio::join!(olvm.suspend(&cx, "a"), power_on);
    assert_eq!(outcome.unwrap().how, How::Resumed);
}

#[tokio::test]
async fn an_error_after_something_was_sent_is_unsettled_whatever_its_kind() {
    let (sim, olvm, cx) = engine(slow(Duration::from_secs(2))).await;
    let (target, fault) = asked_alone(&olvm, &cx).await;
    let lock_out = async {
        while olvm.find(&cx, "a").await.unwrap().native_state != "powering_down" {}
        sim.inject(WireFault::new(WireAction::Html { code: 401 }).method("token").always());
        sim.kill_sessions();
    };
    let (ended, ()) = tokio::join!(olvm.apply(&cx, &target, &fault), lock_out);
    let error = ended.unwrap_err();
    assert_eq!((error.kind(), error.retry_class()), (ErrorKind::Unauthenticated, Retry::Unsettled), "{error}");
}

#[tokio::test]
async fn a_page_in_place_of_a_yes_leaves_open_whether_it_was_done() {
    let (sim, olvm, cx) = engine(empty().vm(VmSpec::new("a"))).await;
    let page = WireAction::Status { code: 200, retry_after: None, after_effect: true };
    sim.inject(WireFault::new(page).method("stop"));
    let outcome = olvm.power_off(&cx, "a", Stop::Hard { limit: GRACE }).await.unwrap();
    assert_eq!(outcome.state, VMPowerState::PoweredOff);
}

#[tokio::test]
async fn a_logout_that_was_cut_is_made_up_for() {
    let (sim, olvm, cx) = engine(empty()).await;
    sim.inject(WireFault::new(WireAction::ResetBefore).method("logout"));
    let first = olvm.disconnect(&cx).await;
    let second = olvm.disconnect(&cx).await;
    assert_eq!(sim.sessions().len(), 0, "{first:?} {second:?}");
}

#[tokio::test]
async fn a_disconnect_without_time_leaves_the_logout_to_the_drop() {
    let (sim, olvm, cx) = engine(empty()).await;
    olvm.disconnect(&cx.limit(Duration::ZERO)).await.unwrap_err();
    drop(olvm);
    let gone = async {
        while !sim.sessions().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(3), gone).await.expect("the session is left open");
}

#[tokio::test]
async fn basic_authentication_gives_back_every_session_that_it_was_given() {
    let sim = Sim::builder().olvm().start().await.unwrap();
    let cx = Context::with_timeout(Duration::from_secs(30));
    let mut config = Config::new(sim.url(), "chaos@internal", "chaos".into());
    config.login = LoginMethod::Basic;
    let olvm = Olvm::connect(&cx, config).await.unwrap();
    sim.kill_sessions();
    olvm.discover(&cx, &Selector::all()).await.unwrap();
    olvm.disconnect(&cx).await.unwrap();
    assert_eq!(sim.sessions().len(), 0);
}

#[tokio::test]
async fn the_look_before_a_hard_stop_ends_with_the_limit_of_the_stop() {
    let hangs = Guest { on_shutdown: OnShutdown::Hangs, ..Guest::default() };
    let (sim, olvm, cx) = engine(empty().vm(VmSpec::new("a").guest(hangs))).await;
    let (target, _) = asked_alone(&olvm, &cx).await;
    let second = Duration::from_secs(1);
    let fault = Fault::power_off(Stop::GuestThenHard { grace: second, hard: second });
    let stall = async {
        called(&sim, "shutdown").await;
        sim.inject(WireFault::new(WireAction::Stall { after_effect: false }).method("vm").always());
    };
    let began = std::time::Instant::now();
    let cx = cx.limit(Duration::from_secs(8));
    let (ended, ()) = tokio::join!(olvm.apply(&cx, &target, &fault), stall);
    assert!(ended.is_err() && began.elapsed() < Duration::from_secs(4), "{:?} {ended:?}", began.elapsed());
}

#[tokio::test]
async fn an_engine_that_is_starting_is_not_taken_for_an_old_one() {
    let (sim, olvm, cx) = engine(empty().vm(VmSpec::new("a"))).await;
    sim.inject(WireFault::new(WireAction::Html { code: 404 }).method("reset"));
    let outcome = olvm.reboot(&cx, "a", Stop::Hard { limit: GRACE }).await;
    assert!(outcome.as_ref().err().is_none_or(|error| error.kind() != ErrorKind::Unsupported), "{outcome:?}");
}

#[tokio::test]
async fn a_restart_that_an_engine_logged_and_the_guest_ignored_is_none() {
    let deaf = Guest { on_reboot: OnReboot::Ignores, ..Guest::default() };
    let (_sim, olvm, cx) = engine(empty().vm(VmSpec::new("a").guest(deaf)).engine_version(EngineVersion::V43)).await;
    let ended = olvm.reboot(&cx, "a", Stop::GuestOnly { grace: Duration::from_secs(3) }).await;
    assert!(ended.is_err(), "{ended:?}");
}
