//! Versions of the engine, and what differs between them.

use serde::{Deserialize, Serialize};

/// A version of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EngineVersion {
    /// 4.3: a reboot may not be seen for some seconds, there is no reset, and `force` means nothing.
    V43,
    /// 4.4.
    V44,
    /// 4.5.
    #[default]
    V45,
}

impl EngineVersion {
    /// `major.minor.build.revision` and what the packager added.
    pub(super) const fn full(self) -> &'static str {
        match self {
            Self::V43 => "4.3.10.4-1.0.22.el7",
            Self::V44 => "4.4.10.7-1.0.24.el8",
            Self::V45 => "4.5.5-1.42.el8",
        }
    }

    /// Minor, build and revision.
    pub(super) const fn numbers(self) -> (u32, u32, u32) {
        match self {
            Self::V43 => (3, 10, 4),
            Self::V44 => (4, 10, 7),
            Self::V45 => (5, 5, 0),
        }
    }

    /// The minor version of the highest compatibility level of its clusters.
    pub(super) const fn cluster_level(self) -> u32 {
        match self {
            Self::V43 => 3,
            Self::V44 => 6,
            Self::V45 => 7,
        }
    }

    /// Whether the status says that a VM reboots before the client hears that it is accepted.
    pub(super) const fn shows_reboots_at_once(self) -> bool {
        !matches!(self, Self::V43)
    }

    /// Whether VMs can be reset.
    pub(super) const fn has_reset(self) -> bool {
        !matches!(self, Self::V43)
    }

    /// Whether an action can be forced past a backup.
    pub(super) const fn has_force(self) -> bool {
        !matches!(self, Self::V43)
    }

    /// Whether the guest of a VM that migrates is asked when it is to be shut down.
    pub(super) const fn asks_migrating_guests(self) -> bool {
        !matches!(self, Self::V43)
    }
}
