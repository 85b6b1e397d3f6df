//! What a log is written to. A trait, so that a test can have a disk that is full.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use crate::files;

/// What a segment of a log is written to.
pub trait Medium: Write + Send + 'static {
    /// Returns when all that was written is where it survives a crash of the machine.
    ///
    /// # Errors
    /// If it may not be there.
    fn sync(&mut self) -> io::Result<()>;
}

impl Medium for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

type Open = dyn Fn(&Path) -> io::Result<Box<dyn Medium>> + Send + Sync;

/// Opens the medium of a new segment.
#[derive(Clone)]
pub(crate) struct Opener(Arc<Open>);

impl Opener {
    pub(crate) fn new(open: impl Fn(&Path) -> io::Result<Box<dyn Medium>> + Send + Sync + 'static) -> Self {
        Self(Arc::new(open))
    }

    pub(crate) fn open(&self, path: &Path) -> io::Result<Box<dyn Medium>> {
        (self.0)(path)
    }
}

impl Default for Opener {
    /// A new file that only its owner can read.
    fn default() -> Self {
        Self::new(|path| Ok(Box::new(files::make_file(path)?)))
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opener")
    }
}
