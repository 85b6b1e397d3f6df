//! What happens in a run of an experiment: one ordered stream of events, and the sink that has to accept each of them.

use std::fmt::{self, Debug};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::context::RunId;
use crate::error::Error;
use crate::fault::{Fault, Target};
use crate::outcome::Outcome;
use crate::undo::Undo;

/// One thing that happened in a run, as it is written down.
///
/// Events of one run are numbered from 0 without gaps, in the order in which the sink accepted them. An event refers
/// to an earlier one by that number. They hold no secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunEvent {
    /// The version of this record's format, [`RunEvent::VERSION`] when it was made by this crate.
    pub version: u32,
    /// The number of the event in its run.
    pub sequence: u64,
    /// When it happened.
    pub at: Timestamp,
    /// The run.
    pub run: RunId,
    /// What happened.
    pub event: RunEventKind,
}

impl RunEvent {
    /// The version of the format that this crate writes.
    pub const VERSION: u32 = 1;

    /// Event number `sequence` of `run`.
    #[must_use]
    pub fn new(run: RunId, sequence: u64, at: Timestamp, event: RunEventKind) -> Self {
        Self { version: Self::VERSION, sequence, at, run, event }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunEventKind {
    /// The run begins. Nothing was touched so far; every name in it was resolved.
    RunStarted {
        /// The engine and its version.
        engine: String,
        /// Operating system and architecture of the machine that runs it.
        system: String,
        /// The name of that machine.
        node: String,
        /// Whether it is the real thing.
        mode: RunMode,
        /// The experiment as it was loaded, with its secrets masked.
        experiment: Value,
        /// The seed of what it draws at random where it names none of its own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seed: Option<u64>,
        /// Where the experiment came from and with which values, so that it can be run again. In the words of whoever started it,
        /// and without secrets.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<Value>,
    },
    /// The steady-state hypothesis is about to be checked.
    HypothesisStarted {
        /// Before, during or after the method.
        phase: HypothesisPhase,
    },
    /// The steady-state hypothesis was checked.
    HypothesisEnded {
        /// Before, during or after the method.
        phase: HypothesisPhase,
        /// Whether every probe succeeded and met its tolerance.
        met: bool,
    },
    /// An activity begins.
    ActivityStarted {
        /// The part of the experiment that it belongs to.
        section: Section,
        /// The activity as it is declared, with its secrets masked.
        activity: Value,
    },
    /// All that is needed to undo a fault is known. Written down before the fault is sent.
    Prepared {
        /// The number of the [`RunEventKind::ActivityStarted`] that it is done for.
        activity: u64,
        /// What will be touched.
        target: Target,
        /// What will be done to it.
        fault: Fault,
        /// How it is put back. The first of these for a target holds the state that the run found it in.
        undo: Undo,
    },
    /// An activity is about to act beyond the platforms, by a process, a request or a function in Python. There is no [`Undo`] for what it does.
    NotUndoable {
        /// The number of its [`RunEventKind::ActivityStarted`].
        activity: u64,
        /// The type of its provider, such as `process`.
        provider: String,
    },
    /// A prepared fault is about to leave for the platform.
    Sent {
        /// The number of its [`RunEventKind::Prepared`].
        prepared: u64,
    },
    /// The platform call of a fault has ended.
    Outcome {
        /// The number of its [`RunEventKind::Prepared`].
        prepared: u64,
        /// How it ended.
        result: CallResult,
    },
    /// An activity has failed and is about to be tried again.
    ActivityTried {
        /// The number of its [`RunEventKind::ActivityStarted`].
        activity: u64,
        /// Why it failed, as lines; the last one carries the message.
        exception: Vec<String>,
    },
    /// An activity has ended.
    ActivityEnded {
        /// The number of its [`RunEventKind::ActivityStarted`].
        activity: u64,
        /// How it ended; none if it was cut short by an interruption.
        status: Option<ActivityStatus>,
        /// What it returned; null if nothing.
        output: Value,
        /// Why it failed, as lines; the last one carries the message.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        exception: Vec<String>,
        /// Whether the output is within the activity's tolerance, if it was checked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tolerance_met: Option<bool>,
    },
    /// A control has changed the record of an activity.
    ActivityAmended {
        /// The number of its [`RunEventKind::ActivityStarted`].
        activity: u64,
        /// The record as it is in the journal now.
        record: Value,
    },
    /// A control has changed other parts of the journal.
    JournalAmended {
        /// The parts, by their key in the journal.
        changes: serde_json::Map<String, Value>,
    },
    /// The declared rollbacks are about to be played.
    RollbacksStarted,
    /// The declared rollbacks were played.
    RollbacksEnded,
    /// A target is about to be put back: from now on a newer boot time is the doing of this run.
    Undoing {
        /// The number of the first [`RunEventKind::Prepared`] of the target.
        prepared: u64,
    },
    /// A target is back in the state that the run found it in, read back from the platform.
    Undone {
        /// The number of the first [`RunEventKind::Prepared`] of the target; all later ones up to here are settled too.
        /// A rollback may do this before the run ends: what is sent to the target after it has to be undone again.
        prepared: u64,
        /// How it got there.
        outcome: Outcome,
    },
    /// A target is not back yet, and putting it back goes on.
    UndoDelayed {
        /// The number of the first [`RunEventKind::Prepared`] of the target.
        prepared: u64,
        /// When putting it back is given up.
        until: Timestamp,
        /// What the last try failed with; none if the first is still under way.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
    },
    /// A target could not be put back, or is not there any more when all is read once more in the end, in which case
    /// this follows its [`RunEventKind::Undone`]: it is left changed.
    UndoFailed {
        /// The number of the first [`RunEventKind::Prepared`] of the target.
        prepared: u64,
        /// Why.
        failure: Failure,
    },
    /// Nothing more is done for a target: it is not this run's to put back any more.
    LeftAlone {
        /// The number of the first [`RunEventKind::Prepared`] of the target.
        prepared: u64,
        /// Why: somebody else has changed it, or it is gone.
        why: String,
    },
    /// Something asks the run to stop. What is under way is cut short.
    StopRequested {
        /// What asks.
        cause: StopCause,
        /// In words.
        reason: String,
        /// When the cause arose: the begin of the look that found it, or the time at which a person gave the word.
        since: Timestamp,
    },
    /// The run has stopped as it was told to. What follows puts things back.
    Interrupted {
        /// In words.
        reason: String,
    },
    /// The process that ran this is gone, and another one begins to put back what it left changed.
    RecoveryStarted {
        /// The engine of the recovery and its version.
        engine: String,
        /// The name of the machine that recovers.
        node: String,
    },
    /// The recovery is over. What it could not settle is still open.
    RecoveryEnded,
    /// A person has taken over what is still changed: nothing of this run is to be put back any more.
    Abandoned {
        /// In words.
        reason: String,
    },
    /// The run is over.
    RunEnded {
        /// How it ended.
        status: RunStatus,
        /// Whether the steady state was lost after the method.
        deviated: bool,
    },
}

impl RunEventKind {
    /// Whether the run begins to act with it: from here on there may be something to put back, or to tell of that cannot be.
    #[must_use]
    pub fn begins_to_act(&self) -> bool {
        matches!(self, Self::Prepared { .. } | Self::NotUndoable { .. })
    }
}

/// What asks a run to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StopCause {
    /// Whoever started it: Ctrl-C, SIGTERM, a terminal that went away, a program that cancelled it.
    Caller,
    /// The [`HaltFlag`](crate::HaltFlag).
    Halt,
    /// A stop condition of the experiment.
    StopCondition,
    /// A lease that is held by somebody else now, or could not be renewed.
    Lease,
}

/// Whether a run is the real thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunMode {
    /// On the platforms of the settings.
    Real,
    /// On simulated platforms.
    Rehearsal,
}

