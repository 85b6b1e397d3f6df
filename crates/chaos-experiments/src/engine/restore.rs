//! Putting VMs back to the state that they were found in before the run ends, as an activity.

use chaos_core::{Context, Error, Target, VMInfo};
use serde_json::{Value, json};

use crate::engine::Running;
use crate::engine::activity::Failed;
use crate::engine::power::described;
use crate::resolve::On;

/// What the journal calls it.
const OPERATION: &str = "restore";

impl Running<'_> {
    /// Plays the undo of each of these VMs that the run has sent something, the last activity first, and says of the
    /// others that there is nothing to undo. One that fails does not keep the others from being put back.
    pub(super) async fn restore(&self, cx: &Context, on: &On) -> Result<Vec<Value>, Failed> {
        let targets: Vec<Target> = on.refs().into_iter().map(Target::from).collect();
        let mut results = self.ledger.restore(&cx.limit(self.repair_limit), &targets, &self.recorder).await;
        let mut outputs = Vec::with_capacity(targets.len());
        let mut failed: Option<Failed> = None;
        for (vm, target) in on.vms.iter().zip(&targets) {
            let result =
                results.iter().position(|(other, _)| other.is_same(target)).map(|at| results.swap_remove(at).1);
            match result {
                None => outputs.push(untouched(vm)),
                Some(Ok(outcome)) => {
                    let idle = format!("nothing to put back: it is {} as it was found", outcome.state);
                    outputs.push(described(vm, OPERATION, &outcome, idle));
                }
                Some(Err(error)) => {
                    let error: Error = error.vm(vm.display_path());
                    match &mut failed {
                        Some(failed) => failed.lines.push(error.with_causes()),
                        None => failed = Some(error.into()),
                    }
                }
            }
        }
        failed.map_or(Ok(outputs), Err)
    }
}

fn untouched(vm: &VMInfo) -> Value {
    json!({
        "vm": vm.name,
        "id": vm.id,
        "path": vm.path,
        "operation": OPERATION,
        "outcome": "skipped",
        "previous_state": null,
        "state": null,
        "duration_seconds": 0.0,
        "note": "nothing to put back: the run sent it nothing",
    })
}
