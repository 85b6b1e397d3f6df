//! An answer: status, headers, and a body that is read within limits.

use std::fmt;

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use futures_util::stream::try_unfold;
use http::StatusCode;
use http::header::{HeaderMap, HeaderName};
use tracing::Instrument;

use crate::call::Call;
use crate::classify;
use crate::error::{Failure, HttpError, HttpErrorKind, Origin};
use crate::wait::wait;

/// The head of an answer of any status, and its body, which is still to be read.
///
/// Each read ends with the call's limits: silence, deadline, cancellation, size. Dropping it before the body's end closes
/// the connection.
pub struct Response {
    status: StatusCode,
    headers: HeaderMap,
    inner: reqwest::Response,
    call: Call,
}

impl Response {
    pub(crate) fn new(mut inner: reqwest::Response, call: Call) -> Self {
        let headers = std::mem::take(inner.headers_mut());
        Self { status: inner.status(), headers, inner, call }
    }

    /// The status. None is an error here: vCenter sends its faults with 500.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers. `Content-Encoding` and `Content-Length` are gone if the body was compressed.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The next piece of the body, decompressed; none at its end.
    ///
    /// # Errors
    /// [`HttpErrorKind::TooLarge`] as soon as the body is known to go beyond the limit, [`HttpErrorKind::Interrupted`] if the
    /// body is cut, [`HttpErrorKind::Protocol`] if it does not decompress, a time-out, or
    /// [`HttpErrorKind::Cancelled`].
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, HttpError> {
        next_piece(&mut self.inner, &mut self.call).await.map_err(|failure| self.call.error(failure))
    }

    /// The body as a stream of its pieces, with the errors of [`Response::chunk`].
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, HttpError>> + Send {
        try_unfold(self, async |mut response| Ok(response.chunk().await?.map(|piece| (piece, response))))
    }

    /// Reads the whole body.
    ///
    /// # Errors
    /// As [`Response::chunk`].
    pub async fn read(mut self) -> Result<Answer, HttpError> {
        match read_all(&mut self.inner, &mut self.call).await {
            Ok(body) => Ok(self.into_answer(body)),
            Err(failure) => Err(self.call.error(failure)),
        }
    }

    pub(crate) fn into_answer(self, body: Bytes) -> Answer {
        let Self { status, headers, call, .. } = self;
        Answer { status, headers, body, origin: call.origin() }
    }
}

/// The next piece of a body, within the call's limits.
async fn next_piece(inner: &mut reqwest::Response, call: &mut Call) -> Result<Option<Bytes>, Failure> {
    let too_large = || Failure::new(HttpErrorKind::TooLarge(call.response_bytes), "", true);
    // An uncompressed body says how much is to come.
    if call.bytes.saturating_add(inner.content_length().unwrap_or(0)) > call.response_bytes {
        return Err(too_large());
    }
    let read = inner.chunk().instrument(call.span.clone());
    let piece = wait(&call.cx, call.read_limit, || true, read).await?.map_err(|error| classify::of_body(&error))?;
    let bytes = call.bytes.saturating_add(piece.as_ref().map_or(0, |piece| piece.len() as u64));
    if bytes > call.response_bytes {
        return Err(too_large());
    }
    call.bytes = bytes;
    Ok(piece)
}

/// Reads the whole of a body, within the call's limits.
pub(crate) async fn read_all(inner: &mut reqwest::Response, call: &mut Call) -> Result<Bytes, Failure> {
    let mut body = BytesMut::new();
    while let Some(piece) = next_piece(inner, call).await? {
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("headers", &names(&self.headers))
            .finish_non_exhaustive()
    }
}

/// An answer of any status with its whole body.
pub struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    origin: Origin,
}

impl Answer {
    /// The status. None is an error here.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body, decompressed.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.body
    }

    /// The body as text.
    ///
    /// # Errors
    /// [`HttpErrorKind::Protocol`] if it is not UTF-8.
    pub fn text(&self) -> Result<&str, HttpError> {
        std::str::from_utf8(&self.body)
            .map_err(|error| Failure::new(HttpErrorKind::Protocol, error.to_string(), true).of(self.origin.clone()))
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("headers", &names(&self.headers))
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

fn names(headers: &HeaderMap) -> Vec<&str> {
    headers.keys().map(HeaderName::as_str).collect()
}
