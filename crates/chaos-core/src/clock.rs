//! Time comes in from outside, so that a run can be repeated, rehearsed at speed and tested without waiting.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::time::Instant;

/// A source of time.
///
/// Deadlines are points on the monotonic scale of one clock; they mean nothing on another.
pub trait Clock: Debug + Send + Sync + 'static {
    /// The wall-clock time, for records that people read.
    fn now(&self) -> Timestamp;

    /// Time since an arbitrary fixed origin; never goes back.
    fn monotonic(&self) -> Duration;

    /// Resolves when [`Clock::monotonic`] has reached `at`.
    fn sleep_until(&self, at: Duration) -> BoxFuture<'static, ()>;
}

/// A clock that is shared by everything that takes part in one call.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's own clock. Under tokio's paused test time its monotonic side is paused too.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    /// A clock whose monotonic origin is now.
    #[must_use]
    pub fn new() -> Self {
        Self { origin: Instant::now() }
    }

    /// The same, ready to be given to a [`Context`](crate::Context).
    #[must_use]
    pub fn shared() -> SharedClock {
        Arc::new(Self::new())
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.origin.elapsed()
    }

    fn sleep_until(&self, at: Duration) -> BoxFuture<'static, ()> {
        // A deadline too far away to be represented is as good as none.
        match self.origin.checked_add(at) {
            Some(instant) => Box::pin(tokio::time::sleep_until(instant)),
            None => Box::pin(std::future::pending()),
        }
    }
}
