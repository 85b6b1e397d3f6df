//! The password is in nothing that anybody could read.

use chaos_core::{Error, Fault, PlatformExt, Selector};

use super::bench::{Bench, SHORT, can_also, hard, offered};
use super::harness::{Ability, Harness, Outage};
use crate::estate::{EstateSpec, VmKey};
use crate::{CapturedLogs, find_secret};

/// Has characters that XML, JSON, URLs and Rust's `Debug` each escape in their own way.
const CANARY: &str = r#"cAnary<&"'>\ %/ü+7"#;

fn assert_clean(what: &str, text: &str) {
    if let Some(form) = find_secret(text, CANARY) {
        panic!("{what} holds the password, {form}: {text}");
    }
}

fn estate() -> EstateSpec {
    EstateSpec::of(["web-01"]).password(CANARY)
}

pub async fn the_password_is_in_no_log(harness: &dyn Harness) {
    let logs = CapturedLogs::start();
    let Some(bench) = Bench::start(harness, &[Ability::Logins], estate()).await else { return };
    bench.platform.discover(&bench.cx, &Selector::all()).await.expect("discovery");
    bench.platform.find(&bench.cx, "web-01").await.expect("can be found");
    for fault in offered(harness, [Fault::power_off(hard()), Fault::power_on()]) {
        bench.apply(VmKey(0), &fault).await.unwrap_or_else(|error| panic!("{fault:?}: {error:?}"));
        if can_also(harness, &[Ability::KillSessions]) {
            bench.server.kill_sessions().await;
        }
    }
    let longer = format!("{CANARY}, and more");
    assert!(bench.server.connect(&bench.cx, &longer.into()).await.is_err());
    bench.platform.disconnect(&bench.cx).await.expect("can log out");
    let text = logs.text();
    assert!(!text.is_empty(), "a platform that logs nothing at all proves nothing");
    assert_clean("the log", &text);
}

pub async fn the_password_is_in_no_debug_output_and_no_record(harness: &dyn Harness) {
    let Some(bench) = Bench::start(harness, &[Ability::Logins], estate()).await else { return };
    for fault in offered(harness, [Fault::power_off(hard())]) {
        let undo = bench.prepare(VmKey(0), &fault).await.expect("can be prepared");
        let outcome = bench.apply(VmKey(0), &fault).await.expect("can be applied");
        assert_clean("an undo record", &serde_json::to_string(&undo).expect("JSON"));
        assert_clean("an outcome", &serde_json::to_string(&outcome).expect("JSON"));
    }
    let vm = bench.info(VmKey(0)).await;
    for (what, text) in [
        ("the platform", format!("{:?} {:#?}", bench.platform, bench.platform)),
        ("its identity", format!("{:?}", bench.platform.identity())),
        ("its capabilities", format!("{:?}", bench.platform.capabilities())),
        ("the context", format!("{:?}", bench.cx)),
        ("a VM", format!("{vm:?}")),
    ] {
        assert_clean(what, &text);
    }
}

pub async fn the_password_is_in_no_error(harness: &dyn Harness) {
    let Some(bench) = Bench::start(harness, &[Ability::Logins], estate()).await else { return };
    let password = CANARY.into();
    let longer = format!("{CANARY}, and more").into();
    let mut errors: Vec<Option<Error>> = vec![
        bench.server.connect(&bench.cx, &longer).await.err(),
        bench.platform.find(&bench.cx, "nobody").await.err(),
    ];
    if can_also(harness, &[Ability::Outages]) {
        for outage in [Outage::Refuses, Outage::Stalls] {
            bench.server.set_outage(Some(outage)).await;
            let cx = bench.cx.limit(SHORT);
            errors.push(bench.server.connect(&cx, &password).await.err());
            errors.push(bench.platform.discover(&bench.cx.limit(SHORT), &Selector::all()).await.err());
        }
    }
    for error in errors {
        let error = error.expect("each of these fails");
        assert_clean("an error", &format!("{error} {error:?} {error:#?} {}", error.with_causes()));
    }
}
