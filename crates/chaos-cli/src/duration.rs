//! Time limits as people write them: `300`, `30s`, `5m`, `1h30m`.

use std::time::Duration;

/// The longest limit that is accepted: a week.
const LONGEST: Duration = Duration::from_hours(7 * 24);

/// Reads a time limit. A bare number is in seconds.
///
/// # Errors
/// What is wrong, for the person who wrote it.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    const EXPECTED: &str = "give seconds (`300`) or a duration like `30s`, `5m`, `1h30m`";

    let text = text.trim();
    let duration = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => text
            .parse::<jiff::SignedDuration>()
            .ok()
            .and_then(|duration| Duration::try_from(duration).ok())
            .ok_or(EXPECTED)?,
    };
    if duration.is_zero() {
        return Err(format!("a limit of 0 lets nothing happen: {EXPECTED}"));
    }
    if duration > LONGEST {
        return Err("the longest limit is a week".to_owned());
    }
    Ok(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_numbers_are_seconds() {
        for (text, seconds) in [("300", 300), (" 5 ", 5), ("30s", 30), ("5m", 300), ("1h30m", 5400), ("1h 30m", 5400)] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
    }

    #[test]
    fn what_is_no_limit_is_refused_with_examples() {
        for text in ["", "soon", "-5", "-5s", "5 parsecs", "99999999999999999999"] {
            assert!(parse(text).unwrap_err().contains("`5m`"), "{text}");
        }
        assert!(parse("0").unwrap_err().contains("limit of 0"));
        assert!(parse("9000h").unwrap_err().contains("week"));
    }
}
