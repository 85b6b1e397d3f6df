//! Runs an experiment: steady state, method, steady state, rollbacks, and back to what was found.

mod activity;
mod again;
mod amend;
mod beyond;
mod ending;
mod hooks;
mod hypothesis;
mod judge;
mod later;
mod ledger;
mod live;
mod power;
mod probe;
pub(crate) mod recorder;
mod restore;
mod sentry;
mod steps;
mod stops;

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chaos_core::{Context, EventSink, RunEventKind, StopCause};
use tokio_util::sync::CancellationToken;

use crate::controls::Level;
use crate::engine::activity::Stopped;
use crate::engine::ending::Ending;
use crate::engine::hooks::Part;
use crate::engine::ledger::Ledger;
use crate::engine::live::Live;
pub(crate) use crate::engine::power::leads_to;
use crate::engine::recorder::Recorder;
use crate::engine::sentry::Sentry;
use crate::engine::stops::Stops;
use crate::provider::{HttpClients, PythonWorkers};
use crate::report::{RunOptions, RunReport, WithoutUndo};
use crate::resolve::ResolvedExperiment;
use crate::rules::Rules;
use crate::steps::Steps;
use crate::strategy::{Dry, RollbackStrategy, Schedule, Strategies};

/// What the journal calls this engine.
pub(crate) const ENGINE: &str = concat!("chaosmonkey ", env!("CARGO_PKG_VERSION"));

/// A run under way.
struct Running<'a> {
    resolved: &'a ResolvedExperiment,
    rules: Rules,
    strategies: Strategies,
    schedule: Schedule,
    dry: Option<Dry>,
    recorder: Recorder<'a>,
    ledger: Ledger,
    sentry: Sentry,
    clients: HttpClients,
    workers: PythonWorkers,
    /// How long putting something back may take.
    repair_limit: Duration,
    /// The actions of the method that were begun and have no undo.
    without_undo: Mutex<Vec<WithoutUndo>>,
    /// The activities of which is written down that they have none.
    told_undoless: Mutex<BTreeSet<u64>>,
    /// Why the method ends behind the activity that is under way.
    braked: Mutex<Option<Stopped>>,
    stops: Stops,
    live: Live,
    /// The controls that are not called any more.
    dropped: Mutex<BTreeSet<String>>,
    /// What was said about controls: each is said once.
    warned: Mutex<BTreeSet<String>>,
    /// Cuts what is called after a part of the run.
    hurry: CancellationToken,
    /// What the steps gave that have ended.
    steps: Steps,
    /// Nothing is waited for and nothing is played back any more.
    abandon: CancellationToken,
    /// Nothing is waited for any more.
    give_up: CancellationToken,
}

