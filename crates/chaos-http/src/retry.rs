//! How often and after how long a call is tried again.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::header::{HeaderMap, RETRY_AFTER};
use http::{StatusCode, header};
use jiff::Timestamp;

/// How often and after how long a call is tried again: exponential back-off with full jitter.
///
/// What is tried again:
///
/// | failure | request declared idempotent | any other request |
/// | --- | --- | --- |
/// | no connection: name, refusal, broken handshake | again | again: nothing was sent |
/// | no connection within the connect limit | no: TCP tried all the while | no |
/// | certificate refused, TLS refused | no | no |
/// | connection broke, or silence beyond the read limit | again | no: [`Interrupted`](crate::HttpErrorKind::Interrupted) or a time-out that says so |
/// | status 429, 502, 503, 504, if [`statuses`](Self::statuses) | again, not before `Retry-After` | no: the answer is handed to the caller |
/// | any other answer, too large, not HTTP, cancelled, deadline | no | no |
///
/// A wait that would outlast the deadline is not begun: the last failure or answer is returned at once.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// The number of attempts, the first included. 0 counts as 1. Default: 4.
    pub attempts: u32,
    /// The longest wait before the second attempt; it doubles with each further one. Default: 250 ms.
    pub base: Duration,
    /// What the longest wait never exceeds, unless the server asks for more. Default: 10 s.
    pub cap: Duration,
    /// Whether an answer with one of the statuses above counts as a failure. If not, every answer is handed to the caller:
    /// who looks at a server wants to see its 503. Default: true.
    pub statuses: bool,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { attempts: 4, base: Duration::from_millis(250), cap: Duration::from_secs(10), statuses: true }
    }
}

impl RetryPolicy {
    /// One attempt, no retry.
    #[must_use]
    pub fn none() -> Self {
        Self { attempts: 1, ..Self::default() }
    }

    /// The wait after `attempt` failed attempts: a share of the longest wait, drawn evenly by `random`.
    pub(crate) fn wait(&self, attempt: u32, random: u64) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        let longest = self.base.saturating_mul(1 << doublings).min(self.cap);
        let nanos = (u128::from(random) * longest.as_nanos()) >> 64;
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// True for the answers by which a server or a proxy says "not now".
pub(crate) fn is_retryable(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

/// The wait that an answer asks for (RFC 9110, section 10.2.3): seconds, or a date, for which the answer's own `Date` is
/// "now" if it has one. None if there is none or it makes no sense.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text: &str| Some(jiff::fmt::rfc2822::parse(text).ok()?.timestamp());
    let server_now = headers.get(header::DATE).and_then(|value| date(value.to_str().ok()?)).unwrap_or(now);
    // A date in the past means: now.
    Some(Duration::try_from(date(text)?.duration_since(server_now)).unwrap_or(Duration::ZERO))
}

/// A stream of random numbers for jitter, shared by all calls of a client (`SplitMix64`; nothing here is secret).
#[derive(Debug)]
pub(crate) struct Jitter(AtomicU64);

impl Jitter {
    pub(crate) fn new(seed: Option<u64>) -> Self {
        Self(AtomicU64::new(seed.unwrap_or_else(|| RandomState::new().hash_one("jitter"))))
    }

    pub(crate) fn next(&self) -> u64 {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut z = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn after(value: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.parse().unwrap());
        headers.insert(header::DATE, "Mon, 23 Nov 2026 06:00:00 GMT".parse().unwrap());
        retry_after(&headers, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(after("120"), Some(Duration::from_mins(2)));
        assert_eq!(after("Mon, 23 Nov 2026 06:00:30 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(after("Mon, 23 Nov 2026 05:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(after("soon"), None);
        assert_eq!(after("-3"), None);
        assert_eq!(retry_after(&HeaderMap::new(), Timestamp::UNIX_EPOCH), None);
    }

    #[test]
    fn the_same_seed_gives_the_same_jitter() {
        let draw = |seed| {
            let jitter = Jitter::new(Some(seed));
            [jitter.next(), jitter.next(), jitter.next()]
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn the_longest_wait_doubles_up_to_the_cap() {
        let policy =
            RetryPolicy { attempts: 9, base: Duration::from_secs(1), cap: Duration::from_secs(5), statuses: true };
        let longest: Vec<u128> = (1..=4).map(|n| policy.wait(n, u64::MAX).as_millis()).collect();
        assert_eq!(longest, [999, 1999, 3999, 4999]);
    }

    proptest! {
        #[test]
        fn no_retry_after_panics(text in "[ -~]*", seconds: i64) {
            let now = Timestamp::from_second(seconds).unwrap_or(Timestamp::MIN);
            let headers = [(RETRY_AFTER, text.parse().unwrap())].into_iter().collect();
            let _ = retry_after(&headers, now);
        }

        #[test]
        fn a_wait_is_never_longer_than_the_cap(attempt: u32, random: u64, base: u32, cap: u32) {
            let policy = RetryPolicy {
                attempts: 4,
                base: Duration::from_millis(base.into()),
                cap: Duration::from_millis(cap.into()),
                statuses: true,
            };
            prop_assert!(policy.wait(attempt, random) <= policy.cap);
        }
    }
}
