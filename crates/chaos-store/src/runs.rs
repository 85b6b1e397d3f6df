//! The logs of all runs: begun, gone on with, read, listed, removed.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chaos_core::{Error, ErrorKind, EventSink, RecordedRun, RunId, RunLog, RunState, RunSummary};
use jiff::Timestamp;

use crate::files;
use crate::index;
use crate::leases;
use crate::reading;
use crate::store::{FileStore, unknown};
use crate::writer::SegmentWriter;

/// How long a writer waits for the lock of a run: whoever looks whether the run is alive has it for a moment.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);
/// Where the logs are kept that are damaged and that a person has set aside.
const ASIDE: &str = "damaged";

#[async_trait]
impl RunLog for FileStore {
    async fn begin(&self, run: &RunId, at: Timestamp) -> Result<Arc<dyn EventSink>, Error> {
        let (store, run) = (self.clone(), run.clone());
        files::blocking(move || begin(&store, &run, at)).await
    }

    async fn resume(&self, run: &RunId) -> Result<(RecordedRun, Arc<dyn EventSink>), Error> {
        let (store, run) = (self.clone(), run.clone());
        files::blocking(move || resume(&store, &run)).await
    }

    async fn read(&self, run: &RunId) -> Result<RecordedRun, Error> {
        let (store, run) = (self.clone(), run.clone());
        files::blocking(move || reading::read(&store.directory_of(&run)?, &run)).await
    }

    async fn list(&self) -> Result<Vec<RunSummary>, Error> {
        let store = self.clone();
        files::blocking(move || index::list(&store)).await
    }

    async fn remove(&self, run: &RunId) -> Result<(), Error> {
        let (store, run) = (self.clone(), run.clone());
        files::blocking(move || remove(&store, &run)).await
    }
}

impl FileStore {
    /// Puts the log of a run that is damaged where no run is looked for, and says where. Nothing of it is lost, and it
    /// holds no VM any more: a person has looked after them.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such run, [`ErrorKind::Refused`] if it is alive or its log is whole, and
    /// [`ErrorKind::Unsupported`] if a newer version wrote it.
    pub async fn set_aside(&self, run: &RunId) -> Result<PathBuf, Error> {
        let (store, run) = (self.clone(), run.clone());
        files::blocking(move || {
            let directory = store.directory_of(&run)?;
            let _lock = lock(&directory, &run)?;
            match reading::read(&directory, &run) {
                Ok(recorded) if recorded.damage.is_none() => {
                    return Err(Error::new(ErrorKind::Refused, format!("the log of run {run} is not damaged")));
                }
                Err(error) if error.kind() == ErrorKind::Unsupported => return Err(error),
                Ok(_) | Err(_) => {}
            }
            let aside = store.root().join(ASIDE);
            let to = aside.join(directory.file_name().unwrap_or_default());
            let moved = files::make_directory(&aside)
                .and_then(|()| fs::rename(&directory, &to))
                .and_then(|()| files::sync_directory(&aside))
                .and_then(|()| files::sync_directory(&store.runs()));
            moved.map_err(|error| files::failed("set aside", &directory, error))?;
            Ok(to)
        })
        .await
    }
}

fn begin(store: &FileStore, run: &RunId, at: Timestamp) -> Result<Arc<dyn EventSink>, Error> {
    let directory = store.runs().join(format!("{}-{run}", at.strftime("%Y%m%dT%H%M%SZ")));
    let cannot = |error: io::Error| {
        let message = format!(
            "cannot write the run log in {}: make room there, or name another directory with --state-dir",
            directory.display()
        );
        Error::new(ErrorKind::Configuration, message).caused_by(error)
    };
    if store.directory_of(run).is_ok() {
        return Err(Error::new(ErrorKind::Configuration, format!("there is a run `{run}` already")));
    }
    leases::ensure(store).map_err(|error| cannot(io::Error::other(error.with_causes())))?;
    files::make_directory(&directory).map_err(cannot)?;
    let begun = lock(&directory, run)
        .and_then(|lock| SegmentWriter::begin(&directory, lock, run, 0, 0, store.opener()))
        .map_err(|error| match error.kind() {
            ErrorKind::Refused => error,
            _ => cannot(io::Error::other(error.with_causes())),
        });
    match begun {
        Ok(writer) => Ok(Arc::new(writer)),
        Err(error) => {
            // Nothing was written about it, so nothing is to be remembered.
            let _ = fs::remove_dir_all(&directory);
            Err(error)
        }
    }
}

fn resume(store: &FileStore, run: &RunId) -> Result<(RecordedRun, Arc<dyn EventSink>), Error> {
    let directory = store.directory_of(run)?;
    let lock = lock(&directory, run)?;
    // Read with the lock, so that nobody writes any more.
    let mut recorded = reading::read(&directory, run)?;
    recorded.is_alive = false;
    let segments = reading::segments(&directory).map_err(|error| files::failed("read", &directory, error))?;
    // A run that had only looked has waited for no disk. What follows it must not outlive it.
    let synced = segments.iter().try_for_each(|(_, path)| File::open(path)?.sync_all());
    synced.map_err(|error| files::failed("write", &directory, error))?;
    let next = segments.last().map_or(0, |(last, _)| last + 1);
    let first = recorded.events.len() as u64;
    let writer = SegmentWriter::begin(&directory, lock, run, next, first, store.opener())?;
    Ok((recorded, Arc::new(writer)))
}

fn remove(store: &FileStore, run: &RunId) -> Result<(), Error> {
    let directory = store.directory_of(run)?;
    let lock = lock(&directory, run)?;
    let recorded = reading::read(&directory, run)?;
    let state = index::summary(&recorded, Timestamp::UNIX_EPOCH).state;
    if !state.is_settled() {
        let way = match state {
            RunState::Damaged => format!("put its VMs back by hand, then `chaosmonkey recover {run} --abandon REASON`"),
            _ => format!("`chaosmonkey recover {run}` puts back what it has changed"),
        };
        return Err(Error::new(ErrorKind::Refused, format!("run {run} is {state} and cannot be forgotten: {way}")));
    }
    // Out of sight first: half a log must never be met.
    let name = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let hidden = store.runs().join(format!(".{name}"));
    let removed = fs::rename(&directory, &hidden)
        .and_then(|()| files::sync_directory(&store.runs()))
        .and_then(|()| fs::remove_dir_all(&hidden));
    drop(lock);
    removed.map_err(|error| files::failed("remove", &directory, error))
}

/// The lock of a run, for this process alone.
///
/// # Errors
/// [`ErrorKind::Refused`] if the run is alive.
fn lock(directory: &Path, run: &RunId) -> Result<File, Error> {
    let path = directory.join("lock");
    let cannot = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => unknown(run.as_str()),
        _ => files::failed("lock", &path, error),
    };
    let file = files::lock_file(&path).map_err(cannot)?;
    if !files::lock(&file, LOCK_PATIENCE).map_err(cannot)? {
        let message = format!("run {run} goes on, or is being recovered by another process");
        return Err(Error::new(ErrorKind::Refused, message));
    }
    Ok(file)
}
