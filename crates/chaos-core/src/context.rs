//! What every call carries: deadline, cancellation, clock, progress, and who asks and why.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::clock::{SharedClock, SystemClock};
use crate::error::{Error, ErrorKind};
use crate::vm::VMPowerState;
use crate::vm_ref::VMRef;

/// Identifies one run of the tool in logs, in records and in the platforms' own logs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(String);

impl RunId {
    /// A new random id, short enough to be read aloud.
    #[must_use]
    pub fn random() -> Self {
        let mut text = uuid::Uuid::new_v4().simple().to_string();
        text.truncate(12);
        Self(text)
    }

    /// An id that was made elsewhere. Characters that could break a log line or a header are replaced by `-`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let keep = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
        Self(text.chars().take(64).map(keep).collect())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Something that happened to one VM while a call was under way. For people who watch; never the result.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The VM.
    pub vm: VMRef,
    /// Its name, for display.
    pub name: String,
    /// What happened.
    pub step: ProgressStep,
}

impl Progress {
    /// One step of one VM.
    #[must_use]
    pub fn new(vm: VMRef, name: impl Into<String>, step: ProgressStep) -> Self {
        Self { vm, name: name.into(), step }
    }
}

/// The steps that a [`Progress`] reports.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProgressStep {
    /// The guest was asked to shut down or restart itself.
    GuestAsked,
    /// The guest did not do it in time, or cannot: the hard way follows.
    FallingBack,
    /// The platform accepted a power operation.
    Accepted,
    /// The platform's task is this far, in percent.
    Percent(u8),
    /// The VM's power state was seen to change.
    State(VMPowerState),
    /// The VM waits for the answer to a question, whose text this is.
    Question(String),
    /// The guest went down as part of a reboot.
    GuestDown,
    /// The guest is up again.
    GuestUp,
}

/// Receives [`Progress`]. It must return at once: it is called from within the operation.
pub trait ProgressSink: fmt::Debug + Send + Sync + 'static {
    /// Takes note of one step.
    fn report(&self, progress: Progress);
}

#[derive(Debug)]
struct NoProgress;

impl ProgressSink for NoProgress {
    fn report(&self, _: Progress) {}
}

/// What every platform call carries. Cheap to clone.
///
/// A context always has a deadline: nothing in these crates waits without one.
///
/// ```
/// use std::time::Duration;
/// use chaos_core::Context;
///
/// let cx = Context::with_timeout(Duration::from_secs(30)).reason("game day");
/// let shorter = cx.limit(Duration::from_secs(5));
/// assert!(shorter.remaining() <= Duration::from_secs(5));
/// // A part never outlives the whole.
/// assert!(cx.limit(Duration::from_secs(3600)).remaining() <= Duration::from_secs(30));
/// ```
#[derive(Debug, Clone)]
pub struct Context {
    clock: SharedClock,
    deadline: Duration,
    cancel: CancellationToken,
    progress: Arc<dyn ProgressSink>,
    run_id: RunId,
    reason: Arc<str>,
}

impl Context {
    /// A context on the machine's clock that ends after `timeout`, with a fresh run id.
    #[must_use]
    pub fn with_timeout(timeout: Duration) -> Self {
        Self::on_clock(SystemClock::shared(), timeout)
    }

    /// A context on the given clock that ends after `timeout` of that clock's time.
    #[must_use]
    pub fn on_clock(clock: SharedClock, timeout: Duration) -> Self {
        let deadline = clock.monotonic().saturating_add(timeout);
        Self {
            clock,
            deadline,
            cancel: CancellationToken::new(),
            progress: Arc::new(NoProgress),
            run_id: RunId::random(),
            reason: "chaos experiment".into(),
        }
    }

    /// The same call with its own limit, which cannot exceed what is left of this one.
    #[must_use]
    pub fn limit(&self, timeout: Duration) -> Self {
        let mut cx = self.clone();
        cx.deadline = self.deadline.min(self.clock.monotonic().saturating_add(timeout));
        cx
    }

