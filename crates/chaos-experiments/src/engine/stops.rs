//! What stops a run before its end: whoever started it, a halt, a stop condition, a lease that is lost. Each is watched for as
//! long as the run goes on.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chaos_core::{Context, Error, ErrorKind, HaltFlag, RunEventKind, StopCause};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::activity::Call;
use crate::engine::beyond::exit_request;
use crate::engine::{Running, probe};
use crate::native::What;
use crate::provider::Place;
use crate::report::RunOptions;
use crate::resolve::Watched;

/// How often the halt flag is looked at: a run has to stop within two seconds.
const HALT_LOOKS: Duration = Duration::from_millis(250);
/// How long a look at the flag may take before everything counts as halted.
const HALT_LOOK_LIMIT: Duration = Duration::from_secs(1);
/// How long a look at a stop condition may take where it has no limit of its own.
const LOOK_LIMIT: Duration = Duration::from_mins(1);

/// That a run is to stop.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) cause: StopCause,
    pub(super) reason: String,
    pub(super) since: Timestamp,
}

/// Whether a run is to stop, and why.
#[derive(Debug)]
pub(super) struct Stops {
    token: CancellationToken,
    /// Ends what an interruption by the caller leaves alone.
    all: CancellationToken,
    /// Cancelled when the begin of the run is written down.
    begun: CancellationToken,
    /// Whether the method is over, so that there is nothing to stop any more.
    closed: AtomicBool,
    request: Mutex<Option<Request>>,
    is_told: AtomicBool,
}

impl Stops {
    /// `token` stops the run, and `all` what goes on beside it where that does not.
    pub(super) fn new(token: CancellationToken, all: CancellationToken) -> Self {
        Self {
            token,
            all,
            begun: CancellationToken::new(),
            closed: AtomicBool::new(false),
            request: Mutex::default(),
            is_told: AtomicBool::new(false),
        }
    }

    /// The begin of the run is written down.
    pub(super) fn begin(&self) {
        self.begun.cancel();
    }

    /// Nothing is left that could be stopped: the method is over, and by compatible rules the rollbacks are.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Whether nothing is left that could be stopped.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Stops the run for no reason of its own.
    pub(super) fn stop(&self) {
        self.token.cancel();
    }

    /// Stops the run. Only the first reason counts, but that whoever stops it from outside goes before the caller.
    pub(super) fn request(&self, request: Request) {
        let is_from_outside = request.cause != StopCause::Caller;
        let mut known = self.request.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *known {
            Some(known) if is_from_outside && known.cause == StopCause::Caller => {
                *known = request;
                self.is_told.store(false, Ordering::Relaxed);
            }
            known => {
                known.get_or_insert(request);
            }
        }
        drop(known);
        if is_from_outside {
            self.all.cancel();
        }
        self.token.cancel();
    }

    /// Why the run has to stop, which it is known to have to.
    pub(super) fn requested(&self, now: Timestamp) -> Request {
        let caller = || Request { cause: StopCause::Caller, reason: "the run was told to stop".to_owned(), since: now };
        self.request.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(caller).clone()
    }
}

