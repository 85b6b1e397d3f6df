//! Tasks: work that a caller waits for.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::model::{DatacenterId, VmId};

/// What can be done to a VM's power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Operation {
    /// Power on or resume.
    PowerOn,
    /// Power off hard.
    PowerOff,
    /// Reset the hardware.
    Reset,
    /// Save memory and stop.
    Suspend,
    /// Ask the guest to shut down.
    ShutdownGuest,
    /// Ask the guest to reboot.
    RebootGuest,
    /// Ask the guest to go to standby.
    StandbyGuest,
    /// Kill the process that runs the VM.
    Terminate,
}

impl Operation {
    /// Whether the platform works at it in a task; the others are requests that return at once.
    #[must_use]
    pub const fn is_task(self) -> bool {
        matches!(self, Self::PowerOn | Self::PowerOff | Self::Reset | Self::Suspend)
    }
}

/// Whose task it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TaskOwner {
    /// One VM's.
    Vm(VmId),
    /// A task over several VMs of a datacenter.
    Datacenter(DatacenterId),
}

/// Identifies a task: whose it is and the how-manieth operation on that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId {
    /// Whose task it is.
    pub owner: TaskOwner,
    /// The count of operations on the owner when it was accepted.
    pub number: u32,
}

/// Why a task failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Failure {
    /// No host had the resources.
    OutOfResources,
    /// A file of the VM could not be opened.
    FileLocked,
    /// The host was lost while working.
    HostLost,
    /// Something inside broke, with these words.
    Internal(String),
    /// The power did not allow it.
    #[serde(skip)]
    WrongPower {
        /// What the operation leads to, or needs.
        wanted: super::Power,
        /// What it is.
        existing: super::Power,
    },
    /// The pending question was answered with a no.
    #[serde(skip)]
    Declined,
    /// Someone cancelled it.
    #[serde(skip)]
    Cancelled,
}

/// How far a task is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskState {
    /// Waiting for its turn.
    Queued,
    /// At work.
    Running {
        /// Percent done.
        progress: u8,
    },
    /// Done.
    Succeeded,
    /// Not done.
    Failed(Failure),
}

impl TaskState {
    /// Whether nothing more will happen to it.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed(_))
    }
}

/// One task.
#[derive(Debug, Clone)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// What it does.
    pub operation: Operation,
    /// How far it is.
    pub state: TaskState,
    /// Who asked for it.
    pub user: String,
    /// World time when it was accepted.
    pub queued: Duration,
    /// World time when work began.
    pub started: Option<Duration>,
    /// World time when it was over.
    pub finished: Option<Duration>,
    /// For a task over several VMs: each of them and its own task, or why there is none.
    pub members: Vec<(VmId, Result<TaskId, super::Refusal>)>,
    /// The world's count of changes when it last changed.
    pub revision: u64,
    /// What it is going to fail with when its time is over.
    pub(crate) fate: Option<Failure>,
}
