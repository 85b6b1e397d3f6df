//! What a log is written to. A trait, so that a test can have a disk that is full.

use std::fs::File;
use std::io::{self, Write};

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