impl Running<'_> {
    /// Writes down, once, that the run has to stop.
    pub(super) async fn tell_stop(&self, now: Timestamp) -> Request {
        let request = self.stops.requested(now);
        // Chaos Toolkit has no word for it in a journal, and whoever did it knows.
        let is_news = self.rules.puts_back() || request.cause != StopCause::Caller;
        if is_news && !self.stops.is_told.swap(true, Ordering::Relaxed) {
            let Request { cause, reason, since } = request.clone();
            self.recorder.note(RunEventKind::StopRequested { cause, reason, since }).await;
        }
        request
    }

    /// Looks once whether everything is halted, before anything is done.
    pub(super) async fn heed_halt(&self, cx: &Context, options: &RunOptions) {
        if let Some(flag) = &options.halt
            && let Some(request) = look(cx, &**flag).await
        {
            self.stops.request(request);
        }
    }

    /// Watches everything that may stop the run, and stops it. Never ends.
    pub(super) async fn watch(&self, cx: &Context, options: &RunOptions) -> Infallible {
        self.stops.begun.cancelled().await;
        // Where a caller's interruption does not end everything, the others still may.
        let lasting = if self.rules.puts_back() { cx.clone() } else { cx.detached(Duration::MAX) };
        let watching = &lasting;
        let mut watchers: FuturesUnordered<BoxFuture<'_, Request>> = FuturesUnordered::new();
        watchers.push(Box::pin(async {
            cx.cancellation().cancelled().await;
            self.stops.requested(cx.now())
        }));
        if let Some(flag) = &options.halt {
            watchers.push(Box::pin(halted(watching, &**flag)));
        }
        if let Some(claim) = &options.claim {
            watchers.push(Box::pin(async move {
                let reason = claim.keep(watching).await;
                Request { cause: StopCause::Lease, reason, since: cx.now() }
            }));
        }
        watchers.push(Box::pin(async {
            let code = self.workers.exit_asked().await;
            let request = exit_request(cx, code);
            self.leave(code, request.clone());
            request
        }));
        for watched in &self.resolved.stop_conditions {
            watchers.push(Box::pin(self.violated(cx, watched)));
        }
        while let Some(request) = watchers.next().await {
            if self.stops.is_closed() {
                break;
            }
            let goes_on = request.cause == StopCause::Caller && !self.rules.puts_back();
            self.stops.request(request);
            self.tell_stop(cx.now()).await;
            if !goes_on {
                break;
            }
        }
        drop(watchers);
        std::future::pending().await
    }

    /// Looks at a stop condition again and again, until it does not hold or cannot be told.
    async fn violated(&self, cx: &Context, watched: &Watched) -> Request {
        loop {
            let since = cx.now();
            let limit = watched.bound.activity.timeout.unwrap_or(LOOK_LIMIT);
            if let Err(why) = self.holds(&cx.limit(limit), watched).await
                && !cx.cancellation().is_cancelled()
            {
                let name = &watched.bound.activity.name;
                let reason = format!("the stop condition `{name}`: {why}");
                return Request { cause: StopCause::StopCondition, reason: self.recorder.mask(&reason), since };
            }
            if cx.pause("waiting to look at a stop condition", watched.every).await.is_err() {
                // The run stops for another reason.
                return std::future::pending().await;
            }
        }
    }

    /// Whether a stop condition lets the run go on; else why not.
    async fn holds(&self, cx: &Context, Watched { bound, .. }: &Watched) -> Result<(), String> {
        let unclear = |error: Error| format!("it cannot be told: {}", error.with_causes());
        let (output, detail) = match (&bound.activity.call, &bound.on) {
            (Call::Provider(call), _) => {
                let world = self.in_the_world(cx, bound.activity.timeout);
                let output = self.call(&world, call, Place::Background).await;
                (output.map_err(|unwell| format!("it cannot be told: {}", unwell.why()))?, None)
            }
            // There is nothing that could be otherwise.
            (Call::Vm(_), _) if bound.finds_nothing() => return Ok(()),
            (Call::Vm(call), Some(on)) if matches!(call.what, What::Look { .. } | What::Group { .. }) => {
                let seen = probe::look(cx, call.function, on).await.map_err(unclear)?;
                (seen.value, seen.detail)
            }
            (Call::Vm(call), Some(on)) if let What::Count { state, .. } = &call.what => {
                (probe::count(cx, on, *state).await.map_err(unclear)?.into(), None)
            }
            // Left out of a rehearsal.
            _ => return Ok(()),
        };
        let Some(tolerance) = &bound.activity.tolerance else { return Ok(()) };
        let judged = self.judge(cx, tolerance, &output).await;
        judged.map_err(|why| detail.map_or_else(|| why.clone(), |detail| format!("{why} ({detail})")))
    }
}

/// Waits for a halt.
async fn halted(cx: &Context, flag: &dyn HaltFlag) -> Request {
    loop {
        if let Some(request) = look(cx, flag).await {
            return request;
        }
        if cx.pause("waiting to look at the halt flag", HALT_LOOKS).await.is_err() {
            return std::future::pending().await;
        }
    }
}

/// Whether there is a halt. If nobody can tell, there is.
async fn look(cx: &Context, flag: &dyn HaltFlag) -> Option<Request> {
    let looked = tokio::time::timeout(HALT_LOOK_LIMIT, flag.get()).await;
    let late = || Err(Error::new(ErrorKind::Timeout, "no answer within a second"));
    match looked.unwrap_or_else(|_| late()) {
        Ok(None) => None,
        Ok(Some(halt)) => Some(Request { cause: StopCause::Halt, reason: halt.to_string(), since: halt.at }),
        Err(error) => {
            let reason = format!("whether everything is halted cannot be told: {}", error.with_causes());
            Some(Request { cause: StopCause::Halt, reason, since: cx.now() })
        }
    }
}
