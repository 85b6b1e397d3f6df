//! The seam to where runs are written down, so that another process knows of them and can put back what they changed.

use std::fmt::{self, Debug};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::account::RunState;
use crate::context::RunId;
use crate::error::Error;
use crate::fault::Target;
use crate::run::{EventSink, RunEvent};

/// Where runs are written down.
///
/// A run has at most one writer at a time, in all processes. As long as it has one, the run counts as alive; when the
/// process of the writer dies, however that happens, it does not any more.
#[async_trait]
pub trait RunLog: Debug + Send + Sync + 'static {
    /// Begins the log of a new run. Each event survives the process when the sink has taken it, and from the first that
    /// [begins to act](crate::RunEventKind::begins_to_act) also the machine. The run is alive until the sink is
    /// dropped; one that nothing was written about is then forgotten.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if it cannot be written.
    async fn begin(&self, run: &RunId, at: Timestamp) -> Result<Arc<dyn EventSink>, Error>;

    /// Goes on with the log of a run that is not alive, after all that is there. Nothing that is there is changed.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no such run,
    /// [`ErrorKind::Refused`](crate::ErrorKind::Refused) if it is alive, and those of [`RunLog::read`].
    async fn resume(&self, run: &RunId) -> Result<(RecordedRun, Arc<dyn EventSink>), Error>;

    /// Everything that is written down about a run.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no such run,
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) if a newer version wrote it. Damage is no error but
    /// told in the answer.
    async fn read(&self, run: &RunId) -> Result<RecordedRun, Error>;

    /// All runs, the latest first.
    ///
    /// # Errors
    /// Only if nothing can be said at all.
    async fn list(&self) -> Result<Vec<RunSummary>, Error>;

    /// Forgets a run.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no such run,
    /// [`ErrorKind::Refused`](crate::ErrorKind::Refused) if it is alive or not settled.
    async fn remove(&self, run: &RunId) -> Result<(), Error>;
}

/// What is written down about a run.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RecordedRun {
    /// The run.
    pub run: RunId,
    /// Its events, numbered from 0 without gaps, up to the end or to the first damage.
    pub events: Vec<RunEvent>,
    /// Whether its process lives.
    pub is_alive: bool,
    /// Where the log is damaged, if it is: what comes after this is not known. A record that was cut short while it was
    /// written is no damage.
    pub damage: Option<Damage>,
    /// How many bytes of a record there are that was cut short while it was written, such as by a full disk. What it
    /// would have announced was done to no VM.
    pub torn_bytes: u64,
}

impl RecordedRun {
    /// A run of which these events are written down.
    #[must_use]
    pub fn new(run: RunId, events: Vec<RunEvent>) -> Self {
        Self { run, events, is_alive: false, damage: None, torn_bytes: 0 }
    }
}

/// A place in a log that does not say what was written there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Damage {
    /// The file, or what else holds the log.
    pub place: String,
    /// The byte in it, from 0, at which the record begins that cannot be read.
    pub offset: u64,
    /// What is wrong with it.
    pub why: String,
}

impl Damage {
    /// A record that begins at byte `offset` of `place` and cannot be read.
    #[must_use]
    pub fn new(place: impl Into<String>, offset: u64, why: impl Into<String>) -> Self {
        Self { place: place.into(), offset, why: why.into() }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is damaged at byte {}: {}", self.place, self.offset, self.why)
    }
}

/// A run in a list of runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunSummary {
    /// The run.
    pub run: RunId,
    /// When it began.
    pub started: Timestamp,
    /// When the last event was written down.
    pub last: Timestamp,
    /// The title of the experiment.
    pub title: String,
    /// What became of it.
    pub state: RunState,
    /// How many targets it sent something.
    pub touched: usize,
    /// The targets that it may have left changed.
    pub open: Vec<OpenTarget>,
    /// Where the log is damaged, if it is.
    pub damage: Option<Damage>,
}

impl RunSummary {
    /// A run of which nothing else is known.
    #[must_use]
    pub fn new(run: RunId, started: Timestamp, state: RunState) -> Self {
        let (title, open) = (String::new(), Vec::new());
        Self { run, started, last: started, title, state, touched: 0, open, damage: None }
    }
}

/// A target that a run may have left changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OpenTarget {
    /// The target.
    pub target: Target,
    /// Its name or path, for people.
    pub name: String,
    /// Whether the run came to its end without an attempt to put it back: it is what the experiment has left. It is for whoever
    /// wants it back, and holds nobody up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_meant: bool,
}

impl OpenTarget {
    /// The target `name`.
    #[must_use]
    pub fn new(target: Target, name: impl Into<String>) -> Self {
        Self { target, name: name.into(), is_meant: false }
    }

    /// The same, and whether it is what the experiment has left.
    #[must_use]
    pub fn meant(mut self, is_meant: bool) -> Self {
        self.is_meant = is_meant;
        self
    }
}
