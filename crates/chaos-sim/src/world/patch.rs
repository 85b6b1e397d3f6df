//! Changes from outside: what a test or an operator of the simulator does to a world, past all its rules.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::WorldError;
use super::estate::VmSpec;
use super::inventory::Origin;
use super::log::Happening;
use super::model::{Condition, Disks, Guest, GuestPhase, Hold, HostState, Power, Question, Reach, Vm, VmId};
use super::state::{Event, State};
use super::task::{Failure, TaskOwner};

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
    /// What it is besides running.
    pub condition: Option<Condition>,
    /// State of its disks.
    pub disks: Option<Disks>,
    /// What keeps others from it.
    pub hold: Option<Hold>,
    /// Seconds after which nothing keeps others from it any more; never unless said.
    #[serde(with = "super::seconds::option", skip_serializing_if = "Option::is_none")]
    pub hold_for: Option<Duration>,
    /// Whether it takes over a changed configuration when it is next started.
    pub has_next_run: Option<bool>,
    /// Whether its guest hears the power button.
    pub hears_button: Option<bool>,
    /// What people wrote about it.
    pub description: Option<String>,
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
            self.enter(id, if power == Power::On { GuestPhase::Ready } else { GuestPhase::Down });
            self.change_vm(id, |vm| {
                vm.power = power;
                vm.condition = Condition::Normal;
                vm.restarts_when_down = false;
                vm.boot_time = (power == Power::On).then_some(moment);
                vm.suspend_time = (power == Power::Suspended).then_some(moment);
                if power != Power::On {
                    vm.stop_time = Some(moment);
                }
            });
            self.log(
                Some(id),
                match power {
                    Power::On => Happening::Started,
                    Power::Off => Happening::WentDown { clean: false },
                    Power::Suspended => Happening::Suspended,
                },
            );
        }
        if let Some(phase) = patch.phase {
            self.enter(id, phase);
        }
        if let Some(condition) = patch.condition {
            self.become_so(id, condition);
        }
        self.patch_hold(id, patch);
        self.change_vm(id, |vm| {
            if let Some(guest) = &patch.guest {
                vm.guest = guest.clone();
            }
            if let Some(reach) = patch.reach {
                vm.reach = reach;
            }
            if let Some(disks) = patch.disks {
                vm.disks = disks;
            }
            if let Some(has_next_run) = patch.has_next_run {
                vm.has_next_run = has_next_run;
            }
            if let Some(hears_button) = patch.hears_button {
                vm.hears_button = hears_button;
            }
            if let Some(description) = &patch.description {
                vm.description.clone_from(description);
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

    fn patch_hold(&mut self, id: VmId, patch: &VmPatch) {
        let Some(hold) = patch.hold else { return };
        let number = self.change_vm(id, |vm| {
            vm.hold = hold;
            vm.holds += 1;
            vm.holds
        });
        if let (Some(number), Some(time)) = (number, patch.hold_for) {
            self.plan(TaskOwner::Vm(id), time, Event::HoldEnds { vm: id, hold: number });
        }
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
                if let Some((operation, _)) = self.current_task(vm) {
                    self.log(Some(vm), Happening::Failed(operation, Failure::HostLost));
                }
                self.fail_current_task(vm, Failure::HostLost);
                self.power_off(vm, false);
            }
            let before = self.change_vm(vm, |vm| {
                let before = vm.reach;
                if matches!(vm.reach, Reach::Connected | Reach::Disconnected) {
                    vm.reach = reach;
                }
                (vm.power == Power::On).then_some(before)
            });
            match (before.flatten(), reach) {
                (Some(Reach::Connected), Reach::Disconnected) => self.log(Some(vm), Happening::Lost),
                (Some(Reach::Disconnected), Reach::Connected) => self.log(Some(vm), Happening::Found),
                _ => {}
            }
        }
        Ok(())
    }
}
