//! Changes from outside: what a test or an operator of the simulator does to a world, past all its rules.

use serde::{Deserialize, Serialize};

use super::error::WorldError;
use super::estate::VmSpec;
use super::inventory::Origin;
use super::model::{Guest, GuestPhase, HostState, Power, Question, Reach, Vm, VmId};
use super::state::State;
use super::task::Failure;

/// What to change on a VM; what is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VmPatch {
    /// Power, with what that means for the guest.
    pub power: Option<Power>,
    /// Phase of the guest, for example `hung`.
    pub phase: Option<GuestPhase>,
    /// Behaviour of the guest from now on, as a whole.
    pub guest: Option<Guest>,
    /// Reachability.
    pub reach: Option<Reach>,
    /// Whether its configuration can be read.
    pub has_config: Option<bool>,
    /// A question that it waits with from now on.
    pub question: Option<Question>,
    /// A question that its next power on asks.
    pub question_at_power_on: Option<Question>,
}

impl State {
    /// The VM that a name, a path or `id:NUMBER` means.
    pub(crate) fn find(&self, which: &str) -> Result<&Vm, WorldError> {
        let unknown = || WorldError::NoSuchVm { vm: which.to_owned() };
        if let Some(id) = which.strip_prefix("id:").and_then(|id| id.parse().ok()) {
            return self.inventory.vms.get(&VmId(id)).ok_or_else(unknown);
        }
        let mut named: Vec<&Vm> = self.inventory.vms.values().filter(|vm| vm.name == which).collect();
        if named.is_empty() && which.starts_with('/') {
            named = self.inventory.vms.values().filter(|vm| self.inventory.path(vm) == which).collect();
        }
        match named.as_slice() {
            [] => Err(unknown()),
            [vm] => Ok(vm),
            several => Err(WorldError::Ambiguous {
                vm: which.to_owned(),
                paths: several.iter().map(|vm| self.inventory.path(vm)).collect(),
            }),
        }
    }

    pub(super) fn add(&mut self, spec: &VmSpec) -> Result<Vm, WorldError> {
        let origin = Origin { seed: self.seed, start: self.moment(), revision: self.revision + 1 };
        let id = self.inventory.add_vm(spec, origin)?;
        self.changed();
        self.inventory.vms.get(&id).cloned().ok_or_else(|| WorldError::NoSuchVm { vm: spec.name.clone() })
    }

    pub(super) fn remove(&mut self, which: &str) -> Result<(), WorldError> {
        let id = self.find(which)?.id;
        self.fail_current_task(id, Failure::Internal("the VM was removed".into()));
        self.inventory.remove_vm(id);
        self.changed();
        Ok(())
    }

    pub(super) fn apply_patch(&mut self, which: &str, patch: &VmPatch) -> Result<Vm, WorldError> {
        let id = self.find(which)?.id;
        let moment = self.moment();
        if let Some(power) = patch.power {
            self.fail_current_task(id, Failure::Internal("the VM was changed from outside".into()));
            self.change_vm(id, |vm| {
                vm.epoch += 1;
                vm.power = power;
                vm.phase = if power == Power::On { GuestPhase::Ready } else { GuestPhase::Down };
                vm.boot_time = (power == Power::On).then_some(moment);
                vm.suspend_time = (power == Power::Suspended).then_some(moment);
            });
        }
        if let Some(phase) = patch.phase {
            self.enter(id, phase);
        }
        self.change_vm(id, |vm| {
            if let Some(guest) = &patch.guest {
                vm.guest = guest.clone();
            }
            if let Some(reach) = patch.reach {
                vm.reach = reach;
            }
            if let Some(has_config) = patch.has_config {
                vm.has_config = has_config;
            }
            if let Some(question) = &patch.question {
                vm.question = Some(question.clone());
            }
            if let Some(question) = &patch.question_at_power_on {
                vm.question_at_power_on = Some(question.clone());
            }
        });
        self.find(&format!("id:{}", id.0)).cloned()
    }

    pub(super) fn set_host(&mut self, name: &str, state: HostState) -> Result<(), WorldError> {
        let revision = self.changed();
        let host = self.inventory.hosts.values_mut().find(|host| host.name == name);
        let host = host.ok_or_else(|| WorldError::NoSuchHost { host: name.to_owned() })?;
        host.state = state;
        host.revision = revision;
        let host = host.id;
        let vms: Vec<VmId> = self.inventory.vms.values().filter(|vm| vm.host == host).map(|vm| vm.id).collect();
        for vm in vms {
            let reach = match state {
                HostState::Up | HostState::Maintenance => Reach::Connected,
                HostState::Disconnected | HostState::Crashed => Reach::Disconnected,
            };
            if state == HostState::Crashed {
                self.fail_current_task(vm, Failure::HostLost);
                self.power_off(vm, false);
            }
            self.change_vm(vm, |vm| {
                if matches!(vm.reach, Reach::Connected | Reach::Disconnected) {
                    vm.reach = reach;
                }
            });
        }
        Ok(())
    }
}
