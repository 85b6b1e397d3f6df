//! Dates, times and durations of a calendar, RFC 5545 sections 3.3.4 to 3.3.6, in the zones that they are meant in.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use super::lines::Property;

/// A day or a time of day by the clocks of a place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Moment {
    /// The begin of the day, if it is one.
    pub(super) civil: DateTime,
    pub(super) zone: TimeZone,
    pub(super) is_day: bool,
}

/// A date or a time as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Day(Date),
    /// It ends with `Z`.
    Utc(DateTime),
    Local(DateTime),
}

impl Moment {
    /// What a property of one value says. `floating` is the zone of what names none.
    pub(super) fn of(property: &Property, floating: Option<&TimeZone>) -> Result<Self, String> {
        Self::read(&property.value, property, floating)
    }

    /// What a property of several values says.
    pub(super) fn all(property: &Property, floating: Option<&TimeZone>) -> Result<Vec<Self>, String> {
        property.value.split(',').map(|text| Self::read(text, property, floating)).collect()
    }

    fn read(text: &str, property: &Property, floating: Option<&TimeZone>) -> Result<Self, String> {
        let text = text.trim();
        let written: Written = written(text)?;
        let fits = match property.parameter("VALUE").map(str::to_ascii_uppercase).as_deref() {
            None => true,
            Some("DATE") => matches!(written, Written::Day(_)),
            Some("DATE-TIME") => !matches!(written, Written::Day(_)),
            Some(other) => return Err(format!("`VALUE={other}` is not understood: write a date or a time")),
        };
        if !fits {
            return Err(format!("`{text}` is not what its `VALUE` says"));
        }
        let named = property.parameter("TZID").map(zone).transpose()?;
        let local = |what: &str| {
            named.clone().or_else(|| floating.cloned()).ok_or_else(|| {
                format!(
                    "`{text}` is {what} without a time zone: end the rule with the zone, as in `freeze calendar FILE in \
                     Europe/Berlin`, or give the calendar an `X-WR-TIMEZONE`"
                )
            })
        };
        match written {
            Written::Day(date) => Ok(Self { civil: date.at(0, 0, 0, 0), zone: local("a day")?, is_day: true }),
            Written::Local(civil) => Ok(Self { civil, zone: local("a time")?, is_day: false }),
            Written::Utc(_) if named.is_some() => {
                Err(format!("`{text}` is in UTC by its `Z` and elsewhere by its `TZID`: keep one of them"))
            }
            Written::Utc(civil) => Ok(Self { civil, zone: TimeZone::UTC, is_day: false }),
        }
    }

    /// When that is. A time that clocks skip is taken by the offset before that, and of one that they show twice the first is
    /// meant, section 3.3.5.
    pub(super) fn timestamp(&self) -> Result<Timestamp, String> {
        self.at(self.civil)
    }

    /// When another time of the same zone is.
    pub(super) fn at(&self, civil: DateTime) -> Result<Timestamp, String> {
        self.zone.to_timestamp(civil).map_err(|_| format!("`{civil}` is out of range"))
    }
}

/// The zone of an IANA name. Names of one program alone, such as Windows', are not known.
pub(in crate::settings) fn zone(name: &str) -> Result<TimeZone, String> {
    let name = name.trim();
    if name.eq_ignore_ascii_case("utc") {
        return Ok(TimeZone::UTC);
    }
    TimeZone::get(name).ok().filter(|zone| !zone.is_unknown()).ok_or_else(|| {
        format!("the time zone `{name}` is not known here: write a name such as `Europe/Berlin` in its place")
    })
}

