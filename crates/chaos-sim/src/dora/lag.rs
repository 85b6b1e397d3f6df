//! How the service is late: the power state of a VM is shown as it was a while ago.

use std::collections::HashMap;
use std::time::Duration;

use crate::world::{self, Happening, Power, State, Vm, VmId};

/// How the service is late.
#[derive(Debug)]
pub(super) struct Lag {
    seed: u64,
    least: Duration,
    most: Duration,
    /// What each VM was when the world began.
    first: HashMap<VmId, Power>,
}

impl Lag {
    pub(super) fn new(seed: u64, least: Duration, most: Duration, state: &State) -> Self {
        let first = state.inventory.vms.values().map(|vm| (vm.id, vm.power)).collect();
        Self { seed, least, most: most.max(least), first }
    }

    /// How late a VM is shown. The same for all of its life.
    fn of(&self, vm: VmId) -> Duration {
        let drawn = world::number(self.seed, "dora lag", &[u64::from(vm.0)]) % 1001;
        let share = u32::try_from(drawn).unwrap_or_default();
        self.least + self.most.saturating_sub(self.least) * share / 1000
    }

    /// The power states that differ from what is true by now.
    pub(super) fn late(&self, state: &State) -> HashMap<VmId, Power> {
        let mut late: HashMap<VmId, Option<Power>> = HashMap::new();
        for entry in state.log.after(0) {
            let (Some((vm, _)), Some(power)) = (&entry.vm, power_after(&entry.what)) else { continue };
            let lag = self.of(*vm);
            if entry.at + lag > state.now {
                // Not known to the service yet: what counts is an older entry, or what it was first.
                late.insert(*vm, None);
            } else if let Some(unknown @ None) = late.get_mut(vm) {
                *unknown = Some(power);
            }
        }
        let shown = |(vm, power): (VmId, Option<Power>)| Some((vm, power.or(self.first.get(&vm).copied())?));
        late.into_iter().filter_map(shown).collect()
    }

    /// What is shown of a VM's power.
    pub(super) fn shown(late: &HashMap<VmId, Power>, vm: &Vm) -> Power {
        late.get(&vm.id).copied().unwrap_or(vm.power)
    }
}

/// The power that something leaves a VM with, if it changes that.
fn power_after(what: &Happening) -> Option<Power> {
    match what {
        Happening::Started => Some(Power::On),
        Happening::WentDown { .. } | Happening::WentDownToRestart => Some(Power::Off),
        Happening::Suspended => Some(Power::Suspended),
        Happening::Failed(..)
        | Happening::RefusedShutdown
        | Happening::RestartFailed
        | Happening::Became { .. }
        | Happening::Lost
        | Happening::Found
        | Happening::Note(_) => None,
    }
}
