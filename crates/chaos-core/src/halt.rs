//! The switch that stops all runs and keeps new ones from beginning.

use std::fmt::{self, Debug};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// That everything is halted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Halt {
    /// Why, in the words of whoever did it.
    pub reason: String,
    /// Who did it: user and machine.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl Halt {
    /// A halt by `by` at `at`.
    #[must_use]
    pub fn new(reason: impl Into<String>, by: impl Into<String>, at: Timestamp) -> Self {
        Self { reason: reason.into(), by: by.into(), at }
    }
}

impl fmt::Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "halted at {:.0} by {}", self.at, self.by)?;
        if self.reason.is_empty() { Ok(()) } else { write!(f, ": {}", self.reason) }
    }
}

impl From<&Halt> for Error {
    /// Why nothing may begin.
    fn from(halt: &Halt) -> Self {
        Self::new(ErrorKind::Refused, format!("{halt}; `chaosmonkey resume` ends that"))
    }
}

/// Whether everything is halted. It holds until somebody says otherwise, also over the end of all processes.
#[async_trait]
pub trait HaltFlag: Debug + Send + Sync + 'static {
    /// The halt, if there is one. Called several times a second by each run.
    ///
    /// # Errors
    /// If nobody can tell; whoever asks has to assume that everything is halted.
    async fn get(&self) -> Result<Option<Halt>, Error>;

    /// Halts everything. A halt that is there already stays as it is and is given back.
    ///
    /// # Errors
    /// If this cannot be written down.
    async fn halt(&self, halt: &Halt) -> Result<Option<Halt>, Error>;

    /// Ends the halt and gives it back, if there was one.
    ///
    /// # Errors
    /// If this cannot be written down.
    async fn resume(&self) -> Result<Option<Halt>, Error>;
}
