//! Where runs, leases and the halt flag are kept.

use std::path::PathBuf;
use std::sync::Arc;

use chaos_core::{Error, RunId};
use chaos_store::FileStore;
use tempfile::TempDir;

use crate::cli::StateArgs;
use crate::exit::Exit;
use crate::failure::Failure;

/// What is kept of rehearsals, apart from all that is real.
const REHEARSALS: &str = "rehearsals";

/// What outlives a run.
pub(crate) struct State {
    pub(crate) store: Arc<FileStore>,
    /// Holds a directory that goes away with this.
    _temporary: Option<TempDir>,
}

impl State {
    /// The run that a person means.
    ///
    /// # Errors
    /// There is none, or several.
    pub(crate) async fn find(&self, text: &str) -> Result<RunId, Failure> {
        let unclear = |error: Error| Failure::new(Exit::untouched(error.kind()), error.with_causes());
        self.store.find(text).await.map_err(unclear)
    }

    /// That of this user, or of `--state-dir`.
    ///
    /// # Errors
    /// If there is no place for it.
    pub(crate) fn real(args: &StateArgs) -> Result<Self, Failure> {
        Ok(Self { store: Arc::new(FileStore::open(directory(args)?)?), _temporary: None })
    }

    /// That of the rehearsals of this user, or one that goes away with this where there is no place for it.
    ///
    /// # Errors
    /// If there is no temporary directory either.
    pub(crate) fn of_rehearsals(args: &StateArgs) -> Result<Self, Failure> {
        if let Ok(directory) = directory(args)
            && let Ok(store) = FileStore::open(directory.join(REHEARSALS))
        {
            return Ok(Self { store: Arc::new(store), _temporary: None });
        }
        Self::temporary()
    }

    /// One that goes away with this.
    ///
    /// # Errors
    /// If there is no temporary directory.
    pub(crate) fn temporary() -> Result<Self, Failure> {
        let temporary = tempfile::Builder::new()
            .prefix("chaosmonkey-")
            .tempdir()
            .map_err(|error| Failure::usage(format!("no temporary directory: {error}")))?;
        Ok(Self { store: Arc::new(FileStore::open(temporary.path())?), _temporary: Some(temporary) })
    }

    /// What is there, of real runs or of rehearsals. Makes nothing.
    ///
    /// # Errors
    /// If the environment names no place.
    pub(crate) fn existing(args: &StateArgs, rehearsals: bool) -> Result<Self, Failure> {
        let mut directory = directory(args)?;
        if rehearsals {
            directory.push(REHEARSALS);
        }
        Ok(Self { store: Arc::new(FileStore::existing(directory)), _temporary: None })
    }
}

/// `--state-dir`, or `$XDG_STATE_HOME/chaosmonkey`, which is `~/.local/state/chaosmonkey` where that is not set.
fn directory(args: &StateArgs) -> Result<PathBuf, Failure> {
    if let Some(given) = args.state_dir.as_ref().filter(|given| !given.as_os_str().is_empty()) {
        return Ok(given.clone());
    }
    let from_environment = std::env::var_os("CHAOSMONKEY_STATE_DIR");
    if args.state_dir.is_some() && from_environment.is_none_or(|value| !value.is_empty()) {
        return Err(Failure::usage("--state-dir is empty: name a directory, or leave it out"));
    }
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
    match state {
        Some(state) => Ok(state.join("chaosmonkey")),
        None => Err(Failure::usage("there is no place for the run log: neither XDG_STATE_HOME nor HOME is set")
            .hint("name a directory that survives a crash of this machine with --state-dir")),
    }
}
