//! Errors say what is wrong, where, and what to do next; a call that cannot begin sends nothing.

use std::time::Duration;

use chaos_core::{Context, Error, ErrorKind, Fault, PlatformExt, Selector};
use tokio_util::sync::CancellationToken;

use super::bench::{Bench, PLENTY, can, can_also, every_fault, hard, namesakes};
use super::harness::{Ability, Harness};
use crate::estate::{EstateSpec, VmKey, VmSpec};

pub async fn an_unknown_name_is_named(harness: &dyn Harness) {
    let Some(bench) = Bench::start(harness, &[], EstateSpec::of(["web-01"])).await else { return };
    let error = bench.platform.suspend(&bench.cx, "web-99").await.expect_err("unknown");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("web-99"), "{error}");
}

pub async fn an_ambiguous_name_lists_its_candidates(harness: &dyn Harness) {
    let needs = &[Ability::DuplicateNames, Ability::Places, Ability::CountCalls];
    if !can(harness, needs) {
        return;
    }
    let Some(bench) = Bench::start(harness, needs, namesakes(harness)).await else { return };
    let error = bench.platform.power_off(&bench.cx, "web", hard()).await.expect_err("several of them");
    assert_eq!(error.kind(), ErrorKind::Ambiguous);
    let mut candidates = error.candidates().to_vec();
    let mut paths = Vec::new();
    for vm in bench.spec.keys() {
        let path = bench.info(vm).await.path.expect("a path");
        let datacenter = &bench.spec.vms[vm.0].datacenter;
        assert!(path.contains(&format!("/{datacenter}/")) && path.ends_with("/web"), "{path}");
        assert!(error.to_string().contains(&path), "{error}");
        assert_eq!(bench.server.destructive_calls(vm).await, 0);
        paths.push(path);
    }
    candidates.sort();
    paths.sort();
    assert_eq!(candidates, paths);
}

pub async fn a_refusal_names_vm_operation_and_platform(harness: &dyn Harness) {
    let needs = &[Ability::CountCalls, Ability::Reboot];
    let Some((bench, vm)) = Bench::of_one(harness, needs, VmSpec::new("web-07").off()).await else { return };
    let error = bench.assert_refused(vm, &Fault::reboot(hard())).await;
    assert!(error.vm_name().is_some_and(|name| name.contains("web-07")), "{error:?}");
    assert_eq!(error.operation_name(), Some("reboot"));
    assert_eq!(error.platform_kind(), Some(&bench.platform.identity().kind));
    assert!(error.to_string().contains("web-07") && error.to_string().contains("powered_off"), "{error}");
}

/// Makes every call with a context that has ended, and sees that each gives `kind` and nothing reached the VM.
async fn assert_nothing_sent(harness: &dyn Harness, bench: &Bench, cx: &Context, kind: ErrorKind) {
    let vm = VmKey(0);
    let undo = bench.record(vm, &Fault::power_off(hard())).await;
    let (vm_ref, target) = (bench.vm_ref(vm).await, bench.target(vm).await);
    let platform = &bench.platform;
    let discovered = platform.discover(cx, &Selector::all()).await;
    assert_eq!(discovered.expect_err("discover").kind(), kind);
    assert_eq!(platform.get(cx, &[vm_ref]).await.remove(0).expect_err("get").kind(), kind);
    for fault in every_fault(harness) {
        let prepared = platform.prepare(cx, std::slice::from_ref(&target), &fault).await.remove(0);
        assert_eq!(prepared.expect_err("prepare").kind(), kind);
        assert_eq!(platform.apply(cx, &target, &fault).await.expect_err("apply").kind(), kind);
    }
    assert_eq!(platform.undo(cx, &undo).await.expect_err("undo").kind(), kind);
    assert_eq!(bench.server.destructive_calls(vm).await, 0);
}

pub async fn a_deadline_in_the_past_sends_nothing(harness: &dyn Harness) {
    let Some(bench) = Bench::start(harness, &[Ability::CountCalls], EstateSpec::of(["a"])).await else { return };
    assert_nothing_sent(harness, &bench, &bench.cx.limit(Duration::ZERO), ErrorKind::Timeout).await;
}

pub async fn a_cancelled_call_sends_nothing(harness: &dyn Harness) {
    let Some(bench) = Bench::start(harness, &[Ability::CountCalls], EstateSpec::of(["a"])).await else { return };
    let cancel = CancellationToken::new();
    cancel.cancel();
    assert_nothing_sent(harness, &bench, &bench.cx.clone().cancelled_by(cancel), ErrorKind::Cancelled).await;
}

pub async fn messages_are_one_line_that_fits_into_another(harness: &dyn Harness) {
    let duplicates = can_also(harness, &[Ability::DuplicateNames, Ability::Places]);
    let mut spec = if duplicates { namesakes(harness) } else { EstateSpec::new() };
    let off = spec.add(VmSpec::new("off").off());
    let Some(bench) = Bench::start(harness, &[], spec).await else { return };
    let mut foreign = bench.vm_ref(off).await;
    foreign.instance.push_str("-of-others");
    let past = Context::on_clock(harness.clock(), Duration::ZERO);
    let mut errors: Vec<Option<Error>> = vec![
        bench.platform.reboot(&bench.cx, "off", hard()).await.err(),
        bench.platform.suspend(&bench.cx, "nobody").await.err(),
        bench.platform.get(&bench.cx, &[foreign]).await.remove(0).err(),
        bench.platform.discover(&past, &Selector::all()).await.err(),
    ];
    if duplicates {
        errors.push(bench.platform.suspend(&bench.cx, "web").await.err());
    }
    if can_also(harness, &[Ability::Logins]) {
        let wrong = "not the password".into();
        errors.push(bench.server.connect(&Context::on_clock(harness.clock(), PLENTY), &wrong).await.err());
    }
    for error in errors {
        let message = error.expect("each of these fails").with_causes();
        assert!(!message.contains('\n'), "more than one line: {message:?}");
        assert!(!message.ends_with(['.', '!', ' ']), "does not fit into another: {message:?}");
        assert!(!message.is_empty());
    }
}
