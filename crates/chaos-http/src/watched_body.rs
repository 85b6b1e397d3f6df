//! A request body that notices when it is first asked for.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// Tells whether a request may have left this machine.
///
/// An HTTP/1.1 connection asks for the body only after it took the request and wrote its head, so a body that was never
/// asked for belongs to a request that was never sent. That is the difference between "try again" and "it may have
/// taken effect".
#[derive(Debug, Clone)]
pub(crate) struct Sent(Arc<AtomicBool>);

impl Sent {
    pub(crate) fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// The body for one attempt, and the mark that tells whether it was asked for.
///
/// An empty body need never be asked for, so its request counts as sent from the start. So does a `repeatable` one, which
/// a redirect may want to send again: that of an idempotent request, for which it makes no difference, or of a probe.
pub(crate) fn watch(bytes: &Bytes, repeatable: bool) -> (reqwest::Body, Sent) {
    let unwatched = repeatable || bytes.is_empty();
    let sent = Sent(Arc::new(AtomicBool::new(unwatched)));
    let body = if unwatched {
        reqwest::Body::from(bytes.clone())
    } else {
        reqwest::Body::wrap(WatchedBody { bytes: bytes.clone(), sent: sent.clone() })
    };
    (body, sent)
}

#[derive(Debug)]
struct WatchedBody {
    bytes: Bytes,
    sent: Sent,
}

impl Body for WatchedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.sent.0.store(true, Ordering::Release);
        let bytes = std::mem::take(&mut self.bytes);
        Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.len() as u64)
    }
}
