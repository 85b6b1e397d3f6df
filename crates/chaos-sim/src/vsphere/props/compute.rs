//! Properties of hosts, clusters, standalone compute resources, resource pools and vApps.

use super::Scope;
use crate::vsphere::mo::{ComputeId, Mo, escape_name};
use crate::vsphere::value::{Struct, Value};
use crate::world::{App, DatacenterId, Host, HostState, Inventory, Place, Vm};

/// The compute resource of a host.
pub(super) fn of_host(host: &Host) -> ComputeId {
    host.cluster.map_or(ComputeId::Standalone(host.id), ComputeId::Cluster)
}

/// The compute resource of a vApp.
pub(super) fn of_app(app: &App) -> ComputeId {
    app.cluster.map_or(ComputeId::Standalone(app.host), ComputeId::Cluster)
}

pub(super) fn name(inventory: &Inventory, id: ComputeId) -> Option<String> {
    match id {
        ComputeId::Cluster(id) => inventory.clusters.get(&id).map(|cluster| cluster.name.clone()),
        ComputeId::Standalone(id) => inventory.hosts.get(&id).map(|host| host.name.clone()),
    }
}

pub(super) fn datacenter(inventory: &Inventory, id: ComputeId) -> Option<DatacenterId> {
    match id {
        ComputeId::Cluster(id) => inventory.clusters.get(&id).map(|cluster| cluster.datacenter),
        ComputeId::Standalone(id) => inventory.hosts.get(&id).map(|host| host.datacenter),
    }
}

pub(super) fn in_datacenter(inventory: &Inventory, id: DatacenterId) -> Vec<ComputeId> {
    let clusters = inventory.clusters.values().filter(|cluster| cluster.datacenter == id);
    let standalone = inventory.hosts.values().filter(|host| host.datacenter == id && host.cluster.is_none());
    clusters
        .map(|cluster| ComputeId::Cluster(cluster.id))
        .chain(standalone.map(|host| ComputeId::Standalone(host.id)))
        .collect()
}

pub(super) fn hosts(inventory: &Inventory, id: ComputeId) -> impl Iterator<Item = &Host> {
    inventory.hosts.values().filter(move |host| of_host(host) == id)
}

pub(super) fn apps(inventory: &Inventory, id: ComputeId) -> impl Iterator<Item = &App> {
    inventory.apps.values().filter(move |app| of_app(app) == id)
}

/// The VMs that draw on a pool directly: those of its vApps are theirs.
pub(super) fn vms(inventory: &Inventory, id: ComputeId) -> impl Iterator<Item = &Vm> {
    inventory.vms.values().filter(move |vm| {
        !matches!(vm.place, Place::App(_)) && inventory.hosts.get(&vm.host).is_some_and(|host| of_host(host) == id)
    })
}

pub(super) fn host(scope: &Scope<'_>, host: &Host, first: &str, rest: &[&str]) -> Option<Value> {
    match first {
        "runtime" => host_runtime(host).at(rest),
        "summary" => host_summary(scope, host).at(rest),
        "vm" => {
            let vms = scope.state.inventory.vms.values().filter(|vm| vm.host == host.id);
            Some(Value::refs(vms.map(|vm| scope.reference(&Mo::Vm(vm.id)))))
        }
        "datastore" | "network" => Some(Value::refs([])),
        _ => None,
    }
}

fn host_runtime(host: &Host) -> Struct {
    let power = if host.state == HostState::Crashed { "unknown" } else { "poweredOn" };
    Struct::new("HostRuntimeInfo")
        .with("connectionState", Value::constant("HostSystemConnectionState", super::vm::host_connection(host.state)))
        .with("powerState", Value::constant("HostSystemPowerState", power))
        .with("inMaintenanceMode", host.state == HostState::Maintenance)
}

fn host_summary(scope: &Scope<'_>, host: &Host) -> Struct {
    let config = Struct::new("HostConfigSummary")
        .with("name", escape_name(&host.name))
        .with("port", Value::int(443))
        .with("vmotionEnabled", true)
        .with("faultToleranceEnabled", false);
    Struct::new("HostListSummary")
        .with("host", scope.reference(&Mo::Host(host.id)))
        .with("runtime", host_runtime(host))
        .with("config", config)
        .with("quickStats", Struct::new("HostListSummaryQuickStats"))
        .with("overallStatus", Value::constant("ManagedEntityStatus", "green"))
        .with("rebootRequired", false)
}

pub(super) fn compute(scope: &Scope<'_>, id: ComputeId, first: &str, rest: &[&str]) -> Option<Value> {
    let inventory = &scope.state.inventory;
    match first {
        "host" => Some(Value::refs(hosts(inventory, id).map(|host| scope.reference(&Mo::Host(host.id))))),
        "resourcePool" => Some(scope.reference(&Mo::Pool(id)).into()),
        "summary" => compute_summary(inventory, id).at(rest).map(Value::typed),
        "datastore" | "network" => Some(Value::refs([])),
        _ => None,
    }
}

fn compute_summary(inventory: &Inventory, id: ComputeId) -> Struct {
    let all = i64::try_from(hosts(inventory, id).count()).unwrap_or(i64::MAX);
    let up = hosts(inventory, id).filter(|host| host.state == HostState::Up).count();
    let up = i64::try_from(up).unwrap_or(i64::MAX);
    let is_cluster = matches!(id, ComputeId::Cluster(_));
    let memory = 256 * 1024 * 1024 * 1024;
    let data = Struct::new(if is_cluster { "ClusterComputeResourceSummary" } else { "ComputeResourceSummary" })
        .with("totalCpu", Value::int(all * 76_800))
        .with("totalMemory", Value::long(all * memory))
        .with("numCpuCores", Value::short(all * 32))
        .with("numCpuThreads", Value::short(all * 64))
        .with("effectiveCpu", Value::int(up * 76_800))
        .with("effectiveMemory", Value::long(up * 256 * 1024))
        .with("numHosts", Value::int(all))
        .with("numEffectiveHosts", Value::int(up))
        .with("overallStatus", Value::constant("ManagedEntityStatus", "green"));
    if is_cluster {
        return data.with("currentFailoverLevel", Value::int(1)).with("numVmotions", Value::int(0));
    }
    data
}

pub(super) fn pool(scope: &Scope<'_>, id: ComputeId, first: &str) -> Option<Value> {
    let inventory = &scope.state.inventory;
    match first {
        "owner" => Some(scope.reference(&Mo::Compute(id)).into()),
        "vm" => Some(Value::refs(vms(inventory, id).map(|vm| scope.reference(&Mo::Vm(vm.id))))),
        "resourcePool" => Some(Value::refs(apps(inventory, id).map(|app| scope.reference(&Mo::App(app.id))))),
        _ => None,
    }
}

pub(super) fn app(scope: &Scope<'_>, app: &App, first: &str) -> Option<Value> {
    let inventory = &scope.state.inventory;
    match first {
        "owner" => Some(scope.reference(&Mo::Compute(of_app(app))).into()),
        "vm" => {
            let vms = inventory.vms_in(Place::App(app.id));
            Some(Value::refs(vms.map(|vm| scope.reference(&Mo::Vm(vm.id)))))
        }
        "resourcePool" | "datastore" | "network" => Some(Value::refs([])),
        "parentFolder" => {
            let folder = app.folder.map_or(Mo::VmFolder(app.datacenter), Mo::Folder);
            Some(scope.reference(&folder).into())
        }
        _ => None,
    }
}
