//! How a run ended, for whoever started it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chaos_core::{Guard, HaltFlag, RunId, StopCause, Target, VMPowerState};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::claim::Claim;
use crate::experiment::NotRehearsed;
use crate::journal::Journal;
use crate::strategy::{Dry, Schedule, Strategies};

/// What the run of an experiment needs beside its context.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RunOptions {
    /// How long rollbacks and undo may take together, counted from their begin. They do not end with the deadline of
    /// the run, nor by its cancellation.
    pub repair_limit: Duration,
    /// Cancels rollbacks and undo: what is still changed stays so and is named.
    pub stop_repair: CancellationToken,
    /// The name of this machine, for the journal.
    pub node: String,
    /// What stops the run when somebody halts everything.
    pub halt: Option<Arc<dyn HaltFlag>>,
    /// The leases of the VMs that the run may change.
    pub claim: Option<Claim>,
    /// What is asked before each fault leaves; none where everything is allowed.
    pub guard: Option<Arc<Guard>>,
    /// Where the experiment came from, for the run log, so that it can be run again; without secrets.
    pub source: Option<serde_json::Value>,
    /// When hypothesis and rollbacks are played; none for what the experiment declares.
    pub strategies: Option<Strategies>,
    /// How the hypothesis is checked while the method goes on.
    pub schedule: Schedule,
    /// What is only taken as done.
    pub dry: Option<Dry>,
    /// Ends the run at once: what is under way is cut, and by [`Rules::Compat`](crate::Rules::Compat) no rollback is played.
    pub abandon: CancellationToken,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            repair_limit: Duration::from_mins(30),
            stop_repair: CancellationToken::new(),
            node: node_name(),
            halt: None,
            claim: None,
            guard: None,
            source: None,
            strategies: None,
            schedule: Schedule::default(),
            dry: None,
            abandon: CancellationToken::new(),
        }
    }
}

/// The name of this machine.
pub(crate) fn node_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "localhost".to_owned())
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// Everything was done, the steady state held, and everything is back as it was found.
    Completed,
    /// Everything was done and put back, and the steady state was lost after the method.
    Deviated,
    /// The steady state was not there to begin with, an activity failed, or something is left changed.
    Failed,
    /// The run came to something that cannot be carried out at all.
    Aborted,
    /// The run was told to stop.
    Interrupted,
}

impl Verdict {
    /// The serialised word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Deviated => "deviated",
            Self::Failed => "failed",
            Self::Aborted => "aborted",
            Self::Interrupted => "interrupted",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A VM that could not be put back.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LeftChanged {
    /// The VM.
    pub target: Target,
    /// Its name.
    pub name: String,
    /// Its inventory path.
    pub path: Option<String>,
    /// The state that it was found in and should be in.
    pub found: VMPowerState,
    /// Why it is not.
    pub why: String,
}

impl fmt::Display for LeftChanged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.path.as_deref().unwrap_or(&self.name);
        write!(f, "{name} was found {} and may not be so now: {}", self.found, self.why)
    }
}

/// An action of the method that was begun and that nothing here can undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WithoutUndo {
    /// The activity.
    pub name: String,
    /// The type of its provider, such as `process`.
    pub provider: String,
}

/// What became of a run.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct RunReport {
    /// The run.
    pub run: RunId,
    /// How it ended.
    pub verdict: Verdict,
    /// Why it did not complete, or what was found out; none if there is nothing to say.
    pub reason: Option<String>,
    /// Whether any call that changes something was sent.
    pub touched: bool,
    /// The VMs that are not as they were found. By strict rules these could not be put back, and the run failed or was
    /// interrupted; else the experiment has left them so.
    pub left_changed: Vec<LeftChanged>,
    /// What interrupted the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped_by: Option<StopCause>,
    /// The actions of the method that were begun and have no undo. What they did is for the declared rollbacks to mend.
    pub without_undo: Vec<WithoutUndo>,
    /// What a rehearsal left out.
    pub not_rehearsed: Vec<NotRehearsed>,
    /// The Chaos Toolkit journal.
    pub journal: Journal,
}
