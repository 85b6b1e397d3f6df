//! What the events of a run say about its targets: which are still changed, and what was done to each.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fault::{Fault, Target};
use crate::outcome::How;
use crate::run::{CallResult, Failure, RunEvent, RunEventKind, RunMode, RunStatus};
use crate::undo::Undo;

/// What is known of a run: a pure fold over its events, so that it is the same for a run that ended, for one that was
/// killed, and for one that still goes on.
///
/// ```
/// use chaos_core::{RunAccount, RunState};
///
/// let account = RunAccount::fold(&[]);
/// assert!(!account.is_unrecovered());
/// assert_eq!(account.state(), RunState::Died);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct RunAccount {
    /// The title of the experiment.
    pub title: String,
    /// Whether it was the real thing; none if the run did not begin.
    pub mode: Option<RunMode>,
    /// The machine that it ran on.
    pub node: String,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When the last event was written down.
    pub last: Option<Timestamp>,
    /// How it ended, and whether the steady state was lost; none if its end is not among the events.
    pub ended: Option<(RunStatus, bool)>,
    /// Whether a recovery came to its end.
    pub recovered: bool,
    /// Why a person took over, if one did.
    pub abandoned: Option<String>,
    /// The targets in the order in which they were first prepared.
    pub targets: Vec<TargetAccount>,
    /// How many events there are: the number of the next one.
    pub events: u64,
    /// The calls that were prepared and not sent, with the place of their target.
    pending: BTreeMap<u64, (usize, Fault)>,
}

/// What was done to one target.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TargetAccount {
    /// The number of its first [`RunEventKind::Prepared`], by which other events refer to it.
    pub prepared: u64,
    /// The number of the activity for which it was first prepared.
    pub activity: u64,
    /// How it gets back to the state that it was found in at first.
    pub undo: Undo,
    /// What was sent to it since it was last as it was found.
    pub sent: Vec<SentFault>,
    /// Whether putting it back was begun, so that it may have been booted by this run.
    pub undoing: bool,
    /// The latest boot time that an answer to this run gave.
    pub boot_time: Option<Timestamp>,
    /// How it stands.
    pub standing: Standing,
}

/// A call that left, or was about to.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SentFault {
    /// The number of its [`RunEventKind::Prepared`].
    pub prepared: u64,
    /// What was to be done.
    pub fault: Fault,
    /// When it was sent.
    pub at: Timestamp,
    /// How it ended and when that was known; none if nobody knows.
    pub result: Option<(Timestamp, CallResult)>,
}

/// How a target stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// Nothing was sent to it.
    Untouched,
    /// It may be changed; the last failure to put it back, if there was one.
    Open(Option<Failure>),
    /// It is as it was found.
    Back,
    /// It is not this run's to put back any more, for this reason.
    LeftAlone(String),
}

/// What became of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunState {
    /// Its process lives: it runs, or is being recovered.
    Running,
    /// It did everything that it was asked for.
    Completed,
    /// It did everything that it was asked for, and the steady state was lost.
    Deviated,
    /// It failed, and nothing is left changed.
    Failed,
    /// It was told to stop, and nothing is left changed.
    Interrupted,
    /// Its process died before it had changed anything, or after all was put back.
    Died,
    /// It is over and has left something changed, or may have.
    Unrecovered,
    /// It had left something changed, and a recovery has settled that.
    Recovered,
    /// It has left something changed that a person has taken over.
    Abandoned,
    /// Its log cannot be read to the end, so what it changed is not known.
    Damaged,
}

impl RunState {
    /// The serialised word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Deviated => "deviated",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Died => "died",
            Self::Unrecovered => "unrecovered",
            Self::Recovered => "recovered",
            Self::Abandoned => "abandoned",
            Self::Damaged => "damaged",
        }
    }

    /// Whether nothing has to be done about the run any more: it may be removed.
    #[must_use]
    pub fn is_settled(self) -> bool {
        !matches!(self, Self::Running | Self::Unrecovered | Self::Damaged)
    }
}

