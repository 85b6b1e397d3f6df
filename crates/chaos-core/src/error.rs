//! One error for every platform: what kind, worth another try or not, where, and why.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use crate::kind::PlatformKind;

/// What went wrong, in the terms a caller decides by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is no such VM, or none any more.
    NotFound,
    /// The name fits several VMs; [`Error::candidates`] tells them apart.
    Ambiguous,
    /// The platform refused the login or ended the session for good.
    Unauthenticated,
    /// The account lacks a right.
    Forbidden,
    /// The VM is in a state in which this cannot be done.
    InvalidState,
    /// The platform cannot do this at all.
    Unsupported,
    /// A time limit of the caller passed.
    Timeout,
    /// The caller cancelled the call.
    Cancelled,
    /// The platform cannot be reached or cannot answer now.
    Unavailable,
    /// The platform answered something that its protocol does not allow, or that is too large.
    Protocol,
    /// The platform accepted the call and then failed to do it.
    Failed,
    /// Settings or arguments that cannot work.
    Configuration,
    /// It is forbidden for now: another run holds the VM, or everything is halted. Nothing was touched.
    Refused,
}

impl ErrorKind {
    /// The word for machine-readable output, such as `not_found`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Ambiguous => "ambiguous",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::InvalidState => "invalid_state",
            Self::Unsupported => "unsupported",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
            Self::Unavailable => "unavailable",
            Self::Protocol => "protocol",
            Self::Failed => "failed",
            Self::Configuration => "configuration",
            Self::Refused => "refused",
        }
    }

    fn default_retry(self) -> Retry {
        match self {
            Self::Unavailable | Self::Timeout => Retry::Later,
            Self::NotFound
            | Self::Ambiguous
            | Self::Unauthenticated
            | Self::Forbidden
            | Self::InvalidState
            | Self::Unsupported
            | Self::Cancelled
            | Self::Protocol
            | Self::Failed
            | Self::Configuration
            | Self::Refused => Retry::Never,
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whether the same call is worth another try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Retry {
    /// The same call will fail the same way.
    Never,
    /// The cause may pass; nothing is known to have been executed.
    Later,
    /// The retries below were used up: an outer retry must not multiply them.
    Exhausted,
    /// The call was sent and what became of it is not known, because the connection broke or the caller's patience
    /// ended: it may have been executed, or may yet be. Read the state before anything else.
    Unsettled,
}

/// The error of every call in this family of crates.
///
/// `Display` gives one line that fits after "failed to power off web-01: "; [`Error::source`](StdError::source) leads
/// on to the platform's own error.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    retry: Retry,
    message: Cow<'static, str>,
    platform: Option<PlatformKind>,
    operation: Option<Cow<'static, str>>,
    vm: Option<String>,
    candidates: Vec<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of the given kind. Message: lower case, no full stop, and what to do next where that is known.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            retry: kind.default_retry(),
            message: message.into(),
            platform: None,
            operation: None,
            vm: None,
            candidates: Vec::new(),
            source: None,
        }))
    }

    /// No VM fits `target`.
    #[must_use]
    pub fn not_found(target: impl fmt::Display) -> Self {
        Self::new(ErrorKind::NotFound, format!("no VM fits `{target}`"))
    }

    /// Several VMs fit `target`; `candidates` are their inventory paths.
    #[must_use]
    pub fn ambiguous(target: impl fmt::Display, candidates: Vec<String>) -> Self {
        Self::fits_several(target, candidates, "name one with `path:…` or `id:…`")
    }

    /// The same where the VMs are on several servers, on which a path and an id may be the same.
    pub(crate) fn ambiguous_on_endpoints(target: impl fmt::Display, candidates: Vec<String>) -> Self {
        Self::fits_several(target, candidates, "name one with `path:…` or `id:…`, and its server with `and endpoint:…`")
    }

    fn fits_several(target: impl fmt::Display, candidates: Vec<String>, way_out: &str) -> Self {
        let list = candidates.join(", ");
        let message = format!("`{target}` fits {} VMs ({list}): {way_out}", candidates.len());
        let mut error = Self::new(ErrorKind::Ambiguous, message);
        error.0.candidates = candidates;
        error
    }

    /// The platform cannot do `operation`.
    #[must_use]
    pub fn unsupported(platform: &PlatformKind, operation: impl Into<Cow<'static, str>>) -> Self {
        let operation = operation.into();
        Self::new(ErrorKind::Unsupported, format!("{platform} does not support {operation}"))
            .platform(platform.clone())
            .operation(operation)
    }

    /// Says whether another try is worth it, where the kind's default is wrong.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// Says which platform it was.
    #[must_use]
    pub fn platform(mut self, platform: PlatformKind) -> Self {
        self.0.platform = Some(platform);
        self
    }

    /// Says what was being done, such as `power off`. The first answer, nearest to the cause, stays.
    #[must_use]
    pub fn operation(mut self, operation: impl Into<Cow<'static, str>>) -> Self {
        self.0.operation.get_or_insert(operation.into());
        self
    }

    /// Says which VM it was, by name or path. The first answer, nearest to the cause, stays.
    #[must_use]
    pub fn vm(mut self, vm: impl Into<String>) -> Self {
        self.0.vm.get_or_insert(vm.into());
        self
    }

    /// Sets the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Rewrites every text of the error, such as to mask secrets. A chain of causes that this changes becomes one text.
    #[must_use]
    pub fn map_text(mut self, map: impl Fn(&str) -> String) -> Self {
        let inner = &mut *self.0;
        inner.message = map(&inner.message).into();
        inner.operation = inner.operation.as_deref().map(|operation| map(operation).into());
        inner.vm = inner.vm.as_deref().map(&map);
        inner.candidates = inner.candidates.iter().map(|candidate| map(candidate)).collect();
        let first = inner.source.as_deref().map(|source| source as &(dyn StdError + 'static));
        let causes: Vec<String> =
            std::iter::successors(first, |&cause| cause.source()).map(ToString::to_string).collect();
        let mapped: Vec<String> = causes.iter().map(|cause| map(cause)).collect();
        if mapped != causes {
            inner.source = Some(mapped.join(": ").into());
        }
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the same call is worth another try.
    #[must_use]
    pub fn retry_class(&self) -> Retry {
        self.0.retry
    }

    /// The message alone, without VM and operation.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The kind of platform, if known.
    #[must_use]
    pub fn platform_kind(&self) -> Option<&PlatformKind> {
        self.0.platform.as_ref()
    }

    /// What was being done, if known.
    #[must_use]
    pub fn operation_name(&self) -> Option<&str> {
        self.0.operation.as_deref()
    }

    /// The VM, by name or path, if known.
    #[must_use]
    pub fn vm_name(&self) -> Option<&str> {
        self.0.vm.as_deref()
    }

    /// The inventory paths of the VMs that an ambiguous name fits.
    #[must_use]
    pub fn candidates(&self) -> &[String] {
        &self.0.candidates
    }

    /// The message followed by every cause that adds something, as one line.
    #[must_use]
    pub fn with_causes(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            let part = error.to_string();
            if !text.contains(&part) {
                text.push_str(": ");
                text.push_str(&part);
            }
            cause = error.source();
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(vm) = &self.0.vm
            && !self.0.message.contains(vm.as_str())
        {
            write!(f, "{vm}: ")?;
        }
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Error");
        debug.field("kind", &self.0.kind).field("retry", &self.0.retry).field("message", &self.0.message);
        if let Some(platform) = &self.0.platform {
            debug.field("platform", platform);
        }
        if let Some(operation) = &self.0.operation {
            debug.field("operation", operation);
        }
        if let Some(vm) = &self.0.vm {
            debug.field("vm", vm);
        }
        if !self.0.candidates.is_empty() {
            debug.field("candidates", &self.0.candidates);
        }
        if let Some(source) = &self.0.source {
            debug.field("source", source);
        }
        debug.finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ambiguous_name_lists_its_candidates_and_the_way_out() {
        let error = Error::ambiguous("web-01", vec!["/DC0/vm/web-01".into(), "/DC1/vm/web-01".into()]);
        assert_eq!(error.kind(), ErrorKind::Ambiguous);
        assert_eq!(
            error.to_string(),
            "`web-01` fits 2 VMs (/DC0/vm/web-01, /DC1/vm/web-01): name one with `path:…` or `id:…`"
        );
    }

    #[test]
    fn the_context_nearest_to_the_cause_stays() {
        let error = Error::new(ErrorKind::Failed, "task failed")
            .vm("web-01")
            .vm("outer")
            .operation("reset")
            .operation("reboot");
        assert_eq!(error.vm_name(), Some("web-01"));
        assert_eq!(error.operation_name(), Some("reset"));
        assert_eq!(error.to_string(), "web-01: task failed");
    }

    #[test]
    fn no_text_of_an_error_escapes_a_rewriting() {
        let cause = Error::new(ErrorKind::Protocol, "not XML: hunter2");
        let error = Error::ambiguous("hunter2", vec!["/vm/hunter2".into()]).vm("hunter2").caused_by(cause);
        let error = error.map_text(|text| text.replace("hunter2", "*"));
        assert!(!format!("{error:?} {}", error.with_causes()).contains("hunter2"), "{error:?}");
        assert_eq!(error.candidates(), ["/vm/*"]);
        assert!(error.with_causes().ends_with("not XML: *"), "{error:?}");
    }

    #[test]
    fn causes_are_told_once() {
        let cause = Error::new(ErrorKind::Protocol, "not XML");
        let error = Error::new(ErrorKind::Unavailable, "cannot list VMs").caused_by(cause);
        assert_eq!(error.with_causes(), "cannot list VMs: not XML");
    }
}
