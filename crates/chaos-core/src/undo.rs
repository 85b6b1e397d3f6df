//! The record that alone lets another process put a target back.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};
use crate::fault::{Fault, Operation, Stop, SuspendedMemory, Target};
use crate::vm::{VMInfo, VMPowerState};

/// How a target is put back to what it was before a fault.
///
/// Made by [`Platform::prepare`](crate::Platform::prepare), written down before the fault is sent, and played by
/// [`Platform::undo`](crate::Platform::undo) of this process or of any later one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Undo {
    /// The version of this record's format, [`Undo::VERSION`] when it was made by this crate.
    pub version: u32,
    /// What it puts back.
    pub target: Target,
    /// The target's name, for people.
    pub name: String,
    /// The target's inventory path, for people.
    pub path: Option<String>,
    /// What it undoes.
    pub operation: Operation,
    /// What was found before the fault.
    pub found: Found,
    /// How to get back there.
    pub action: UndoAction,
}

/// The state of a target before a fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Found {
    /// Whether it ran.
    pub power_state: VMPowerState,
    /// The platform's own word for it.
    pub native_state: String,
    /// When it had last been powered on.
    pub boot_time: Option<Timestamp>,
    /// When this was read.
    pub at: Timestamp,
}

/// How to get back to the found state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
#[non_exhaustive]
pub enum UndoAction {
    /// Bring the VM back to this power state, by whatever leads there from the state it is in then.
    RestorePower {
        /// The state to restore.
        to: VMPowerState,
    },
    /// It cannot be put back.
    Impossible {
        /// Why not.
        why: String,
    },
}

impl Undo {
    /// The version of the format that this crate writes.
    pub const VERSION: u32 = 1;

    /// The undo of a power fault on a VM that was just read.
    #[must_use]
    pub fn of_power(target: Target, vm: &VMInfo, fault: &Fault, at: Timestamp) -> Self {
        let action = match (vm.power_state, fault) {
            (VMPowerState::Suspended, Fault::PowerOff { .. }) => UndoAction::Impossible {
                why: "the memory of a suspended VM that was powered off cannot be put back".to_owned(),
            },
            (VMPowerState::Unknown, _) => {
                UndoAction::Impossible { why: "the VM's power state was not known beforehand".to_owned() }
            }
            (state, _) => UndoAction::RestorePower { to: state },
        };
        Self {
            version: Self::VERSION,
            target,
            name: vm.name.clone(),
            path: vm.path.clone(),
            operation: fault.operation(),
            found: Found {
                power_state: vm.power_state,
                native_state: vm.native_state.clone(),
                boot_time: vm.boot_time,
                at,
            },
            action,
        }
    }

    /// Why the target cannot be put back at all, in words for a person; `None` if it can.
    #[must_use]
    pub fn why_impossible(&self) -> Option<&str> {
        match &self.action {
            UndoAction::RestorePower { .. } => None,
            UndoAction::Impossible { why } => Some(why),
        }
    }

    /// The fault that leads from the state that the VM is in now to the found state; none if it is there already.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] if the record was made by a newer version, [`ErrorKind::InvalidState`] if no way
    /// leads back.
    pub fn next_step(&self, now: VMPowerState) -> Result<Option<Fault>, Error> {
        use VMPowerState::{PoweredOff, PoweredOn, Suspended, Unknown};

        if self.version > Self::VERSION {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("the undo record has format {} and this version knows up to {}", self.version, Self::VERSION),
            )
            .vm(&self.name));
        }
        let to = match &self.action {
            UndoAction::RestorePower { to } => *to,
            UndoAction::Impossible { why } => {
                return Err(Error::new(ErrorKind::InvalidState, format!("cannot be put back: {why}")).vm(&self.name));
            }
        };
        match (now, to) {
            (PoweredOn, PoweredOn) | (PoweredOff, PoweredOff) | (Suspended, Suspended) => Ok(None),
            (PoweredOff | Suspended, PoweredOn) => Ok(Some(Fault::power_on())),
            // The VM was off: whatever is in its memory now came into being by what is undone here.
            (PoweredOn | Suspended, PoweredOff) => {
                Ok(Some(Fault::PowerOff { stop: Stop::graceful(), suspended: SuspendedMemory::Discard }))
            }
            (PoweredOn, Suspended) => Ok(Some(Fault::suspend())),
            (PoweredOff, Suspended) => Err(Error::new(
                ErrorKind::InvalidState,
                "cannot be put back: it was suspended and is powered off now, its memory is lost",
            )
            .vm(&self.name)),
            (Unknown, _) | (_, Unknown) => Err(Error::new(
                ErrorKind::InvalidState,
                format!("cannot be put back: its power state is {now} and {to} was found before"),
            )
            .vm(&self.name)),
        }
    }
}
