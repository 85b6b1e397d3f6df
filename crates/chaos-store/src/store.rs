//! The directory in which everything is.

use std::path::{Path, PathBuf};

use chaos_core::{Error, ErrorKind, RunId, RunLog, SharedClock, SystemClock};

use crate::files;
use crate::medium::{Medium, Opener};

/// Run logs, leases and the halt switch in a directory. Cheap to clone.
#[derive(Debug, Clone)]
pub struct FileStore {
    root: PathBuf,
    clock: SharedClock,
    opener: Opener,
}

impl FileStore {
    /// The store in `root`, which is made if it is not there, for its owner alone.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if it cannot be made or written to.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, Error> {
        let store = Self::existing(root);
        let runs = store.runs();
        let cannot = |error| {
            let message =
                format!("cannot make the state directory {}: name another one with --state-dir", store.root.display());
            Error::new(ErrorKind::Configuration, message).caused_by(error)
        };
        files::make_directory(&runs).map_err(cannot)?;
        Ok(store)
    }

    /// The store in `root`, to look at: nothing is made, and where there is no directory nothing is in it.
    #[must_use]
    pub fn existing(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        // What it means must not change with the working directory.
        let root = std::path::absolute(&root).unwrap_or(root);
        Self { root, clock: SystemClock::shared(), opener: Opener::default() }
    }

    /// Takes another clock. It is asked only for when a lease has to be renewed, which decides nothing.
    #[must_use]
    pub fn on_clock(mut self, clock: SharedClock) -> Self {
        self.clock = clock;
        self
    }

    /// Writes segments to what `open` gives for their paths.
    #[must_use]
    pub fn on_medium(
        mut self,
        open: impl Fn(&Path) -> std::io::Result<Box<dyn Medium>> + Send + Sync + 'static,
    ) -> Self {
        self.opener = Opener::new(open);
        self
    }

    /// The directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The directory with the log of a run.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such run.
    pub fn directory_of(&self, run: &RunId) -> Result<PathBuf, Error> {
        let all = files::directories(&self.runs()).map_err(|error| files::failed("read", &self.runs(), error))?;
        let found = all.into_iter().find(|(name, _)| run_of(name).is_some_and(|found| found.as_str() == run.as_str()));
        found.map(|(_, path)| path).ok_or_else(|| unknown(run.as_str()))
    }

    /// The run that a person means: by its id, by a beginning of it that no other run has, or by `last`.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] and [`ErrorKind::Ambiguous`].
    pub async fn find(&self, text: &str) -> Result<RunId, Error> {
        let mut runs = self.list().await?;
        if text == "last" && !runs.is_empty() {
            return Ok(runs.swap_remove(0).run);
        }
        if let Some(exact) = runs.iter().find(|run| run.run.as_str() == text) {
            return Ok(exact.run.clone());
        }
        let fits: Vec<&RunId> =
            runs.iter().map(|run| &run.run).filter(|run| !text.is_empty() && run.as_str().starts_with(text)).collect();
        match fits.as_slice() {
            [] => Err(unknown(text)),
            [only] => Ok((*only).clone()),
            several => {
                let names: Vec<&str> = several.iter().map(|run| run.as_str()).collect();
                let message = format!("`{text}` is the beginning of {} runs: {}", several.len(), names.join(", "));
                Err(Error::new(ErrorKind::Ambiguous, message))
            }
        }
    }

    pub(crate) fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    pub(crate) fn clock(&self) -> &SharedClock {
        &self.clock
    }

    pub(crate) fn opener(&self) -> &Opener {
        &self.opener
    }
}

/// The run whose log is in a directory of that name.
pub(crate) fn run_of(name: &str) -> Option<RunId> {
    let (time, run) = name.split_once('-')?;
    let is_time = time.len() == 16 && time.ends_with('Z') && time.as_bytes()[8] == b'T';
    (is_time && !run.is_empty()).then(|| RunId::new(run))
}

pub(crate) fn unknown(run: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("there is no run `{run}`: `chaosmonkey runs list` lists them"))
}
