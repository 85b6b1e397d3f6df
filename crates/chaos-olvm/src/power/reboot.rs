//! When is a guest's restart over? A pure state machine: it is over when the VM was seen leaving `up` and coming back to it.
//!
//! The engine answers a reboot at once, and a guest that has not begun yet looks exactly like one that is up again. Neither the
//! start time nor the statistics of a VM change when its guest restarts within the same process. So nothing counts as "up"
//! before a sign of "down" (API reference, service `vm`, method `reboot`).

use jiff::Timestamp;

use super::run::was_started;
use crate::api::status::Status;
use crate::api::vm::Vm;

/// How far a restart is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// The guest was asked and shows no reaction.
    Asked,
    /// The VM was seen on its way.
    Down,
    /// It was seen `up` after that.
    Up,
}

/// Follows one restart.
#[derive(Debug)]
pub(super) struct Restart {
    start_time: Option<Timestamp>,
    phase: Phase,
}

impl Restart {
    /// Begins with what the VM was like just before its guest was asked.
    pub(super) fn asked(before: &Vm) -> Self {
        Self { start_time: before.start_time, phase: Phase::Asked }
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    /// Takes the next look at the VM into account and says how far the restart is now.
    pub(super) fn observe(&mut self, now: &Vm) -> Phase {
        // With a changed configuration the engine restarts the VM's process: that may happen between two looks.
        if self.phase == Phase::Asked && (is_restarting(&now.status) || was_started(self.start_time, now)) {
            self.phase = Phase::Down;
        }
        if self.phase == Phase::Down && now.status == Status::Up {
            self.phase = Phase::Up;
        }
        self.phase
    }
}

/// Whether a state is one that a restart leads through. A VM leaves `up` for other reasons too: it is migrated, it is paused
/// for want of storage, its host does not answer.
fn is_restarting(status: &Status) -> bool {
    match status {
        Status::RebootInProgress | Status::PoweringDown | Status::Down | Status::WaitForLaunch | Status::PoweringUp => {
            true
        }
        Status::Up
        | Status::Migrating
        | Status::Paused
        | Status::SavingState
        | Status::Suspended
        | Status::RestoringState
        | Status::ImageLocked
        | Status::NotResponding
        | Status::Unknown
        | Status::Unassigned
        | Status::Absent
        | Status::Other(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn vm(word: &str, started: i64) -> Vm {
        let running = !matches!(word, "down" | "wait_for_launch");
        Vm {
            status: Status::parse(word),
            start_time: running.then(|| Timestamp::from_second(started).unwrap()),
            ..Vm::default()
        }
    }

    fn phases(looks: &[Vm]) -> Vec<Phase> {
        let mut restart = Restart::asked(&vm("up", 0));
        looks.iter().map(|vm| restart.observe(vm)).collect()
    }

    #[test]
    fn up_without_down_is_a_guest_that_has_not_begun() {
        assert_eq!(phases(&[vm("up", 0), vm("up", 0)]), [Phase::Asked, Phase::Asked]);
    }

    #[test]
    fn a_warm_restart_is_seen_through() {
        let looks = [vm("up", 0), vm("reboot_in_progress", 0), vm("powering_up", 0), vm("up", 0)];
        assert_eq!(phases(&looks), [Phase::Asked, Phase::Down, Phase::Down, Phase::Up]);
    }

    #[test]
    fn a_cold_restart_is_seen_through_and_one_between_two_looks_is_known_by_its_start_time() {
        let looks =
            [vm("powering_down", 0), vm("down", 0), vm("wait_for_launch", 0), vm("powering_up", 9), vm("up", 9)];
        assert_eq!(phases(&looks), [Phase::Down, Phase::Down, Phase::Down, Phase::Down, Phase::Up]);
        assert_eq!(phases(&[vm("up", 9)]), [Phase::Up]);
    }

    #[test]
    fn what_else_a_vm_leaves_up_for_proves_nothing() {
        let looks = ["unknown", "not_responding", "migrating", "paused", "up"].map(|word| vm(word, 0));
        assert_eq!(phases(&looks), [Phase::Asked; 5]);
    }

    proptest! {
        #[test]
        fn up_is_only_ever_reached_after_a_sign_of_down(
            words in prop::collection::vec(
                prop::sample::select(vec!["up", "reboot_in_progress", "powering_up", "down", "unknown", "not_responding", "migrating", "paused"]),
                0..12,
            ),
        ) {
            let mut restart = Restart::asked(&vm("up", 0));
            let (mut before, mut left) = (Phase::Asked, false);
            for word in words {
                left |= matches!(word, "reboot_in_progress" | "powering_up" | "down");
                let phase = restart.observe(&vm(word, 0));
                prop_assert!(phase >= before, "a restart never goes back");
                prop_assert_eq!(phase > Phase::Asked, left);
                if phase == Phase::Up && before != Phase::Up {
                    prop_assert_eq!(word, "up");
                }
                before = phase;
            }
        }
    }
}
