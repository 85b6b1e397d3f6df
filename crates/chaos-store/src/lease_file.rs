//! The file of the leases: what was given and not given back, and whether anybody knows.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chaos_core::{Error, Lease, RunId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::files;

/// All leases that were given and not given back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Leases {
    /// The number of the next token.
    pub(crate) next: u64,
    pub(crate) given: Vec<Lease>,
    /// Whether this is not what was written, since that cannot be read.
    #[serde(skip)]
    pub(crate) is_lost: bool,
}

impl Leases {
    pub(crate) fn path(root: &Path) -> PathBuf {
        root.join("leases.json")
    }

    /// The leases of the state directory. A file that is not there, or that nobody understands, was lost.
    ///
    /// # Errors
    /// If it is there and cannot be read.
    pub(crate) fn read(root: &Path) -> Result<Self, Error> {
        let path = Self::path(root);
        match fs::read(&path) {
            Ok(text) => {
                let leases: Option<Self> = serde_json::from_slice(&text).ok();
                // Tokens that are near their end are none that were given here.
                Ok(leases.filter(|leases| leases.next < u64::MAX / 2).unwrap_or_else(Self::lost))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::lost()),
            Err(error) => Err(files::failed("read", &path, error)),
        }
    }

    pub(crate) fn write(&self, root: &Path) -> Result<(), Error> {
        let path = Self::path(root);
        let text = serde_json::to_vec_pretty(self).map_err(io::Error::from);
        text.and_then(|text| files::replace(&path, &text)).map_err(|error| files::failed("write", &path, error))
    }

    /// Those of one run.
    pub(crate) fn of<'a>(&'a self, run: &'a RunId) -> impl Iterator<Item = &'a Lease> {
        self.given.iter().filter(move |lease| lease.holder == *run)
    }

    /// Leases of which nobody knows. Their tokens were smaller than the present time in microseconds.
    fn lost() -> Self {
        let now = u64::try_from(Timestamp::now().as_microsecond()).unwrap_or(0);
        Self { next: now, given: Vec::new(), is_lost: true }
    }
}
