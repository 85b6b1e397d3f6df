//! What a recovery has done, for whoever started it.

use std::fmt;

use chaos_core::{Damage, Outcome, RunId, RunState, Target, VMPowerState};
use serde::Serialize;

use crate::engine::recorder::Recorder;
use crate::journal::Journal;
use crate::recovery::Recovery;
use crate::recovery::target::Work;

/// What a recovery has done, or would do.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct RecoveryReport {
    /// The run that was recovered.
    pub run: RunId,
    /// Its title.
    pub title: String,
    /// What became of the run.
    pub state: RunState,
    /// Where its log is damaged, if it is: then nothing was touched, since nobody knows what else was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub damage: Option<Damage>,
    /// The targets that it had left open, the last activity first.
    pub targets: Vec<RecoveredTarget>,
    /// The Chaos Toolkit journal of the run.
    pub journal: Journal,
}

/// What became of one target.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RecoveredTarget {
    /// The target.
    pub target: Target,
    /// Its name.
    pub name: String,
    /// Its inventory path.
    pub path: Option<String>,
    /// The state that the run found it in.
    pub found: VMPowerState,
    /// What became of it.
    #[serde(flatten)]
    pub result: Recovered,
}

/// What became of a target.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "result", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Recovered {
    /// It is as it was found, and that is how it was met.
    AsFound,
    /// It was put back, and was read to be there.
    PutBack {
        /// How.
        outcome: Outcome,
    },
    /// It would be put back.
    WouldPutBack {
        /// The state that it is in.
        state: VMPowerState,
    },
    /// It is as it was found, and would be watched for a while, since a call may still take effect.
    WouldWatch {
        /// For how long, in seconds.
        seconds: u64,
    },
    /// It is not touched: somebody else has changed it since, or it is gone. It is settled.
    LeftAlone {
        /// Why.
        why: String,
    },
    /// It was not looked at, since another server answers than the one that the run was on. It may be put back later, from
    /// settings that lead to that one.
    OtherServer {
        /// Which one answers, and which one should.
        why: String,
    },
    /// It is not back and may be put back later.
    Open {
        /// Why.
        why: String,
    },
}

impl RecoveryReport {
    pub(super) async fn new(recovery: &Recovery, work: Work<'_>, recorder: &Recorder<'_>, is_look: bool) -> Self {
        let state = if recovery.recorded.damage.is_some() {
            RunState::Damaged
        } else if is_look {
            recovery.account.state()
        } else {
            recorder.account().await.state()
        };
        Self {
            run: recovery.run_id().clone(),
            title: recovery.account.title.clone(),
            state,
            damage: recovery.recorded.damage.clone(),
            targets: work.into_targets(),
            journal: recorder.journal().await,
        }
    }

    /// Whether nothing is left to be put back.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.state.is_settled()
    }

    /// The targets that may not be as they were found: the loud list.
    pub fn not_back(&self) -> impl Iterator<Item = &RecoveredTarget> {
        self.targets.iter().filter(|target| {
            matches!(
                target.result,
                Recovered::LeftAlone { .. } | Recovered::OtherServer { .. } | Recovered::Open { .. }
            )
        })
    }
}

impl fmt::Display for RecoveredTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.path.as_deref().unwrap_or(&self.name);
        let found = self.found;
        match &self.result {
            Recovered::AsFound => write!(f, "{name} is {found} as it was found"),
            Recovered::PutBack { outcome } => {
                write!(f, "{name} was put back and is {} ({})", outcome.state, outcome.how)
            }
            Recovered::WouldPutBack { state } => {
                write!(f, "{name} is {state} and would be put back: it was found {found}")
            }
            Recovered::WouldWatch { seconds } => {
                write!(
                    f,
                    "{name} is {found} as it was found, and would be watched for {seconds} s: a call may still take effect"
                )
            }
            Recovered::LeftAlone { why } => write!(f, "{name} was found {found} and is left alone: {why}"),
            Recovered::OtherServer { why } => write!(f, "{name} was found {found} and was not looked at: {why}"),
            Recovered::Open { why } => write!(f, "{name} was found {found} and may not be so now: {why}"),
        }
    }
}
