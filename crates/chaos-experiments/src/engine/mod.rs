//! Runs an experiment: steady state, method, steady state, rollbacks, and back to what was found.

mod activity;
mod beyond;
mod ledger;
mod power;
mod probe;
pub(crate) mod recorder;
mod restore;
mod stops;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chaos_core::{Context, EventSink, HypothesisPhase, RunEventKind, Section};

use crate::engine::activity::{Ended, Stopped};
use crate::engine::ledger::Ledger;
use crate::engine::recorder::Recorder;
use crate::engine::stops::Stops;
use crate::provider::HttpClients;
use crate::report::{LeftChanged, RunOptions, RunReport, Verdict, WithoutUndo};
use crate::resolve::{Bound, ResolvedExperiment};

/// What the journal calls this engine.
pub(crate) const ENGINE: &str = concat!("chaosmonkey ", env!("CARGO_PKG_VERSION"));

/// A run under way.
struct Running<'a> {
    resolved: &'a ResolvedExperiment,
    recorder: Recorder<'a>,
    ledger: Ledger,
    clients: HttpClients,
    /// How long putting something back may take.
    repair_limit: Duration,
    /// The actions of the method that were begun and have no undo.
    without_undo: Mutex<Vec<WithoutUndo>>,
    stops: Stops,
}

/// What is known about the end of a run so far.
#[derive(Default)]
struct Ending {
    /// The first thing that went wrong.
    failed: Option<String>,
    /// Why the steady state is lost.
    deviated: Option<String>,
    interrupted: bool,
    why_interrupted: Option<String>,
    /// Whether the interruption is written down: that is done once.
    told: bool,
    left: Vec<LeftChanged>,
}

impl Ending {
    fn stop(&mut self, stopped: Stopped) {
        match stopped {
            Stopped::Failed(why) => {
                self.failed.get_or_insert(why);
            }
            Stopped::Interrupted => self.interrupted = true,
        }
    }

    fn verdict(&self) -> Verdict {
        if self.interrupted {
            Verdict::Interrupted
        } else if self.failed.is_some() || !self.left.is_empty() {
            Verdict::Failed
        } else if self.deviated.is_some() {
            Verdict::Deviated
        } else {
            Verdict::Completed
        }
    }

    fn reason(&self) -> Option<String> {
        let left = || match self.left.as_slice() {
            [] => None,
            [only] => Some(only.to_string()),
            [first, rest @ ..] => Some(format!("{first}, and {} more are left changed", rest.len())),
        };
        let interrupted = || self.why_interrupted.clone();
        self.failed.clone().or_else(|| self.deviated.clone()).or_else(interrupted).or_else(left)
    }
}

impl ResolvedExperiment {
    /// Runs the experiment and puts everything back. Events go to `sink`, which has to accept each before the next step.
    ///
    /// The steady state is checked first: if it is not there, nothing is touched. The first activity of the method that
    /// fails, or whose output is not within its tolerance, ends the method. Cancelling `cx` interrupts the run.
    /// In every case the declared rollbacks are then played, and whatever is still changed is put back to the state
    /// that it was found in; that has its own time ([`RunOptions::repair_limit`]) and its own cancellation
    /// ([`RunOptions::stop_repair`]).
    ///
    /// A halt ([`RunOptions::halt`]), a lost lease ([`RunOptions::claim`]) and a stop condition of the experiment interrupt the
    /// run like a cancellation; each is watched from its begin to the end of the method.
    ///
    /// What goes wrong is in the report. To stop a run, cancel `cx`: dropping this future puts nothing back, which is then
    /// left to a [`Recovery`](crate::Recovery).
    pub async fn run(&self, cx: &Context, sink: &dyn EventSink, options: &RunOptions) -> RunReport {
        let recorder = Recorder::new(cx, sink, &self.experiment.masker);
        // What is watched stops the run, and not whatever else the caller has to do.
        let stop = cx.cancellation().child_token();
        let running = Running {
            resolved: self,
            recorder,
            ledger: Ledger::default(),
            clients: HttpClients::default(),
            repair_limit: options.repair_limit,
            without_undo: Mutex::default(),
            stops: Stops::new(stop.clone()),
        };
        let cx = cx.clone().cancelled_by(stop);
        tokio::select! {
            biased;
            report = running.run(&cx, options) => report,
            never = running.watch(&cx, options) => match never {},
        }
    }
}