impl std::fmt::Display for RunState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl RunAccount {
    /// The account of a run from its events, in order. Any beginning of a run's events gives an account.
    pub fn fold<'a>(events: impl IntoIterator<Item = &'a RunEvent>) -> Self {
        let mut account = Self::default();
        for event in events {
            account.apply(event);
        }
        account
    }

    /// Takes one more event.
    pub fn apply(&mut self, event: &RunEvent) {
        self.last = Some(event.at);
        self.events = event.sequence.saturating_add(1);
        match &event.event {
            RunEventKind::RunStarted { node, mode, experiment, .. } => {
                self.started = Some(event.at);
                self.mode = Some(*mode);
                self.node.clone_from(node);
                experiment["title"].as_str().unwrap_or_default().clone_into(&mut self.title);
            }
            RunEventKind::Prepared { activity, target, fault, undo } => {
                let at = self.place(event.sequence, *activity, target, undo);
                self.pending.insert(event.sequence, (at, fault.clone()));
            }
            RunEventKind::Sent { prepared } => self.sent(*prepared, event.at),
            RunEventKind::Outcome { prepared, result } => self.outcome(*prepared, event.at, result),
            RunEventKind::Undoing { prepared } => {
                if let Some(target) = self.target_mut(*prepared) {
                    target.undoing = true;
                }
            }
            RunEventKind::Undone { prepared, outcome } => {
                if let Some(target) = self.target_mut(*prepared) {
                    // Of a start that did not tell its boot time, nobody knows it any more.
                    target.boot_time = match outcome.how {
                        How::AlreadyThere => target.boot_time.max(outcome.boot_time),
                        _ => outcome.boot_time,
                    };
                    target.standing = Standing::Back;
                }
            }
            RunEventKind::UndoFailed { prepared, failure } => {
                if let Some(target) = self.target_mut(*prepared) {
                    target.standing = Standing::Open(Some(failure.clone()));
                }
            }
            RunEventKind::LeftAlone { prepared, why } => {
                if let Some(target) = self.target_mut(*prepared) {
                    target.standing = Standing::LeftAlone(why.clone());
                }
            }
            RunEventKind::RunEnded { status, deviated } => self.ended = Some((*status, *deviated)),
            RunEventKind::RecoveryEnded => self.recovered = true,
            RunEventKind::Abandoned { reason } => self.abandoned = Some(reason.clone()),
            RunEventKind::HypothesisStarted { .. }
            | RunEventKind::HypothesisEnded { .. }
            | RunEventKind::ActivityStarted { .. }
            | RunEventKind::ActivityTried { .. }
            | RunEventKind::ActivityEnded { .. }
            | RunEventKind::ActivityAmended { .. }
            | RunEventKind::JournalAmended { .. }
            | RunEventKind::NotUndoable { .. }
            | RunEventKind::RollbacksStarted
            | RunEventKind::RollbacksEnded
            | RunEventKind::UndoDelayed { .. }
            | RunEventKind::StopRequested { .. }
            | RunEventKind::Interrupted { .. }
            | RunEventKind::RecoveryStarted { .. } => {}
        }
    }

    /// The place of a target, which is new if it was not prepared before.
    fn place(&mut self, sequence: u64, activity: u64, target: &Target, undo: &Undo) -> usize {
        let known = self.targets.iter().position(|known| known.undo.target.is_same(target));
        known.unwrap_or_else(|| {
            self.targets.push(TargetAccount {
                prepared: sequence,
                activity,
                undo: undo.clone(),
                sent: Vec::new(),
                undoing: false,
                boot_time: undo.found.boot_time,
                standing: Standing::Untouched,
            });
            self.targets.len() - 1
        })
    }

    fn sent(&mut self, prepared: u64, at: Timestamp) {
        let Some((place, fault)) = self.pending.remove(&prepared) else { return };
        let target = &mut self.targets[place];
        if target.standing == Standing::Back {
            // What was settled before says nothing about what comes now.
            target.sent.clear();
            target.undoing = false;
        }
        target.sent.push(SentFault { prepared, fault, at, result: None });
        target.standing = Standing::Open(None);
    }

    fn outcome(&mut self, prepared: u64, at: Timestamp, result: &CallResult) {
        for target in &mut self.targets {
            let Some(sent) = target.sent.iter_mut().find(|sent| sent.prepared == prepared) else { continue };
            sent.result = Some((at, result.clone()));
            if let CallResult::Ok(outcome) = result {
                target.boot_time = target.boot_time.max(outcome.boot_time);
            }
            return;
        }
    }

    fn target_mut(&mut self, prepared: u64) -> Option<&mut TargetAccount> {
        self.targets.iter_mut().find(|target| target.prepared == prepared)
    }

    /// The targets that may be changed, in the order in which they were first prepared.
    #[must_use]
    pub fn open(&self) -> impl DoubleEndedIterator<Item = &TargetAccount> {
        let is_abandoned = self.abandoned.is_some();
        self.targets.iter().filter(move |target| !is_abandoned && matches!(target.standing, Standing::Open(_)))
    }

    /// Whether a target that is open is what the experiment has left: the run has ended, and nothing has tried to put it back.
    #[must_use]
    pub fn is_meant(&self, target: &TargetAccount) -> bool {
        self.ended.is_some() && target.standing == Standing::Open(None) && !target.undoing
    }

    /// Whether something may be left changed. Says nothing while the run goes on.
    #[must_use]
    pub fn is_unrecovered(&self) -> bool {
        self.open().next().is_some()
    }

    /// What became of the run, if its process does not live any more.
    #[must_use]
    pub fn state(&self) -> RunState {
        match (self.is_unrecovered(), &self.abandoned, self.recovered, self.ended) {
            (true, ..) => RunState::Unrecovered,
            (false, Some(_), ..) => RunState::Abandoned,
            (false, None, true, _) => RunState::Recovered,
            (false, None, false, None) => RunState::Died,
            (false, None, false, Some((RunStatus::Completed, false))) => RunState::Completed,
            (false, None, false, Some((RunStatus::Completed, true))) => RunState::Deviated,
            (false, None, false, Some((RunStatus::Failed | RunStatus::Aborted, _))) => RunState::Failed,
            (false, None, false, Some((RunStatus::Interrupted, _))) => RunState::Interrupted,
        }
    }
}
