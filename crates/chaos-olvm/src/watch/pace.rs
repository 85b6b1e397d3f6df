//! When the next tick is due: soon while things change, later and later while nothing does.

use std::time::Duration;

/// The pace of the ticks, on one clock.
#[derive(Debug)]
pub(super) struct Pace {
    shortest: Duration,
    longest: Duration,
    /// From one tick to the next.
    interval: Duration,
    /// When the last tick began; none after a rest.
    last: Option<Duration>,
    /// Somebody waits who must not wait for long.
    hurried: bool,
}

impl Pace {
    pub(super) fn new(shortest: Duration, longest: Duration) -> Self {
        Self { shortest, longest: longest.max(shortest), interval: shortest, last: None, hurried: false }
    }

    /// Nobody waited for a while: the next tick is due at once.
    pub(super) fn rest(&mut self) {
        self.last = None;
        self.interval = self.shortest;
    }

    /// The next tick is due as soon as one may be.
    pub(super) fn hurry(&mut self) {
        self.hurried = true;
        self.interval = self.shortest;
    }

    /// When the next tick is due.
    pub(super) fn due(&self) -> Duration {
        let interval = if self.hurried { self.shortest } else { self.interval };
        self.last.map_or(Duration::ZERO, |last| last.saturating_add(interval))
    }

    pub(super) fn begin(&mut self, now: Duration) {
        self.last = Some(now);
        self.hurried = false;
    }

    /// The tick was answered.
    pub(super) fn heard(&mut self, changed: bool) {
        self.interval = if changed { self.shortest } else { self.longer() };
    }

    /// The tick was not answered: whoever hurries is not helped by asking faster.
    pub(super) fn failed(&mut self) {
        self.interval = self.longer();
        self.hurried = false;
    }

    fn longer(&self) -> Duration {
        (self.interval * 3 / 2).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn ticks_grow_apart_while_nothing_changes_and_come_back_when_something_does() {
        let mut pace = Pace::new(MS(500), MS(5000));
        assert_eq!(pace.due(), Duration::ZERO, "the first is due at once");
        let mut gaps = Vec::new();
        let mut now = MS(0);
        for changed in [true, false, false, false, false, false, false, false, true] {
            pace.begin(now);
            pace.heard(changed);
            gaps.push(pace.due().saturating_sub(now).as_millis());
            now = pace.due();
        }
        assert_eq!(gaps, [500, 750, 1125, 1687, 2531, 3796, 5000, 5000, 500]);
    }

    #[test]
    fn a_hurry_is_served_at_the_shortest_interval_and_no_sooner() {
        let mut pace = Pace::new(MS(500), MS(5000));
        pace.begin(MS(1000));
        pace.heard(false);
        assert_eq!(pace.due(), MS(1750));
        pace.hurry();
        assert_eq!(pace.due(), MS(1500));
    }

    #[test]
    fn a_server_that_does_not_answer_is_not_asked_faster_for_a_hurry() {
        let mut pace = Pace::new(MS(500), MS(5000));
        for _ in 0..20 {
            pace.begin(MS(0));
            pace.hurry();
            pace.failed();
        }
        assert_eq!(pace.due(), MS(750));
    }
}
