//! When to ask the server and when to change its lists: many small wishes become few requests. Pure arithmetic, no IO.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

/// The pause between the answer to a long poll and the next one, so that changes which come close together come in one answer.
pub(super) const PAUSE: Duration = Duration::from_millis(250);
/// How long a task may wait for the power calls that were under way when it came, so that they all get on the list together.
/// On the machine's own clock: it bounds what a slow connection does to others, not what a VM does.
const PATIENCE: Duration = Duration::from_secs(1);

/// Which power calls are under way, and whether the tasks that came of earlier ones should wait for them.
#[derive(Debug, Default)]
pub(super) struct Wave {
    next: u64,
    under_way: BTreeSet<u64>,
    /// Set by the first task that waits: the calls before this one are waited for, until that time.
    held: Option<(u64, Instant)>,
}

impl Wave {
    /// A power call leaves.
    pub(super) fn begin(&mut self) -> u64 {
        let call = self.next;
        self.next += 1;
        self.under_way.insert(call);
        call
    }

    /// It was answered, or given up.
    pub(super) fn end(&mut self, call: u64) {
        self.under_way.remove(&call);
    }

    /// Until when a task that wants to be on the list has to wait; `None` if its turn is now.
    pub(super) fn hold(&mut self, now: Instant) -> Option<Instant> {
        let (before, until) = *self.held.get_or_insert((self.next, now + PATIENCE));
        let waits = self.under_way.first().is_some_and(|call| *call < before) && now < until;
        if !waits {
            self.held = None;
        }
        waits.then_some(until)
    }
}

/// Counts the polls, to tell whether what is known is as fresh as somebody needs it.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    begun: u64,
    answered: u64,
    wanted: u64,
    in_flight: bool,
    /// A poll was answered, and they go on: whatever changes is heard of at once.
    live: bool,
}

impl Pulse {
    /// The number of the poll whose answer makes what is known fresh from now on.
    pub(super) fn fresh_at(&mut self) -> u64 {
        let poll = match (self.live, self.in_flight) {
            (true, _) => self.answered,
            (false, true) => self.begun,
            (false, false) => self.begun + 1,
        };
        self.wanted = self.wanted.max(poll);
        poll
    }

    /// A poll leaves. True if somebody needs its answer at once, changes or not.
    pub(super) fn begin(&mut self) -> bool {
        self.begun += 1;
        self.in_flight = true;
        self.wanted > self.answered
    }

    /// A poll was answered in full. Gives its number.
    pub(super) fn answer(&mut self) -> u64 {
        self.in_flight = false;
        self.live = true;
        self.answered = self.begun;
        self.answered
    }

    /// A poll failed, or no more will follow.
    pub(super) fn stop(&mut self) {
        self.in_flight = false;
        self.live = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tasks_of_a_wave_of_calls_are_listed_together() {
        let now = Instant::now();
        let mut wave = Wave::default();
        let (first, second) = (wave.begin(), wave.begin());
        wave.end(first);
        assert_eq!(wave.hold(now), Some(now + PATIENCE), "the second call is still under way");
        let later = wave.begin();
        wave.end(second);
        assert_eq!(wave.hold(now), None, "a call of the next wave is not waited for");
        wave.end(later);
        assert_eq!(wave.hold(now), None);
    }

    #[test]
    fn a_call_that_hangs_does_not_hold_up_the_others_for_long() {
        let now = Instant::now();
        let mut wave = Wave::default();
        let _hangs = wave.begin();
        assert_eq!(wave.hold(now), Some(now + PATIENCE));
        assert_eq!(wave.hold(now + PATIENCE), None);
    }

    #[test]
    fn an_idle_watch_is_fresh_after_one_short_poll_and_a_live_one_at_once() {
        let mut pulse = Pulse::default();
        assert_eq!(pulse.fresh_at(), 1);
        assert_eq!(pulse.fresh_at(), 1, "whoever comes meanwhile shares the poll");
        assert!(pulse.begin(), "its answer is needed at once");
        assert_eq!(pulse.fresh_at(), 1);
        assert_eq!(pulse.answer(), 1);
        assert_eq!(pulse.fresh_at(), 1, "already answered");
        assert!(!pulse.begin(), "a long poll");
        assert_eq!(pulse.fresh_at(), 1, "it would have answered if something had changed");
        pulse.stop();
        assert_eq!(pulse.fresh_at(), 3, "nobody listened in between");
    }
}
