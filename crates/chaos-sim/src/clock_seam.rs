//! The world's clock as the clock of whoever works against the world.

use std::time::Duration;

use chaos_core::Clock;
use futures_util::future::BoxFuture;
use jiff::Timestamp;

use crate::world::SimClock;

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        Self::now(self)
    }

    fn monotonic(&self) -> Duration {
        self.elapsed()
    }

    fn sleep_until(&self, at: Duration) -> BoxFuture<'static, ()> {
        let clock = self.clone();
        Box::pin(async move { Self::sleep_until(&clock, at).await })
    }
}
