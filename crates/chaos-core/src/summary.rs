//! What an inventory amounts to: VMs by state, place and tools, and their sizes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::vm::{ToolsStatus, VMInfo, VMPowerState};

/// An inventory in numbers. Templates are counted apart and are in none of the other figures.
///
/// ```
/// use chaos_core::{EnvironmentSummary, PlatformKind, VMInfo, VMPowerState};
///
/// let mut web = VMInfo::new("web-01", "vm-1", VMPowerState::PoweredOn, PlatformKind::VSPHERE);
/// web.cluster = Some("prod".into());
/// web.cpu_count = Some(4);
/// let summary = EnvironmentSummary::of(&[web]);
/// assert_eq!(summary.by_cluster["prod"], 1);
/// assert_eq!(summary.cpu_count, 4);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EnvironmentSummary {
    /// VMs, without templates.
    pub vms: u64,
    /// VMs by power state. Every state is there, also with 0.
    pub by_state: BTreeMap<VMPowerState, u64>,
    /// VMs by datacenter.
    pub by_datacenter: BTreeMap<String, u64>,
    /// VMs by cluster.
    pub by_cluster: BTreeMap<String, u64>,
    /// VMs by host.
    pub by_host: BTreeMap<String, u64>,
    /// VMs by the state of the agent inside the guest.
    pub by_tools: BTreeMap<ToolsStatus, u64>,
    /// Virtual CPUs of all VMs, as far as they are known.
    pub cpu_count: u64,
    /// Memory of all VMs in MiB, as far as it is known.
    pub memory_mb: u64,
    /// Templates.
    pub templates: u64,
    /// VMs that cannot be managed at the moment.
    pub unmanageable: u64,
}

impl EnvironmentSummary {
    /// The key in the maps for VMs that are in no cluster, on no host, in no datacenter.
    pub const NONE: &'static str = "(none)";

    /// The summary of `vms`.
    #[must_use]
    pub fn of<'a>(vms: impl IntoIterator<Item = &'a VMInfo>) -> Self {
        let mut summary = Self::default();
        for state in VMPowerState::ALL {
            summary.by_state.insert(state, 0);
        }
        for vm in vms {
            summary.add(vm);
        }
        summary
    }

    fn add(&mut self, vm: &VMInfo) {
        if vm.template {
            self.templates += 1;
            return;
        }
        self.vms += 1;
        self.unmanageable += u64::from(vm.unmanageable.is_some());
        *self.by_state.entry(vm.power_state).or_default() += 1;
        *self.by_tools.entry(vm.tools_status.unwrap_or(ToolsStatus::Unknown)).or_default() += 1;
        for (map, name) in [
            (&mut self.by_datacenter, &vm.datacenter),
            (&mut self.by_cluster, &vm.cluster),
            (&mut self.by_host, &vm.host),
        ] {
            *map.entry(name.clone().unwrap_or_else(|| Self::NONE.to_owned())).or_default() += 1;
        }
        self.cpu_count = self.cpu_count.saturating_add(vm.cpu_count.unwrap_or(0).into());
        self.memory_mb = self.memory_mb.saturating_add(vm.memory_mb.unwrap_or(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::PlatformKind;

    #[test]
    fn templates_are_counted_apart_and_missing_places_have_a_name() {
        let mut web = VMInfo::new("web-01", "vm-1", VMPowerState::PoweredOn, PlatformKind::VSPHERE);
        web.cluster = Some("prod".into());
        web.memory_mb = Some(2048);
        let mut lost = VMInfo::new("db-01", "vm-2", VMPowerState::Unknown, PlatformKind::VSPHERE);
        lost.unmanageable = Some("its host is disconnected".into());
        let mut template = web.clone();
        template.template = true;

        let summary = EnvironmentSummary::of(&[web, lost, template]);
        assert_eq!((summary.vms, summary.templates, summary.unmanageable), (2, 1, 1));
        assert_eq!(summary.memory_mb, 2048);
        assert_eq!(summary.by_cluster.get("prod"), Some(&1));
        assert_eq!(summary.by_cluster.get(EnvironmentSummary::NONE), Some(&1));
        assert_eq!(summary.by_state.get(&VMPowerState::Suspended), Some(&0));
        assert_eq!(summary.by_tools.get(&ToolsStatus::Unknown), Some(&2));
        let json = serde_json::to_value(&summary).unwrap();
        assert_eq!(json["by_state"]["powered_on"], 1);
    }
}
