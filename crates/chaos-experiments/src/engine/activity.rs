//! One activity: begun, carried out, held against its tolerance, and written down at each step.

use chaos_core::{ActivityStatus, Context, Error, ErrorKind, RunEventKind, Section};
use serde_json::Value;

use crate::activity::Call;
use crate::engine::{Running, probe};
use crate::native::{Function, What};
use crate::resolve::Bound;

/// How an activity ended.
pub(super) enum Ended {
    /// It succeeded, within its tolerance if it has one.
    Well,
    /// It succeeded and its output is not within its tolerance, for this reason.
    Missed(String),
    /// It failed, for this reason.
    Failed(String),
}

/// Why a part of the run did not come to its end.
pub(super) enum Stopped {
    /// It cannot go on, for this reason.
    Failed(String),
    /// It was told to stop.
    Interrupted,
}

/// Only what cannot be written down gets here: the run cannot go on.
impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Failed(error.with_causes())
    }
}

/// An activity that failed: what is written down about it, and the error that decides.
pub(super) struct Failed {
    pub(super) lines: Vec<String>,
    pub(super) error: Error,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { lines: vec![error.with_causes()], error }
    }
}

/// What an activity returned, and in words what lies behind it.
struct Returned {
    output: Value,
    detail: Option<String>,
}

impl Running<'_> {
    /// Carries out one activity with its pauses.
    ///
    /// # Errors
    /// [`Stopped`] if the run was told to stop, its time is over, or the sink failed.
    pub(super) async fn activity(&self, cx: &Context, section: Section, bound: &Bound) -> Result<Ended, Stopped> {
        let activity = &bound.activity;
        let doing = format!("on the way to `{}`", activity.name);
        going_on(cx, cx.check(&doing))?;
        if let Some(pause) = activity.pause_before {
            going_on(cx, cx.pause(&doing, pause).await)?;
        }
        let declaration = activity.declaration.clone();
        let started = self.recorder.record(RunEventKind::ActivityStarted { section, activity: declaration }).await?;
        let limited = activity.timeout.map_or_else(|| cx.clone(), |timeout| cx.limit(timeout));
        let (event, ended) = match self.carry_out(&limited, section, started, bound).await {
            Ok(returned) => {
                let missed = activity.tolerance.as_ref().and_then(|tolerance| tolerance.check(&returned.output).err());
                let event = RunEventKind::ActivityEnded {
                    activity: started,
                    status: Some(ActivityStatus::Succeeded),
                    output: returned.output,
                    exception: Vec::new(),
                    tolerance_met: activity.tolerance.as_ref().map(|_| missed.is_none()),
                };
                let ended = match missed {
                    None => Ended::Well,
                    Some(why) => Ended::Missed(match returned.detail {
                        Some(detail) => format!("`{}`: {why} ({detail})", activity.name),
                        None => format!("`{}`: {why}", activity.name),
                    }),
                };
                (event, Some(ended))
            }
            Err(failed) => {
                let cut = failed.error.kind() == ErrorKind::Cancelled && cx.cancellation().is_cancelled();
                let event = RunEventKind::ActivityEnded {
                    activity: started,
                    status: (!cut).then_some(ActivityStatus::Failed),
                    output: Value::Null,
                    exception: if cut { Vec::new() } else { failed.lines },
                    tolerance_met: activity.tolerance.as_ref().filter(|_| !cut).map(|_| false),
                };
                let why = || format!("`{}`: {}", activity.name, failed.error.with_causes());
                (event, (!cut).then(|| Ended::Failed(why())))
            }
        };
        self.recorder.record(event).await?;
        let Some(ended) = ended else { return Err(Stopped::Interrupted) };
        if let Some(pause) = activity.pause_after {
            going_on(cx, cx.pause(&doing, pause).await)?;
        }
        Ok(ended)
    }

    async fn carry_out(&self, cx: &Context, section: Section, started: u64, bound: &Bound) -> Result<Returned, Failed> {
        if let Call::Provider(call) = &bound.activity.call {
            let output = self.reach_beyond(cx, section, started, &bound.activity, call).await?;
            return Ok(Returned { output, detail: None });
        }
        let (Call::Vm(call), Some(on)) = (&bound.activity.call, &bound.on) else {
            return Ok(Returned { output: Value::Null, detail: None });
        };
        match &call.what {
            What::Power { fault, parallel, .. } => {
                let outputs = match section {
                    Section::Rollbacks => self.apply_rollback(cx, started, on, fault, *parallel).await?,
                    _ => self.apply(cx, started, on, fault, *parallel).await?,
                };
                Ok(Returned { output: one_or_all(call.function, outputs), detail: None })
            }
            What::Restore { .. } => {
                let outputs = self.restore(cx, on).await?;
                Ok(Returned { output: one_or_all(call.function, outputs), detail: None })
            }
            What::Look { .. } | What::Group { .. } => {
                let seen = probe::look(cx, call.function, on).await?;
                Ok(Returned { output: seen.value, detail: seen.detail })
            }
        }
    }
}

/// A function on several VMs gives a list, whatever their number.
fn one_or_all(function: Function, mut outputs: Vec<Value>) -> Value {
    if outputs.len() == 1 && !function.is_batch() { outputs.remove(0) } else { outputs.into() }
}

/// Tells the end of the run's time from being told to stop.
fn going_on(cx: &Context, result: Result<(), Error>) -> Result<(), Stopped> {
    match result {
        Err(_) if cx.cancellation().is_cancelled() => Err(Stopped::Interrupted),
        result => Ok(result?),
    }
}
