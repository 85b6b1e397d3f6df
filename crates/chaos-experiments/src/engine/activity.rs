//! One activity: begun, carried out, held against its tolerance, and written down at each step.

use chaos_core::{ActivityStatus, Context, Error, ErrorKind, RunEventKind, Section};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::activity::{Activity, Breaks, Broken, Call};
use crate::controls::Level;
use crate::engine::hooks::Part;
use crate::engine::later::Now;
use crate::engine::{Running, probe};
use crate::native::{Function, Kind, What};
use crate::provider::Place;
use crate::resolve::Bound;
use crate::strategy::Dry;

/// How an activity ended.
pub(super) enum Ended {
    /// It succeeded, within its tolerance if that counts.
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
    /// It came to something that cannot be carried out at all.
    Aborted(String),
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

/// Why an activity returned nothing.
pub(super) enum Unwell {
    Failed(Failed),
    /// It cannot be carried out at all.
    Broken(String),
}

impl Unwell {
    /// Why, in words.
    pub(super) fn why(&self) -> String {
        match self {
            Self::Failed(failed) => failed.error.with_causes(),
            Self::Broken(why) => why.clone(),
        }
    }
}

impl<E: Into<Failed>> From<E> for Unwell {
    fn from(failed: E) -> Self {
        Self::Failed(failed.into())
    }
}

/// Where an activity runs.
pub(super) enum Lane {
    /// The next one waits for it.
    Foreground,
    /// The next one waits only until it has begun, which it is told here.
    Background(Option<oneshot::Sender<()>>),
}

impl Lane {
    /// The activity is under way.
    fn begun(&mut self) {
        if let Self::Background(begun) = self
            && let Some(begun) = begun.take()
        {
            // Whoever does not wait any more need not know.
            let _ = begun.send(());
        }
    }

    fn is_background(&self) -> bool {
        matches!(self, Self::Background(_))
    }
}

/// What an activity returned, and in words what lies behind it.
#[derive(Default)]
pub(super) struct Returned {
    pub(super) output: Value,
    pub(super) detail: Option<String>,
    /// Whether nothing was done, because it is left out of a rehearsal or no VM is meant. No tolerance is held against that.
    pub(super) left_out: bool,
}

impl Running<'_> {
    /// Carries out one activity with its pauses and its controls.
    ///
    /// # Errors
    /// [`Stopped`] if the run was told to stop, its time is over, the activity cannot be carried out at all, or the sink
    /// failed.
    pub(super) async fn activity(
        &self,
        cx: &Context,
        section: Section,
        bound: &Bound,
        mut lane: Lane,
    ) -> Result<Ended, Stopped> {
        let Activity { place: at, controls: own, .. } = &bound.activity;
        let mut started = None;
        // What is nowhere declared is nothing that a control could be told of.
        if !self.live.is_controlled() || at.is_empty() {
            return self.perform(cx, section, bound, lane, &mut started).await;
        }
        going_on(cx, cx.check(&format!("on the way to `{}`", bound.activity.name)))?;
        // The next one does not wait for controls.
        lane.begun();
        let part = Part { level: Level::Activity, own, at, place: place(lane.is_background(), section) };
        let mut now = None;
        let result = match self.before(cx, &part).await {
            Ok(()) => {
                now = self.live.bound(&self.resolved.experiment, bound);
                let bound = now.as_ref().unwrap_or(bound);
                self.perform(cx, section, bound, lane, &mut started).await
            }
            Err(stopped) => Err(stopped),
        };
        self.after_activity(cx, (section, now.as_ref().unwrap_or(bound)), &part, started, result).await
    }

    /// Whether an activity is only taken as done.
    pub(super) fn is_dry(&self, activity: &Activity) -> bool {
        is_dry(activity.dry.or(self.dry), activity.kind)
    }

