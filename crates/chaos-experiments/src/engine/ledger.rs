//! What this run has changed, and putting it back to the state that it was found in.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chaos_core::{
    Context, Error, ErrorKind, Failure, Fault, How, Outcome, Platform, Retry, RunEventKind, RunMode, Stop, Target,
    Undo, VMInfo, VMPowerState, VMRef,
};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use jiff::Timestamp;

use crate::engine::recorder::Recorder;
use crate::report::LeftChanged;

/// How often an undo is tried where its error says that another try is worth it. An undo may be repeated safely.
const TRIES: u32 = 3;
/// How long is waited before the second try; twice as long before the third.
const PAUSE: Duration = Duration::from_secs(2);
/// How long a VM is watched at least after a call that may still take effect.
const LEAST_WATCH: Duration = Duration::from_mins(1);

/// How long an undo is silent at most before it is said that it goes on; twice as long before the next time.
const FIRST_WORD: Duration = Duration::from_secs(15);
/// The longest silence of an undo that goes on.
const LONGEST_SILENCE: Duration = Duration::from_mins(5);

/// The targets that a fault was sent to, in the order of the first fault on each.
///
/// Every fault that there is so far concerns the power state, so the first [`Undo`] of a target says where it has to
/// be in the end, whatever happened to it later.
#[derive(Debug, Default)]
pub(super) struct Ledger(Mutex<Vec<Touched>>);

#[derive(Debug, Clone)]
struct Touched {
    /// The number of the first `prepared` event.
    prepared: u64,
    /// The number of the activity's event: what one activity did is undone together.
    activity: u64,
    parallel: NonZeroUsize,
    platform: Arc<dyn Platform>,
    undo: Undo,
    /// Whether any call has changed it, or may have.
    changed: bool,
    /// Whether any was a fault, and not only meant to give back.
    broken: bool,
    /// Whether it was put back before the end of the run, and nothing was sent to it since.
    back: bool,
    /// The state as it is known from the last answer.
    now: Option<VMPowerState>,
    unsettled: Option<Unsettled>,
}

/// A call of which nobody knows whether it will still take effect: a guest that was asked to shut down does so also
/// when nobody waits for it any more.
#[derive(Debug, Clone, Copy)]
struct Unsettled {
    /// The state that it would lead to.
    goal: VMPowerState,
    /// Until when it may do so, on the clock of the run.
    until: Duration,
}

/// A fault that is about to be sent.
pub(super) struct Sending<'a> {
    pub(super) prepared: u64,
    pub(super) activity: u64,
    pub(super) parallel: NonZeroUsize,
    pub(super) platform: &'a Arc<dyn Platform>,
    pub(super) undo: &'a Undo,
    /// Whether it takes something away.
    pub(super) breaks: bool,
}

/// A target that should be as it was found.
pub(super) struct AtRest {
    /// The state that it was found in.
    pub(super) found: VMPowerState,
    /// Why it should be in it.
    pub(super) why: &'static str,
}

impl Ledger {
    fn lock(&self) -> MutexGuard<'_, Vec<Touched>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a fault is about to be sent; from now on the target may be changed.
    pub(super) fn sending(&self, sending: &Sending<'_>) {
        let mut touched = self.lock();
        match touched.iter_mut().find(|known| known.undo.target.is_same(&sending.undo.target)) {
            Some(known) => {
                (known.now, known.back) = (None, false);
                known.broken |= sending.breaks;
            }
            None => touched.push(Touched {
                prepared: sending.prepared,
                activity: sending.activity,
                parallel: sending.parallel,
                platform: Arc::clone(sending.platform),
                undo: sending.undo.clone(),
                changed: false,
                broken: sending.breaks,
                back: false,
                now: None,
                unsettled: None,
            }),
        }
    }

