//! Actions on a VM and how they are answered (API services, `vm`: `start`, `stop`, `shutdown`, `reboot`, `reset`, `suspend`).

use chaos_http::StatusCode;
use chaos_xml::Node;

use super::fault::Fault;

/// An action on a VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Run a VM that is down, or let one go on that is suspended or paused.
    Start,
    /// Power off without asking the guest.
    Stop,
    /// Ask the guest to power off. The engine asks it only if the VM is `up`, and stops the VM hard in every other state.
    Shutdown,
    /// Ask the guest to restart.
    Reboot,
    /// Restart without asking the guest.
    Reset,
    /// Save the memory to disk and end the VM's process.
    Suspend,
}

impl Action {
    /// The last step of its path.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Shutdown => "shutdown",
            Self::Reboot => "reboot",
            Self::Reset => "reset",
            Self::Suspend => "suspend",
        }
    }

    /// The call in logs and errors.
    pub(crate) fn operation(self) -> &'static str {
        match self {
            Self::Start => "POST vms/start",
            Self::Stop => "POST vms/stop",
            Self::Shutdown => "POST vms/shutdown",
            Self::Reboot => "POST vms/reboot",
            Self::Reset => "POST vms/reset",
            Self::Suspend => "POST vms/suspend",
        }
    }

    /// Whether the engine keeps a reason for it.
    pub(crate) fn takes_reason(self) -> bool {
        match self {
            Self::Stop | Self::Shutdown => true,
            Self::Start | Self::Reboot | Self::Reset | Self::Suspend => false,
        }
    }
}

/// Reads the answer to an action: 200, 201 and 202 alike, for a task that goes on says nothing of the VM.
///
/// # Errors
/// The fault, if the action failed although the status does not say so.
pub(crate) fn read_answer(status: StatusCode, root: Node<'_>) -> Result<(), Fault> {
    let failed = root.child_text("status").map(str::trim) == Some("failed");
    match Fault::read(status, root) {
        Some(fault) => Err(fault),
        None if failed => Err(Fault { status, reason: "Operation Failed".to_owned(), detail: String::new() }),
        None => Ok(()),
    }
}