    /// The activity itself with its pauses; `begun` is the number of its begin, once that is written down.
    async fn perform(
        &self,
        cx: &Context,
        section: Section,
        bound: &Bound,
        mut lane: Lane,
        begun: &mut Option<u64>,
    ) -> Result<Ended, Stopped> {
        let activity = &bound.activity;
        let dry = activity.dry.or(self.dry);
        let is_dry = is_dry(dry, activity.kind);
        let pauses = !is_dry && dry != Some(Dry::Pause);
        let doing = format!("on the way to `{}`", activity.name);
        going_on(cx, cx.check(&doing))?;
        if let Call::Broken(Broken { why, how: Breaks::Before }) = &activity.call
            && section != Section::Rollbacks
        {
            return Err(Stopped::Aborted(format!("`{}`: {why}", activity.name)));
        }
        if let Some(pause) = activity.pause_before.filter(|_| pauses) {
            lane.begun();
            going_on(cx, cx.pause(&doing, pause).await)?;
        }
        let declaration = bound.declaration();
        let started = self.recorder.record(RunEventKind::ActivityStarted { section, activity: declaration }).await?;
        *begun = Some(started);
        lane.begun();
        let limit = activity.timeout.filter(|_| self.rules.honours_activity_timeout());
        let limited = limit.map_or_else(|| cx.clone(), |limit| cx.limit(limit));
        let place = place(lane.is_background(), section);
        let returned = if is_dry {
            Ok(Returned::default())
        } else {
            Box::pin(self.try_out(&limited, section, started, bound, place)).await
        };
        if lane.is_background() && self.give_up.is_cancelled() && !self.rules.cuts_background() {
            // What became of it is not waited for.
            return Err(Stopped::Interrupted);
        }
        let judged = self.judges(section, activity, is_dry);
        let (status, output, exception, met, ended) = match returned {
            Ok(returned) => {
                let missed = match activity.tolerance.as_ref().filter(|_| judged && !returned.left_out) {
                    Some(tolerance) => self.judge(&limited, tolerance, &returned.output).await.err(),
                    None => None,
                };
                // A judgement that was cut short is none.
                let cut = missed.is_some() && cx.cancellation().is_cancelled();
                let met = (self.tells_tolerance(section, activity) && !cut).then_some(missed.is_none());
                let ended = match missed {
                    _ if cut => Err(Stopped::Interrupted),
                    None => Ok(Ended::Well),
                    Some(why) => Ok(Ended::Missed(match returned.detail {
                        Some(detail) => format!("`{}`: {why} ({detail})", activity.name),
                        None => format!("`{}`: {why}", activity.name),
                    })),
                };
                (Some(ActivityStatus::Succeeded), returned.output, Vec::new(), met, ended)
            }
            Err(Unwell::Failed(failed)) => {
                let cut = failed.error.kind() == ErrorKind::Cancelled && cx.cancellation().is_cancelled();
                let why = || format!("`{}`: {}", activity.name, failed.error.with_causes());
                let ended = if cut { Err(Stopped::Interrupted) } else { Ok(Ended::Failed(why())) };
                let met = (self.tells_tolerance(section, activity) && !cut).then_some(false);
                let lines = if cut { Vec::new() } else { failed.lines };
                ((!cut).then_some(ActivityStatus::Failed), Value::Null, lines, met, ended)
            }
            Err(Unwell::Broken(why)) => {
                let told = format!("`{}`: {why}", activity.name);
                // Where others wait for nothing from it, it fails alone.
                if lane.is_background() || section == Section::Rollbacks {
                    (Some(ActivityStatus::Failed), Value::Null, vec![why], None, Ok(Ended::Failed(told)))
                } else {
                    (None, Value::Null, Vec::new(), None, Err(Stopped::Aborted(told)))
                }
            }
        };
        self.keep(activity, status, &output, is_dry);
        let ended_event =
            RunEventKind::ActivityEnded { activity: started, status, output, exception, tolerance_met: met };
        self.recorder.record(ended_event).await?;
        let ended = ended?;
        if let Some(why) = activity.breaks_behind.as_ref().filter(|_| pauses && section != Section::Rollbacks) {
            return Err(Stopped::Aborted(format!("`{}`: {why}", activity.name)));
        }
        if let Some(pause) = activity.pause_after.filter(|_| pauses) {
            going_on(cx, cx.pause(&doing, pause).await)?;
        }
        Ok(ended)
    }

