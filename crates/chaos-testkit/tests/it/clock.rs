//! The test clock stands still, is moved, and moves by itself.

use std::time::Duration;

use chaos_core::{Clock, Context, ErrorKind};
use chaos_testkit::TestClock;

#[tokio::test]
async fn a_manual_clock_wakes_exactly_those_whose_time_has_come() {
    let clock = TestClock::manual();
    let early = tokio::spawn(clock.sleep_until(Duration::from_secs(5)));
    let late = tokio::spawn(clock.sleep_until(Duration::from_secs(50)));
    assert_eq!(clock.next_wake().await, Duration::from_secs(5));

    clock.advance(Duration::from_secs(10));
    early.await.unwrap();
    assert!(!late.is_finished());
    assert_eq!(clock.next_wake().await, Duration::from_secs(50));

    clock.advance(Duration::from_secs(40));
    late.await.unwrap();
}

#[tokio::test]
async fn a_dropped_sleep_is_no_longer_waited_for() {
    let clock = TestClock::manual();
    let dropped = tokio::spawn(clock.sleep_until(Duration::from_secs(1)));
    assert_eq!(clock.next_wake().await, Duration::from_secs(1));
    dropped.abort();
    assert!(dropped.await.unwrap_err().is_cancelled());
    let kept = tokio::spawn(clock.sleep_until(Duration::from_secs(9)));
    assert_eq!(clock.next_wake().await, Duration::from_secs(9));
    kept.abort();
}

#[tokio::test(start_paused = true)]
async fn an_auto_clock_jumps_an_hour_in_no_time() {
    let started = std::time::Instant::now();
    let clock = TestClock::auto();
    let cx = Context::on_clock(clock.shared(), Duration::from_hours(1));
    let error = cx.bounded("waiting for nothing", std::future::pending::<()>()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(clock.monotonic().as_secs(), 3600);
    assert_eq!(clock.now().to_string()[..16], *"2026-01-01T01:00");
    assert!(started.elapsed() < Duration::from_mins(1));
}

#[test]
fn a_time_beyond_all_calendars_is_the_last_one() {
    let clock = TestClock::manual();
    clock.advance(Duration::MAX);
    assert_eq!(clock.now(), jiff::Timestamp::MAX);
}
