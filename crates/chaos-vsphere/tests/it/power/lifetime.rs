//! Who waits may leave at any time: cancelled, dropped, disconnected, and many at once.

use std::sync::Arc;

use chaos_core::{ErrorKind, Fault, How, Platform, PlatformExt, ProgressStep, Retry, Stop};
use chaos_sim::{Guest, OnShutdown, Outcome, Power, Sim, VmSpec, WireAction, WireFault};
use tokio_util::sync::CancellationToken;

use super::{Bench, seconds, wait_for_step};

const LONG: Stop = Stop::GuestOnly { grace: std::time::Duration::from_mins(50) };

fn hangs(name: &str) -> VmSpec {
    VmSpec::new(name).on_shutdown(OnShutdown::Hangs)
}

fn pending_polls(sim: &Sim) -> usize {
    sim.calls_of("WaitForUpdatesEx").iter().filter(|call| call.outcome == Outcome::Pending).count()
}

#[tokio::test]
async fn a_cancelled_wait_ends_at_once_and_says_what_was_sent() {
    let mut bench = Bench::start(Sim::builder().vm(hangs("one"))).await;
    let target = bench.target("one").await;
    let cancel = CancellationToken::new();
    let Bench { sim: _, client, cx, steps } = &mut bench;
    let cx = cx.clone().cancelled_by(cancel.clone());
    let stop = async {
        wait_for_step(steps, |step| *step == ProgressStep::GuestAsked).await;
        cancel.cancel();
    };
    let fault = Fault::power_off(LONG);
    let (result, ()) = tokio::join!(client.apply(&cx, &target, &fault), stop);
    let error = result.unwrap_err();
    assert_eq!((error.kind(), error.retry_class()), (ErrorKind::Cancelled, Retry::Unsettled));
    assert!(error.to_string().contains("ShutdownGuest was sent and may still take effect"), "{error}");
}

#[tokio::test]
async fn a_wait_that_is_dropped_leaves_the_others_and_the_client_as_they_were() {
    let mut bench = Bench::start(Sim::builder().vm(hangs("one")).vm(VmSpec::new("two"))).await;
    let (one, two) = (bench.target("one").await, bench.target("two").await);
    let Bench { sim, client, cx, steps } = &mut bench;
    let fault = Fault::power_off(LONG);
    tokio::select! {
        result = client.apply(cx, &one, &fault) => panic!("{result:?}"),
        _ = wait_for_step(steps, |step| *step == ProgressStep::GuestAsked) => {}
    }
    assert_eq!(client.apply(cx, &two, &fault).await.unwrap().how, How::GuestShutdown);
    sim.world().set_guest("one", Guest::default()).unwrap();
    let hard = Fault::power_off(Stop::hard());
    assert_eq!(client.apply(cx, &one, &hard).await.unwrap().how, How::HardPowerOff);
    client.disconnect(cx).await.unwrap();
    assert_eq!((pending_polls(sim), sim.sessions().len()), (0, 0));
    assert_eq!(bench.calls("CreatePropertyCollector"), 1);
}

#[tokio::test]
async fn a_disconnect_ends_every_wait_and_the_long_poll() {
    let mut bench = Bench::start(Sim::builder().vm(hangs("one"))).await;
    let target = bench.target("one").await;
    let Bench { sim, client, cx, steps } = &mut bench;
    let leave = async {
        wait_for_step(steps, |step| *step == ProgressStep::GuestAsked).await;
        client.disconnect(cx).await.unwrap();
    };
    let fault = Fault::power_off(LONG);
    let (result, ()) = tokio::join!(client.apply(cx, &target, &fault), leave);
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!((pending_polls(sim), sim.sessions().len()), (0, 0));
    assert_eq!(bench.calls("DestroyPropertyCollector"), 1);
    let late = bench.client.apply(&bench.cx, &target, &fault).await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_server_that_does_not_take_the_collector_back_is_logged_out_of_all_the_same() {
    let bench = Bench::start(Sim::builder().vm(VmSpec::new("one"))).await;
    let target = bench.target("one").await;
    bench.client.apply(&bench.cx, &target, &Fault::suspend()).await.unwrap();
    bench.sim.inject(WireFault::new(WireAction::Stall { after_effect: false }).method("DestroyPropertyCollector"));
    bench.client.disconnect(&bench.cx.limit(seconds(10))).await.unwrap();
    assert_eq!(bench.sim.sessions().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_callers_share_one_collector_and_one_long_poll() {
    let bench = Bench::start(Sim::builder().vms(30)).await;
    let vms = bench.client.discover(&bench.cx, &chaos_core::Selector::all()).await.unwrap().vms;
    let client = Arc::new(bench.client);
    let callers: Vec<_> = vms
        .iter()
        .map(|vm| {
            let (client, cx, target) = (Arc::clone(&client), bench.cx.clone(), client.vm_ref(vm).into());
            tokio::spawn(async move { client.apply(&cx, &target, &Fault::suspend()).await })
        })
        .collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap().unwrap().how, How::Suspended);
    }
    assert!(bench.sim.world().vms().iter().all(|vm| vm.power == Power::Suspended));
    let calls = bench.sim.calls();
    let count = |method: &str| calls.iter().filter(|call| call.method == method).count();
    assert_eq!((count("CreatePropertyCollector"), count("CreateListView"), count("CreateFilter")), (1, 2, 2));
    let mut polls: Vec<_> = calls.iter().filter(|call| call.method == "WaitForUpdatesEx").collect();
    polls.sort_by_key(|call| call.number);
    for pair in polls.windows(2) {
        assert_ne!(pair[0].outcome, Outcome::Pending, "a second poll left while the first was in flight");
    }
}

#[tokio::test]
async fn a_deadline_that_passes_is_a_timeout_that_names_what_was_waited_for() {
    let bench = Bench::start(Sim::builder().vm(hangs("one"))).await;
    let target = bench.target("one").await;
    let cx = bench.cx.limit(seconds(8));
    let error = bench.client.apply(&cx, &target, &Fault::power_off(Stop::graceful())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.to_string().contains("waiting for the guest to shut down"), "{error}");
    assert_eq!(bench.power_calls(), ["ShutdownGuest"], "the whole call was over, so nothing hard follows");
}
