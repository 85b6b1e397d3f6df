//! Rehearsals: no settings, no other machine, and every VM that is asked for.

use std::time::{Duration, Instant};

use chaos_core::{Connection, Context, PlatformExt, PlatformSource, Selector, TargetPattern};
use chaos_orchestrator::RehearsalSource;

async fn source(targets: &[&str]) -> RehearsalSource {
    let targets: Vec<TargetPattern> = targets.iter().map(|text| text.parse().expect("a target")).collect();
    RehearsalSource::start(&targets).await.expect("it starts")
}

fn cx(source: &RehearsalSource) -> Context {
    Context::on_clock(source.clock(), Duration::from_mins(10))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_estate_is_there_without_any_settings() {
    let source = source(&[]).await;
    let cx = cx(&source);
    let platform = source.open(&cx, "vsphere", &Connection::default()).await.unwrap();
    let vms = platform.discover(&cx, &Selector::all()).await.unwrap().vms;
    let clusters: std::collections::BTreeSet<_> = vms.iter().filter_map(|vm| vm.cluster.as_deref()).collect();
    assert_eq!(clusters.len(), 2, "{clusters:?}");
    assert!(vms.iter().any(|vm| vm.name == "web-01") && vms.iter().any(|vm| vm.name == "database-01"));
    source.close(&cx).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_vm_that_is_named_is_there_once() {
    let targets =
        ["web-01", "erp-07", "app[1]", "path:/DC9/vm/shop/front/till-01", "path:/demo/vm/web/web-02", "app-?"];
    let source = source(&targets).await;
    let cx = cx(&source);
    let platform = source.open(&cx, "vsphere", &Connection::default()).await.unwrap();
    for name in ["web-01", "erp-07", "path:/DC9/vm/shop/front/till-01", "path:/demo/vm/web/web-02", "app-1"] {
        platform.find(&cx, name).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    source.close(&cx).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn connection_values_are_ignored() {
    let source = source(&[]).await;
    let mut elsewhere = Connection::default();
    elsewhere.endpoint = Some("vc.example.com".into());
    elsewhere.password = Some("secret".into());
    let cx = cx(&source);
    let platform = source.open(&cx, "vsphere", &elsewhere).await.unwrap();
    assert!(platform.find(&cx, "web-01").await.is_ok());
    source.close(&cx).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn simulated_time_passes_faster() {
    let source = source(&[]).await;
    let (cx, start) = (cx(&source), Instant::now());
    cx.pause("looking at the clock", Duration::from_secs(30)).await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    source.close(&cx).await.unwrap();
}
