//! The world's own clock: it can run at any speed, stand still, and jump.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

/// The time of one simulated world. Clones share the same time.
///
/// At speed 1 it runs as the wall clock does; at speed 20 a guest that needs 20 seconds to boot is up after one.
#[derive(Clone, Debug)]
pub struct SimClock {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    start: Timestamp,
    dial: Mutex<Dial>,
    turned: watch::Sender<u64>,
}

/// How virtual time follows from real time.
#[derive(Debug, Clone, Copy)]
struct Dial {
    real: Instant,
    elapsed: Duration,
    speed: f64,
    paused: bool,
}

impl Dial {
    fn elapsed(&self, now: Instant) -> Duration {
        if self.paused {
            return self.elapsed;
        }
        self.elapsed.saturating_add(scale(now.saturating_duration_since(self.real), self.speed))
    }
}

fn scale(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

impl SimClock {
    /// A running clock at speed 1 that shows `start` now.
    #[must_use]
    pub fn starting_at(start: Timestamp) -> Self {
        Self::with(start, 1.0, false)
    }

    /// A clock that shows `start` now.
    pub(crate) fn with(start: Timestamp, speed: f64, paused: bool) -> Self {
        let speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
        let dial = Dial { real: Instant::now(), elapsed: Duration::ZERO, speed, paused };
        let (turned, _) = watch::channel(0);
        Self { shared: Arc::new(Shared { start, dial: Mutex::new(dial), turned }) }
    }

    /// The world's present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.at(self.elapsed())
    }

    /// World time since the world began.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.dial().elapsed(Instant::now())
    }

    /// How many world seconds pass in a real second, unless paused.
    #[must_use]
    pub fn speed(&self) -> f64 {
        self.dial().speed
    }

    /// Whether the world stands still.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.dial().paused
    }

    /// Lets time run `speed` times as fast as real time. Values that are not above zero are taken as a pause.
    pub fn set_speed(&self, speed: f64) {
        self.turn(|dial| {
            if speed.is_finite() && speed > 0.0 {
                dial.speed = speed;
            } else {
                dial.paused = true;
            }
        });
    }

    /// Stops time.
    pub fn pause(&self) {
        self.turn(|dial| dial.paused = true);
    }

    /// Lets time run on.
    pub fn resume(&self) {
        self.turn(|dial| dial.paused = false);
    }

    /// Moves time forward by `duration` at once, paused or not.
    pub fn step(&self, duration: Duration) {
        self.turn(|dial| dial.elapsed = dial.elapsed.saturating_add(duration));
    }

    /// Returns as soon as the clock stands still.
    pub(crate) async fn until_paused(&self) {
        let mut turned = self.shared.turned.subscribe();
        while !self.is_paused() {
            // The sender lives as long as the clock.
            let _ = turned.changed().await;
        }
    }

    /// Returns after `duration` of world time.
    pub async fn sleep(&self, duration: Duration) {
        self.sleep_until(self.elapsed().saturating_add(duration)).await;
    }

    /// Returns when `elapsed` of world time have passed since the world began.
    pub async fn sleep_until(&self, elapsed: Duration) {
        let mut turned = self.shared.turned.subscribe();
        loop {
            turned.mark_unchanged();
            let dial = self.dial();
            let Some(left) = elapsed.checked_sub(dial.elapsed(Instant::now())).filter(|left| !left.is_zero()) else {
                return;
            };
            if dial.paused {
                // The sender lives in `self`, so this cannot fail while we wait.
                let _ = turned.changed().await;
                continue;
            }
            // A little more than computed, so that rounding never makes a busy loop.
            let real = scale(left, 1.0 / dial.speed).saturating_add(Duration::from_micros(50));
            tokio::select! {
                () = tokio::time::sleep(real.min(Duration::from_hours(1))) => {}
                _ = turned.changed() => {}
            }
        }
    }

    /// The moment at which `elapsed` of world time have passed.
    pub(crate) fn at(&self, elapsed: Duration) -> Timestamp {
        self.shared.start.saturating_add(elapsed).unwrap_or(Timestamp::MAX)
    }

    fn dial(&self) -> Dial {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, Dial> {
        self.shared.dial.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self, change: impl FnOnce(&mut Dial)) {
        {
            let mut dial = self.lock();
            let now = Instant::now();
            dial.elapsed = dial.elapsed(now);
            dial.real = now;
            change(&mut dial);
        }
        self.shared.turned.send_modify(|count| *count += 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn speed_pause_and_step_shape_time() {
        let clock = SimClock::starting_at(Timestamp::UNIX_EPOCH);
        clock.set_speed(10.0);
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(clock.elapsed().as_secs(), 30);
        clock.pause();
        tokio::time::advance(Duration::from_mins(1)).await;
        assert_eq!(clock.elapsed().as_secs(), 30);
        clock.step(Duration::from_secs(5));
        assert_eq!(clock.now(), Timestamp::from_second(35).unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn a_sleeper_wakes_when_time_is_stepped_past_its_moment() {
        let clock = SimClock::starting_at(Timestamp::UNIX_EPOCH);
        clock.pause();
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_mins(10)).await }
        });
        tokio::task::yield_now().await;
        clock.step(Duration::from_secs(599));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.step(Duration::from_secs(1));
        sleeper.await.unwrap();
    }
}
