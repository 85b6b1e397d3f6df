//! Times of a place: a zone by its name, and dates that are read in it.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// The zone of an IANA name such as `Europe/Berlin`, or `UTC`.
pub(super) fn zone(name: &str) -> Result<TimeZone, String> {
    if name.eq_ignore_ascii_case("utc") {
        return Ok(TimeZone::UTC);
    }
    TimeZone::get(name)
        .map_err(|_| format!("the time zone `{name}` is not known here: write `UTC` or a name such as `Europe/Berlin`"))
}

/// Whether a day or a time of day is meant, and when it begins and ends.
pub(super) fn span(text: &str, zone: &TimeZone) -> Result<(Timestamp, Timestamp), String> {
    let wrong = || format!("`{text}` is no date: write `2026-12-24` or `2026-12-24T18:00`");
    let at = |time: DateTime| zone.to_timestamp(time).map_err(|_| wrong());
    if text.contains('T') {
        let time: DateTime = text.parse().map_err(|_| wrong())?;
        let at = at(time)?;
        return Ok((at, at));
    }
    let day: Date = text.parse().map_err(|_| wrong())?;
    let next = day.tomorrow().map_err(|_| wrong())?;
    Ok((at(day.at(0, 0, 0, 0))?, at(next.at(0, 0, 0, 0))?))
}
