//! How far a server's clock is from this machine's.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

/// How far a server's clock is from this machine's, from the `Date` of an answer, which counts whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClockSkew {
    /// The server's time less this machine's, in milliseconds: negative if the server's clock is behind.
    pub millis: i64,
    /// How far this may be from the truth.
    pub uncertainty: Duration,
}

impl ClockSkew {
    /// From a `Date` and the moments at which the question was sent and its answer came.
    pub(super) fn of(date: &str, sent: Timestamp, received: Timestamp) -> Option<Self> {
        let date = jiff::fmt::rfc2822::parse(date.trim()).ok()?.timestamp();
        let (sent, received) = (sent.as_millisecond(), received.as_millisecond());
        let half = received.saturating_sub(sent).max(0) / 2;
        // The second that is told has begun, and half of it is over on the average.
        let millis = date.as_millisecond() + 500 - (sent + half);
        Some(Self { millis, uncertainty: Duration::from_millis(500 + half.unsigned_abs()) })
    }

    /// Whether the clocks are apart by more than `tolerance`, whatever is not known.
    #[must_use]
    pub fn exceeds(&self, tolerance: Duration) -> bool {
        Duration::from_millis(self.millis.unsigned_abs()).saturating_sub(self.uncertainty) > tolerance
    }
}

impl fmt::Display for ClockSkew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = Duration::from_millis(self.millis.unsigned_abs()).as_secs_f64();
        let side = if self.millis < 0 { "behind" } else { "ahead of" };
        write!(f, "{seconds:.1} s {side} this machine's (± {:.1} s)", self.uncertainty.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_the_round_trip_counts() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (sent, received) = (at("2026-11-26T12:00:00Z"), at("2026-11-26T12:00:02Z"));
        let skew = ClockSkew::of("Thu, 26 Nov 2026 12:05:01 GMT", sent, received).unwrap();
        assert_eq!((skew.millis, skew.uncertainty), (300_500, Duration::from_millis(1500)));
        assert!(skew.exceeds(Duration::from_mins(4)) && !skew.exceeds(Duration::from_mins(5)));
        let behind = ClockSkew::of("Thu, 26 Nov 2026 11:59:00 GMT", sent, sent).unwrap();
        assert_eq!(behind.to_string(), "59.5 s behind this machine's (± 0.5 s)");
        assert_eq!(ClockSkew::of("yesterday", sent, received), None);
    }
}
