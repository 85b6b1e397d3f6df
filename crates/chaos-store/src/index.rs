//! What the logs say, kept beside them, so that a list of many runs need not read them all. Never trusted where it does not
//! fit the logs, and made anew from them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use chaos_core::{Damage, Error, OpenTarget, RecordedRun, RunAccount, RunId, RunState, RunSummary, Standing};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::files;
use crate::reading;
use crate::store::{FileStore, run_of};

const FILE: &str = "runs.index";
/// The version of what is kept.
const VERSION: u32 = 1;

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Index {
    version: u32,
    /// By the name of the run's directory.
    runs: BTreeMap<String, Entry>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Entry {
    /// What the log looked like when it was read.
    seen: Vec<Seen>,
    /// Of a run whose process does not live.
    summary: RunSummary,
}

/// A segment from the outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    segment: u32,
    bytes: u64,
    modified: Option<Timestamp>,
}

/// All runs of a store, the latest first.
///
/// # Errors
/// If the directory cannot be read. A single log that cannot be is told in its place.
pub(crate) fn list(store: &FileStore) -> Result<Vec<RunSummary>, Error> {
    let path = store.root().join(FILE);
    let old = read(&path);
    let mut new = Index { version: VERSION, ..Index::default() };
    let mut runs = Vec::new();
    let directories = files::directories(&store.runs()).map_err(|error| files::failed("read", &store.runs(), error))?;
    for (name, directory) in directories {
        let Some(run) = run_of(&name) else { continue };
        // Before the log is read: of a run that lives, nobody knows what it writes next, and the log of one that does not is
        // final. What cannot be told counts as alive.
        let is_alive = files::is_locked(&directory.join("lock")).unwrap_or(true);
        let known = old.runs.get(&name).filter(|entry| seen(&directory).is_ok_and(|seen| seen == entry.seen));
        let entry = known.map_or_else(|| look(&directory, &run, began(&name)), |entry| Ok(entry.clone()));
        let (mut summary, entry) = match entry {
            Ok(entry) => (entry.summary.clone(), Some(entry).filter(|_| !is_alive)),
            Err(summary) => (summary, None),
        };
        if is_alive {
            summary.state = RunState::Running;
        }
        // It may have been removed, or forgotten by its writer, in the meantime.
        if directory.is_dir() {
            runs.push((name.clone(), summary));
            new.runs.extend(entry.map(|entry| (name, entry)));
        }
    }
    if new != old && store.runs().is_dir() {
        write(&path, &new);
    }
    runs.sort_by(|(name, a), (other, b)| (b.started, other).cmp(&(a.started, name)));
    Ok(runs.into_iter().map(|(_, summary)| summary).collect())
}

/// What the log in `directory` says; for the list alone if it cannot be read.
fn look(directory: &Path, run: &RunId, began: Timestamp) -> Result<Entry, RunSummary> {
    let seen = seen(directory).unwrap_or_default();
    match reading::read(directory, run) {
        Ok(recorded) => Ok(Entry { seen, summary: summary(&recorded, began) }),
        Err(error) => {
            let mut summary = RunSummary::new(run.clone(), began, RunState::Damaged);
            summary.damage = Some(Damage::new(directory.display().to_string(), 0, error.with_causes()));
            Err(summary)
        }
    }
}

/// What the log says of a run, as if its process did not live.
pub(crate) fn summary(recorded: &RecordedRun, began: Timestamp) -> RunSummary {
    let account = RunAccount::fold(&recorded.events);
    let state = if recorded.damage.is_some() { RunState::Damaged } else { account.state() };
    let mut summary = RunSummary::new(recorded.run.clone(), account.started.unwrap_or(began), state);
    summary.last = account.last.unwrap_or(summary.started);
    summary.touched = account.targets.iter().filter(|target| target.standing != Standing::Untouched).count();
    let name = |undo: &chaos_core::Undo| undo.path.clone().unwrap_or_else(|| undo.name.clone());
    summary.open = account
        .open()
        .map(|target| OpenTarget::new(target.undo.target.clone(), name(&target.undo)).meant(account.is_meant(target)))
        .collect();
    summary.title = account.title;
    summary.damage.clone_from(&recorded.damage);
    summary
}

/// When the directory says that the run began.
pub(crate) fn began(name: &str) -> Timestamp {
    let time = name.split_once('-').map_or("", |(time, _)| time);
    let parsed = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", time).ok();
    parsed
        .and_then(|time| time.to_zoned(jiff::tz::TimeZone::UTC).ok())
        .map_or(Timestamp::UNIX_EPOCH, |at| at.timestamp())
}

fn seen(directory: &Path) -> io::Result<Vec<Seen>> {
    let look = |(segment, path): (u32, std::path::PathBuf)| {
        let found = fs::metadata(path)?;
        let modified = found.modified().ok().and_then(|at| Timestamp::try_from(at).ok());
        Ok(Seen { segment, bytes: found.len(), modified })
    };
    reading::segments(directory)?.into_iter().map(look).collect()
}

fn read(path: &Path) -> Index {
    let index: Option<Index> = fs::read(path).ok().and_then(|text| serde_json::from_slice(&text).ok());
    index.filter(|index| index.version == VERSION).unwrap_or_default()
}

/// A list does not depend on it, so a place where it cannot be written is none the worse, and neither is one that a crash takes.
fn write(path: &Path, index: &Index) {
    let written = serde_json::to_vec(index).map_err(io::Error::from).and_then(|text| files::swap(path, &text));
    if let Err(error) = written {
        tracing::debug!("cannot write {}: {error}", path.display());
    }
}
