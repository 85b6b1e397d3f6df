//! The one way this crate waits: until it happens, is cancelled, or a limit passes.

use std::time::Duration;

use chaos_core::Context;

use crate::error::{Failure, HttpErrorKind, TimeLimit};

/// Fails if the call was cancelled or its time is over.
pub(crate) fn check(cx: &Context, sent: bool) -> Result<(), Failure> {
    if cx.cancellation().is_cancelled() {
        return Err(Failure::new(HttpErrorKind::Cancelled, "", sent));
    }
    if cx.remaining().is_zero() {
        return Err(Failure::new(HttpErrorKind::TimedOut(TimeLimit::Total), "", sent));
    }
    Ok(())
}

/// Waits for `future`, at most `read` long, and no longer than the context allows. `sent` is asked when the wait ends
/// without it.
pub(crate) async fn wait<T>(
    cx: &Context,
    read: Duration,
    sent: impl Fn() -> bool + Send,
    future: impl Future<Output = T> + Send,
) -> Result<T, Failure> {
    // Asked for first: a body that is always ready must not outrun the deadline.
    check(cx, sent())?;
    let silence = cx.monotonic().saturating_add(read);
    let by_silence = silence < cx.deadline();
    let (kind, cause) = tokio::select! {
        biased;
        () = cx.cancellation().cancelled() => (HttpErrorKind::Cancelled, String::new()),
        value = future => return Ok(value),
        () = cx.clock().sleep_until(silence.min(cx.deadline())) => if by_silence {
            (HttpErrorKind::TimedOut(TimeLimit::Read), format!("nothing came for {} s", read.as_secs_f64()))
        } else {
            (HttpErrorKind::TimedOut(TimeLimit::Total), String::new())
        }
    };
    Err(Failure::new(kind, cause, sent()))
}