    /// Notes how a call has ended that was sent at `sent` and failed or succeeded at `now`, on the clock of the run.
    pub(super) fn settled(
        &self,
        target: &Target,
        fault: &Fault,
        result: &Result<Outcome, Error>,
        sent: Duration,
        now: Duration,
    ) {
        let mut touched = self.lock();
        let Some(known) = touched.iter_mut().find(|known| known.undo.target.is_same(target)) else { return };
        known.changed |= match result {
            Ok(outcome) => outcome.how != How::AlreadyThere,
            Err(error) => error.kind() != ErrorKind::Cancelled || may_still_happen(error),
        };
        match result {
            Ok(outcome) => {
                known.now = Some(outcome.state);
                // What was awaited has come to pass, so that nothing more is to be expected of it.
                let come = |unsettled: &Unsettled| [outcome.previous_state, outcome.state].contains(&unsettled.goal);
                known.unsettled = known.unsettled.filter(|unsettled| !come(unsettled));
            }
            Err(error) if may_still_happen(error) => {
                known.unsettled = unsettled(fault, sent, now).or(known.unsettled);
            }
            Err(_) => {}
        }
    }

    /// Whether a target that this run has sent something should be as it was found, since nothing has changed it or it
    /// was put back.
    pub(super) fn at_rest(&self, target: &Target) -> Option<AtRest> {
        let touched = self.lock();
        let known = touched.iter().find(|known| known.undo.target.is_same(target))?;
        let why = match known {
            Touched { back: true, .. } => "it was put back before",
            Touched { changed: false, unsettled: None, .. } => "the run never changed it",
            _ => return None,
        };
        Some(AtRest { found: known.undo.found.power_state, why })
    }

    /// The state in which a target was found that this run has sent something.
    pub(super) fn found(&self, target: &Target) -> Option<VMPowerState> {
        let touched = self.lock();
        let known = touched.iter().find(|known| known.undo.target.is_same(target))?;
        Some(known.undo.found.power_state)
    }

