//! Broken connections and dead sessions: no power call is ever made twice, and what happened is read, not guessed.

use chaos_core::{Error, ErrorKind, Fault, How, Outcome, Platform, PlatformExt, ProgressStep, Retry, Stop};
use chaos_sim::{Guest, Power, Sim, VmSpec, WireAction, WireFault};

use super::{Bench, seconds, wait_for_step};

const QUICK: Stop = Stop::Hard { limit: std::time::Duration::from_secs(15) };

fn before_the_effect() -> Vec<WireAction> {
    vec![
        WireAction::Status { code: 503, retry_after: Some(1), after_effect: false },
        WireAction::Status { code: 502, retry_after: None, after_effect: false },
        WireAction::Html { code: 200 },
        WireAction::Html { code: 500 },
        WireAction::ResetBefore,
    ]
}

fn after_the_effect() -> Vec<WireAction> {
    vec![
        WireAction::Status { code: 503, retry_after: None, after_effect: true },
        WireAction::CutBody,
        WireAction::ResetAfter,
    ]
}

async fn power_off(action: &WireAction, method: &str, stop: Stop) -> (Bench, Result<Outcome, Error>) {
    let bench = Bench::start(Sim::builder().vm(VmSpec::new("one"))).await;
    let target = bench.target("one").await;
    bench.sim.inject(WireFault::new(action.clone()).method(method));
    let result = bench.client.apply(&bench.cx, &target, &Fault::power_off(stop)).await;
    (bench, result)
}

#[tokio::test]
async fn a_call_that_broke_before_its_effect_is_an_error_and_is_not_made_again() {
    for action in before_the_effect() {
        let (bench, result) = power_off(&action, "PowerOffVM_Task", QUICK).await;
        let error = result.unwrap_err();
        assert_eq!(error.retry_class(), Retry::Unsettled, "{action:?}: {error}");
        assert!(error.to_string().contains("was not sent again"), "{action:?}: {error}");
        assert_eq!(bench.power_calls(), ["PowerOffVM_Task"], "{action:?}");
        assert_eq!(bench.power("one"), Power::On);
    }
}

#[tokio::test]
async fn a_call_that_broke_after_its_effect_is_a_success_that_was_read() {
    for action in after_the_effect() {
        let (bench, result) = power_off(&action, "PowerOffVM_Task", QUICK).await;
        let outcome = result.unwrap();
        assert_eq!(outcome.how, How::HardPowerOff, "{action:?}");
        assert!(outcome.note.unwrap().contains("was read from the VM's state"));
        assert_eq!(bench.power_calls(), ["PowerOffVM_Task"], "{action:?}");
        assert_eq!(bench.power("one"), Power::Off);
    }
}

#[tokio::test]
async fn a_broken_question_to_the_guest_is_not_asked_again_and_its_time_runs() {
    let graceful = Stop::GuestThenHard { grace: seconds(10), hard: seconds(60) };
    for action in after_the_effect() {
        let (bench, result) = power_off(&action, "ShutdownGuest", graceful).await;
        assert_eq!(result.unwrap().how, How::GuestShutdown, "{action:?}");
        assert_eq!(bench.power_calls(), ["ShutdownGuest"]);
    }
    for action in before_the_effect() {
        let (bench, result) = power_off(&action, "ShutdownGuest", graceful).await;
        assert_eq!(result.unwrap().how, How::HardAfterGuestTimeout, "{action:?}");
        assert_eq!(bench.power_calls(), ["ShutdownGuest", "PowerOffVM_Task"]);
    }
}

#[tokio::test]
async fn a_reset_whose_answer_was_lost_is_seen_by_its_guest_going_down() {
    for (action, done) in [(WireAction::ResetAfter, true), (WireAction::ResetBefore, false)] {
        let bench = Bench::start(Sim::builder().vm(VmSpec::new("one"))).await;
        let target = bench.target("one").await;
        bench.sim.inject(WireFault::new(action).method("ResetVM_Task"));
        let result = bench.client.apply(&bench.cx, &target, &Fault::reboot(QUICK)).await;
        match result {
            Ok(outcome) => assert!(done && outcome.how == How::Reset),
            Err(error) => assert!(!done && error.retry_class() == Retry::Unsettled, "{error}"),
        }
        assert_eq!(bench.power_calls(), ["ResetVM_Task"]);
    }
}

#[tokio::test]
async fn a_session_that_ended_before_the_call_is_renewed_once() {
    let bench = Bench::start(Sim::builder().vm(VmSpec::new("one"))).await;
    let target = bench.target("one").await;
    assert_eq!(bench.sim.kill_sessions(), 1);
    let outcome = bench.client.apply(&bench.cx, &target, &Fault::power_off(Stop::hard())).await.unwrap();
    assert_eq!(outcome.how, How::HardPowerOff);
    assert_eq!(bench.calls("Login"), 2, "one to connect and one more");
    assert_eq!(bench.sim.sessions().len(), 1);
}

