//! Writes a segment. Each event is in the file before the next step of the run, and so survives this program; from the first
//! with which the run begins to act, it also is on the disk and survives the machine.

use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chaos_core::{Error, ErrorKind, EventSink, RunEvent, RunId};

use crate::files;
use crate::medium::{Medium, Opener};
use crate::reading::segment_name;
use crate::segment::{self, Header};

/// The writer of a run: a sink of its events, and as long as it is there the run is alive.
pub(crate) struct SegmentWriter {
    place: Arc<Place>,
    state: Arc<Mutex<State>>,
}

/// Where it is written.
struct Place {
    directory: PathBuf,
    path: PathBuf,
    segment: u32,
}

struct State {
    /// None once a write has failed: what follows a torn line could not be read.
    medium: Option<Box<dyn Medium>>,
    next: u64,
    is_empty: bool,
    /// Whether the run has begun to act. What a run that has only looked has written is worth no wait for the disk.
    acts: bool,
    /// Locked as long as this is there.
    lock: Option<File>,
}

impl SegmentWriter {
    /// Begins segment `segment` of the log in `directory`, whose lock this process has.
    pub(crate) fn begin(
        directory: &Path,
        lock: File,
        run: &RunId,
        segment: u32,
        first: u64,
        opener: &Opener,
    ) -> Result<Self, Error> {
        let path = directory.join(segment_name(segment));
        let refused = |error| files::failed("write the run log", &path, error);
        let header = segment::line(&Header::new(run.clone(), segment, first)).map_err(|error| refused(error.into()))?;
        let mut medium = opener.open(&path).map_err(refused)?;
        let written = medium.write_all(&header).and_then(|()| medium.sync());
        // Its name has to survive a crash as well.
        let synced = written.and_then(|()| files::sync_directory(directory));
        let state = State { medium: Some(medium), next: first, is_empty: true, acts: segment > 0, lock: Some(lock) };
        let place = Place { directory: directory.to_owned(), path: path.clone(), segment };
        let writer = Self { place: Arc::new(place), state: Arc::new(Mutex::new(state)) };
        // A writer that is dropped here leaves nothing behind.
        synced.map_err(refused).map(|()| writer)
    }

    fn failed(&self, cause: Option<std::io::Error>) -> Error {
        let error = Error::new(ErrorKind::Failed, format!("cannot write the run log {}", self.place.path.display()));
        match cause {
            Some(cause) => error.caused_by(cause),
            None => error,
        }
    }
}

#[async_trait]
impl EventSink for SegmentWriter {
    async fn record(&self, event: &RunEvent) -> Result<(), Error> {
        let line = segment::line(event).map_err(|error| self.failed(Some(error.into())))?;
        let (state, sequence) = (Arc::clone(&self.state), event.sequence);
        let begins_to_act = event.event.begins_to_act();
        let written = tokio::task::spawn_blocking(move || {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            // Taken out while it is written, so that a failure leaves it closed for good.
            let Some(mut medium) = state.medium.take() else { return Err(None) };
            if sequence != state.next {
                let why = format!("event {sequence} comes where {} should", state.next);
                return Err(Some(std::io::Error::new(std::io::ErrorKind::InvalidInput, why)));
            }
            state.is_empty = false;
            state.acts |= begins_to_act;
            medium.write_all(&line).map_err(Some)?;
            if state.acts {
                medium.sync().map_err(Some)?;
            }
            state.next += 1;
            state.medium = Some(medium);
            Ok(())
        })
        .await;
        match written {
            Ok(result) => result.map_err(|cause| self.failed(cause)),
            Err(_) => Err(self.failed(None)),
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        // The medium is closed before the lock is given back.
        self.medium = None;
        self.lock = None;
    }
}

impl Drop for SegmentWriter {
    fn drop(&mut self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.is_empty {
            return;
        }
        // Nothing was written down, so there is nothing to remember. It goes while the lock is still held.
        state.medium = None;
        let place = &self.place;
        let removed = match place.segment {
            0 => fs::remove_dir_all(&place.directory),
            _ => fs::remove_file(&place.path),
        };
        if let Err(error) = removed
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!("cannot remove {}: {error}", place.path.display());
        }
        state.lock = None;
    }
}

impl fmt::Debug for SegmentWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SegmentWriter").field("path", &self.place.path).finish_non_exhaustive()
    }
}
