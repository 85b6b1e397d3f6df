//! One session a client: opened once, renewed once when it dies, never after a refused login, and given back.

use std::sync::Arc;
use std::time::Duration;

use chaos_core::{ErrorKind, Fault, How, PlatformExt, Selector, VMPowerState};

use super::bench::{Bench, PLENTY, all_faults, can_also, graceful, hard};
use super::harness::{Ability, Harness};
use crate::estate::{EstateSpec, VmKey, VmSpec};

const COUNT: &[Ability] = &[Ability::CountSessions];
const COUNT_OFF: &[Ability] = &[Ability::CountSessions, Ability::PowerOff];
const KILL: &[Ability] = &[Ability::CountSessions, Ability::KillSessions, Ability::CountCalls];

pub async fn one_login_serves_all_calls(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, COUNT, VmSpec::new("a")).await else { return };
    bench.platform.discover(&bench.cx, &Selector::all()).await.expect("discovery");
    if can_also(harness, &[Ability::PowerOn, Ability::PowerOff]) {
        let undo = bench.prepare(vm, &Fault::power_off(hard())).await.expect("can be prepared");
        bench.apply(vm, &Fault::power_off(hard())).await.expect("can be applied");
        bench.platform.undo(&bench.cx, &undo).await.expect("can be undone");
    }
    bench.info(vm).await;
    assert_eq!((bench.server.login_attempts().await, bench.server.open_sessions().await), (1, 1));
}

pub async fn a_wrong_password_is_tried_once(harness: &dyn Harness) {
    let Some(bench) = Bench::start(harness, &[Ability::Logins, Ability::CountSessions], EstateSpec::new()).await else {
        return;
    };
    let (before, open) = (bench.server.login_attempts().await, bench.server.open_sessions().await);
    let error = bench.server.connect(&bench.cx, &"wrong".into()).await.expect_err("the password is wrong");
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error:?}");
    assert_eq!(bench.server.login_attempts().await, before + 1, "a second try can lock the account");
    assert_eq!(bench.server.open_sessions().await, open);
}

pub async fn a_session_that_died_between_calls_is_renewed_once(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, KILL, VmSpec::new("a")).await else { return };
    bench.platform.discover(&bench.cx, &Selector::all()).await.expect("discovery");
    bench.server.kill_sessions().await;
    let found = bench.platform.discover(&bench.cx, &Selector::all()).await.expect("discovery");
    assert_eq!((found.vms.len(), found.problems), (1, vec![]));
    assert_eq!(bench.server.login_attempts().await, 2);

    bench.server.kill_sessions().await;
    bench.info(vm).await;
    assert_eq!(bench.server.login_attempts().await, 3);

    if can_also(harness, &[Ability::PowerOff]) {
        bench.server.kill_sessions().await;
        bench.prepare(vm, &Fault::power_off(hard())).await.expect("can be prepared");
        assert_eq!(bench.server.login_attempts().await, 4);

        bench.server.kill_sessions().await;
        bench.assert_goes(vm, &Fault::power_off(hard()), How::HardPowerOff, VMPowerState::PoweredOff).await;
        assert_eq!(bench.server.login_attempts().await, 5);
        assert_eq!(bench.server.destructive_calls(vm).await, 1);
    }
    assert_eq!(bench.server.open_sessions().await, 1);
}

pub async fn a_session_that_dies_in_mid_wait_is_renewed_once(harness: &dyn Harness) {
    let needs = &[KILL, &[Ability::Guests, Ability::PowerOff]].concat();
    let vm = VmSpec::new("a").slow(Duration::from_millis(1500));
    let Some((bench, vm)) = Bench::of_one(harness, needs, vm).await else { return };
    let applied = bench.spawn_apply(&bench.cx, vm, Fault::power_off(graceful())).await;
    bench.until_called(vm).await;
    bench.server.kill_sessions().await;
    let outcome = applied.await.expect("no panic").expect("a new session, and the wait goes on");
    assert_eq!((outcome.how, outcome.state), (How::GuestShutdown, VMPowerState::PoweredOff));
    assert_eq!(bench.server.login_attempts().await, 2);
    assert_eq!(bench.server.destructive_calls(vm).await, 1);
}