/// When the steady-state hypothesis is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HypothesisPhase {
    /// Before the method: a gate.
    Before,
    /// While the method goes on, again and again.
    During,
    /// After the method: the question that the experiment asks.
    After,
}

/// The part of an experiment that an activity belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Section {
    /// A probe of the steady-state hypothesis before the method.
    HypothesisBefore,
    /// A probe of the steady-state hypothesis while the method goes on.
    HypothesisDuring,
    /// The method.
    Method,
    /// A probe of the steady-state hypothesis after the method.
    HypothesisAfter,
    /// The declared rollbacks.
    Rollbacks,
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::HypothesisBefore => "steady state before",
            Self::HypothesisDuring => "steady state during the method",
            Self::Method => "method",
            Self::HypothesisAfter => "steady state after",
            Self::Rollbacks => "rollbacks",
        })
    }
}

/// How an activity ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivityStatus {
    /// It did what it is for.
    Succeeded,
    /// It did not.
    Failed,
}

/// How a run ended, in the words of the Chaos Toolkit journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Everything was done that the experiment asks for, whatever it found out.
    Completed,
    /// An activity failed, the steady state was not there to begin with, or something is left changed.
    Failed,
    /// The engine could not go on.
    Aborted,
    /// It was told to stop.
    Interrupted,
}

