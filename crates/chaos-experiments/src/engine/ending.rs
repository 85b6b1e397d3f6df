//! What is known about the end of a run so far, and what becomes of it.

use chaos_core::RunStatus;

use crate::engine::activity::Stopped;
use crate::report::{LeftChanged, Verdict};
use crate::strategy::RollbackStrategy;

/// What is known about the end of a run so far.
#[derive(Default)]
pub(super) struct Ending {
    /// The first thing that went wrong.
    pub(super) failed: Option<String>,
    /// Why it could not go on at all.
    pub(super) aborted: Option<String>,
    /// Why the steady state is lost.
    pub(super) deviated: Option<String>,
    /// What is worth saying though it changes nothing.
    pub(super) remark: Option<String>,
    pub(super) interrupted: bool,
    pub(super) why_interrupted: Option<String>,
    /// Whether the interruption is written down: that is done once.
    pub(super) told: bool,
    /// What could not be put back.
    pub(super) left: Vec<LeftChanged>,
}

impl Ending {
    pub(super) fn stop(&mut self, stopped: Stopped) {
        match stopped {
            Stopped::Failed(why) => {
                self.failed.get_or_insert(why);
            }
            Stopped::Aborted(why) => {
                self.aborted.get_or_insert(why);
            }
            Stopped::Interrupted => self.interrupted = true,
        }
    }

    /// Whether rollbacks are played after this, by the rules of Chaos Toolkit.
    pub(super) fn plays_rollbacks(&self, strategy: RollbackStrategy) -> bool {
        match strategy {
            // A run that was aborted has done something that wants to be mended.
            RollbackStrategy::Default => !matches!(self.status(), RunStatus::Failed | RunStatus::Interrupted),
            RollbackStrategy::Always => true,
            RollbackStrategy::Never => false,
            RollbackStrategy::Deviated => self.deviated.is_some(),
        }
    }

    pub(super) fn status(&self) -> RunStatus {
        if self.interrupted {
            RunStatus::Interrupted
        } else if self.aborted.is_some() {
            RunStatus::Aborted
        } else if self.failed.is_some() || !self.left.is_empty() {
            RunStatus::Failed
        } else {
            RunStatus::Completed
        }
    }

    pub(super) fn verdict(&self) -> Verdict {
        match self.status() {
            RunStatus::Interrupted => Verdict::Interrupted,
            RunStatus::Aborted => Verdict::Aborted,
            RunStatus::Failed => Verdict::Failed,
            RunStatus::Completed if self.deviated.is_some() => Verdict::Deviated,
            RunStatus::Completed => Verdict::Completed,
        }
    }

    pub(super) fn reason(&self) -> Option<String> {
        let left = || match self.left.as_slice() {
            [] => None,
            [only] => Some(only.to_string()),
            [first, rest @ ..] => Some(format!("{first}, and {} more are left changed", rest.len())),
        };
        let first = [&self.aborted, &self.failed, &self.deviated, &self.why_interrupted, &self.remark];
        first.into_iter().flatten().next().cloned().or_else(left)
    }
}
