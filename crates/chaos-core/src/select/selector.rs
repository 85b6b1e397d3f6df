//! A selector: targets and filters, as a hint to the server and as the rule that is applied to its answer.

use crate::select::pattern::{NamePattern, TargetPattern};
use crate::vm::{VMInfo, VMPowerState};

/// Which VMs a discovery is about. The default selects all.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Selector {
    /// A VM has to fit one of these; none means every VM.
    pub targets: Vec<TargetPattern>,
    /// The datacenter that it has to be in, by name or glob.
    pub datacenter: Option<NamePattern>,
    /// The cluster that it has to be in, by name or glob.
    pub cluster: Option<NamePattern>,
    /// The host that it has to be on, by name or glob.
    pub host: Option<NamePattern>,
    /// The power state that it has to be in.
    pub power_state: Option<VMPowerState>,
}

impl Selector {
    /// Every VM.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// The VMs that fit one of `targets`.
    #[must_use]
    pub fn targets(targets: impl IntoIterator<Item = TargetPattern>) -> Self {
        Self { targets: targets.into_iter().collect(), ..Self::default() }
    }

    /// Whether `vm` passes the filters, whatever the targets are.
    #[must_use]
    pub fn admits(&self, vm: &VMInfo) -> bool {
        let fits = |pattern: &Option<NamePattern>, name: &Option<String>| match (pattern, name) {
            (None, _) => true,
            (Some(pattern), Some(name)) => pattern.matches(name),
            (Some(_), None) => false,
        };
        fits(&self.datacenter, &vm.datacenter)
            && fits(&self.cluster, &vm.cluster)
            && fits(&self.host, &vm.host)
            && self.power_state.is_none_or(|state| state == vm.power_state)
    }

    /// Whether filters are set.
    #[must_use]
    pub fn has_filters(&self) -> bool {
        self.datacenter.is_some() || self.cluster.is_some() || self.host.is_some() || self.power_state.is_some()
    }

    /// The VMs of a whole inventory that are selected. A name that a VM bears in full means only VMs of that name;
    /// see [`NamePattern`].
    #[must_use]
    pub fn filter(&self, vms: Vec<VMInfo>) -> Vec<VMInfo> {
        // A VM that the filters rule out does not take a name away from a glob.
        let admitted: Vec<VMInfo> = vms.into_iter().filter(|vm| self.admits(vm)).collect();
        if self.targets.is_empty() {
            return admitted;
        }
        let names_a_vm: Vec<bool> = self
            .targets
            .iter()
            .map(|target| match target {
                TargetPattern::Name(name) => admitted.iter().any(|vm| name.equals(&vm.name)),
                TargetPattern::Id(_) | TargetPattern::Path(_) | TargetPattern::Regex { .. } => false,
            })
            .collect();
        let selected = |vm: &VMInfo| {
            self.targets.iter().zip(&names_a_vm).any(|(target, exact)| match target {
                TargetPattern::Name(name) if *exact => name.equals(&vm.name),
                TargetPattern::Name(_)
                | TargetPattern::Id(_)
                | TargetPattern::Path(_)
                | TargetPattern::Regex { .. } => target.matches(vm),
            })
        };
        admitted.into_iter().filter(selected).collect()
    }
}
