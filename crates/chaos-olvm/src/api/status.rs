//! The states of a VM, as the engine names them in answers (API model, type `VmStatus`).

use chaos_core::VMPowerState;

/// The state of a VM in the engine's words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Status {
    Down,
    WaitForLaunch,
    PoweringUp,
    Up,
    PoweringDown,
    RebootInProgress,
    Migrating,
    Paused,
    SavingState,
    Suspended,
    RestoringState,
    ImageLocked,
    NotResponding,
    Unknown,
    Unassigned,
    /// The engine gives no state, as for a VM whose images are illegal.
    #[default]
    Absent,
    /// A word that this version does not know.
    Other(String),
}

impl Status {
    pub(crate) fn parse(word: &str) -> Self {
        match word {
            "down" => Self::Down,
            "wait_for_launch" => Self::WaitForLaunch,
            "powering_up" => Self::PoweringUp,
            "up" => Self::Up,
            "powering_down" => Self::PoweringDown,
            "reboot_in_progress" => Self::RebootInProgress,
            "migrating" => Self::Migrating,
            "paused" => Self::Paused,
            "saving_state" => Self::SavingState,
            "suspended" => Self::Suspended,
            "restoring_state" => Self::RestoringState,
            "image_locked" => Self::ImageLocked,
            "not_responding" => Self::NotResponding,
            "unknown" => Self::Unknown,
            "unassigned" => Self::Unassigned,
            "" => Self::Absent,
            other => Self::Other(other.to_owned()),
        }
    }

    /// The engine's own word; `absent` where it gives none.
    pub(crate) fn word(&self) -> &str {
        match self {
            Self::Down => "down",
            Self::WaitForLaunch => "wait_for_launch",
            Self::PoweringUp => "powering_up",
            Self::Up => "up",
            Self::PoweringDown => "powering_down",
            Self::RebootInProgress => "reboot_in_progress",
            Self::Migrating => "migrating",
            Self::Paused => "paused",
            Self::SavingState => "saving_state",
            Self::Suspended => "suspended",
            Self::RestoringState => "restoring_state",
            Self::ImageLocked => "image_locked",
            Self::NotResponding => "not_responding",
            Self::Unknown => "unknown",
            Self::Unassigned => "unassigned",
            Self::Absent => "absent",
            Self::Other(word) => word,
        }
    }

    /// The same in the terms of every platform.
    ///
    /// A paused VM does not run and keeps its memory, and `start` lets it go on: that is what every platform calls
    /// suspended. A VM whose images are locked has no process. Of one whose host does not answer nobody knows.
    pub(crate) fn power(&self) -> VMPowerState {
        match self {
            Self::Up
            | Self::WaitForLaunch
            | Self::PoweringUp
            | Self::PoweringDown
            | Self::RebootInProgress
            | Self::Migrating
            | Self::SavingState
            | Self::RestoringState
            | Self::NotResponding => VMPowerState::PoweredOn,
            Self::Down | Self::ImageLocked => VMPowerState::PoweredOff,
            Self::Suspended | Self::Paused => VMPowerState::Suspended,
            Self::Unknown | Self::Unassigned | Self::Absent | Self::Other(_) => VMPowerState::Unknown,
        }
    }

    /// Whether the VM's process is there for sure: it was launched, and its memory is in place.
    pub(crate) fn is_launched(&self) -> bool {
        match self {
            Self::Up | Self::PoweringUp | Self::PoweringDown | Self::RebootInProgress | Self::Migrating => true,
            Self::Down
            | Self::WaitForLaunch
            | Self::Paused
            | Self::SavingState
            | Self::Suspended
            | Self::RestoringState
            | Self::ImageLocked
            | Self::NotResponding
            | Self::Unknown
            | Self::Unassigned
            | Self::Absent
            | Self::Other(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_of_the_engine_has_its_meaning_and_keeps_its_word() {
        use VMPowerState::{PoweredOff, PoweredOn, Suspended, Unknown};
        for (word, power) in [
            ("down", PoweredOff),
            ("image_locked", PoweredOff),
            ("migrating", PoweredOn),
            ("not_responding", PoweredOn),
            ("paused", Suspended),
            ("powering_down", PoweredOn),
            ("powering_up", PoweredOn),
            ("reboot_in_progress", PoweredOn),
            ("restoring_state", PoweredOn),
            ("saving_state", PoweredOn),
            ("suspended", Suspended),
            ("unassigned", Unknown),
            ("unknown", Unknown),
            ("up", PoweredOn),
            ("wait_for_launch", PoweredOn),
            ("of_a_later_version", Unknown),
        ] {
            let status = Status::parse(word);
            assert_eq!(status.power(), power, "{word}");
            assert_eq!(status.word(), word);
        }
        assert_eq!(Status::parse(""), Status::Absent);
        assert_eq!(Status::Absent.power(), Unknown);
    }
}
