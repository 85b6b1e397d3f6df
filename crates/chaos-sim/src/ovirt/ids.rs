//! The engine's ids: a pure function of the seed and the thing.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::world::{self, ClusterId, DatacenterId, Host, HostId, State, Vm, VmId};

/// The id of what every engine has one of: the blank template, the root of the tags.
pub(super) const ZERO: &str = "00000000-0000-0000-0000-000000000000";

/// A cluster as the engine has it: every host is in one, also a host that stands on its own in the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ClusterKey {
    Real(ClusterId),
    /// The one for a datacenter's hosts that stand on their own.
    Default(DatacenterId),
}

/// Makes ids, and remembers whose they are.
#[derive(Debug)]
pub(super) struct Ids {
    seed: u64,
    vms: Mutex<Known>,
}

/// The VMs of ids, as they were when that many had been added.
#[derive(Debug, Default)]
struct Known {
    vms: HashMap<String, VmId>,
    additions: u64,
}

impl Ids {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, vms: Mutex::default() }
    }

    pub(super) fn vm(&self, id: VmId) -> String {
        self.make("engine vm", u64::from(id.0))
    }

    pub(super) fn host(&self, id: HostId) -> String {
        self.make("engine host", u64::from(id.0))
    }

    pub(super) fn cluster(&self, key: ClusterKey) -> String {
        match key {
            ClusterKey::Real(id) => self.make("engine cluster", u64::from(id.0)),
            ClusterKey::Default(id) => self.make("engine default cluster", u64::from(id.0)),
        }
    }

    pub(super) fn datacenter(&self, id: DatacenterId) -> String {
        self.make("engine datacenter", u64::from(id.0))
    }

    pub(super) fn user(&self, name: &str) -> String {
        self.make("engine user", world::key(name))
    }

    pub(super) fn make(&self, purpose: &str, key: u64) -> String {
        world::uuid(self.seed, purpose, &[key])
    }

    /// The VM of an id, in any case of its letters.
    pub(super) fn find_vm<'s>(&self, id: &str, state: &'s State) -> Option<&'s Vm> {
        if !is_uuid(id) {
            return None;
        }
        let id = id.to_ascii_lowercase();
        let mut known = self.vms.lock().unwrap_or_else(PoisonError::into_inner);
        if known.additions != state.inventory.additions {
            known.vms = state.inventory.vms.keys().map(|vm| (self.vm(*vm), *vm)).collect();
            known.additions = state.inventory.additions;
        }
        state.inventory.vms.get(known.vms.get(&id)?)
    }
}

/// Whether a text has the form of an id.
pub(super) fn is_uuid(text: &str) -> bool {
    let mut groups = text.split('-');
    let lengths = [8, 4, 4, 4, 12];
    let fits = lengths.iter().all(|length| {
        groups.next().is_some_and(|group| group.len() == *length && group.bytes().all(|b| b.is_ascii_hexdigit()))
    });
    fits && groups.next().is_none()
}

impl ClusterKey {
    /// The cluster of a host.
    pub(super) fn of(host: &Host) -> Self {
        host.cluster.map_or(Self::Default(host.datacenter), Self::Real)
    }
}
