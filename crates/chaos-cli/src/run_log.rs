//! Where the events of a run are written: each before the call that it announces leaves.

use std::fs::DirBuilder;
use std::path::PathBuf;

use chaos_core::RunId;
use jiff::Timestamp;
use tempfile::TempDir;

use crate::failure::Failure;

/// The directory of run logs.
///
/// `$XDG_STATE_HOME/chaosmonkey/runs`, which is `~/.local/state/chaosmonkey/runs` where that is not set; for a rehearsal
/// a temporary one.
pub(crate) enum RunLogPlace {
    User(PathBuf),
    Temporary(TempDir),
}

impl RunLogPlace {
    /// The place of this user.
    ///
    /// # Errors
    /// If the environment names no home.
    pub(crate) fn of_user() -> Result<Self, Failure> {
        let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let state = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
        match state {
            Some(state) => Ok(Self::User(state.join("chaosmonkey/runs"))),
            None => Err(Failure::usage("there is no place for the run log: neither XDG_STATE_HOME nor HOME is set")
                .hint("set XDG_STATE_HOME to a directory that survives a crash of this machine")),
        }
    }

    /// A place that is removed in the end.
    ///
    /// # Errors
    /// If there is none.
    pub(crate) fn temporary() -> Result<Self, Failure> {
        let directory = tempfile::Builder::new().prefix("chaosmonkey-").tempdir();
        directory.map(Self::Temporary).map_err(|error| Failure::usage(format!("no temporary directory: {error}")))
    }

    /// The file of one run. Its directory is there afterwards.
    ///
    /// # Errors
    /// If the directory cannot be made.
    pub(crate) fn path(&self, run: &RunId, start: Timestamp) -> Result<PathBuf, Failure> {
        let directory = match self {
            Self::User(directory) => directory.clone(),
            Self::Temporary(directory) => directory.path().to_owned(),
        };
        let mut private = DirBuilder::new();
        private.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut private, 0o700);
        private.create(&directory).map_err(|error| {
            Failure::usage(format!("cannot make {} for the run log: {error}", directory.display()))
                .hint("set XDG_STATE_HOME to a directory that you can write to")
        })?;
        Ok(directory.join(format!("{}-{run}.jsonl", start.strftime("%Y%m%dT%H%M%SZ"))))
    }
}
