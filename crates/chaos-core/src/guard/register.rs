//! What a guard has to know of other runs.

use std::fmt::Debug;

use async_trait::async_trait;
use jiff::Timestamp;

use super::scene::{Member, Scene};
use crate::context::RunId;
use crate::error::Error;
use crate::vm_ref::VMRef;

/// Where it is known what all runs do.
#[async_trait]
pub trait FaultRegister: Debug + Send + Sync + 'static {
    /// The VMs that other runs than `run` have in a fault, or may have: those that they hold, and those that they have left
    /// changed. A run that asks for what it will hold before it asks for this misses none that did so earlier.
    ///
    /// # Errors
    /// If nobody can tell; whoever asks has to assume the worst.
    async fn elsewhere(&self, run: &RunId) -> Result<Vec<VMRef>, Error>;

    /// The faults that other runs than `run` have sent since `since`. Powering on is none.
    ///
    /// # Errors
    /// If nobody can tell; whoever asks has to assume the worst.
    async fn hits(&self, run: &RunId, since: Timestamp) -> Result<Vec<(VMRef, Timestamp)>, Error>;
}

/// What other runs do, as it was known at one time.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Elsewhere {
    /// The VMs that they have in a fault, or may have.
    pub faulted: Vec<VMRef>,
    /// What they hit, and when.
    pub hits: Vec<(VMRef, Timestamp)>,
}

impl Elsewhere {
    /// The scene at `now` with what other runs do, and with no fault of one's own.
    #[must_use]
    pub fn scene<'a>(&'a self, now: Timestamp, estate: &'a [Member]) -> Scene<'a> {
        Scene::new(now, estate).faulted(&self.faulted).hits(self.hits.iter().map(|(vm, at)| (vm, *at)))
    }
}
