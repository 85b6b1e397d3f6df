//! One call under way: its limits, its span, and what is known of it when it fails.

use std::time::Duration;

use chaos_core::Context;
use http::StatusCode;
use tracing::{Span, debug, debug_span, field};

use crate::config::Limits;
use crate::error::{Failure, HttpError, Origin};
use crate::request::Request;

/// One call, from its first attempt until its last byte was read or it was dropped.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) cx: Context,
    pub(crate) request: Request,
    pub(crate) span: Span,
    pub(crate) read_limit: Duration,
    pub(crate) response_bytes: u64,
    /// The number of the attempt under way; 0 before the first.
    pub(crate) attempt: u32,
    /// Bytes of the body that were read, after decompression.
    pub(crate) bytes: u64,
    status: Option<StatusCode>,
    started: Duration,
}

impl Call {
    pub(crate) fn new(cx: &Context, request: &Request, limits: &Limits) -> Self {
        let cx = request.total_limit.or(limits.total).map_or_else(|| cx.clone(), |total| cx.limit(total));
        let span = debug_span!(
            "http",
            operation = request.operation,
            method = %request.method,
            url = %request.url,
            attempts = field::Empty,
            status = field::Empty,
            bytes = field::Empty,
            elapsed_ms = field::Empty,
        );
        Self {
            request: request.clone(),
            span,
            read_limit: request.read_limit.unwrap_or(limits.read),
            response_bytes: request.response_bytes.unwrap_or(limits.response_bytes),
            attempt: 0,
            bytes: 0,
            status: None,
            started: cx.monotonic(),
            cx,
        }
    }

    /// Counts the next attempt.
    pub(crate) fn begin_attempt(&mut self) {
        self.attempt += 1;
        self.bytes = 0;
        self.status = None;
    }

    pub(crate) fn answered(&mut self, status: StatusCode) {
        self.status = Some(status);
    }

    /// What an error says about the call.
    pub(crate) fn origin(&self) -> Origin {
        Origin {
            operation: self.request.operation,
            method: self.request.method.clone(),
            url: self.request.url.clone(),
            idempotent: self.request.idempotent,
            attempts: self.attempt,
            elapsed: self.elapsed(),
        }
    }

    /// The error for the whole call.
    pub(crate) fn error(&self, failure: Failure) -> HttpError {
        failure.of(self.origin())
    }

    fn elapsed(&self) -> Duration {
        self.cx.monotonic().saturating_sub(self.started)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(status) = self.status {
            self.span.record("status", status.as_u16());
        }
        let elapsed_ms = u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.span.record("attempts", self.attempt);
        self.span.record("bytes", self.bytes);
        self.span.record("elapsed_ms", elapsed_ms);
        debug!(parent: &self.span, "call ended");
    }
}
