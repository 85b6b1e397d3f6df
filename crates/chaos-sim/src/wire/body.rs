//! Bodies of requests and answers.

use std::io::Write as _;

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use futures_util::{StreamExt as _, stream};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};

/// The most bytes that a request may have.
const REQUEST_LIMIT: usize = 32 * 1024 * 1024;
/// Shorter answers are not worth compressing.
const COMPRESSED_FROM: usize = 1024;

/// The body of an answer.
pub(crate) type Body = BoxBody<Bytes, std::io::Error>;

/// A body that is there as a whole.
pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    BodyExt::boxed(Full::new(bytes.into()).map_err(|never| match never {}))
}

/// The first half of a body; then the connection breaks.
pub(crate) fn cut(bytes: &Bytes) -> Body {
    let half = bytes.slice(..bytes.len() / 2);
    let begins = stream::once(std::future::ready(Ok(Frame::data(half))));
    let breaks = stream::once(async {
        // While nothing more is there, what was written goes out; an error right away would throw it away.
        tokio::task::yield_now().await;
        Err(std::io::Error::new(std::io::ErrorKind::ConnectionAborted, "cut by an injected fault"))
    });
    BodyExt::boxed(StreamBody::new(begins.chain(breaks)))
}

/// The bytes through gzip, if the client takes that and it is worth it.
pub(crate) fn compressed(bytes: &Bytes, accepted: Option<&str>) -> Option<Bytes> {
    let accepts = accepted.is_some_and(|accepted| accepted.split(',').any(|coding| coding.trim().starts_with("gzip")));
    if !accepts || bytes.len() < COMPRESSED_FROM {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 8), Compression::fast());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

/// The whole body of a request; none if it is too long or breaks off.
pub(crate) async fn collect(body: Incoming) -> Option<Bytes> {
    Limited::new(body, REQUEST_LIMIT).collect().await.ok().map(http_body_util::Collected::to_bytes)
}
