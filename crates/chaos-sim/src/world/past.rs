//! The power that VMs had before, for whoever shows a world as it was a while ago.

use std::collections::VecDeque;
use std::time::Duration;

use super::model::{Power, VmId};

/// The oldest changes are forgotten beyond this many.
const KEPT: usize = 100_000;

/// A change of a VM's power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PowerChange {
    pub(crate) vm: VmId,
    /// How many operations on the VM there were by then.
    pub(crate) operations: u32,
    /// World time.
    pub(crate) at: Duration,
    /// Its power until then.
    pub(crate) before: Power,
}

/// The changes that are remembered.
#[derive(Debug, Default)]
pub(crate) struct Past {
    kept: VecDeque<PowerChange>,
}

impl Past {
    pub(super) fn note(&mut self, change: PowerChange) {
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(change);
    }

    /// The changes of all VMs, newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &PowerChange> {
        self.kept.iter().rev()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut past = Past::default();
        for number in 0..=u32::try_from(KEPT).unwrap() {
            past.note(PowerChange { vm: VmId(number), operations: 1, at: Duration::ZERO, before: Power::On });
        }
        assert_eq!(past.newest_first().count(), KEPT);
        assert_eq!(past.newest_first().last().map(|change| change.vm), Some(VmId(1)));
    }
}