    /// The VMs that are in a fault of this run, or may be.
    pub(super) fn in_fault(&self) -> Vec<VMRef> {
        let touched = self.lock();
        let is_up = |known: &&Touched| known.now == Some(VMPowerState::PoweredOn) && known.unsettled.is_none();
        let in_fault = touched.iter().filter(|known| known.broken && !known.back && !is_up(known));
        in_fault.filter_map(|known| known.undo.target.vm().cloned()).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Puts everything back, the last activity first, and reads all of it once more in the end.
    pub(super) async fn put_back(&self, cx: &Context, recorder: &Recorder<'_>) -> Vec<LeftChanged> {
        let all = self.lock().clone();
        let done = all.iter().filter(|touched| touched.back).collect();
        let disturbed: Vec<&Target> = look(cx, done)
            .await
            .into_iter()
            .filter(|(touched, seen)| seen.as_ref().is_ok_and(|vm| vm.power_state != touched.undo.found.power_state))
            .map(|(touched, _)| &touched.undo.target)
            .collect();
        let (done, touched): (Vec<Touched>, Vec<Touched>) =
            all.iter().cloned().partition(|touched| touched.back && !disturbed.contains(&&touched.undo.target));
        let mut left = Vec::new();
        let mut back: Vec<&Touched> = done.iter().collect();
        let mut results = undo_all(cx, &touched, recorder);
        while let Some((touched, result)) = results.next().await {
            match result {
                Ok(outcome) => {
                    recorder.note(RunEventKind::Undone { prepared: touched.prepared, outcome }).await;
                    back.push(touched);
                }
                Err(error) => left.extend(touched.leave(&error, recorder).await),
            }
        }
        left.extend(verify(cx, &back, recorder).await);
        left
    }

    /// Looks at everything that was touched, and says what is not as it was found. What is is written down as put back.
    ///
    /// In a rehearsal nothing is left to put back: its world ends with it.
    pub(super) async fn survey(&self, cx: &Context, recorder: &Recorder<'_>, mode: RunMode) -> Vec<LeftChanged> {
        let all = self.lock().clone();
        let mut left = Vec::new();
        for (touched, seen) in look(cx, all.iter().collect()).await {
            let found = touched.undo.found.power_state;
            let why = match seen {
                Ok(vm) if vm.power_state == found && touched.is_settled(cx, found) => {
                    let outcome = Outcome::already_there(found);
                    recorder.note(RunEventKind::Undone { prepared: touched.prepared, outcome }).await;
                    continue;
                }
                Ok(vm) if vm.power_state == found => "what was sent to it may still take effect".to_owned(),
                Ok(vm) => format!("the experiment has left it {}", vm.power_state),
                Err(error) => recorder.mask(&format!("its state cannot be read: {}", error.with_causes())),
            };
            if mode == RunMode::Rehearsal {
                let why = why.clone();
                recorder.note(RunEventKind::LeftAlone { prepared: touched.prepared, why }).await;
            }
            left.push(touched.left(why));
        }
        left
    }

    /// Puts back those of some targets that this run has sent something, and says what became of each. What fails is
    /// tried again in the end.
    pub(super) async fn restore(
        &self,
        cx: &Context,
        targets: &[Target],
        recorder: &Recorder<'_>,
    ) -> Vec<(Target, Result<Outcome, Error>)> {
        let mut touched = self.lock().clone();
        touched.retain(|known| targets.iter().any(|target| target.is_same(&known.undo.target)));
        let mut all = Vec::with_capacity(touched.len());
        let mut results = undo_all(cx, &touched, recorder);
        while let Some((touched, result)) = results.next().await {
            let target = touched.undo.target.clone();
            if let Ok(outcome) = &result {
                self.put_back_already(&target, outcome);
                if !touched.back || outcome.how != How::AlreadyThere {
                    let outcome = outcome.clone();
                    recorder.note(RunEventKind::Undone { prepared: touched.prepared, outcome }).await;
                }
            }
            all.push((target, result));
        }
        all
    }

    fn put_back_already(&self, target: &Target, outcome: &Outcome) {
        if let Some(known) = self.lock().iter_mut().find(|known| known.undo.target.is_same(target)) {
            (known.back, known.now, known.unsettled) = (true, Some(outcome.state), None);
        }
    }
}

/// Undoes what was touched, the last activity first and what one activity did together.
fn undo_all<'a>(
    cx: &'a Context,
    touched: &'a [Touched],
    recorder: &'a Recorder<'_>,
) -> BoxStream<'a, (&'a Touched, Result<Outcome, Error>)> {
    // Activities at once have touched theirs in turns.
    let mut touched: Vec<&Touched> = touched.iter().collect();
    touched.sort_by_key(|touched| touched.activity);
    let groups: Vec<Vec<&Touched>> =
        touched.chunk_by(|a, b| a.activity == b.activity).rev().map(<[&Touched]>::to_vec).collect();
    let undo_group = move |group: Vec<&'a Touched>| {
        let parallel = group.iter().map(|touched| touched.parallel).max().unwrap_or(NonZeroUsize::MIN);
        let mut jobs: Vec<BoxFuture<'a, (&'a Touched, Result<Outcome, Error>)>> = Vec::with_capacity(group.len());
        for touched in group.into_iter().rev() {
            jobs.push(Box::pin(async move { (touched, undo_aloud(cx, touched, recorder).await) }));
        }
        futures_util::stream::iter(jobs).buffer_unordered(parallel.get())
    };
    futures_util::stream::iter(groups).flat_map(undo_group).boxed()
}

impl Touched {
    /// Whether the target was last seen as it was found, and nothing is under way that would change it.
    fn rests_as_found(&self) -> bool {
        let found = self.undo.found.power_state;
        self.now == Some(found) && self.unsettled.is_none_or(|unsettled| unsettled.goal == found)
    }

