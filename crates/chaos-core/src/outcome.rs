//! What really happened to one VM. Never a bool.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::seconds;
use crate::vm::VMPowerState;

/// How the goal was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum How {
    /// The VM was in the wanted state already; nothing was done.
    AlreadyThere,
    /// It was off and is on.
    PoweredOn,
    /// It was suspended and runs on where it stopped.
    Resumed,
    /// Its guest shut itself down.
    GuestShutdown,
    /// It was powered off hard, as asked.
    HardPowerOff,
    /// It was powered off hard, because its guest did not shut down in time.
    HardAfterGuestTimeout,
    /// It was powered off hard, because its guest cannot be asked (no agent that answers).
    HardWithoutTools,
    /// Its guest restarted itself: it was seen going down and coming up.
    GuestReboot,
    /// It was reset, as asked.
    Reset,
    /// It was reset, because its guest did not restart in time.
    ResetAfterGuestTimeout,
    /// It was reset, because its guest cannot be asked.
    ResetWithoutTools,
    /// It is suspended.
    Suspended,
}

impl How {
    /// The serialised word, such as `guest_shutdown`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AlreadyThere => "already_there",
            Self::PoweredOn => "powered_on",
            Self::Resumed => "resumed",
            Self::GuestShutdown => "guest_shutdown",
            Self::HardPowerOff => "hard_power_off",
            Self::HardAfterGuestTimeout => "hard_after_guest_timeout",
            Self::HardWithoutTools => "hard_without_tools",
            Self::GuestReboot => "guest_reboot",
            Self::Reset => "reset",
            Self::ResetAfterGuestTimeout => "reset_after_guest_timeout",
            Self::ResetWithoutTools => "reset_without_tools",
            Self::Suspended => "suspended",
        }
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A goal that was reached. A goal that was not reached is an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Outcome {
    /// How.
    pub how: How,
    /// The state found before.
    pub previous_state: VMPowerState,
    /// The state read afterwards.
    pub state: VMPowerState,
    /// How long it took, on the clock of the call.
    #[serde(rename = "duration_seconds", with = "seconds")]
    pub duration: Duration,
    /// When it was last powered on, in the server's time, if that was read with the state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_time: Option<Timestamp>,
    /// What a person should know beside it, such as "the guest ended in standby".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Outcome {
    /// A goal that was reached.
    #[must_use]
    pub fn new(how: How, previous_state: VMPowerState, state: VMPowerState, duration: Duration) -> Self {
        Self { how, previous_state, state, duration, boot_time: None, note: None }
    }

    /// There was nothing to do: it is in `state` already.
    #[must_use]
    pub fn already_there(state: VMPowerState) -> Self {
        Self::new(How::AlreadyThere, state, state, Duration::ZERO)
    }

    /// Adds when it was last powered on, as it was read with the state.
    #[must_use]
    pub fn booted(mut self, boot_time: Option<Timestamp>) -> Self {
        self.boot_time = boot_time;
        self
    }

    /// Adds what a person should know beside it.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}
