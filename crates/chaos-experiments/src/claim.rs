//! The leases of a run: every VM that it may change is held by it alone.

use std::sync::Arc;
use std::time::Duration;

use chaos_core::{Context, Error, ErrorKind, Lease, LeaseStore, RunId, Target};

use crate::native::What;
use crate::resolve::ResolvedExperiment;

/// How long a lease lasts without being renewed.
const TTL: Duration = Duration::from_mins(1);
/// How often leases are renewed.
const RENEWAL: Duration = Duration::from_secs(15);

/// Leases of all VMs that a run may change. Given to [`RunOptions`](crate::RunOptions), they are renewed while the run goes
/// on; one that is lost stops it.
#[derive(Debug, Clone)]
pub struct Claim {
    store: Arc<dyn LeaseStore>,
    leases: Vec<Lease>,
}

impl Claim {
    /// The leases.
    #[must_use]
    pub fn leases(&self) -> &[Lease] {
        &self.leases
    }

    /// Gives all leases back.
    ///
    /// # Errors
    /// If the store cannot write that down. The leases of a run whose process is gone hold nothing, once all that it
    /// changed is back.
    pub async fn release(&self) -> Result<(), Error> {
        if self.leases.is_empty() {
            return Ok(());
        }
        self.store.release(&self.leases).await
    }

    /// Renews the leases until one is lost, and says why.
    pub(crate) async fn keep(&self, cx: &Context) -> String {
        if self.leases.is_empty() {
            return std::future::pending().await;
        }
        let mut renewed = cx.monotonic();
        loop {
            if cx.pause("waiting to renew the leases", RENEWAL).await.is_err() {
                return std::future::pending().await;
            }
            match self.store.renew(&self.leases, TTL).await {
                Ok(()) => renewed = cx.monotonic(),
                Err(error) if error.kind() == ErrorKind::Refused => return error.with_causes(),
                Err(error) if cx.monotonic().saturating_sub(renewed) >= TTL => {
                    return format!("the leases could not be renewed: {}", error.with_causes());
                }
                Err(error) => tracing::warn!("the leases could not be renewed: {}", error.with_causes()),
            }
        }
    }
}

impl ResolvedExperiment {
    /// The VMs that the run may change, each once, with their names or paths.
    #[must_use]
    pub fn targets(&self) -> Vec<(Target, String)> {
        let mut targets: Vec<(Target, String)> = Vec::new();
        for bound in self.hypothesis.iter().chain(&self.method).chain(&self.rollbacks) {
            let changes = bound.activity.vm_call().is_some_and(|call| matches!(call.what, What::Power { .. }));
            let Some(on) = bound.on.as_ref().filter(|_| changes) else { continue };
            for (vm, target) in on.vms.iter().zip(on.refs()) {
                let target = Target::from(target);
                if targets.iter().all(|(known, _)| !known.is_same(&target)) {
                    targets.push((target, vm.display_path().to_owned()));
                }
            }
        }
        targets
    }

    /// Takes the leases of all VMs that the run may change, or of none.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] if another run holds one of them.
    pub async fn claim(&self, run: &RunId, store: Arc<dyn LeaseStore>) -> Result<Claim, Error> {
        let targets = self.targets();
        // A run that touches no VM has nothing to ask for.
        let leases = if targets.is_empty() { Vec::new() } else { store.acquire(run, &targets, TTL).await? };
        Ok(Claim { store, leases })
    }
}
