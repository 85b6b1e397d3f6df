//! What can be wrong with a plan or with what was asked of a world.

use super::model::{Power, Reach};
use super::task::TaskId;

/// A world cannot be built or changed as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WorldError {
    /// A VM's datacenter is not there.
    #[error("VM {vm:?} cannot be placed: there is no datacenter {datacenter:?}; name one of the estate's datacenters")]
    NoDatacenter {
        /// The VM.
        vm: String,
        /// The name that was asked for; empty if none was.
        datacenter: String,
    },
    /// A VM's host is not there.
    #[error("VM {vm:?} cannot be placed: its datacenter has no host {host:?}; list the host in the estate first")]
    NoHost {
        /// The VM.
        vm: String,
        /// The name that was asked for; empty if none was.
        host: String,
    },
    /// Two VMs of one name in one folder.
    #[error("there already is a VM {vm:?} in that folder; give it another name or folder")]
    NameTaken {
        /// The name.
        vm: String,
    },
    /// No VM has that name, path or id.
    #[error("the world has no VM {vm:?}")]
    NoSuchVm {
        /// What was asked for.
        vm: String,
    },
    /// Several VMs have that name.
    #[error("the world has several VMs {vm:?}: {}; use the path", paths.join(", "))]
    Ambiguous {
        /// What was asked for.
        vm: String,
        /// Their paths.
        paths: Vec<String>,
    },
    /// No host has that name.
    #[error("the world has no host {host:?}")]
    NoSuchHost {
        /// What was asked for.
        host: String,
    },
}

/// An operation was refused; nothing happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The VM is not (any longer) there.
    Gone,
    /// It is busy with a task.
    Busy(TaskId),
    /// Its power does not allow it.
    WrongPower {
        /// What the operation leads to, or needs.
        wanted: Power,
        /// What it is.
        existing: Power,
    },
    /// It is a template or another VM that takes no operations.
    NotSupported,
    /// No agent that would carry out a soft operation.
    NoTools,
    /// It cannot be reached.
    Unreachable(Reach),
    /// Its host is in maintenance.
    HostInMaintenance,
    /// The question that was answered is not asked.
    NoSuchQuestion,
    /// The task is over and cannot be cancelled.
    TaskOver,
    /// The task cannot be cancelled.
    NotCancelable,
}
