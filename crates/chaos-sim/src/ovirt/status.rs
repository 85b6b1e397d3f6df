//! Statuses of VMs, which the engine has three words for: in the API, in searches, and in its messages.
//!
//! Source: API model, type `VmStatus`; oVirt administration guide, "Searching for virtual machines".

use super::version::EngineVersion;
use crate::world::{Condition, Disks, GuestPhase, Operation, Power, Reach, State, TaskState, Vm};

/// The status of a VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Down,
    Up,
    PoweringUp,
    WaitForLaunch,
    RebootInProgress,
    PoweringDown,
    Paused,
    Migrating,
    SavingState,
    Suspended,
    RestoringState,
    ImageLocked,
    ImageIllegal,
    NotResponding,
    Unknown,
    Unassigned,
}

impl Status {
    /// The status of a VM at this moment.
    pub(super) fn of(vm: &Vm, state: &State, version: EngineVersion) -> Self {
        let task = state.current_task(vm.id);
        match vm.power {
            Power::Off => Self::of_one_that_is_off(vm, task),
            Power::Suspended => match task {
                Some((Operation::PowerOn, TaskState::Running { .. })) => Self::RestoringState,
                Some((Operation::PowerOn, _)) => Self::WaitForLaunch,
                _ => Self::Suspended,
            },
            Power::On => Self::of_one_that_is_on(vm, task, state, version),
        }
    }

    fn of_one_that_is_off(vm: &Vm, task: Option<(Operation, &TaskState)>) -> Self {
        if matches!(task, Some((Operation::PowerOn, _))) {
            return Self::WaitForLaunch;
        }
        match (vm.disks, vm.reach) {
            (Disks::Broken, _) | (_, Reach::Inaccessible | Reach::Invalid | Reach::Orphaned) => Self::ImageIllegal,
            (Disks::Locked, _) => Self::ImageLocked,
            (Disks::Ready | Disks::Missing, _) => Self::Down,
        }
    }

    fn of_one_that_is_on(
        vm: &Vm,
        task: Option<(Operation, &TaskState)>,
        state: &State,
        version: EngineVersion,
    ) -> Self {
        match vm.reach {
            Reach::Connected => {}
            Reach::Disconnected | Reach::Orphaned | Reach::Inaccessible => return Self::Unknown,
            Reach::Invalid => return Self::Unassigned,
        }
        match task {
            Some((Operation::PowerOff, TaskState::Running { .. })) => return Self::PoweringDown,
            // The first half makes room for the memory, and nothing of it is seen.
            Some((Operation::Suspend, TaskState::Running { progress })) if *progress >= 50 => return Self::SavingState,
            _ => {}
        }
        match vm.condition {
            Condition::Normal => {}
            Condition::Paused | Condition::PausedForSpace | Condition::PausedForStorage => return Self::Paused,
            Condition::Migrating => return Self::Migrating,
            Condition::Unresponsive => return Self::NotResponding,
            Condition::Unclear => return Self::Unassigned,
        }
        match vm.phase {
            GuestPhase::Down | GuestPhase::Ready => Self::Up,
            GuestPhase::Booting => Self::PoweringUp,
            GuestPhase::ShuttingDown => Self::PoweringDown,
            GuestPhase::Restarting => {
                let seen = state.now.saturating_sub(vm.phase_since) >= state.timing.monitoring;
                if seen || version.shows_reboots_at_once() { Self::RebootInProgress } else { Self::Up }
            }
            // A guest that hangs by itself is not seen from outside.
            GuestPhase::Hung => {
                if vm.is_rebooting {
                    Self::RebootInProgress
                } else {
                    Self::Up
                }
            }
        }
    }

    /// As the API says it; it has no word for a broken chain of images.
    pub(super) const fn word(self) -> Option<&'static str> {
        Some(match self {
            Self::Down => "down",
            Self::Up => "up",
            Self::PoweringUp => "powering_up",
            Self::WaitForLaunch => "wait_for_launch",
            Self::RebootInProgress => "reboot_in_progress",
            Self::PoweringDown => "powering_down",
            Self::Paused => "paused",
            Self::Migrating => "migrating",
            Self::SavingState => "saving_state",
            Self::Suspended => "suspended",
            Self::RestoringState => "restoring_state",
            Self::ImageLocked => "image_locked",
            Self::ImageIllegal => return None,
            Self::NotResponding => "not_responding",
            Self::Unknown => "unknown",
            Self::Unassigned => "unassigned",
        })
    }

    /// As a search says it.
    pub(super) const fn search_word(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Up => "up",
            Self::PoweringUp => "poweringup",
            Self::WaitForLaunch => "waitforlaunch",
            Self::RebootInProgress => "rebootinprogress",
            Self::PoweringDown => "poweringdown",
            Self::Paused => "paused",
            Self::Migrating => "migratingfrom",
            Self::SavingState => "savingstate",
            Self::Suspended => "suspended",
            Self::RestoringState => "restoringstate",
            Self::ImageLocked => "imagelocked",
            Self::ImageIllegal => "imageillegal",
            Self::NotResponding => "notresponding",
            Self::Unknown => "unknown",
            Self::Unassigned => "unassigned",
        }
    }

    /// As the engine's messages say it.
    pub(super) const fn spoken(self) -> &'static str {
        match self {
            Self::Down => "Down",
            Self::Up => "Up",
            Self::PoweringUp => "Powering Up",
            Self::WaitForLaunch => "Wait for Launch",
            Self::RebootInProgress => "Reboot in Progress",
            Self::PoweringDown => "Powering Down",
            Self::Paused => "Paused",
            Self::Migrating => "Migrating",
            Self::SavingState => "Saving State",
            Self::Suspended => "Suspended",
            Self::RestoringState => "Restoring State",
            Self::ImageLocked => "Image Locked",
            Self::ImageIllegal => "Image Illegal",
            Self::NotResponding => "Not Responding",
            Self::Unknown => "Unknown",
            Self::Unassigned => "Unassigned",
        }
    }

    /// Whether the VM is on a host, as far as the engine knows.
    pub(super) const fn has_host(self) -> bool {
        !matches!(self, Self::Down | Self::Suspended | Self::ImageLocked | Self::ImageIllegal)
    }

    /// Whether a process of it exists.
    pub(super) const fn has_process(self) -> bool {
        self.has_host() && !matches!(self, Self::WaitForLaunch | Self::RestoringState)
    }

    /// Whether the engine counts it as running.
    pub(super) const fn is_running(self) -> bool {
        matches!(
            self,
            Self::Up
                | Self::PoweringUp
                | Self::PoweringDown
                | Self::Migrating
                | Self::WaitForLaunch
                | Self::RebootInProgress
        )
    }
}