#[tokio::test]
async fn a_session_that_ended_with_the_call_is_renewed_and_the_same_call_made_once_more() {
    let (bench, result) = power_off(&WireAction::KillSession, "PowerOffVM_Task", QUICK).await;
    assert_eq!(result.unwrap().how, How::HardPowerOff);
    assert_eq!(bench.calls("Login"), 2);
    // The first was refused by a server that did not know the session: it was not executed.
    assert_eq!(bench.power_calls(), ["PowerOffVM_Task"; 2]);
    assert_eq!(bench.sim.world().vm("one").unwrap().operations, 1);
}

#[tokio::test]
async fn a_session_that_ends_in_mid_wait_is_renewed_once_and_the_wait_goes_on() {
    let slow = Guest { shutdown: Some(seconds(40)), ..Guest::default() };
    let mut bench = Bench::start(Sim::builder().vm(VmSpec::new("one").guest(slow))).await;
    let target = bench.target("one").await;
    let Bench { sim, client, cx, steps } = &mut bench;
    let kill = async {
        wait_for_step(steps, |step| *step == ProgressStep::GuestAsked).await;
        assert_eq!(sim.kill_sessions(), 1);
    };
    let fault = Fault::power_off(Stop::GuestOnly { grace: seconds(300) });
    let (result, ()) = tokio::join!(client.apply(cx, &target, &fault), kill);
    assert_eq!(result.unwrap().how, How::GuestShutdown);
    assert_eq!(bench.calls("Login"), 2);
    assert_eq!(bench.power_calls(), ["ShutdownGuest"]);
}

#[tokio::test]
async fn a_login_that_is_refused_ends_the_wait_at_once() {
    let slow = Guest { shutdown: Some(seconds(3000)), ..Guest::default() };
    let mut bench = Bench::start(Sim::builder().vm(VmSpec::new("one").guest(slow))).await;
    let target = bench.target("one").await;
    let refusal = WireAction::Status { code: 401, retry_after: None, after_effect: false };
    bench.sim.inject(WireFault::new(refusal).method("Login").always());
    let Bench { sim, client, cx, steps } = &mut bench;
    let kill = async {
        wait_for_step(steps, |step| *step == ProgressStep::GuestAsked).await;
        sim.kill_sessions();
    };
    let fault = Fault::power_off(Stop::GuestOnly { grace: seconds(3000) });
    let (result, ()) = tokio::join!(client.apply(cx, &target, &fault), kill);
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Unauthenticated);
    assert_eq!(bench.calls("Login"), 2, "a refused login is not tried again");
}

#[tokio::test]
async fn whatever_breaks_while_waiting_the_operation_succeeds() {
    let methods = ["WaitForUpdatesEx", "ModifyListView", "CreateFilter", "CreatePropertyCollector", "CreateListView"];
    let mut actions = before_the_effect();
    actions.extend(after_the_effect());
    actions.push(WireAction::KillSession);
    for method in methods {
        for action in &actions {
            for nth in [1, 2] {
                let bench = Bench::start(Sim::builder().vm(VmSpec::new("one"))).await;
                let target = bench.target("one").await;
                bench.sim.inject(WireFault::new(action.clone()).method(method).nth(nth));
                let result = bench.client.apply(&bench.cx, &target, &Fault::power_off(Stop::hard())).await;
                assert!(result.is_ok(), "{method} {nth} {action:?}: {result:?}");
                assert_eq!(bench.power_calls(), ["PowerOffVM_Task"], "{method} {nth} {action:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_long_poll_that_is_never_answered_is_given_up() {
    let bench = Bench::start(Sim::builder().vm(VmSpec::new("one"))).await;
    let target = bench.target("one").await;
    bench.sim.inject(WireFault::new(WireAction::Stall { after_effect: false }).method("WaitForUpdatesEx").nth(2));
    let fault = Fault::power_off(Stop::Hard { limit: seconds(300) });
    assert_eq!(bench.client.apply(&bench.cx, &target, &fault).await.unwrap().how, How::HardPowerOff);
}

#[tokio::test]
async fn a_server_that_cannot_be_asked_is_named_when_the_time_is_over() {
    let bench = Bench::start(Sim::builder().vm(VmSpec::new("one"))).await;
    let target = bench.target("one").await;
    let down = WireAction::Status { code: 503, retry_after: None, after_effect: false };
    bench.sim.inject(WireFault::new(down).method("WaitForUpdatesEx").always());
    let cx = bench.cx.limit(seconds(20));
    let error = bench.client.apply(&cx, &target, &Fault::power_off(Stop::hard())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.to_string().contains("503"), "{error}");
    assert_eq!(bench.power_calls(), [""; 0]);
    bench.sim.clear_faults();
    bench.client.power_off(&bench.cx, "one", Stop::hard()).await.unwrap();
}
