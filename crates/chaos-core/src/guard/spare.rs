//! Rules on single VMs: those that are never hit, and those that alone may be.

use std::fmt;

use super::denial::Denial;
use super::scene::{Scene, Strike};
use crate::select::Filter;

/// `protect FILTER`: these VMs are never hit.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Protect {
    /// Which.
    pub vms: Filter,
}

/// `only FILTER`: no other VMs may be hit.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Only {
    /// Which may.
    pub vms: Filter,
}

impl Protect {
    pub(super) fn check(&self, strike: &Strike<'_>, _: &Scene<'_>) -> Result<(), Denial> {
        let Some(hit) = strike.targets.iter().find(|member| self.vms.matches(&member.candidate())) else {
            return Ok(());
        };
        let path = hit.vm.display_path();
        Err(Denial::new(Some(path), format!("{path} is protected"), "leave it out"))
    }
}

impl Only {
    pub(super) fn check(&self, strike: &Strike<'_>, _: &Scene<'_>) -> Result<(), Denial> {
        let Some(hit) = strike.targets.iter().find(|member| !self.vms.matches(&member.candidate())) else {
            return Ok(());
        };
        let path = hit.vm.display_path();
        let why = format!("{path} is not among the VMs that may be hit");
        Err(Denial::new(Some(path), why, "leave it out, or have it added to them"))
    }
}

impl fmt::Display for Protect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "protect {}", self.vms)
    }
}

impl fmt::Display for Only {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "only {}", self.vms)
    }
}