impl ResolvedExperiment {
    /// Runs the experiment. Events go to `sink`, which has to accept each before the next step.
    ///
    /// By [`Rules::Strict`] the steady state is checked first: if it is not there, nothing is touched. The first activity of
    /// the method that fails, or whose output is not within its tolerance, ends the method. Cancelling `cx` interrupts the
    /// run. In every case the declared rollbacks are then played, and whatever is still changed is put back to the state
    /// that it was found in; that has its own time ([`RunOptions::repair_limit`]) and its own cancellation
    /// ([`RunOptions::stop_repair`]).
    ///
    /// By [`Rules::Compat`] the run goes as one of Chaos Toolkit does: failures end nothing, rollbacks are played by
    /// strategy, and what is still changed then is not put back but named in [`RunReport::left_changed`]. A
    /// [`Recovery`](crate::Recovery) puts it back.
    ///
    /// A halt ([`RunOptions::halt`]), a lost lease ([`RunOptions::claim`]) and a stop condition of the experiment interrupt the
    /// run like a cancellation; each is watched from its begin to the end of the method, and by compatible rules to that of the
    /// rollbacks. What they end is put back by either rules.
    ///
    /// What goes wrong is in the report. To stop a run, cancel `cx`: dropping this future puts nothing back, which is then
    /// left to a [`Recovery`](crate::Recovery).
    pub async fn run(&self, cx: &Context, sink: &dyn EventSink, options: &RunOptions) -> RunReport {
        let recorder = Recorder::new(cx, sink, &self.experiment.masker);
        // What is watched stops the run, and not whatever else the caller has to do.
        let stop = cx.cancellation().child_token();
        let give_up = options.stop_repair.child_token();
        let running = Running {
            resolved: self,
            rules: self.experiment.rules,
            strategies: options.strategies.or(self.experiment.strategies).unwrap_or_default(),
            schedule: options.schedule,
            dry: options.dry,
            recorder,
            ledger: Ledger::default(),
            sentry: Sentry::new(self.guarded(options.guard.as_deref())),
            clients: HttpClients::default(),
            workers: self.experiment.python_workers(),
            repair_limit: options.repair_limit,
            without_undo: Mutex::default(),
            told_undoless: Mutex::default(),
            braked: Mutex::default(),
            stops: Stops::new(stop.clone(), give_up.clone()),
            live: Live::new(&self.experiment, options.dry.map(Dry::as_str)),
            dropped: Mutex::default(),
            warned: Mutex::default(),
            hurry: options.stop_repair.clone(),
            steps: Steps::default(),
            abandon: options.abandon.child_token(),
            give_up,
        };
        let cx = cx.clone().cancelled_by(stop);
        let report = tokio::select! {
            biased;
            report = Box::pin(running.run(&cx, options)) => report,
            never = running.watch(&cx, options) => match never {},
            never = running.heed_abandon() => match never {},
        };
        running.workers.close().await;
        report
    }
}