    /// Records that the target is not back yet.
    async fn delayed(&self, cx: &Context, error: Option<&Error>, recorder: &Recorder<'_>) {
        let until = cx.now().saturating_add(cx.remaining()).unwrap_or(Timestamp::MAX);
        let failure = error.map(Failure::from);
        recorder.note(RunEventKind::UndoDelayed { prepared: self.prepared, until, failure }).await;
    }

    /// Records that the target could not be put back, unless only the proof was cut short that it is.
    async fn leave(&self, error: &Error, recorder: &Recorder<'_>) -> Option<LeftChanged> {
        if self.rests_as_found() && error.kind() == ErrorKind::Cancelled {
            let outcome = Outcome::already_there(self.undo.found.power_state);
            recorder.note(RunEventKind::Undone { prepared: self.prepared, outcome }).await;
            return None;
        }
        let failure = Failure::from(error);
        let why = recorder.mask(&failure.message);
        recorder.note(RunEventKind::UndoFailed { prepared: self.prepared, failure }).await;
        Some(self.left(why))
    }

    fn left(&self, why: String) -> LeftChanged {
        LeftChanged {
            target: self.undo.target.clone(),
            name: self.undo.name.clone(),
            path: self.undo.path.clone(),
            found: self.undo.found.power_state,
            why,
        }
    }

    /// Whether nothing is under way any more that leads to another state than `found`.
    fn is_settled(&self, cx: &Context, found: VMPowerState) -> bool {
        self.unsettled.is_none_or(|unsettled| unsettled.goal == found || unsettled.until <= cx.monotonic())
    }
}

/// Whether a call that failed like this may take effect all the same. Of one that was cancelled the platform says
/// whether anything was sent; where the way to the server is what failed, its word is not enough.
fn may_still_happen(error: &Error) -> bool {
    error.retry_class() == Retry::Unsettled
        || matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Unavailable | ErrorKind::Protocol)
}

/// What is to be expected of a call that may still take effect: that it does so within the time it was given, and
/// within a minute at least.
fn unsettled(fault: &Fault, sent: Duration, now: Duration) -> Option<Unsettled> {
    let (goal, limit) = match *fault {
        Fault::PowerOn { limit } => (VMPowerState::PoweredOn, limit),
        Fault::Suspend { limit } => (VMPowerState::Suspended, limit),
        Fault::PowerOff { stop: Stop::GuestThenHard { grace, .. } | Stop::GuestOnly { grace }, .. } => {
            (VMPowerState::PoweredOff, grace)
        }
        Fault::PowerOff { stop: Stop::Hard { limit }, .. } => (VMPowerState::PoweredOff, limit),
        // Its guest may go down for it, and stay there.
        Fault::Reboot { stop } => (VMPowerState::PoweredOff, stop.limit()),
        _ => return None,
    };
    Some(Unsettled { goal, until: sent.saturating_add(limit).max(now.saturating_add(LEAST_WATCH)) })
}

/// Puts a target back, and says at growing intervals that it goes on: a platform may try for as long as it is let.
async fn undo_aloud(cx: &Context, touched: &Touched, recorder: &Recorder<'_>) -> Result<Outcome, Error> {
    let undo = undo(cx, touched, recorder);
    tokio::pin!(undo);
    let mut silence = FIRST_WORD;
    loop {
        tokio::select! {
            biased;
            result = &mut undo => return result,
            waited = cx.pause("putting it back", silence) => match waited {
                Ok(()) => touched.delayed(cx, None, recorder).await,
                // Its time is over or it was told to stop: what it makes of that is the answer.
                Err(_) => return undo.await,
            },
        }
        silence = silence.saturating_mul(2).min(LONGEST_SILENCE);
    }
}

