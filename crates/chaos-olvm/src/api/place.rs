//! Where VMs are: hosts, clusters and data centers by id (API model, types `Host`, `Cluster`, `DataCenter`).

use std::collections::HashMap;

use chaos_core::VMInfo;
use chaos_xml::Node;

use super::vm::Vm;

/// A place that VMs refer to, or that another place refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The data center of a cluster. A cluster may be in none.
    pub(crate) datacenter: Option<String>,
}

impl Place {
    /// Reads a `<host>`, `<cluster>` or `<data_center>`.
    pub(crate) fn read(node: Node<'_>) -> Option<Self> {
        Some(Self {
            id: node.attribute("id")?.to_owned(),
            name: node.child_text("name")?.to_owned(),
            datacenter: node.child("data_center").and_then(|it| it.attribute("id")).map(str::to_owned),
        })
    }
}

/// All places that the account can see.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    hosts: HashMap<String, String>,
    clusters: HashMap<String, (String, Option<String>)>,
    datacenters: HashMap<String, String>,
}

impl Places {
    pub(crate) fn new(hosts: Vec<Place>, clusters: Vec<Place>, datacenters: Vec<Place>) -> Self {
        let names = |places: Vec<Place>| places.into_iter().map(|place| (place.id, place.name)).collect();
        Self {
            hosts: names(hosts),
            clusters: clusters.into_iter().map(|place| (place.id, (place.name, place.datacenter))).collect(),
            datacenters: names(datacenters),
        }
    }

    /// Whether every place that `vm` refers to is known.
    pub(crate) fn know(&self, vm: &Vm) -> bool {
        vm.host.as_ref().is_none_or(|id| self.hosts.contains_key(id))
            && vm.cluster.as_ref().is_none_or(|id| self.clusters.contains_key(id))
    }

    /// What a VM is in, by id: its cluster, and the data center of that. A cluster that cannot be seen is in none.
    pub(crate) fn above(&self, vm: &Vm) -> Vec<String> {
        let datacenter = vm.cluster.as_ref().and_then(|id| self.clusters.get(id)).and_then(|(_, it)| it.as_ref());
        vm.cluster.iter().chain(datacenter).cloned().collect()
    }

    /// The VM with the names of its places. What cannot be seen has none.
    pub(crate) fn describe(&self, vm: &Vm) -> VMInfo {
        let mut info = vm.info();
        info.host = vm.host.as_ref().and_then(|id| self.hosts.get(id)).cloned();
        if let Some((cluster, datacenter)) = vm.cluster.as_ref().and_then(|id| self.clusters.get(id)) {
            info.cluster = Some(cluster.clone());
            info.datacenter = datacenter.as_ref().and_then(|id| self.datacenters.get(id)).cloned();
        }
        info.path = Some(path(&info));
        info
    }
}

/// Where a VM is: `/DATACENTER/CLUSTER/NAME`. Names are unique within a data center, so that a path means one VM.
fn path(vm: &VMInfo) -> String {
    let steps = [vm.datacenter.as_deref(), vm.cluster.as_deref(), Some(vm.name.as_str())];
    steps.into_iter().flatten().fold(String::new(), |path, step| path + "/" + step)
}
