//! Who holds which VM.
//!
//! Whether a lease counts goes by its holder alone: by whether its process lives, which the lock of its log tells, and by
//! whether it has left the VM changed, which its log tells. No clock decides, so that none that is set breaks anything. And
//! since the logs tell it too, a VM that a dead run has left changed is held also if the file of the leases is lost.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use chaos_core::{Error, ErrorKind, FencingToken, Lease, LeaseStore, OpenTarget, RunId, RunState, RunSummary, Target};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::files;
use crate::index;
use crate::store::FileStore;

const FILE: &str = "leases.json";
const LOCK: &str = "leases.lock";
/// How long others may take to read and write the leases.
const PATIENCE: Duration = Duration::from_secs(10);

/// All leases that were given and not given back.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Leases {
    /// The number of the next token.
    next: u64,
    given: Vec<Lease>,
    /// Whether this is not what was written, since that cannot be read.
    #[serde(skip)]
    is_lost: bool,
}

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
                // Nobody else lives, so these are all.
                leases.is_lost = false;
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
                    let path = store.root().join(FILE);
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
                // That they are lost has to stay known to others.
                if leases.is_lost {
                    return Ok(());
                }
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
        let (path, run) = (self.root().join(FILE), run.clone());
        files::blocking(move || {
            let mut leases = read(&path)?.given;
            leases.retain(|lease| lease.holder == run);
            Ok(leases)
        })
        .await
    }
}

/// Makes the file, so that from here on one that is not there is one that was lost. If runs live that have begun before it
/// was lost, it stays so.
pub(crate) fn ensure(store: &FileStore) -> Result<(), Error> {
    if store.root().join(FILE).exists() {
        return Ok(());
    }
    changed(store, |leases| {
        let lives = |run: &RunSummary| run.state == RunState::Running;
        leases.is_lost = leases.is_lost && index::list(store)?.iter().any(lives);
        Ok(())
    })
}

/// Whether a run has leases that were not given back.
pub(crate) fn has_leases(root: &Path, run: &RunId) -> bool {
    read(&root.join(FILE)).is_ok_and(|leases| leases.given.iter().any(|lease| lease.holder == *run))
}

/// Reads the leases, lets `change` change them, and writes them, while nobody else does.
fn changed<T>(store: &FileStore, change: impl FnOnce(&mut Leases) -> Result<T, Error>) -> Result<T, Error> {
    let (path, lock) = (store.root().join(FILE), store.root().join(LOCK));
    let file = files::lock_file(&lock).map_err(|error| files::failed("lock", &lock, error))?;
    if !files::lock(&file, PATIENCE).map_err(|error| files::failed("lock", &lock, error))? {
        let message = format!("{} is locked by another process for more than {} s", lock.display(), PATIENCE.as_secs());
        return Err(Error::new(ErrorKind::Unavailable, message));
    }
    let mut leases = read(&path)?;
    let was_lost = leases.is_lost;
    let given = change(&mut leases)?;
    if was_lost && leases.is_lost {
        return Ok(given);
    }
    let cannot = |error: io::Error| files::failed("write", &path, error);
    let text = serde_json::to_vec_pretty(&leases).map_err(|error| cannot(error.into()))?;
    files::replace(&path, &text).map_err(cannot)?;
    Ok(given)
}

fn read(path: &Path) -> Result<Leases, Error> {
    match fs::read(path) {
        Ok(text) => {
            let leases: Option<Leases> = serde_json::from_slice(&text).ok();
            // Tokens that are near their end are none that were given here.
            Ok(leases.filter(|leases| leases.next < u64::MAX / 2).unwrap_or_else(lost))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(lost()),
        Err(error) => Err(files::failed("read", path, error)),
    }
}

/// Leases of which nobody knows. Their tokens were smaller than the present time in microseconds.
fn lost() -> Leases {
    let now = u64::try_from(Timestamp::now().as_microsecond()).unwrap_or(0);
    Leases { next: now, given: Vec::new(), is_lost: true }
}

/// Whether `holder` may have a target.
///
/// # Errors
/// [`ErrorKind::Refused`] with the run that keeps it, and the way out.
fn free(target: &Target, name: &str, holder: &RunId, leases: &Leases, runs: &[RunSummary]) -> Result<(), Error> {
    let refused = |message: String| Err(Error::new(ErrorKind::Refused, message));
    let others = || runs.iter().filter(|run| run.run != *holder);
    let is_open = |run: &RunSummary| run.open.iter().any(|open: &OpenTarget| open.target.is_same(target));
    for run in others() {
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
            RunState::Unrecovered if is_open(run) => {
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

/// Whether a lease holds nothing any more, since its run is over and has left nothing changed.
fn is_over(lease: &Lease, runs: &[RunSummary]) -> bool {
    runs.iter().find(|run| run.run == lease.holder).is_none_or(|run| run.state.is_settled())
}

fn expiry(store: &FileStore, ttl: Duration) -> Timestamp {
    store.clock().now().saturating_add(ttl).unwrap_or(Timestamp::MAX)
}
