//! What an account may do with VMs, as far as a platform can tell.

use serde::{Deserialize, Serialize};

use crate::fault::Operation;

/// What an account may do with the VMs that were looked at, as far as a platform can tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PowerRights {
    /// How many VMs were looked at.
    pub vms: usize,
    /// At least one for each operation. One that is done in several ways may have a right for each.
    pub rights: Vec<Right>,
}

/// The right to one operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Right {
    /// What it lets the account do.
    pub operation: Operation,
    /// The platform's name for it, to be granted.
    pub privilege: String,
    /// On how many of the VMs that were looked at it is granted.
    pub granted: usize,
}

impl PowerRights {
    /// No right on any of `vms` VMs.
    #[must_use]
    pub fn none(vms: usize, rights: impl IntoIterator<Item = (Operation, &'static str)>) -> Self {
        let right = |(operation, privilege): (Operation, &str)| Right {
            operation,
            privilege: privilege.to_owned(),
            granted: 0,
        };
        Self { vms, rights: rights.into_iter().map(right).collect() }
    }

    /// The rights that are not granted on all VMs that were looked at.
    pub fn lacking(&self) -> impl Iterator<Item = &Right> {
        self.rights.iter().filter(|right| right.granted < self.vms)
    }
}