/// `20261224`, `20261224T180000` or `20261224T180000Z`.
pub(super) fn written(text: &str) -> Result<Written, String> {
    let wrong = || format!("`{text}` is no date: it should be like `20261224` or `20261224T180000Z`");
    let (day, time) = match text.split_once(['T', 't']) {
        Some((day, time)) => (day, Some(time)),
        None => (text, None),
    };
    let digits = |text: &str, length: usize| {
        (text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(()).ok_or_else(wrong)
    };
    let number = |text: &str| text.parse::<i16>().map_err(|_| wrong());
    let short = |text: &str| text.parse::<i8>().map_err(|_| wrong());
    digits(day, 8)?;
    let date = Date::new(number(&day[..4])?, short(&day[4..6])?, short(&day[6..])?).map_err(|_| wrong())?;
    let Some(time) = time else { return Ok(Written::Day(date)) };
    let (time, is_utc) = match time.strip_suffix(['Z', 'z']) {
        Some(time) => (time, true),
        None => (time, false),
    };
    digits(time, 6)?;
    // A leap second, section 3.3.12, which no clock here has.
    let second = short(&time[4..])?;
    let second = if second == 60 { 59 } else { second };
    let time = Time::new(short(&time[..2])?, short(&time[2..4])?, second, 0).map_err(|_| wrong())?;
    let civil = date.to_datetime(time);
    Ok(if is_utc { Written::Utc(civil) } else { Written::Local(civil) })
}

/// How long something takes: days by the calendar, and then seconds by the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Nominal {
    pub(super) days: i64,
    pub(super) seconds: i64,
}

/// `P1W`, `P2DT3H`, `PT90M`.
pub(super) fn nominal(text: &str) -> Result<Nominal, String> {
    let wrong = || format!("`{text}` is no duration: it should be like `P2D`, `P1W` or `PT1H30M`, and not negative");
    let rest = text.trim().to_ascii_uppercase();
    let rest = rest.strip_prefix('+').unwrap_or(&rest).strip_prefix('P').ok_or_else(wrong)?;
    let (days, time) = match rest.split_once('T') {
        Some((_, "")) => return Err(wrong()),
        Some((days, time)) => (days, time),
        None => (rest, ""),
    };
    if days.is_empty() && time.is_empty() {
        return Err(wrong());
    }
    let days = amounts(days, &[('W', 7), ('D', 1)]).ok_or_else(wrong)?;
    let seconds = amounts(time, &[('H', 3_600), ('M', 60), ('S', 1)]).ok_or_else(wrong)?;
    if days == 0 && seconds == 0 { Err(wrong()) } else { Ok(Nominal { days, seconds }) }
}

/// Numbers with units, each at most once and in their order.
fn amounts(text: &str, units: &[(char, i64)]) -> Option<i64> {
    let mut rest = text;
    let mut units = units.iter();
    let mut sum = 0_i64;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let unit = rest[end..].chars().next()?;
        let (_, size) = units.find(|(known, _)| *known == unit)?;
        // Six digits of seconds are eleven days, of days more than calendars have.
        let number: i64 = rest.get(..end).filter(|digits| digits.len() <= 6)?.parse().ok()?;
        sum = sum.checked_add(number.checked_mul(*size)?)?;
        rest = &rest[end + unit.len_utf8()..];
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_read_exactly() {
        assert_eq!(written("20261224").unwrap(), Written::Day(Date::constant(2026, 12, 24)));
        assert!(matches!(written("20261224T180000Z").unwrap(), Written::Utc(_)));
        assert!(matches!(written("20161231T235960").unwrap(), Written::Local(at) if at.second() == 59));
        for text in
            ["", "2026", "2026-12-24", "20260230", "20261224T", "20261224T25", "20261224T250000", "20261224T180000ZZ"]
        {
            assert!(written(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_days_and_seconds() {
        let read = |text: &str| nominal(text).map(|Nominal { days, seconds }| (days, seconds));
        assert_eq!(read("P1W"), Ok((7, 0)));
        assert_eq!(read("+P2DT3H"), Ok((2, 10_800)));
        assert_eq!(read("PT1H30M5S"), Ok((0, 5_405)));
        for text in ["", "P", "PT", "P1DT", "-PT5M", "PT0S", "PT5", "P5", "P1H", "PT1M1H", "P1Y", "PT9999999S", "PTxS"]
        {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn zones_are_iana_names() {
        assert!(zone("Europe/Berlin").is_ok() && zone("utc").is_ok());
        for name in ["W. Europe Standard Time", "X-Ours", "Etc/Unknown", "", "/example.org/Europe/Berlin"] {
            assert!(zone(name).unwrap_err().contains("not known here"), "{name}");
        }
    }
}
