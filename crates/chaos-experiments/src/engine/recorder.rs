//! Writes down what happens, in order, before it goes on.

use std::time::Duration;

use chaos_core::{
    Context, Error, ErrorKind, EventSink, RunAccount, RunEvent, RunEventKind, RunId, RunStatus, Section, SharedClock,
};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::journal::{Journal, JournalFold};
use crate::mask::Masker;

/// How long a sink may take for one event. Generous, because the clock of a rehearsal runs faster than disks do.
const RECORD_LIMIT: Duration = Duration::from_mins(2);

/// Numbers events, masks secrets in them, and gives them to the sink one at a time.
pub(crate) struct Recorder<'a> {
    sink: &'a dyn EventSink,
    masker: &'a Masker,
    run: RunId,
    clock: SharedClock,
    /// Has the time that a record may take, and no cancellation: what happened is written down in any case.
    cx: Context,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: u64,
    fold: JournalFold,
    account: RunAccount,
    /// Why the sink failed. It is given nothing any more, so that no gap is hidden in what it holds.
    broken: Option<String>,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(cx: &Context, sink: &'a dyn EventSink, masker: &'a Masker) -> Self {
        Self {
            sink,
            masker,
            run: cx.run_id().clone(),
            clock: cx.clock().clone(),
            cx: cx.clone(),
            state: Mutex::default(),
        }
    }

    /// Goes on with the events of a run that others have begun.
    pub(crate) fn resumed(
        cx: &Context,
        run: &RunId,
        sink: &'a dyn EventSink,
        masker: &'a Masker,
        events: &[RunEvent],
    ) -> Self {
        let mut state = State::default();
        for event in events {
            state.next = event.sequence + 1;
            state.fold.apply(event);
            state.account.apply(event);
        }
        Self { sink, masker, run: run.clone(), clock: cx.clock().clone(), cx: cx.clone(), state: Mutex::new(state) }
    }

    /// Writes down one event and gives its number. The journal has the event even if the sink fails.
    ///
    /// # Errors
    /// If the sink failed, now or before. Nothing destructive may follow.
    pub(crate) async fn record(&self, event: RunEventKind) -> Result<u64, Error> {
        let mut state = self.state.lock().await;
        let event = RunEvent::new(self.run.clone(), state.next, self.clock.now(), self.masker.event(event));
        state.next += 1;
        state.fold.apply(&event);
        state.account.apply(&event);
        if state.broken.is_none() {
            let cx = self.cx.detached(RECORD_LIMIT);
            let recorded = cx.bounded("writing the run log", self.sink.record(&event)).await;
            if let Err(error) = recorded.and_then(|recorded| recorded) {
                state.broken = Some(error.with_causes());
            }
        }
        match &state.broken {
            None => Ok(event.sequence),
            Some(why) => Err(Error::new(ErrorKind::Failed, format!("nothing can be written down any more: {why}"))),
        }
    }

    /// Writes down one event of putting things back, which goes on without a sink.
    pub(crate) async fn note(&self, event: RunEventKind) {
        if let Err(error) = self.record(event).await {
            tracing::warn!("{error}");
        }
    }

    /// `text` without secrets.
    pub(crate) fn mask(&self, text: &str) -> String {
        self.masker.text(text)
    }

    /// What the events so far say of the targets.
    pub(crate) async fn account(&self) -> RunAccount {
        self.state.lock().await.account.clone()
    }

    /// The record of an activity, by the number of its begin.
    pub(super) async fn record_of(&self, activity: u64) -> Option<Value> {
        let state = self.state.lock().await;
        serde_json::to_value(state.fold.record(activity)?).ok()
    }

    /// The records of a section, with their numbers.
    pub(super) async fn records(&self, section: Section) -> Vec<(u64, Value)> {
        let state = self.state.lock().await;
        let each = state.fold.records(section).into_iter();
        each.filter_map(|(number, record)| Some((number, serde_json::to_value(record).ok()?))).collect()
    }

    /// The journal as it would be if the run ended so now.
    pub(super) async fn journal_ending(&self, status: RunStatus, deviated: bool) -> Journal {
        let state = self.state.lock().await;
        let mut fold = state.fold.clone();
        let event = RunEventKind::RunEnded { status, deviated };
        fold.apply(&RunEvent::new(self.run.clone(), state.next, self.clock.now(), event));
        fold.journal()
    }

    pub(crate) async fn journal(&self) -> Journal {
        self.state.lock().await.fold.journal()
    }
}