impl Running<'_> {
    async fn run(&self, cx: &Context, options: &RunOptions) -> RunReport {
        let mut ending = Ending::default();
        let gate = self.begin(cx, options, &mut ending).await;
        let begun = matches!(gate, Ok(true));
        let result = match gate {
            Ok(true) => self.experiment(cx, &mut ending).await,
            Ok(false) => Ok(()),
            Err(stopped) => Err(stopped),
        };
        if let Err(stopped) = result {
            ending.stop(stopped);
        }
        if self.rules.puts_back() {
            self.stops.close();
        }
        self.note_interruption(cx, &mut ending).await;
        let repair = cx.detached(options.repair_limit).cancelled_by(options.stop_repair.clone());
        if self.rules.puts_back() {
            if begun {
                self.roll_back(&repair, &mut ending).await;
            }
            ending.left = self.ledger.put_back(&repair, &self.recorder).await;
            self.note_interruption(cx, &mut ending).await;
        } else if !self.abandon.is_cancelled()
            && ending.plays_rollbacks(self.strategies.rollbacks)
            // A gate that could not be looked at has touched nothing.
            && (begun || ending.aborted.is_none() || self.strategies.rollbacks == RollbackStrategy::Always)
        {
            // Whoever has interrupted the method has to say so again.
            let told_again = if ending.interrupted { &options.stop_repair } else { cx.cancellation() };
            self.roll_back(&repair.clone().cancelled_by(told_again.clone()), &mut ending).await;
            self.note_interruption(cx, &mut ending).await;
        }
        self.stops.close();
        let told = ending.interrupted.then(|| self.stops.requested(cx.now()).cause);
        // Whoever stops it from outside wants everything back, whatever the experiment would leave.
        let is_ended_from_outside = told.is_some_and(|cause| cause != StopCause::Caller);
        if is_ended_from_outside && !self.rules.puts_back() {
            ending.left = self.ledger.put_back(&repair, &self.recorder).await;
        }
        let left_as_it_is = (!is_ended_from_outside && !self.rules.puts_back()).then_some(&repair);
        self.end(cx, left_as_it_is, ending, told).await
    }

    /// The begin of the run and the steady state before the method. Nothing is touched. Says whether the method may begin.
    async fn begin(&self, cx: &Context, options: &RunOptions, ending: &mut Ending) -> Result<bool, Stopped> {
        let experiment = &self.resolved.experiment;
        self.recorder
            .record(RunEventKind::RunStarted {
                engine: ENGINE.to_owned(),
                system: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
                node: options.node.clone(),
                mode: experiment.mode,
                experiment: self.shown(),
                seed: Some(experiment.seed),
                source: options.source.clone(),
            })
            .await?;
        self.heed_halt(cx, options).await;
        if experiment.calls_python() {
            // So that the first call takes no longer than the next.
            self.workers.warm_up(cx).await;
        }
        self.stops.begin();
        if self.live.is_controlled() {
            self.configure_controls(cx).await;
            if cx.cancellation().is_cancelled() {
                return Err(Stopped::Interrupted);
            }
            self.before(cx, &Part::of_experiment(Level::Experiment)).await?;
        }
        self.gate(cx, ending).await
    }

    /// The experiment for the journal, with what it was started with.
    fn shown(&self) -> serde_json::Value {
        let mut shown = self.resolved.experiment.shown.clone();
        if let serde_json::Value::Object(shown) = &mut shown {
            shown.insert("dry".to_owned(), self.dry.map(Dry::as_str).into());
        }
        shown
    }

    /// The method and the steady state after it.
    async fn experiment(&self, cx: &Context, ending: &mut Ending) -> Result<(), Stopped> {
        self.method(cx, ending).await?;
        self.deviation(cx, ending).await
    }

    /// Notes, once, that the run was told to stop, and by what.
    async fn note_interruption(&self, cx: &Context, ending: &mut Ending) {
        ending.interrupted |= cx.cancellation().is_cancelled();
        if !ending.interrupted || ending.told {
            return;
        }
        ending.told = true;
        let request = self.tell_stop(cx.now()).await;
        ending.why_interrupted = Some(request.reason.clone());
        self.recorder.note(RunEventKind::Interrupted { reason: request.reason }).await;
    }

    /// Stops everything as soon as the run is abandoned. Never ends.
    async fn heed_abandon(&self) -> Infallible {
        self.abandon.cancelled().await;
        self.give_up.cancel();
        self.stops.stop();
        std::future::pending().await
    }

    /// The end of the run. What is `left_as_it_is` is looked at, and changes nothing about how the run ended.
    async fn end(
        &self,
        cx: &Context,
        left_as_it_is: Option<&Context>,
        mut ending: Ending,
        stopped_by: Option<StopCause>,
    ) -> RunReport {
        let deviated = ending.deviated.is_some();
        let status = ending.status();
        self.end_controls(cx, status, deviated).await;
        if let Err(error) = self.recorder.record(RunEventKind::RunEnded { status, deviated }).await {
            // A run whose log has no end did not complete; the journal at least can say so.
            ending.stop(Stopped::Failed(error.with_causes()));
            let status = ending.status();
            self.recorder.note(RunEventKind::RunEnded { status, deviated }).await;
        }
        let journal = self.recorder.journal().await;
        let (verdict, reason) = (ending.verdict(), ending.reason());
        if let Some(repair) = left_as_it_is {
            ending.left = self.ledger.survey(repair, &self.recorder, self.resolved.experiment.mode).await;
        }
        let without_undo = self.without_undo.lock().unwrap_or_else(PoisonError::into_inner).clone();
        RunReport {
            run: cx.run_id().clone(),
            verdict,
            reason: reason.map(|reason| self.recorder.mask(&reason)),
            touched: !self.ledger.is_empty() || !without_undo.is_empty(),
            left_changed: ending.left,
            stopped_by,
            without_undo,
            not_rehearsed: self.resolved.experiment.not_rehearsed(),
            journal,
        }
    }
}