    /// The same caller with a new deadline and its own cancellation, for work that must be done even if the call
    /// itself was cancelled or timed out: logging out, putting a VM back.
    #[must_use]
    pub fn detached(&self, timeout: Duration) -> Self {
        let mut cx = self.clone();
        cx.deadline = self.clock.monotonic().saturating_add(timeout);
        cx.cancel = CancellationToken::new();
        cx
    }

    /// Replaces the cancellation token.
    #[must_use]
    pub fn cancelled_by(mut self, cancel: CancellationToken) -> Self {
        self.cancel = cancel;
        self
    }

    /// Replaces the progress sink.
    #[must_use]
    pub fn progress_to(mut self, progress: Arc<dyn ProgressSink>) -> Self {
        self.progress = progress;
        self
    }

    /// Replaces the run id.
    #[must_use]
    pub fn run(mut self, run_id: RunId) -> Self {
        self.run_id = run_id;
        self
    }

    /// Replaces the reason, which platforms that can do so write into their own log.
    #[must_use]
    pub fn reason(mut self, reason: &str) -> Self {
        self.reason = reason.into();
        self
    }

    /// The run that this call belongs to.
    #[must_use]
    pub fn run_id(&self) -> &RunId {
        &self.run_id
    }

    /// Why the call is made, in words for the platform's own log.
    #[must_use]
    pub fn reason_text(&self) -> &str {
        &self.reason
    }

    /// The clock that this call lives on.
    #[must_use]
    pub fn clock(&self) -> &SharedClock {
        &self.clock
    }

    /// The wall-clock time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The monotonic time, on the scale of [`Context::deadline`].
    #[must_use]
    pub fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    /// When the call must have ended, on the clock's monotonic scale.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// The time that is left; zero when the deadline has passed.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_sub(self.clock.monotonic())
    }

    /// The token that cancels this call.
    #[must_use]
    pub fn cancellation(&self) -> &CancellationToken {
        &self.cancel
    }

    /// Tells whoever watches.
    pub fn report(&self, progress: Progress) {
        self.progress.report(progress);
    }

    /// Fails if the call was cancelled or its deadline has passed. `doing` completes "… while DOING".
    ///
    /// # Errors
    /// [`ErrorKind::Cancelled`] or [`ErrorKind::Timeout`].
    pub fn check(&self, doing: &str) -> Result<(), Error> {
        if self.cancel.is_cancelled() {
            return Err(cancelled(doing));
        }
        if self.remaining().is_zero() {
            return Err(timed_out(doing));
        }
        Ok(())
    }

    /// Runs `future` until it ends, the call is cancelled or the deadline passes, whichever is first.
    ///
    /// # Errors
    /// [`ErrorKind::Cancelled`] or [`ErrorKind::Timeout`], whose message says "while DOING".
    pub async fn bounded<T>(&self, doing: &str, future: impl Future<Output = T> + Send) -> Result<T, Error> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(cancelled(doing)),
            value = future => Ok(value),
            () = self.clock.sleep_until(self.deadline) => Err(timed_out(doing)),
        }
    }

    /// Waits for `duration`, or less if the call is cancelled or its deadline passes first. For back-off and pauses
    /// that the user asked for, never to hope for a state.
    ///
    /// # Errors
    /// As [`Context::bounded`].
    pub async fn pause(&self, doing: &str, duration: Duration) -> Result<(), Error> {
        let until = self.clock.monotonic().saturating_add(duration);
        self.bounded(doing, self.clock.sleep_until(until)).await
    }
}

fn cancelled(doing: &str) -> Error {
    Error::new(ErrorKind::Cancelled, format!("cancelled while {doing}"))
}

fn timed_out(doing: &str) -> Error {
    Error::new(ErrorKind::Timeout, format!("the time limit passed while {doing}"))
}