impl Running<'_> {
    async fn run(&self, cx: &Context, options: &RunOptions) -> RunReport {
        let mut ending = Ending::default();
        let gate = self.gate(cx, options).await;
        let begun = gate.is_ok();
        let result = match gate {
            Ok(()) => self.experiment(cx, &mut ending).await,
            Err(stopped) => Err(stopped),
        };
        if let Err(stopped) = result {
            ending.stop(stopped);
        }
        self.stops.close();
        self.note_interruption(cx, &mut ending).await;
        let repair = cx.detached(options.repair_limit).cancelled_by(options.stop_repair.clone());
        if begun {
            self.roll_back(&repair, &mut ending).await;
        }
        ending.left = self.ledger.put_back(&repair, &self.recorder).await;
        self.note_interruption(cx, &mut ending).await;
        self.end(cx, ending).await
    }

    /// The begin of the run and the steady state before the method. Nothing is touched.
    async fn gate(&self, cx: &Context, options: &RunOptions) -> Result<(), Stopped> {
        let experiment = &self.resolved.experiment;
        self.recorder
            .record(RunEventKind::RunStarted {
                engine: ENGINE.to_owned(),
                system: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
                node: options.node.clone(),
                mode: experiment.mode,
                experiment: experiment.shown.clone(),
            })
            .await?;
        self.heed_halt(cx, options).await;
        self.stops.begin();
        match self.hypothesis(cx, HypothesisPhase::Before).await? {
            Ended::Well => Ok(()),
            Ended::Missed(why) | Ended::Failed(why) => {
                Err(Stopped::Failed(format!("the steady state is not there, nothing was touched: {why}")))
            }
        }
    }

    /// The method and the steady state after it.
    async fn experiment(&self, cx: &Context, ending: &mut Ending) -> Result<(), Stopped> {
        for bound in &self.resolved.method {
            match self.activity(cx, Section::Method, bound).await? {
                Ended::Well => {}
                Ended::Missed(why) | Ended::Failed(why) => return Err(Stopped::Failed(why)),
            }
        }
        match self.hypothesis(cx, HypothesisPhase::After).await? {
            Ended::Well => {}
            Ended::Missed(why) => ending.deviated = Some(format!("the steady state is lost: {why}")),
            Ended::Failed(why) => {
                ending.deviated = Some(why.clone());
                ending.failed = Some(format!("the steady state cannot be told: {why}"));
            }
        }
        Ok(())
    }

    /// Checks the hypothesis, up to the first probe that fails or misses its tolerance.
    async fn hypothesis(&self, cx: &Context, phase: HypothesisPhase) -> Result<Ended, Stopped> {
        let section = match phase {
            HypothesisPhase::After => Section::HypothesisAfter,
            _ => Section::HypothesisBefore,
        };
        let probes: &[Bound] = &self.resolved.hypothesis;
        if probes.is_empty() {
            return Ok(Ended::Well);
        }
        self.recorder.record(RunEventKind::HypothesisStarted { phase }).await?;
        let mut ended = Ended::Well;
        for probe in probes {
            ended = self.activity(cx, section, probe).await?;
            if !matches!(ended, Ended::Well) {
                break;
            }
        }
        let met = matches!(ended, Ended::Well);
        self.recorder.record(RunEventKind::HypothesisEnded { phase, met }).await?;
        Ok(ended)
    }

    /// Plays the declared rollbacks. One that fails does not keep the others from being played.
    async fn roll_back(&self, repair: &Context, ending: &mut Ending) {
        let rollbacks = &self.resolved.rollbacks;
        if rollbacks.is_empty() {
            return;
        }
        self.recorder.note(RunEventKind::RollbacksStarted).await;
        for bound in rollbacks {
            match self.activity(repair, Section::Rollbacks, bound).await {
                Ok(Ended::Well) => {}
                Ok(Ended::Missed(why) | Ended::Failed(why)) => ending.stop(Stopped::Failed(format!("rollback {why}"))),
                Err(stopped) => {
                    ending.stop(stopped);
                    break;
                }
            }
        }
        self.recorder.note(RunEventKind::RollbacksEnded).await;
    }

    /// Notes, once, that the run was told to stop.
    async fn note_interruption(&self, cx: &Context, ending: &mut Ending) {
        ending.interrupted |= cx.cancellation().is_cancelled();
        if ending.interrupted && !ending.told {
            ending.told = true;
            let reason = self.tell_stop(cx.now()).await.reason;
            ending.why_interrupted = Some(reason.clone());
            self.recorder.note(RunEventKind::Interrupted { reason }).await;
        }
    }

    async fn end(&self, cx: &Context, mut ending: Ending) -> RunReport {
        let deviated = ending.deviated.is_some();
        let status = ending.verdict().status();
        if let Err(error) = self.recorder.record(RunEventKind::RunEnded { status, deviated }).await {
            // A run whose log has no end did not complete; the journal at least can say so.
            ending.stop(Stopped::Failed(error.with_causes()));
            let status = ending.verdict().status();
            self.recorder.note(RunEventKind::RunEnded { status, deviated }).await;
        }
        let without_undo = self.without_undo.lock().unwrap_or_else(PoisonError::into_inner).clone();
        RunReport {
            run: cx.run_id().clone(),
            verdict: ending.verdict(),
            reason: ending.reason().map(|reason| self.recorder.mask(&reason)),
            touched: !self.ledger.is_empty() || !without_undo.is_empty(),
            left_changed: ending.left,
            without_undo,
            not_rehearsed: self.resolved.experiment.not_rehearsed(),
            journal: self.recorder.journal().await,
        }
    }
}
