//! The one way this crate waits: until it happens, is cancelled, or a limit passes.

use std::time::Duration;

use chaos_core::Context;

use crate::error::{Failure, HttpErrorKind, TimeLimit};

/// Waits for `future`, at most `read` long, and no longer than the context allows. `sent` is asked when the wait ends
/// without it.
pub(crate) async fn wait<T>(
    cx: &Context,
    read: Duration,
    sent: impl Fn() -> bool + Send,
    future: impl Future<Output = T> + Send,
) -> Result<T, Failure> {
    let silence = cx.monotonic().saturating_add(read);
    let until = silence.min(cx.deadline());
    let (kind, cause) = tokio::select! {
        biased;
        () = cx.cancellation().cancelled() => (HttpErrorKind::Cancelled, String::new()),
        value = future => return Ok(value),
        () = cx.clock().sleep_until(until) => {
            if silence < cx.deadline() {
                (HttpErrorKind::TimedOut(TimeLimit::Read), format!("nothing came for {} s", read.as_secs_f64()))
            } else {
                (HttpErrorKind::TimedOut(TimeLimit::Total), String::new())
            }
        }
    };
    Err(Failure::new(kind, cause, sent()))
}
