//! What runs have in a fault, and what they have hit: from their leases and their logs.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chaos_core::{Error, ErrorKind, FaultRegister, RunEventKind, RunId, RunSummary, VMRef};
use jiff::Timestamp;

use crate::files;
use crate::index;
use crate::lease_file::Leases;
use crate::reading;
use crate::store::FileStore;

#[async_trait]
impl FaultRegister for FileStore {
    async fn elsewhere(&self, run: &RunId) -> Result<Vec<VMRef>, Error> {
        let (store, run) = (self.clone(), run.clone());
        files::blocking(move || {
            let runs: Vec<RunSummary> = index::list(&store)?
                .into_iter()
                .filter(|other| other.run != run && !other.state.is_settled())
                .collect();
            let leases = Leases::read(store.root())?;
            if leases.is_lost && !runs.is_empty() {
                let message = format!("which VMs run {} holds is not known any more", runs[0].run);
                return Err(Error::new(ErrorKind::Unavailable, message));
            }
            let held = runs.iter().flat_map(|other| leases.of(&other.run)).map(|lease| &lease.target);
            let open = runs.iter().flat_map(|other| &other.open).map(|open| &open.target);
            let mut vms: Vec<VMRef> = held.chain(open).filter_map(|target| target.vm().cloned()).collect();
            vms.sort();
            vms.dedup();
            Ok(vms)
        })
        .await
    }

    async fn hits(&self, run: &RunId, since: Timestamp) -> Result<Vec<(VMRef, Timestamp)>, Error> {
        let (store, run) = (self.clone(), run.clone());
        files::blocking(move || {
            let mut hits = Vec::new();
            for other in index::list(&store)? {
                // What a run that lives has done last, its summary does not know yet.
                if other.run == run || (other.last < since && other.state.is_settled()) {
                    continue;
                }
                let recorded = match store.directory_of(&other.run) {
                    Ok(directory) => reading::read(&directory, &other.run)?,
                    // Forgotten in the meantime.
                    Err(error) if error.kind() == ErrorKind::NotFound => continue,
                    Err(error) => return Err(error),
                };
                let mut prepared = BTreeMap::new();
                for event in &recorded.events {
                    match &event.event {
                        RunEventKind::Prepared { target, fault, .. } if fault.breaks() => {
                            prepared.extend(target.vm().map(|vm| (event.sequence, vm)));
                        }
                        RunEventKind::Sent { prepared: of } if event.at >= since => {
                            hits.extend(prepared.get(of).map(|vm| ((*vm).clone(), event.at)));
                        }
                        _ => {}
                    }
                }
            }
            Ok(hits)
        })
        .await
    }
}
