//! Hosts and VMs as items of a listing.

use regex::Regex;
use serde_json::{Value, json};

use super::lag::Lag;
use super::request::Listing;
use crate::vsphere;
use crate::world::{self, Host, HostState, Power, State, Vm, VmRole};

/// Which part of the estate is asked about.
pub(super) struct Scope<'r> {
    /// A path: that of the whole estate, a datacenter, or a cluster, alone or with its datacenter.
    pub(super) path: &'r str,
    /// The path that means the whole estate.
    pub(super) root: &'r str,
    /// Which hosts, by name.
    pub(super) filter: Option<&'r Regex>,
}

impl Scope<'_> {
    fn holds(&self, host: &Host, state: &State) -> bool {
        let path = self.path.trim_matches('/');
        let place = place(host, state);
        let (datacenter, cluster) = (place.datacenter, place.cluster);
        let is_inside = path == self.root.trim_matches('/')
            || path == datacenter
            || path == cluster
            || path.split_once('/').is_some_and(|(first, second)| first == datacenter && second == cluster);
        is_inside && self.filter.is_none_or(|filter| filter.is_match(&host.name))
    }
}

/// The items of a listing.
pub(super) fn items(kind: Listing, scope: &Scope<'_>, lag: Option<&Lag>, state: &State) -> Vec<Value> {
    let inventory = &state.inventory;
    match kind {
        Listing::Hypervisors => {
            inventory.hosts.values().filter(|host| scope.holds(host, state)).map(hypervisor).collect()
        }
        Listing::VirtualMachines => {
            let outdated = lag.map(|lag| lag.outdated(state)).unwrap_or_default();
            let listed = inventory.vms.values().filter_map(|vm| {
                let is_vm = !matches!(vm.role, VmRole::Template | VmRole::FaultToleranceSecondary);
                let host = inventory.hosts.get(&vm.host).filter(|host| is_vm && scope.holds(host, state))?;
                Some(virtual_machine(vm, host, Lag::shown(&outdated, vm), state))
            });
            listed.collect()
        }
    }
}

fn hypervisor(host: &Host) -> Value {
    let status = match host.state {
        HostState::Up => "green",
        HostState::Maintenance => "yellow",
        HostState::Disconnected | HostState::Crashed => "red",
    };
    let address = format!("10.20.{}.{}", host.id.0 / 250, host.id.0 % 250 + 1);
    json!({"name": host.name, "ip_address": address, "type": "ESXi", "status": status})
}

fn virtual_machine(vm: &Vm, host: &Host, power: Power, state: &State) -> Value {
    let path = state.inventory.path(vm);
    let folder = path.strip_suffix(vm.name.as_str()).unwrap_or(&path).trim_end_matches('/');
    // As a vCenter has it, where the VMs of a datacenter are below its folder `vm`.
    let (root, below) = folder.trim_start_matches('/').split_once('/').unwrap_or((folder.trim_start_matches('/'), ""));
    let folder = format!("/{root}/vm/{below}");
    let folder = folder.trim_end_matches('/');
    let Place { datacenter, cluster } = place(host, state);
    let word = match power {
        Power::On => "poweredOn",
        Power::Off => "poweredOff",
        Power::Suspended => "suspended",
    };
    let (cpu, memory) = match power {
        Power::On => {
            let drawn = |what| u32::try_from(world::number(state.seed, what, &[u64::from(vm.id.0)]) % 100).unwrap_or(0);
            (drawn("dora cpu"), f64::from(drawn("dora memory")))
        }
        Power::Off | Power::Suspended => (0, 0.0),
    };
    json!({
        "name": vm.name,
        "path": folder,
        "host": format!("/{datacenter}/host/{cluster}/{}", host.name),
        "os": vm.guest_os,
        "cpus": vm.cpus,
        "memMb": vm.memory_mb,
        "state": word,
        "managedObjRef": vsphere::vm_id(vm.id),
        "cpuUsagePerc": cpu,
        "memUsagePerc": memory,
    })
}

/// Where a host is, by names.
struct Place<'s> {
    datacenter: &'s str,
    /// A host that stands on its own is in one of its own name, as in a vCenter.
    cluster: &'s str,
}

fn place<'s>(host: &'s Host, state: &'s State) -> Place<'s> {
    let inventory = &state.inventory;
    let cluster = host.cluster.and_then(|id| inventory.clusters.get(&id));
    Place {
        datacenter: inventory.datacenters.get(&host.datacenter).map_or("", |datacenter| datacenter.name.as_str()),
        cluster: cluster.map_or(host.name.as_str(), |cluster| cluster.name.as_str()),
    }
}