    pub(super) fn judges(&self, section: Section, activity: &Activity, is_dry: bool) -> bool {
        if is_hypothesis(section) {
            return !self.dry.is_some_and(Dry::takes_tolerances_as_met);
        }
        self.rules.judges_steps() && !is_dry && activity.tolerance.is_some()
    }

    /// Whether the record of an activity says that its tolerance was met or not.
    pub(super) fn tells_tolerance(&self, section: Section, activity: &Activity) -> bool {
        if matches!(activity.call, Call::NotRehearsed(_)) {
            return false;
        }
        is_hypothesis(section) || (self.rules.judges_steps() && activity.tolerance.is_some())
    }

    pub(super) async fn carry_out(
        &self,
        cx: &Context,
        section: Section,
        started: u64,
        bound: &Bound,
        place: Place,
    ) -> Result<Returned, Unwell> {
        let (call, on) = match (&bound.activity.call, &bound.on) {
            (Call::Broken(Broken { why, how: Breaks::Itself }), _) => {
                return Err(Error::new(ErrorKind::Failed, why.clone()).into());
            }
            (Call::Broken(broken), _) => return Err(Unwell::Broken(broken.why.clone())),
            (Call::Provider(call), _) => {
                let now = self.call_now(&bound.activity)?;
                let call = match &now {
                    Now::AsRead => call,
                    Now::Call(call) => call,
                    Now::LeftOut => return Ok(Returned { left_out: true, ..Returned::default() }),
                };
                let output = self.reach_beyond(cx, section, started, &bound.activity, call, place).await?;
                return Ok(Returned { output, ..Returned::default() });
            }
            (Call::Vm(_), Some(on)) if bound.finds_nothing() => {
                let why = on.drawn.as_ref().map_or_else(|| "no VM is meant".to_owned(), ToString::to_string);
                let output = json!({"vms": [], "note": format!("{why}: nothing was done")});
                return Ok(Returned { output, left_out: true, ..Returned::default() });
            }
            (Call::Vm(call), Some(on)) => (call, on),
            (Call::Vm(_) | Call::NotRehearsed(_), _) => return Ok(Returned::default()),
        };
        match &call.what {
            What::Power { fault, parallel, .. } => {
                let outputs = match section {
                    Section::Rollbacks => self.apply_rollback(cx, started, on, fault, *parallel).await?,
                    _ => self.apply(cx, started, on, fault, *parallel).await?,
                };
                Ok(Returned { output: one_or_all(call.function, outputs), ..Returned::default() })
            }
            What::Restore { .. } => {
                let outputs = self.restore(cx, on).await?;
                Ok(Returned { output: one_or_all(call.function, outputs), ..Returned::default() })
            }
            What::Count { state, .. } => {
                Ok(Returned { output: probe::count(cx, on, *state).await?.into(), ..Returned::default() })
            }
            What::Look { .. } | What::Group { .. } => {
                let seen = probe::look(cx, call.function, on).await?;
                Ok(Returned { output: seen.value, detail: seen.detail, ..Returned::default() })
            }
        }
    }
}

/// Where in Python an activity and its controls run.
pub(super) fn place(is_background: bool, section: Section) -> Place {
    if is_background || section == Section::HypothesisDuring { Place::Background } else { Place::Foreground }
}

/// Whether an activity is only taken as done.
fn is_dry(dry: Option<Dry>, kind: Kind) -> bool {
    match dry {
        Some(Dry::Activities) => true,
        Some(Dry::Actions) => kind == Kind::Action,
        Some(Dry::Probes) => kind == Kind::Probe,
        Some(Dry::Pause) | None => false,
    }
}

/// Whether an activity is a probe of the steady-state hypothesis.
fn is_hypothesis(section: Section) -> bool {
    !matches!(section, Section::Method | Section::Rollbacks)
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
