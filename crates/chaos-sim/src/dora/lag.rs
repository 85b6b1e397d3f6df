//! How the service is late: the power of a VM is shown as it was a while ago.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::world::{self, Power, PowerChange, State, Vm, VmId};

/// How the service is late.
#[derive(Debug)]
pub(super) struct Lag {
    seed: u64,
    least: Duration,
    most: Duration,
}

impl Lag {
    pub(super) fn new(seed: u64, least: Duration, most: Duration) -> Self {
        Self { seed, least, most: most.max(least) }
    }

    /// How late a change is known. What one operation does to a VM is late by the same time, so that it stays in order.
    fn of(&self, change: &PowerChange) -> Duration {
        let keys = [u64::from(change.vm.0), u64::from(change.operations)];
        let share = u32::try_from(world::number(self.seed, "dora lag", &keys) % 1001).unwrap_or_default();
        self.least + self.most.saturating_sub(self.least) * share / 1000
    }

    /// What is shown of the VMs of which the service does not know the present power: what they had before the first change
    /// that came after the newest one that it knows.
    pub(super) fn outdated(&self, state: &State) -> HashMap<VmId, Power> {
        let mut outdated = HashMap::new();
        let mut settled = HashSet::new();
        for change in state.past.newest_first() {
            if change.at.saturating_add(self.most) <= state.now {
                // This one and all that are older are known.
                break;
            }
            if change.at.saturating_add(self.of(change)) <= state.now {
                settled.insert(change.vm);
            } else if !settled.contains(&change.vm) {
                outdated.insert(change.vm, change.before);
            }
        }
        outdated
    }

    /// What is shown of a VM's power.
    pub(super) fn shown(outdated: &HashMap<VmId, Power>, vm: &Vm) -> Power {
        outdated.get(&vm.id).copied().unwrap_or(vm.power)
    }
}
