//! A clock for tests: it stands still until a test moves it, or moves by itself when everything waits.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chaos_core::{Clock, SharedClock};
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::time::Instant;

/// A clock whose time does not come from the machine. Clones share the same time.
///
/// It starts at 2026-01-01T00:00:00Z, so that records made with it are the same in every run.
///
/// ```
/// use std::time::Duration;
/// use chaos_core::Clock;
/// use chaos_testkit::TestClock;
///
/// let clock = TestClock::manual();
/// clock.advance(Duration::from_secs(90));
/// assert_eq!(clock.monotonic(), Duration::from_secs(90));
/// assert_eq!(clock.now().to_string(), "2026-01-01T00:01:30Z");
/// ```
#[derive(Clone)]
pub struct TestClock {
    start: Timestamp,
    time: Time,
}

#[derive(Clone)]
enum Time {
    Manual(Arc<Manual>),
    Tokio(Instant),
}

struct Manual {
    now: watch::Sender<Duration>,
    /// The points in time that are slept for, earliest first. Kept to answer [`TestClock::next_wake`].
    sleeps: Mutex<Vec<Duration>>,
}

impl TestClock {
    /// A clock that moves only by [`TestClock::advance`].
    #[must_use]
    pub fn manual() -> Self {
        let manual = Manual { now: watch::Sender::new(Duration::ZERO), sleeps: Mutex::default() };
        Self { start: start(), time: Time::Manual(Arc::new(manual)) }
    }

    /// A clock on tokio's paused time: whenever every task waits, it jumps to the next point that one waits for. Only
    /// for `#[tokio::test(start_paused = true)]`; elsewhere it runs at the machine's speed.
    #[must_use]
    pub fn auto() -> Self {
        Self { start: start(), time: Time::Tokio(Instant::now()) }
    }

    /// The same clock as a [`Context`](chaos_core::Context) takes it.
    #[must_use]
    pub fn shared(&self) -> SharedClock {
        Arc::new(self.clone())
    }

    /// Moves a manual clock on and wakes whoever waited for the time passed.
    ///
    /// # Panics
    /// On a clock that moves by itself.
    pub fn advance(&self, by: Duration) {
        self.as_manual().now.send_modify(|now| *now += by);
    }

    /// Waits until somebody sleeps on a manual clock, and tells until when the first of them does.
    ///
    /// # Panics
    /// On a clock that moves by itself.
    pub async fn next_wake(&self) -> Duration {
        let manual = self.as_manual();
        loop {
            let now = *manual.now.borrow();
            let first = manual.sleeps().iter().copied().filter(|at| *at > now).min();
            match first {
                Some(at) => return at,
                // Whoever is about to sleep has to run first; on a test's own runtime a yield lets it.
                None => tokio::task::yield_now().await,
            }
        }
    }

    fn as_manual(&self) -> &Manual {
        match &self.time {
            Time::Manual(manual) => manual,
            Time::Tokio(_) => panic!("this clock moves by itself: make it with TestClock::manual()"),
        }
    }
}

fn start() -> Timestamp {
    Timestamp::from_second(1_767_225_600).expect("2026 is within the range of timestamps")
}

impl Manual {
    fn sleeps(&self) -> std::sync::MutexGuard<'_, Vec<Duration>> {
        self.sleeps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A sleep that is under way; forgotten when it is dropped.
struct Sleeping(Arc<Manual>, Duration);

impl Sleeping {
    fn new(manual: Arc<Manual>, at: Duration) -> Self {
        manual.sleeps().push(at);
        Self(manual, at)
    }
}

impl Drop for Sleeping {
    fn drop(&mut self) {
        let mut sleeps = self.0.sleeps();
        if let Some(index) = sleeps.iter().position(|at| *at == self.1) {
            sleeps.swap_remove(index);
        }
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.monotonic()).unwrap_or(SignedDuration::MAX);
        self.start.checked_add(passed).unwrap_or(Timestamp::MAX)
    }

    fn monotonic(&self) -> Duration {
        match &self.time {
            Time::Manual(manual) => *manual.now.borrow(),
            Time::Tokio(origin) => origin.elapsed(),
        }
    }

    fn sleep_until(&self, at: Duration) -> BoxFuture<'static, ()> {
        match &self.time {
            Time::Manual(manual) => {
                let manual = Arc::clone(manual);
                Box::pin(async move {
                    let mut now = manual.now.subscribe();
                    let _sleeping = Sleeping::new(Arc::clone(&manual), at);
                    // The sender lives in `manual`, which this future holds: waiting cannot fail.
                    let _ = now.wait_for(|now| *now >= at).await;
                })
            }
            Time::Tokio(origin) => match origin.checked_add(at) {
                Some(instant) => Box::pin(tokio::time::sleep_until(instant)),
                None => Box::pin(std::future::pending()),
            },
        }
    }
}

impl fmt::Debug for TestClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.time {
            Time::Manual(_) => "manual",
            Time::Tokio(_) => "auto",
        };
        write!(f, "TestClock({kind}, {:?})", self.monotonic())
    }
}
