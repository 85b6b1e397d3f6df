//! Recovery: what a run that died has left changed is put back, from its log alone.

mod assess;
mod report;
mod target;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use chaos_core::{
    Connection, Context, Error, EventSink, OpenTarget, PlatformSource, RecordedRun, RunAccount, RunEvent, RunEventKind,
    RunId, RunStatus,
};

pub use report::{Recovered, RecoveredTarget, RecoveryReport};

use crate::engine::ENGINE;
use crate::engine::recorder::Recorder;
use crate::mask::Masker;
use crate::recovery::target::Work;
use crate::report::node_name;

/// How long is waited before the second look at what could not be put back; twice as long before each later one.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// The longest of these pauses.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How a recovery goes about it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RecoverOptions {
    /// How long after it was sent a call may take effect of which nobody knows how it ended, if it was not given longer.
    /// So long a VM is watched that looks as it was found.
    pub settle: Duration,
    /// How many VMs are put back at the same time, of those that one activity has changed.
    pub parallel: NonZeroUsize,
    /// Connection values beside the settings, by the entry that they are for, as the run was given them
    /// ([`Experiment::connections`](crate::Experiment::connections)). They are in no log.
    pub connections: BTreeMap<String, Connection>,
}

impl Default for RecoverOptions {
    fn default() -> Self {
        Self { settle: Duration::from_mins(1), parallel: chaos_core::DEFAULT_PARALLEL, connections: BTreeMap::new() }
    }
}

/// A run whose process is gone, as its log tells of it.
///
/// ```
/// use std::time::Duration;
/// use chaos_core::{Context, EventSink, RecordedRun, RunId};
/// use chaos_experiments::{MemorySink, RecoverOptions, Recovery};
/// # use chaos_testkit::MemorySource;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let source = MemorySource::new(); // a `PlatformSource`, such as the orchestrator
/// # let recorded = RecordedRun::new(RunId::new("run-1"), Vec::new()); // from a `RunLog`
/// # let sink = MemorySink::default(); // from the same
/// let cx = Context::with_timeout(Duration::from_secs(600));
/// let report = Recovery::new(recorded).run(&cx, &source, &sink, &RecoverOptions::default()).await;
/// for target in &report.targets {
///     println!("{target}");
/// }
/// # assert!(report.is_settled());
/// # }
/// ```
#[derive(Debug)]
pub struct Recovery {
    recorded: RecordedRun,
    account: RunAccount,
}

impl Recovery {
    /// The recovery of a run. Nothing is done so far.
    #[must_use]
    pub fn new(recorded: RecordedRun) -> Self {
        let account = RunAccount::fold(&recorded.events);
        Self { recorded, account }
    }

    /// The run.
    #[must_use]
    pub fn run_id(&self) -> &RunId {
        &self.recorded.run
    }

    /// What the log says.
    #[must_use]
    pub fn account(&self) -> &RunAccount {
        &self.account
    }

    /// The targets that the run may have left changed.
    #[must_use]
    pub fn open(&self) -> Vec<OpenTarget> {
        let name = |undo: &chaos_core::Undo| undo.path.clone().unwrap_or_else(|| undo.name.clone());
        self.account.open().map(|target| OpenTarget::new(target.undo.target.clone(), name(&target.undo))).collect()
    }

    /// Says what would be done. Reads only, and tries nothing twice.
    pub async fn look(&self, cx: &Context, source: &dyn PlatformSource, options: &RecoverOptions) -> RecoveryReport {
        let masker = Masker::default();
        let nowhere = Nowhere;
        let recorder = Recorder::resumed(cx, self.run_id(), &nowhere, &masker, &self.recorded.events);
        let mut work = Work::of(&self.account, options);
        match &self.recorded.damage {
            Some(damage) => work.leave_all_open(&damaged(damage)),
            None => work.look(cx, source).await,
        }
        RecoveryReport::new(self, work, &recorder, true).await
    }

    /// Puts back what the run has changed and nobody else since, the last activity first, and reads that it is there.
    ///
    /// What cannot be put back now is tried again until the deadline of `cx` or its cancellation. What the run has not
    /// changed, or somebody else has changed since, is not touched. Events go to `sink`, which goes on with the log of
    /// the run; that it fails keeps nothing from being put back.
    ///
    /// If the log is damaged, nobody knows what else was done to the targets: then nothing is touched.
    pub async fn run(
        self,
        cx: &Context,
        source: &dyn PlatformSource,
        sink: &dyn EventSink,
        options: &RecoverOptions,
    ) -> RecoveryReport {
        let masker = Masker::default();
        let recorder = Recorder::resumed(cx, self.run_id(), sink, &masker, &self.recorded.events);
        let mut work = Work::of(&self.account, options);
        if let Some(damage) = &self.recorded.damage {
            work.leave_all_open(&damaged(damage));
            return RecoveryReport::new(&self, work, &recorder, false).await;
        }
        if self.account.ended.is_some() && work.is_done() {
            // There is nothing to be done, so what became of the run stays as it is.
            return RecoveryReport::new(&self, work, &recorder, true).await;
        }
        recorder.note(RunEventKind::RecoveryStarted { engine: ENGINE.to_owned(), node: node_name() }).await;
        if self.account.ended.is_none() {
            let reason = "the process of the run ended before the run did".to_owned();
            recorder.note(RunEventKind::Interrupted { reason }).await;
        }
        let mut pause = FIRST_PAUSE;
        loop {
            work.round(cx, source, &recorder).await;
            if work.is_done() || cx.check("putting things back").is_err() {
                break;
            }
            let wait = work.next_look(cx).map_or(pause, |next| next.min(pause));
            if cx.pause("waiting to put things back", wait).await.is_err() {
                break;
            }
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
        work.verify(cx, &recorder).await;
        work.give_up(&recorder).await;
        if self.account.ended.is_none() {
            let deviated = recorder.journal().await.deviated;
            recorder.note(RunEventKind::RunEnded { status: RunStatus::Interrupted, deviated }).await;
        }
        recorder.note(RunEventKind::RecoveryEnded).await;
        RecoveryReport::new(&self, work, &recorder, false).await
    }

    /// Writes down that a person has taken over what is still changed, so that the run holds nothing any more. Touches
    /// nothing.
    ///
    /// # Errors
    /// If it cannot be written down.
    pub async fn abandon(self, cx: &Context, sink: &dyn EventSink, reason: &str) -> Result<(), Error> {
        let masker = Masker::default();
        let recorder = Recorder::resumed(cx, self.run_id(), sink, &masker, &self.recorded.events);
        recorder.record(RunEventKind::Abandoned { reason: reason.to_owned() }).await.map(drop)
    }
}

fn damaged(damage: &chaos_core::Damage) -> String {
    format!("{damage}, so nobody knows what else was done to it: look at it and put it back by hand")
}

/// Where a look is written down.
#[derive(Debug)]
struct Nowhere;

#[async_trait::async_trait]
impl EventSink for Nowhere {
    async fn record(&self, _: &RunEvent) -> Result<(), Error> {
        Ok(())
    }
}
