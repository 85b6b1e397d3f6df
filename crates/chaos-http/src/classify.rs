//! From the HTTP library's errors to ours. Nothing of a `reqwest::Error` leaves this file: it prints URLs.

use std::error::Error as StdError;
use std::io;

use crate::error::{Failure, HttpErrorKind, TimeLimit};
use crate::tls::RefusedCertificate;

/// A failure on the way to the head of an answer. `sent` says whether the request's first byte may have left.
pub(crate) fn of_request(error: &reqwest::Error, sent: bool) -> Failure {
    let cause = innermost(error);
    if let Some(tls) = find::<rustls::Error>(error) {
        return of_tls(tls);
    }
    if error.is_connect() {
        let kind =
            if error.is_timeout() { HttpErrorKind::TimedOut(TimeLimit::Connect) } else { HttpErrorKind::Connect };
        return Failure::new(kind, cause, false);
    }
    if error.is_builder() {
        return Failure::new(HttpErrorKind::Configuration, cause, false);
    }
    let unreadable = error.is_redirect() || find::<hyper::Error>(error).is_some_and(hyper::Error::is_parse);
    let kind = match (unreadable, sent) {
        (true, _) => HttpErrorKind::Protocol,
        (false, true) => HttpErrorKind::Interrupted,
        // A pooled connection that was closed before anything was written to it.
        (false, false) => HttpErrorKind::Connect,
    };
    Failure::new(kind, cause, sent)
}

/// A failure in the midst of a body.
pub(crate) fn of_body(error: &reqwest::Error) -> Failure {
    let broken = find::<hyper::Error>(error).is_some_and(|e| !e.is_parse())
        || find::<io::Error>(error).is_some_and(|e| {
            matches!(
                e.kind(),
                io::ErrorKind::UnexpectedEof
                    | io::ErrorKind::ConnectionReset
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::BrokenPipe
            )
        });
    let kind = if broken { HttpErrorKind::Interrupted } else { HttpErrorKind::Protocol };
    Failure::new(kind, innermost(error), true)
}

fn of_tls(error: &rustls::Error) -> Failure {
    let cause = match error {
        rustls::Error::InvalidMessage(_) => format!("{error}; does the server speak TLS on this port?"),
        rustls::Error::PeerIncompatible(_) => format!("{error}; TLS 1.2 or later is needed"),
        other => other.to_string(),
    };
    let refused = match error {
        rustls::Error::InvalidCertificate(rustls::CertificateError::Other(other)) => {
            other.0.downcast_ref::<RefusedCertificate>().cloned()
        }
        _ => None,
    };
    Failure { kind: HttpErrorKind::Tls, cause, sent: false, refused }
}

/// The first error of type `T` among `error` and its causes.
///
/// `io::Error` hides what it wraps from `source()`, so it is looked into as well.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    None
}

/// The text of the innermost cause: the outer ones say "error sending request" and print URLs.
fn innermost(error: &reqwest::Error) -> String {
    let Some(mut cause) = error.source() else { return String::new() };
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    // A redirect's or builder's cause may be a reqwest error itself.
    if cause.is::<reqwest::Error>() { String::new() } else { cause.to_string() }
}
