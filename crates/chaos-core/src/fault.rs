//! What can be done to a target. Faults are values: a new fault is a new variant, never a new method of the platform.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::seconds;
use crate::vm_ref::VMRef;

/// What a fault is aimed at.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Target {
    /// One virtual machine.
    Vm {
        /// Which one.
        vm: VMRef,
    },
}

impl Target {
    /// The VM that the fault is aimed at, if it is aimed at one.
    #[must_use]
    pub fn vm(&self) -> Option<&VMRef> {
        match self {
            Self::Vm { vm } => Some(vm),
        }
    }

    /// Whether both are the same thing, whichever entry of the settings it was reached by.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Vm { vm }, Self::Vm { vm: other }) => vm.is_same_vm(other),
        }
    }
}

impl From<VMRef> for Target {
    fn from(vm: VMRef) -> Self {
        Self::Vm { vm }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vm { vm } => vm.fmt(f),
        }
    }
}

/// How a running VM is brought down or restarted, and how long each step may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case")]
pub enum Stop {
    /// Ask the guest; if it has not done it within `grace`, or cannot be asked, do it the hard way.
    GuestThenHard {
        /// How long the guest may take.
        #[serde(rename = "grace_seconds", with = "seconds")]
        grace: Duration,
        /// How long the hard way may take after that.
        #[serde(rename = "hard_seconds", with = "seconds")]
        hard: Duration,
    },
    /// Ask the guest, and fail if it has not done it within `grace`. Nothing hard ever happens.
    GuestOnly {
        /// How long the guest may take.
        #[serde(rename = "grace_seconds", with = "seconds")]
        grace: Duration,
    },
    /// Pull the plug: the guest is not asked.
    Hard {
        /// How long the platform may take.
        #[serde(rename = "limit_seconds", with = "seconds")]
        limit: Duration,
    },
}

impl Stop {
    /// How long a guest may take to shut down where nothing else was said.
    pub const DEFAULT_GRACE: Duration = Duration::from_mins(5);
    /// How long a hard power operation may take where nothing else was said.
    pub const DEFAULT_HARD: Duration = Duration::from_mins(1);

    /// Guest first, then hard, with the default limits.
    #[must_use]
    pub fn graceful() -> Self {
        Self::GuestThenHard { grace: Self::DEFAULT_GRACE, hard: Self::DEFAULT_HARD }
    }

    /// Hard at once, with the default limit.
    #[must_use]
    pub fn hard() -> Self {
        Self::Hard { limit: Self::DEFAULT_HARD }
    }

    /// The longest that all steps together may take.
    #[must_use]
    pub fn limit(&self) -> Duration {
        match *self {
            Self::GuestThenHard { grace, hard } => grace.saturating_add(hard),
            Self::GuestOnly { grace } => grace,
            Self::Hard { limit } => limit,
        }
    }
}

/// What powering off means for a VM that is suspended. Its memory cannot be put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuspendedMemory {
    /// Refuse: the memory stays.
    Keep,
    /// Power the VM off; what was in its memory is lost for good.
    Discard,
}

/// Something that is done to a target on purpose.
///
/// Not `Copy`: a later fault may name a disk or a network adapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fault {
    /// Power on, or resume if suspended.
    PowerOn {
        /// How long the platform may take.
        #[serde(rename = "limit_seconds", with = "seconds")]
        limit: Duration,
    },
    /// Power off.
    PowerOff {
        /// How.
        stop: Stop,
        /// What to do with the memory of a suspended VM.
        suspended: SuspendedMemory,
    },
    /// Restart a running VM: by its guest, or by a reset.
    Reboot {
        /// How. The grace of a guest restart covers going down and coming up again.
        stop: Stop,
    },
    /// Suspend a running VM to disk.
    Suspend {
        /// How long the platform may take.
        #[serde(rename = "limit_seconds", with = "seconds")]
        limit: Duration,
    },
}

impl Fault {
    /// How long the platform may take to power a VM on or to suspend it where nothing else was said.
    pub const DEFAULT_LIMIT: Duration = Duration::from_mins(5);

    /// Power on within the default limit.
    #[must_use]
    pub fn power_on() -> Self {
        Self::PowerOn { limit: Self::DEFAULT_LIMIT }
    }

    /// Power off; a suspended VM is refused.
    #[must_use]
    pub fn power_off(stop: Stop) -> Self {
        Self::PowerOff { stop, suspended: SuspendedMemory::Keep }
    }

    /// Restart.
    #[must_use]
    pub fn reboot(stop: Stop) -> Self {
        Self::Reboot { stop }
    }

    /// Suspend within the default limit.
    #[must_use]
    pub fn suspend() -> Self {
        Self::Suspend { limit: Self::DEFAULT_LIMIT }
    }

    /// Which operation it is, without its parameters.
    #[must_use]
    pub fn operation(&self) -> Operation {
        match self {
            Self::PowerOn { .. } => Operation::PowerOn,
            Self::PowerOff { .. } => Operation::PowerOff,
            Self::Reboot { .. } => Operation::Reboot,
            Self::Suspend { .. } => Operation::Suspend,
        }
    }

    /// Whether it takes something away. Powering on only gives back.
    #[must_use]
    pub fn breaks(&self) -> bool {
        !matches!(self, Self::PowerOn { .. })
    }

    /// The longest that it may take on one target.
    #[must_use]
    pub fn limit(&self) -> Duration {
        match *self {
            Self::PowerOn { limit } | Self::Suspend { limit } => limit,
            Self::PowerOff { stop, .. } | Self::Reboot { stop } => stop.limit(),
        }
    }
}

/// The name of an operation, without its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Operation {
    /// See [`Fault::PowerOn`].
    PowerOn,
    /// See [`Fault::PowerOff`].
    PowerOff,
    /// See [`Fault::Reboot`].
    Reboot,
    /// See [`Fault::Suspend`].
    Suspend,
}

impl Operation {
    /// The serialised word, such as `power_off`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PowerOn => "power_on",
            Self::PowerOff => "power_off",
            Self::Reboot => "reboot",
            Self::Suspend => "suspend",
        }
    }

    /// The words for messages, such as `power off`.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::PowerOn => "power on",
            Self::PowerOff => "power off",
            Self::Reboot => "reboot",
            Self::Suspend => "suspend",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_survives_the_way_to_disk_and_back() {
        let fault = Fault::power_off(Stop::graceful());
        let json = serde_json::to_string(&fault).unwrap();
        assert_eq!(
            json,
            r#"{"fault":"power_off","stop":{"mode":"guest_then_hard","grace_seconds":300.0,"hard_seconds":60.0},"suspended":"keep"}"#
        );
        assert_eq!(serde_json::from_str::<Fault>(&json).unwrap(), fault);
    }

    #[test]
    fn a_negative_or_endless_limit_is_refused() {
        for bad in ["-1", "1e400", "null"] {
            let json = format!(r#"{{"fault":"power_on","limit_seconds":{bad}}}"#);
            assert!(serde_json::from_str::<Fault>(&json).is_err(), "{bad}");
        }
    }
}
