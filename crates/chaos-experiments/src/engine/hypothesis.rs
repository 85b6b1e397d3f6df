//! The steady-state hypothesis: before the method as a gate, while the method goes on, and after it.

use chaos_core::{Context, HypothesisPhase, RunEventKind, Section};
use tokio_util::sync::CancellationToken;

use crate::controls::Level;
use crate::engine::Running;
use crate::engine::activity::{Ended, Lane, Stopped, place};
use crate::engine::ending::Ending;
use crate::engine::hooks::Part;

impl Running<'_> {
    /// The steady state before the method, and whether the method may begin.
    pub(super) async fn gate(&self, cx: &Context, ending: &mut Ending) -> Result<bool, Stopped> {
        if !self.strategies.hypothesis.before() {
            return Ok(true);
        }
        match self.hypothesis(cx, HypothesisPhase::Before).await? {
            Ended::Well => return Ok(true),
            Ended::Missed(why) if !self.rules.gate_fails_run() => ending.remark = Some(self.not_there(&why)),
            Ended::Missed(why) | Ended::Failed(why) => ending.failed = Some(self.not_there(&why)),
        }
        Ok(false)
    }

    /// The steady state after the method, which alone tells whether the system has deviated.
    pub(super) async fn deviation(&self, cx: &Context, ending: &mut Ending) -> Result<(), Stopped> {
        if !self.strategies.hypothesis.after() {
            return Ok(());
        }
        match self.hypothesis(cx, HypothesisPhase::After).await? {
            Ended::Well => {}
            Ended::Missed(why) => {
                ending.deviated = Some(format!("the steady state is lost: {why}"));
                if !self.rules.passes_count() {
                    // Whatever a pass before has made of it.
                    ending.failed = None;
                }
            }
            Ended::Failed(why) => {
                ending.deviated = Some(why.clone());
                ending.failed = Some(format!("the steady state cannot be told: {why}"));
            }
        }
        Ok(())
    }

    /// Checks the hypothesis again and again until the method is over, at least once. Says why the first pass that was
    /// not met was not.
    pub(super) async fn during(&self, cx: &Context, method_over: &CancellationToken) -> Option<String> {
        let mut first_missed = None;
        if !self.strategies.hypothesis.during() || self.resolved.hypothesis.is_empty() {
            return first_missed;
        }
        loop {
            match self.hypothesis(cx, HypothesisPhase::During).await {
                Ok(Ended::Well) => {}
                Ok(Ended::Missed(why) | Ended::Failed(why)) => {
                    let why = format!("the steady state was lost while the method went on: {why}");
                    tracing::warn!("{}", self.recorder.mask(&why));
                    if self.schedule.fail_fast {
                        self.brake(Stopped::Failed(why.clone()));
                    }
                    first_missed.get_or_insert(why);
                    if self.schedule.fail_fast {
                        return first_missed;
                    }
                }
                Err(Stopped::Interrupted) => return first_missed,
                Err(stopped) => {
                    self.brake(stopped);
                    return first_missed;
                }
            }
            tokio::select! {
                biased;
                () = method_over.cancelled() => return first_missed,
                paused = cx.pause("waiting for the next look at the steady state", self.schedule.frequency) => {
                    if paused.is_err() {
                        return first_missed;
                    }
                }
            }
        }
    }

    /// Checks the hypothesis, up to the first probe that fails or misses its tolerance.
    async fn hypothesis(&self, cx: &Context, phase: HypothesisPhase) -> Result<Ended, Stopped> {
        let section = match phase {
            HypothesisPhase::After => Section::HypothesisAfter,
            HypothesisPhase::During => Section::HypothesisDuring,
            _ => Section::HypothesisBefore,
        };
        if self.resolved.hypothesis.is_empty() {
            return Ok(Ended::Well);
        }
        self.recorder.record(RunEventKind::HypothesisStarted { phase }).await?;
        let ended = if self.live.is_controlled() {
            let own = &self.resolved.experiment.controls.hypothesis;
            let place = place(false, section);
            let part = Part { level: Level::Hypothesis, own, at: "/steady-state-hypothesis", place };
            let ready = self.before(cx, &part).await;
            let is_begun = ready.is_ok();
            let result = match ready {
                Ok(()) => self.probes(cx, section).await,
                Err(stopped) => Err(stopped),
            };
            self.after_hypothesis(cx, &part, is_begun, result).await?
        } else {
            self.probes(cx, section).await?
        };
        let met = matches!(ended, Ended::Well);
        self.recorder.record(RunEventKind::HypothesisEnded { phase, met }).await?;
        Ok(ended)
    }

    async fn probes(&self, cx: &Context, section: Section) -> Result<Ended, Stopped> {
        for probe in &self.resolved.hypothesis {
            let ended = self.activity(cx, section, probe, Lane::Foreground).await?;
            if !matches!(ended, Ended::Well) {
                return Ok(ended);
            }
        }
        Ok(Ended::Well)
    }

    fn not_there(&self, why: &str) -> String {
        // Where a probe may do anything, and rollbacks follow, more is not known.
        let so = if self.rules.keeps_probes_harmless() { "nothing was touched" } else { "the method was not begun" };
        format!("the steady state is not there, {so}: {why}")
    }
}
