//! When to ask the server and when to change its lists: many small wishes become few requests. Pure arithmetic, no IO.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

/// The pause between the answer to a long poll and the next one, so that changes which come close together come in one answer.
pub(super) const PAUSE: Duration = Duration::from_millis(250);
/// The pause where somebody waits to be told how things are now.
pub(super) const SHORT_PAUSE: Duration = Duration::from_millis(50);
/// How long the first task of a wave waits for calls that are about to leave. Far shorter than [`PAUSE`], so that nothing is
/// heard later for it.
const ASSEMBLE: Duration = Duration::from_millis(50);
/// How long a task may wait for company while others are still followed to their end: those that end free places in the batch,
/// and what takes the places goes on the list together. Longer than [`PAUSE`], so that one more poll can tell of them.
const GATHER: Duration = Duration::from_millis(500);
/// How long a task may wait for the power calls of its wave that are not answered yet.
/// All three are on the machine's own clock: they bound what a slow connection does to others, not what a VM does.
const PATIENCE: Duration = Duration::from_secs(1);

/// Which power calls are under way, and whether the tasks that came of earlier ones should wait for them.
#[derive(Debug, Default)]
pub(super) struct Wave {
    next: u64,
    under_way: BTreeSet<u64>,
    /// Set by the first task that waits: the calls before this one are of its wave, which is held since then.
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

    /// Until when a task that wants to be on the list has to wait; `None` if its turn is now. `company` says whether other
    /// tasks are on the list and have not ended.
    pub(super) fn hold(&mut self, now: Instant, company: bool) -> Option<Instant> {
        let (before, since) = self.held.get_or_insert((self.next, now));
        let gathered = *since + if company { GATHER } else { ASSEMBLE };
        if now < gathered {
            *before = self.next;
            return Some(gathered);
        }
        let patient = *since + PATIENCE;
        if now < patient && self.under_way.first().is_some_and(|call| call < before) {
            return Some(patient);
        }
        self.held = None;
        None
    }
}

/// Counts the polls, to tell whether what is known is as fresh as somebody needs it.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    begun: u64,
    answered: u64,
    wanted: u64,
    in_flight: bool,
    /// The poll before was answered in full: the one in flight waits for whatever comes after that.
    caught_up: bool,
}

/// When what is known is fresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fresh {
    /// As soon as the poll of this number is answered.
    pub(super) at: u64,
    /// That poll left before it was asked for: a change of the last instant may still be on its way to us.
    pub(super) nearly: bool,
}

impl Pulse {
    /// When what is known is fresh for somebody who asks now.
    pub(super) fn fresh(&mut self) -> Fresh {
        let fresh = match (self.in_flight, self.caught_up) {
            // It would have been answered if something had changed.
            (true, true) => Fresh { at: self.answered, nearly: true },
            (true, false) => Fresh { at: self.begun, nearly: true },
            (false, _) => Fresh { at: self.begun + 1, nearly: false },
        };
        self.wanted = self.wanted.max(fresh.at);
        fresh
    }

    /// Whether somebody waits for the answer to the next poll, or the one in flight.
    pub(super) fn is_urgent(&self) -> bool {
        self.wanted > self.answered
    }

    /// A poll leaves. True if its answer is needed at once, changes or not.
    pub(super) fn begin(&mut self) -> bool {
        self.begun += 1;
        self.in_flight = true;
        self.is_urgent()
    }

    /// A poll was answered; `in_full` unless more is to come at once. Gives the number of the last one that was answered in full.
    pub(super) fn answer(&mut self, in_full: bool) -> u64 {
        self.in_flight = false;
        self.caught_up = in_full;
        if in_full {
            self.answered = self.begun;
        }
        self.answered
    }

    /// A poll failed, or no more will follow.
    pub(super) fn stop(&mut self) {
        self.in_flight = false;
        self.caught_up = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tasks_of_a_wave_of_calls_are_listed_together() {
        let now = Instant::now();
        let mut wave = Wave::default();
        let first = wave.begin();
        wave.end(first);
        assert_eq!(wave.hold(now, false), Some(now + ASSEMBLE), "others of the wave may be about to leave");
        let second = wave.begin();
        assert_eq!(wave.hold(now + ASSEMBLE / 2, false), Some(now + ASSEMBLE));
        assert_eq!(wave.hold(now + ASSEMBLE, false), Some(now + PATIENCE), "the second call is still under way");
        let later = wave.begin();
        wave.end(second);
        assert_eq!(wave.hold(now + ASSEMBLE, false), None, "a call of the next wave is not waited for");
        wave.end(later);
    }

    #[test]
    fn places_that_become_free_one_by_one_are_listed_together() {
        let now = Instant::now();
        let mut wave = Wave::default();
        assert_eq!(wave.hold(now, true), Some(now + GATHER), "others have not ended yet");
        let late = wave.begin();
        assert_eq!(wave.hold(now + PAUSE, true), Some(now + GATHER));
        assert_eq!(wave.hold(now + PAUSE, false), Some(now + PATIENCE), "they have, and one more call is under way");
        wave.end(late);
        assert_eq!(wave.hold(now + PAUSE, false), None);
        assert_eq!(wave.hold(now, true), Some(now + GATHER));
        assert_eq!(wave.hold(now + GATHER, true), None, "others may take long");
    }

    #[test]
    fn a_call_that_hangs_does_not_hold_up_the_others_for_long() {
        let now = Instant::now();
        let mut wave = Wave::default();
        let _hangs = wave.begin();
        assert_eq!(wave.hold(now, false), Some(now + ASSEMBLE));
        assert_eq!(wave.hold(now + ASSEMBLE, false), Some(now + PATIENCE));
        assert_eq!(wave.hold(now + PATIENCE, false), None);
    }

    #[test]
    fn an_idle_watch_is_fresh_after_one_short_poll_that_all_share() {
        let mut pulse = Pulse::default();
        assert_eq!(pulse.fresh(), Fresh { at: 1, nearly: false });
        assert_eq!(pulse.fresh(), Fresh { at: 1, nearly: false });
        assert!(pulse.begin(), "its answer is needed at once");
        assert_eq!(pulse.fresh(), Fresh { at: 1, nearly: true });
        assert_eq!(pulse.answer(true), 1);
        assert_eq!(pulse.fresh(), Fresh { at: 2, nearly: false }, "something may have changed since");
    }

    #[test]
    fn a_long_poll_in_flight_would_have_been_answered_if_something_had_changed() {
        let mut pulse = Pulse::default();
        pulse.begin();
        pulse.answer(true);
        assert!(!pulse.begin(), "a long poll");
        assert_eq!(pulse.fresh(), Fresh { at: 1, nearly: true });
        pulse.answer(false);
        assert_eq!(pulse.fresh(), Fresh { at: 3, nearly: false }, "more was to come");
        pulse.stop();
        assert_eq!(pulse.fresh(), Fresh { at: 3, nearly: false });
    }
}
