//! Who holds which VM.
//!
//! Whether a lease counts goes by its holder alone: by whether its process lives, which the lock of its log tells, and by
//! whether it has left the VM changed, which its log tells. No clock decides, so that none that is set breaks anything. And
//! since the logs tell it too, a VM that a dead run has left changed is held also if the file of the leases is lost.

use std::time::Duration;

use async_trait::async_trait;
use chaos_core::{Error, ErrorKind, FencingToken, Lease, LeaseStore, OpenTarget, RunId, RunState, RunSummary, Target};
use jiff::Timestamp;

use crate::files;
use crate::index;
use crate::lease_file::Leases;
use crate::store::FileStore;

const LOCK: &str = "leases.lock";
/// How long others may take to read and write the leases.
const PATIENCE: Duration = Duration::from_secs(10);

#[async_trait]
impl LeaseStore for FileStore {
    async fn acquire(&self, holder: &RunId, targets: &[(Target, String)], ttl: Duration) -> Result<Vec<Lease>, Error> {
        let (store, holder, targets) = (self.clone(), holder.clone(), targets.to_vec());
        files::blocking(move || {
            changed(&store, |leases| {
                let runs = index::list(&store)?;
                for (target, name) in &targets {
                    free(target, name, &holder, leases, &runs)?;
                }
                leases.given.retain(|lease| {
                    let replaced = targets.iter().any(|(target, _)| target.is_same(&lease.target));
                    !replaced && !is_over(lease, &runs)
                });
                let expires = expiry(&store, ttl);
                let mut new = Vec::with_capacity(targets.len());
                for (target, name) in targets {
                    new.push(Lease::new(target, name, holder.clone(), FencingToken::new(leases.next), expires));
                    leases.next += 1;
                }
                leases.given.extend(new.iter().cloned());
                // If nobody else lives, these are all.
                leases.is_lost &= others(&runs, Some(&holder)).next().is_some();
                Ok(new)
            })
        })
        .await
    }

    async fn renew(&self, leases: &[Lease], ttl: Duration) -> Result<(), Error> {
        let (store, mine) = (self.clone(), leases.to_vec());
        files::blocking(move || {
            changed(&store, |leases| {
                if leases.is_lost {
                    let path = Leases::path(store.root());
                    return Err(Error::new(ErrorKind::Unavailable, format!("{} cannot be understood", path.display())));
                }
                let expires = expiry(&store, ttl);
                for lease in &mine {
                    let there = leases.given.iter_mut().find(|there| there.target.is_same(&lease.target));
                    match there {
                        Some(there) if there.token == lease.token && there.holder == lease.holder => {
                            there.expires = expires;
                        }
                        Some(there) => {
                            let message = format!("{} is held by run {} now", lease.name, there.holder);
                            return Err(Error::new(ErrorKind::Refused, message));
                        }
                        None => {
                            let message = format!("{} is not held any more: its lease is gone", lease.name);
                            return Err(Error::new(ErrorKind::Refused, message));
                        }
                    }
                }
                Ok(())
            })
        })
        .await
    }

    async fn release(&self, leases: &[Lease]) -> Result<(), Error> {
        let (store, mine) = (self.clone(), leases.to_vec());
        files::blocking(move || {
            changed(&store, |leases| {
                leases.given.retain(|there| mine.iter().all(|lease| lease.token != there.token));
                Ok(())
            })
        })
        .await
    }
}

impl FileStore {
    /// The leases of a run that were not given back, for people: whether they still hold anything goes by its log.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub async fn held_by(&self, run: &RunId) -> Result<Vec<Lease>, Error> {
        let (root, run) = (self.root().to_owned(), run.clone());
        files::blocking(move || Ok(Leases::read(&root)?.of(&run).cloned().collect())).await
    }
}

/// Makes the file if it is not there or cannot be understood, so that from here on such a one is one that was lost. If runs live that
/// have begun before it was lost, it stays so.
pub(crate) fn ensure(store: &FileStore) -> Result<(), Error> {
    if !Leases::read(store.root())?.is_lost {
        return Ok(());
    }
    changed(store, |leases| {
        leases.is_lost &= others(&index::list(store)?, None).next().is_some();
        Ok(())
    })
}

/// Reads the leases, lets `change` change them, and writes what is new, while nobody else does.
fn changed<T>(store: &FileStore, change: impl FnOnce(&mut Leases) -> Result<T, Error>) -> Result<T, Error> {
    let lock = store.root().join(LOCK);
    let file = files::lock_file(&lock).map_err(|error| files::failed("lock", &lock, error))?;
    if !files::lock(&file, PATIENCE).map_err(|error| files::failed("lock", &lock, error))? {
        let message = format!("{} is locked by another process for more than {} s", lock.display(), PATIENCE.as_secs());
        return Err(Error::new(ErrorKind::Unavailable, message));
    }
    let before = Leases::read(store.root())?;
    let mut leases = before.clone();
    let given = change(&mut leases)?;
    // That they are lost has to stay known to others.
    if !leases.is_lost && leases != before {
        leases.write(store.root())?;
    }
    Ok(given)
}

/// Whether `holder` may have a target.
///
/// # Errors
/// [`ErrorKind::Refused`] with the run that keeps it, and the way out.
fn free(target: &Target, name: &str, holder: &RunId, leases: &Leases, runs: &[RunSummary]) -> Result<(), Error> {
    let refused = |message: String| Err(Error::new(ErrorKind::Refused, message));
    let is_open = |run: &RunSummary| run.open.iter().any(|open: &OpenTarget| open.target.is_same(target));
    for run in runs.iter().filter(|run| run.run != *holder) {
        let has_lease = leases.given.iter().any(|lease| lease.holder == run.run && lease.target.is_same(target));
        match run.state {
            RunState::Running if has_lease || is_open(run) => {
                return refused(format!("{name} is held by run {}, which goes on since {:.0}", run.run, run.started));
            }
            RunState::Running if leases.is_lost => {
                return refused(format!(
                    "run {} goes on, and which VMs it holds is not known any more: wait for its end",
                    run.run
                ));
            }
            // What an experiment has left on purpose holds nobody up.
            RunState::Unrecovered if run.open.iter().any(|open| !open.is_meant && open.target.is_same(target)) => {
                return refused(format!(
                    "run {run} has left {name} changed: `chaosmonkey recover {run}` puts it back",
                    run = run.run
                ));
            }
            RunState::Damaged if has_lease || is_open(run) => {
                return refused(format!(
                    "run {run} held {name}, and its log is damaged: put its VMs back by hand, then \
                     `chaosmonkey recover {run} --abandon REASON`",
                    run = run.run
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The runs that live beside `holder`.
fn others<'a>(runs: &'a [RunSummary], holder: Option<&'a RunId>) -> impl Iterator<Item = &'a RunSummary> {
    runs.iter().filter(move |run| run.state == RunState::Running && Some(&run.run) != holder)
}

/// Whether a lease holds nothing any more, since its run is over and has left nothing changed.
fn is_over(lease: &Lease, runs: &[RunSummary]) -> bool {
    runs.iter().find(|run| run.run == lease.holder).is_none_or(|run| run.state.is_settled())
}

fn expiry(store: &FileStore, ttl: Duration) -> Timestamp {
    store.clock().now().saturating_add(ttl).unwrap_or(Timestamp::MAX)
}