impl RunStatus {
    /// The word of the journal.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Aborted => "aborted",
            Self::Interrupted => "interrupted",
        }
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a platform call ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallResult {
    /// The goal was reached.
    Ok(Outcome),
    /// It was not, as far as is known.
    Error(Failure),
}

/// An [`Error`] as it is written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The word of its [`ErrorKind`](crate::ErrorKind), such as `not_found`.
    pub kind: String,
    /// The message with its causes, on one line.
    pub message: String,
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        Self { kind: error.kind().as_str().to_owned(), message: error.with_causes() }
    }
}

/// Takes the events of runs.
///
/// The engine waits for each event to be taken before it goes on, and a destructive call leaves only after its
/// [`RunEventKind::Prepared`] and [`RunEventKind::Sent`] were taken. An error therefore stops the destructive call.
/// Putting things back never depends on a sink.
#[async_trait]
pub trait EventSink: Debug + Send + Sync + 'static {
    /// Takes one event. When this returns, the event is as safe as this sink can make it.
    ///
    /// # Errors
    /// If the event may be lost. The engine then sends nothing destructive any more.
    async fn record(&self, event: &RunEvent) -> Result<(), Error>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::fault::Stop;
    use crate::kind::PlatformKind;
    use crate::vm::{VMInfo, VMPowerState};
    use crate::vm_ref::VMRef;

    fn event(event: RunEventKind) -> RunEvent {
        RunEvent::new(RunId::new("r1"), 7, "2026-11-23T03:25:15.855304Z".parse().unwrap(), event)
    }

    #[test]
    fn an_event_survives_the_way_to_disk_and_back() {
        let vm = VMInfo::new("web-01", "vm-1", VMPowerState::PoweredOn, PlatformKind::VSPHERE);
        let target = Target::from(VMRef {
            platform: PlatformKind::VSPHERE,
            entry: "vsphere".into(),
            instance: "i".into(),
            id: "vm-1".into(),
        });
        let fault = Fault::power_off(Stop::graceful());
        let undo = Undo::of_power(target.clone(), &vm, &fault, Timestamp::UNIX_EPOCH);
        let failure = Failure::from(&Error::new(ErrorKind::Failed, "task failed").vm("web-01"));
        for kind in [
            RunEventKind::Prepared { activity: 3, target, fault, undo },
            RunEventKind::Sent { prepared: 4 },
            RunEventKind::Outcome { prepared: 4, result: CallResult::Error(failure) },
            RunEventKind::RollbacksStarted,
            RunEventKind::RunEnded { status: RunStatus::Completed, deviated: true },
        ] {
            let event = event(kind);
            let line = serde_json::to_string(&event).unwrap();
            assert_eq!(serde_json::from_str::<RunEvent>(&line).unwrap(), event, "{line}");
        }
    }

    #[test]
    fn the_written_form_is_stable() {
        let line = serde_json::to_string(&event(RunEventKind::Sent { prepared: 4 })).unwrap();
        assert_eq!(
            line,
            r#"{"version":1,"sequence":7,"at":"2026-11-23T03:25:15.855304Z","run":"r1","event":{"kind":"sent","prepared":4}}"#
        );
    }

    #[test]
    fn a_document_keeps_the_order_of_its_keys() {
        let text = r#"{"kind":"activity_started","section":"method","activity":{"z":1,"a":{"y":2,"b":3}}}"#;
        let kind: RunEventKind = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&kind).unwrap(), text);
    }
}
