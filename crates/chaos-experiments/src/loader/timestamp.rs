//! Dates and times of YAML 1.1, written as Python's `isoformat` writes them.

use std::fmt::Write;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// A date, alone or with a time, and that alone or with a zone.
static FORM: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let date = "(?<year>[0-9]{4})-(?<month>[0-9]{1,2})-(?<day>[0-9]{1,2})";
    let time = r"(?<hour>[0-9]{1,2}):(?<minute>[0-9]{2}):(?<second>[0-9]{2})(?:\.(?<fraction>[0-9]*))?";
    let zone = "(?<zone>Z|(?<sign>[-+])(?<ahead>[0-9]{1,2})(?::(?<minutes>[0-9]{2}))?)";
    Regex::new(&format!(r"\A{date}(?:(?:[Tt]|[ \t]+){time}(?:[ \t]*{zone})?)?\z")).ok()
});

/// The ISO text of a timestamp; an error if it looks like one but is on no calendar and no clock; none if it does not
/// look like one. Only a date with all its digits is one without being called so.
pub(super) fn timestamp(text: &str, is_called_so: bool) -> Option<Result<String, &'static str>> {
    let parts = FORM.as_ref()?.captures(text)?;
    if parts.name("hour").is_none() && text.len() != "2020-01-01".len() && !is_called_so {
        return None;
    }
    Some(iso(&parts).ok_or("there is no such date or time: if it is a text, put it in quotes"))
}

fn iso(parts: &Captures<'_>) -> Option<String> {
    let number = |name: &str| parts.name(name).and_then(|part| part.as_str().parse::<u16>().ok());
    let (year, month, day) = (number("year")?, number("month")?, number("day")?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if year == 0 || day == 0 || day > days {
        return None;
    }
    let mut iso = format!("{year:04}-{month:02}-{day:02}");
    let (Some(hour), Some(minute), Some(second)) = (number("hour"), number("minute"), number("second")) else {
        return Some(iso);
    };
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let _ = write!(iso, "T{hour:02}:{minute:02}:{second:02}");
    // What is shorter than a microsecond is cut off.
    let fraction: String = parts.name("fraction").map_or("", |part| part.as_str()).chars().take(6).collect();
    if fraction.bytes().any(|digit| digit != b'0') {
        let _ = write!(iso, ".{fraction:0<6}");
    }
    if let Some(sign) = parts.name("sign") {
        let minutes = number("ahead")? * 60 + number("minutes").unwrap_or(0);
        if minutes >= 24 * 60 {
            return None;
        }
        let sign = if minutes == 0 { "+" } else { sign.as_str() };
        let _ = write!(iso, "{sign}{:02}:{:02}", minutes / 60, minutes % 60);
    } else if parts.name("zone").is_some() {
        iso.push_str("+00:00");
    }
    Some(iso)
}

#[cfg(test)]
mod tests {
    use super::timestamp;

    #[test]
    fn a_timestamp_is_written_as_python_writes_it() {
        for (text, iso) in [
            ("2020-02-29", "2020-02-29"),
            ("2001-12-14t21:59:43.10-05:30", "2001-12-14T21:59:43.100000-05:30"),
            ("2001-1-4 \t 1:59:43.0000001 Z", "2001-01-04T01:59:43+00:00"),
            ("2001-12-14 21:59:43 -0", "2001-12-14T21:59:43+00:00"),
            ("2001-12-14 21:59:43.", "2001-12-14T21:59:43"),
        ] {
            assert_eq!(timestamp(text, false), Some(Ok(iso.to_owned())), "{text}");
        }
        assert_eq!(timestamp("2001-1-4", false), None);
        assert_eq!(timestamp("2001-1-4", true), Some(Ok("2001-01-04".to_owned())));
        for text in ["2021-02-29", "0000-01-01", "2020-01-01 24:00:00", "2020-01-01 00:00:00+24", "2020-13-01"] {
            assert!(matches!(timestamp(text, false), Some(Err(_))), "{text}");
        }
    }
}