pub async fn concurrent_calls_share_one_new_login(harness: &dyn Harness) {
    let spec = EstateSpec::many(12);
    let Some(bench) = Bench::start(harness, &[KILL, &[Ability::Places]].concat(), spec).await else { return };
    bench.server.kill_sessions().await;
    let mut calls = Vec::new();
    for vm in bench.spec.keys() {
        let (platform, cx, vm) = (Arc::clone(&bench.platform), bench.cx.clone(), bench.vm_ref(vm).await);
        calls.push(tokio::spawn(async move { platform.get(&cx, &[vm]).await.remove(0) }));
    }
    for (n, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await.expect("no panic").expect("a new session").name, format!("vm-{n:04}"));
    }
    assert_eq!((bench.server.login_attempts().await, bench.server.open_sessions().await), (2, 1));
}

pub async fn disconnect_leaves_no_session_open(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, COUNT_OFF, VmSpec::new("a")).await else { return };
    bench.apply(vm, &Fault::power_off(hard())).await.expect("can be applied");
    assert_eq!(bench.server.open_sessions().await, 1);
    bench.platform.disconnect(&bench.cx).await.expect("can log out");
    assert_eq!(bench.server.open_sessions().await, 0);
}

pub async fn disconnect_is_repeatable_and_survives_a_dead_session(harness: &dyn Harness) {
    let Some(bench) = Bench::start(harness, KILL, EstateSpec::new()).await else { return };
    bench.server.kill_sessions().await;
    bench.platform.disconnect(&bench.cx).await.expect("there is nothing left to log out from");
    bench.platform.disconnect(&bench.cx).await.expect("still so");
    assert_eq!((bench.server.login_attempts().await, bench.server.open_sessions().await), (1, 0));
}

pub async fn a_disconnected_client_stays_out(harness: &dyn Harness) {
    let Some((bench, vm)) = Bench::of_one(harness, &[Ability::CountCalls], VmSpec::new("a")).await else { return };
    let (vm_ref, undo) = (bench.vm_ref(vm).await, bench.record(vm, &Fault::suspend()).await);
    let target = vm_ref.clone().into();
    bench.platform.disconnect(&bench.cx).await.expect("can log out");
    assert!(bench.platform.discover(&bench.cx, &Selector::all()).await.is_err(), "discover");
    assert!(bench.platform.get(&bench.cx, &[vm_ref]).await.remove(0).is_err(), "get");
    for fault in all_faults() {
        let prepared = bench.platform.prepare(&bench.cx, std::slice::from_ref(&target), &fault).await.remove(0);
        assert!(prepared.is_err(), "prepare {fault:?}");
        assert!(bench.platform.apply(&bench.cx, &target, &fault).await.is_err(), "apply {fault:?}");
    }
    assert!(bench.platform.undo(&bench.cx, &undo).await.is_err(), "undo");
    assert_eq!(bench.server.destructive_calls(vm).await, 0);
    if can_also(harness, COUNT) {
        assert_eq!((bench.server.login_attempts().await, bench.server.open_sessions().await), (1, 0));
    }
}

pub async fn clients_do_not_share_their_sessions(harness: &dyn Harness) {
    let Some(bench) = Bench::start(harness, COUNT, EstateSpec::of(["a"])).await else { return };
    let second = bench.second_client().await;
    assert_eq!(bench.server.open_sessions().await, 2);
    second.disconnect(&bench.cx).await.expect("can log out");
    assert_eq!(bench.server.open_sessions().await, 1);
    let limited = bench.cx.limit(PLENTY);
    assert!(bench.platform.find(&limited, "a").await.is_ok());
    assert_eq!(bench.info(VmKey(0)).await.name, "a");
    assert_eq!(bench.server.login_attempts().await, 2);
}
