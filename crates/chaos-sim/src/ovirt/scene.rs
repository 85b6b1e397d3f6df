//! The world at one moment, as one caller of the engine sees it.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil;

use super::Engine;
use super::access::Caller;
use super::element::Element;
use super::ids::ClusterKey;
use super::request::Request;
use super::status::Status;
use super::tag::Tags;
use crate::world::{self, Cluster, Datacenter, Host, State, Vm, VmRole};

/// The name of the cluster for hosts that are in none of the world.
const DEFAULT_CLUSTER: &str = "Default";

/// What one answer is made from.
pub(super) struct Scene<'a> {
    pub(super) engine: &'a Engine,
    pub(super) state: &'a State,
    pub(super) tags: &'a Tags,
    /// Whether only what belongs to the caller is shown.
    pub(super) is_filtered: bool,
    /// Of this answer alone: some orders differ from one to the next.
    nonce: u64,
}

/// The address of an object.
pub(super) fn href(collection: &str, id: &str) -> String {
    format!("/ovirt-engine/api/{collection}/{id}")
}

impl Engine {
    /// Looks at the world as the caller of a request sees it.
    pub(super) fn scene<R>(&self, caller: &Caller, request: &Request, look: impl FnOnce(&Scene<'_>) -> R) -> R {
        let tags = self.tags();
        self.world.with(|state| {
            let (is_filtered, nonce) = (caller.is_filtered, request.number);
            look(&Scene { engine: self, state, tags: &tags, is_filtered, nonce })
        })
    }
}

impl<'a> Scene<'a> {
    pub(super) fn status(&self, vm: &Vm) -> Status {
        Status::of(vm, self.state, self.engine.site.version)
    }

    /// Whether a VM of the world is one for the engine, and the caller may see it.
    pub(super) fn shows(&self, vm: &Vm) -> bool {
        let is_vm = match vm.role {
            VmRole::Ordinary | VmRole::ClusterService => true,
            VmRole::Template | VmRole::FaultToleranceSecondary => false,
        };
        is_vm && !(self.is_filtered && self.engine.site.restricted.contains(&vm.name))
    }

    /// The VMs that the caller sees, by name.
    pub(super) fn vms(&self) -> Vec<&'a Vm> {
        let mut vms: Vec<&Vm> = self.state.inventory.vms.values().filter(|vm| self.shows(vm)).collect();
        vms.sort_by_cached_key(|vm| (vm.name.to_lowercase(), vm.name.clone()));
        vms
    }

    /// The VM of an id, if the caller sees it.
    pub(super) fn vm_of(&self, id: &str) -> Option<&'a Vm> {
        self.engine.ids.find_vm(id, self.state).filter(|vm| self.shows(vm))
    }

    /// The hosts that the caller sees, by name.
    pub(super) fn hosts(&self) -> Vec<&'a Host> {
        let mut hosts: Vec<&Host> = self.state.inventory.hosts.values().filter(|_| !self.is_filtered).collect();
        hosts.sort_by_cached_key(|host| host.name.to_lowercase());
        hosts
    }

    pub(super) fn host_of(&self, vm: &Vm) -> Option<&'a Host> {
        self.state.inventory.hosts.get(&vm.host)
    }

    /// All clusters, by name.
    pub(super) fn clusters(&self) -> Vec<ClusterKey> {
        let inventory = &self.state.inventory;
        let real = inventory.clusters.keys().map(|id| ClusterKey::Real(*id));
        let alone = inventory.hosts.values().filter(|host| host.cluster.is_none());
        let mut keys: Vec<ClusterKey> = real.chain(alone.map(ClusterKey::of)).collect();
        keys.sort_unstable();
        keys.dedup();
        keys.sort_by_cached_key(|key| self.cluster_name(*key).to_lowercase());
        keys
    }

    fn cluster_in_world(&self, key: ClusterKey) -> Option<&'a Cluster> {
        match key {
            ClusterKey::Real(id) => self.state.inventory.clusters.get(&id),
            ClusterKey::Default(_) => None,
        }
    }

    pub(super) fn cluster_name(&self, key: ClusterKey) -> &'a str {
        self.cluster_in_world(key).map_or(DEFAULT_CLUSTER, |cluster| cluster.name.as_str())
    }

    /// The cluster that a VM is in.
    pub(super) fn cluster_of(&self, vm: &Vm) -> Option<ClusterKey> {
        self.host_of(vm).map(ClusterKey::of)
    }

    /// The datacenter that a cluster is in; an orphan is in none.
    pub(super) fn datacenter_of(&self, key: ClusterKey) -> Option<&'a Datacenter> {
        let id = match (key, self.cluster_in_world(key)) {
            (ClusterKey::Default(datacenter), _) => datacenter,
            (ClusterKey::Real(_), Some(cluster)) if !cluster.is_orphan => cluster.datacenter,
            (ClusterKey::Real(_), _) => return None,
        };
        self.state.inventory.datacenters.get(&id)
    }

    /// All datacenters, by name.
    pub(super) fn datacenters(&self) -> Vec<&'a Datacenter> {
        let mut datacenters: Vec<&Datacenter> = self.state.inventory.datacenters.values().collect();
        datacenters.sort_by_cached_key(|datacenter| datacenter.name.to_lowercase());
        datacenters
    }

    /// A moment in the engine's zone.
    pub(super) fn moment(&self, name: &'static str, moment: Timestamp) -> Element {
        Element::moment(name, moment, self.engine.site.zone)
    }

    /// The moment at some world time.
    pub(super) fn moment_at(&self, name: &'static str, at: Duration) -> Element {
        self.moment(name, self.state.timestamp(at))
    }

    /// A moment as the engine's own clocks show it.
    pub(super) fn local(&self, moment: Timestamp) -> civil::DateTime {
        self.engine.site.zone.to_datetime(moment)
    }

    /// Links in an order of this answer and object alone: clients must not rely on any.
    pub(super) fn shuffled(&self, mut links: Vec<Element>, key: u64) -> Vec<Element> {
        let mut position = 0;
        links.sort_by_cached_key(|_| {
            position += 1;
            world::number(self.engine.site.seed, "links", &[self.nonce, key, position])
        });
        links
    }
}
