//! The source in memory hands out one client a name, counts, and fails when told to.

use std::sync::Arc;
use std::time::Duration;

use chaos_core::{Connection, Context, ErrorKind, PlatformKind, PlatformSource};
use chaos_testkit::{EstateSpec, MemoryEstate, MemorySource, TestClock};

fn vsphere() -> (MemoryEstate, MemorySource, Context) {
    let clock = TestClock::manual();
    let estate = MemoryEstate::of_kind(PlatformKind::VSPHERE, &EstateSpec::of(["web-01"]), clock.shared());
    let source = MemorySource::of("prod", &estate);
    (estate, source, Context::on_clock(clock.shared(), Duration::from_mins(1)))
}

#[tokio::test]
async fn a_platform_is_opened_once_and_closed_with_the_source() {
    let (estate, source, cx) = vsphere();
    let first = source.open(&cx, "prod", &Connection::default()).await.unwrap();
    let again = source.open(&cx, "prod", &Connection::default()).await.unwrap();
    assert!(Arc::ptr_eq(&first, &again));
    assert_eq!((source.opened().len(), estate.open_sessions()), (2, 1));
    assert_eq!(first.identity().entry, "prod");

    source.close(&cx).await.unwrap();
    assert_eq!((source.closes(), estate.open_sessions()), (1, 0));
}

#[tokio::test]
async fn a_platform_is_found_by_its_kind_and_an_unknown_name_lists_the_known_ones() {
    let (_, source, cx) = vsphere();
    assert!(source.open(&cx, "vsphere", &Connection::default()).await.is_ok());
    let error = source.open(&cx, "staging", &Connection::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert_eq!(error.to_string(), "no platform is called `staging`; there are: prod");
}

#[tokio::test]
async fn the_next_request_fails_when_told_to_and_only_that_one() {
    let (estate, source, cx) = vsphere();
    source.fail_next_open(ErrorKind::Unavailable, "not today");
    let error = source.open(&cx, "prod", &Connection::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(estate.login_attempts(), 0);
    assert!(source.open(&cx, "prod", &Connection::default()).await.is_ok());
}