async fn undo(cx: &Context, touched: &Touched, recorder: &Recorder<'_>) -> Result<Outcome, Error> {
    if let Some(unsettled) = touched.unsettled
        && unsettled.goal != touched.undo.found.power_state
    {
        watch(cx, touched, unsettled).await?;
    }
    // From here on a newer boot is the doing of this run, whoever asks after it has died.
    if !touched.rests_as_found() {
        recorder.note(RunEventKind::Undoing { prepared: touched.prepared }).await;
    }
    let mut pause = PAUSE;
    for _ in 1..TRIES {
        cx.check("putting it back")?;
        match touched.platform.undo(cx, &touched.undo).await {
            Err(error)
                if matches!(error.retry_class(), Retry::Later | Retry::Unsettled)
                    && cx.check("putting it back").is_ok() =>
            {
                touched.delayed(cx, Some(&error), recorder).await;
                cx.pause("waiting to put it back", pause).await.map_err(|_| error)?;
                pause *= 2;
            }
            result => return result,
        }
    }
    touched.platform.undo(cx, &touched.undo).await
}

/// Watches a VM that looks as it was found while a call may still take effect, until it does or its time is over.
async fn watch(cx: &Context, touched: &Touched, unsettled: Unsettled) -> Result<(), Error> {
    let found = touched.undo.found.power_state;
    let Some(vm) = touched.undo.target.vm() else { return Ok(()) };
    let mut told = false;
    while cx.monotonic() < unsettled.until {
        let state = platform_state(cx, touched, vm).await;
        if state.is_some_and(|state| state != found) {
            return Ok(());
        }
        if !told {
            told = true;
            let left = unsettled.until.saturating_sub(cx.monotonic());
            let (name, goal) = (&touched.undo.name, unsettled.goal);
            tracing::warn!("{name} is {found} and may still become {goal}: watching it for up to {} s", left.as_secs());
        }
        cx.pause("watching what becomes of it", PAUSE).await?;
    }
    Ok(())
}

async fn platform_state(cx: &Context, touched: &Touched, vm: &VMRef) -> Option<VMPowerState> {
    // What cannot be read now is read at the next look; the undo itself tells what is wrong.
    let state = touched.platform.get(cx, std::slice::from_ref(vm)).await.pop()?.ok()?;
    Some(state.power_state)
}

/// Reads all that was put back: a later undo may have disturbed an earlier one, and a platform may have been wrong.
async fn verify(cx: &Context, back: &[&Touched], recorder: &Recorder<'_>) -> Vec<LeftChanged> {
    let mut left = Vec::new();
    for (touched, seen) in look(cx, back.to_vec()).await {
        let found = touched.undo.found.power_state;
        let error = match seen {
            Ok(vm) if vm.power_state == found => continue,
            Ok(vm) => Error::new(ErrorKind::Failed, format!("it was put back and is {} now", vm.power_state)),
            // It was read back once already: what is wrong now is the reading.
            Err(error) if error.kind() != ErrorKind::NotFound => {
                tracing::warn!(vm = touched.undo.name, "not read once more: {}", recorder.mask(&error.with_causes()));
                continue;
            }
            Err(error) => error,
        };
        left.extend(touched.leave(&error, recorder).await);
    }
    left
}

/// Reads what some targets are now, in one request for each platform.
async fn look<'a>(cx: &Context, mut touched: Vec<&'a Touched>) -> Vec<(&'a Touched, Result<VMInfo, Error>)> {
    let mut seen = Vec::with_capacity(touched.len());
    while let Some(first) = touched.first() {
        let platform = Arc::clone(&first.platform);
        let (same, others): (Vec<&Touched>, Vec<&Touched>) =
            touched.into_iter().partition(|touched| Arc::ptr_eq(&touched.platform, &platform));
        touched = others;
        let (same, refs): (Vec<&Touched>, Vec<VMRef>) =
            same.into_iter().filter_map(|touched| Some((touched, touched.undo.target.vm()?.clone()))).unzip();
        seen.extend(same.into_iter().zip(platform.get(cx, &refs).await));
    }
    seen
}
