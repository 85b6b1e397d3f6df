//! Rules on the time: when faults may be sent at all, and when they may not.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;

use super::denial::Denial;
use super::zoned;

/// `window DAYS FROM-TO ZONE [or …]`: faults are sent at these times only. What was begun in time is not cut short.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Window {
    /// The times, any of which will do.
    any: Vec<Hours>,
}

/// Some hours of some days of the week.
#[derive(Debug, Clone, PartialEq)]
struct Hours {
    /// From Monday to Sunday.
    days: [bool; 7],
    from: Time,
    /// None: to the end of the day. What ends before it begins goes on to the next day.
    to: Option<Time>,
    zone: TimeZone,
    text: String,
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Window {
    pub(super) fn check(&self, now: Timestamp) -> Result<(), Denial> {
        if self.any.iter().any(|hours| hours.contain(now)) {
            return Ok(());
        }
        let local = self.any.first().map_or_else(String::new, |hours| {
            now.to_zoned(hours.zone.clone()).strftime("%a %Y-%m-%d %H:%M %Z").to_string()
        });
        Err(Denial::new(None, format!("it is {local}"), "wait for the window to open"))
    }
}

impl Hours {
    fn contain(&self, now: Timestamp) -> bool {
        let local = now.to_zoned(self.zone.clone()).datetime();
        let on = |weekday: Weekday| {
            usize::try_from(weekday.to_monday_zero_offset()).is_ok_and(|day| self.days.get(day) == Some(&true))
        };
        let (today, time) = (local.date().weekday(), local.time());
        match self.to {
            None => on(today) && time >= self.from,
            Some(to) if self.from < to => on(today) && (self.from..to).contains(&time),
            // Over midnight: the evening of its day, or the morning after it.
            Some(to) => (on(today) && time >= self.from) || (on(today.previous()) && time < to),
        }
    }
}

impl FromStr for Window {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Self { any: text.split(" or ").map(str::parse).collect::<Result<_, _>>()? })
    }
}

impl FromStr for Hours {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [days, hours, zone] = words[..] else {
            return Err(format!("`{text}` is no window: write `mon-fri 09:00-17:00 Europe/Berlin`"));
        };
        let (from, to) = hours.split_once('-').ok_or_else(|| no_time(hours))?;
        let to = if to == "24:00" { None } else { Some(time(to)?) };
        let from = time(from)?;
        if to == Some(from) {
            return Err(format!("`{hours}` is no time at all: write `00:00-24:00` for the whole day"));
        }
        Ok(Self { days: weekdays(days)?, from, to, zone: zoned::zone(zone)?, text: words.join(" ") })
    }
}

fn no_time(text: &str) -> String {
    format!("`{text}` is no time of day: write `09:00-17:00`")
}

fn time(text: &str) -> Result<Time, String> {
    let (hour, minute) = text.split_once(':').ok_or_else(|| no_time(text))?;
    let two = |text: &str| text.parse::<i8>().ok().filter(|_| text.len() == 2);
    let (Some(hour), Some(minute)) = (two(hour), two(minute)) else { return Err(no_time(text)) };
    Time::new(hour, minute, 0, 0).map_err(|_| no_time(text))
}

/// `mon-fri`, `sat,sun`, `daily`.
fn weekdays(text: &str) -> Result<[bool; 7], String> {
    if text == "daily" {
        return Ok([true; 7]);
    }
    let day = |word: &str| {
        let known = DAYS.iter().position(|day| *day == word);
        known.ok_or_else(|| format!("`{word}` is no day: write one of {}, or `daily`", DAYS.join(", ")))
    };
    let mut days = [false; 7];
    for part in text.split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to) = (day(from)?, day(to)?);
        // `fri-mon` goes over the weekend.
        let mut at = from;
        days[at] = true;
        while at != to {
            at = (at + 1) % 7;
            days[at] = true;
        }
    }
    Ok(days)
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let any: Vec<&str> = self.any.iter().map(|hours| hours.text.as_str()).collect();
        write!(f, "window {}", any.join(" or "))
    }
}

/// `freeze FROM..TO ZONE`: no fault is sent in this time. Days count as a whole, the last one included.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Freeze {
    /// From when to the first moment that is free again.
    times: Vec<(Timestamp, Timestamp)>,
    text: String,
}

impl Freeze {
    /// The time from `from` until `to`, which `about` explains.
    ///
    /// # Errors
    /// If it ends before it begins, in words.
    pub fn between(from: Timestamp, to: Timestamp, about: &str) -> Result<Self, String> {
        Self::at_times([(from, to)], about)
    }

    /// Several times, each from its begin to the first moment that is free again, which `about` explains, such as an entry of a
    /// calendar that recurs.
    ///
    /// # Errors
    /// If there is none, or one ends before it begins, in words.
    pub fn at_times(times: impl IntoIterator<Item = (Timestamp, Timestamp)>, about: &str) -> Result<Self, String> {
        let times: Vec<_> = times.into_iter().collect();
        if times.is_empty() {
            return Err(format!("`{about}` is at no time"));
        }
        if times.iter().any(|(from, to)| to <= from) {
            return Err(format!("`{about}` ends before it begins"));
        }
        Ok(Self { times, text: about.split_whitespace().collect::<Vec<_>>().join(" ") })
    }

    pub(super) fn check(&self, now: Timestamp) -> Result<(), Denial> {
        // Of times that overlap the one that ends last.
        let frozen = self.times.iter().filter(|(from, to)| (*from..*to).contains(&now)).max_by_key(|(_, to)| *to);
        let Some((from, to)) = frozen else { return Ok(()) };
        Err(Denial::new(None, format!("there is a freeze from {from:.0}"), format!("wait until {to:.0}")))
    }
}

impl FromStr for Freeze {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        if words.first() == Some(&"calendar") {
            return Err(
                "the file of a calendar is read only for `chaos.policy` of the settings: have it there".to_owned()
            );
        }
        let form = || format!("`{text}` is no freeze: write `2026-12-20..2027-01-06 Europe/Berlin`");
        let [span, zone] = words[..] else { return Err(form()) };
        let (from, to) = span.split_once("..").ok_or_else(form)?;
        let zone = zoned::zone(zone)?;
        let ((from, _), (_, to)) = (zoned::span(from, &zone)?, zoned::span(to, &zone)?);
        Self::between(from, to, &words.join(" "))
    }
}

impl fmt::Display for Freeze {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "freeze {}", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_window_is_open_by_the_clocks_of_its_zone() {
        let window: Window = "mon-fri 09:00-17:00 Europe/Berlin or sat 22:00-02:00 UTC".parse().unwrap();
        let open = |text: &str| window.any.iter().any(|hours| hours.contain(at(text)));
        // Friday in winter and in summer.
        assert!(open("2026-11-27T08:00:00Z") && !open("2026-11-27T07:59:59Z"));
        assert!(open("2026-07-24T07:00:00Z") && !open("2026-07-24T15:00:00Z"));
        // Over midnight: Saturday evening and Sunday morning, not Saturday morning.
        assert!(open("2026-11-28T22:00:00Z") && open("2026-11-29T01:59:59Z"));
        assert!(!open("2026-11-29T02:00:00Z") && !open("2026-11-28T01:00:00Z"));
        assert_eq!(window.to_string(), "window mon-fri 09:00-17:00 Europe/Berlin or sat 22:00-02:00 UTC");
    }

    #[test]
    fn days_may_go_over_the_weekend() {
        assert_eq!(weekdays("fri-mon").unwrap(), [true, false, false, false, true, true, true]);
        assert_eq!(weekdays("sat,sun").unwrap(), [false, false, false, false, false, true, true]);
        assert_eq!(weekdays("daily").unwrap(), [true; 7]);
    }

    #[test]
    fn a_freeze_has_whole_days_or_times() {
        let freeze: Freeze = "2026-12-20..2027-01-06  Europe/Berlin".parse().unwrap();
        assert_eq!(freeze.times, [(at("2026-12-19T23:00:00Z"), at("2027-01-06T23:00:00Z"))]);
        assert_eq!(freeze.to_string(), "freeze 2026-12-20..2027-01-06 Europe/Berlin");
        let freeze: Freeze = "2026-12-20T18:00..2026-12-20T19:30 UTC".parse().unwrap();
        assert_eq!(freeze.times, [(at("2026-12-20T18:00:00Z"), at("2026-12-20T19:30:00Z"))]);
    }

    #[test]
    fn of_freezes_that_overlap_the_last_end_is_told() {
        let day = |from: &str, to: &str| (at(from), at(to));
        let times =
            [day("2026-12-01T00:00:00Z", "2026-12-03T00:00:00Z"), day("2026-12-02T00:00:00Z", "2026-12-05T00:00:00Z")];
        let freeze = Freeze::at_times(times, "calendar c.ics:  Two").unwrap();
        assert_eq!(freeze.check(at("2026-12-02T12:00:00Z")).unwrap_err().way_out, "wait until 2026-12-05T00:00:00Z");
        assert!(freeze.check(at("2026-12-01T00:00:00Z")).is_err() && freeze.check(at("2026-12-05T00:00:00Z")).is_ok());
        assert_eq!(freeze.to_string(), "freeze calendar c.ics: Two");
        assert!(Freeze::at_times([], "none").is_err());
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "mon",
            "mon-fri 09:00-17:00",
            "mon-fri 9:00-17:00 UTC",
            "mon-fri 09:00-09:00 UTC",
            "mon-fri 09:00-25:00 UTC",
            "mon-fri 24:00-09:00 UTC",
            "moon 09:00-17:00 UTC",
            "mon- 09:00-17:00 UTC",
            "mon 09:00-17:00 Nowhere/City",
            "mon 09:00-17:00 UTC or",
        ] {
            assert!(text.parse::<Window>().is_err(), "{text}");
        }
        for text in [
            "",
            "2026-12-20 UTC",
            "2026-12-21..2026-12-20 UTC",
            "2026-02-30..2026-03-01 UTC",
            "2026-12-20..2026-12-21",
            "2026-12-20T18:00..2026-12-20T18:00 UTC",
            "calendar holidays.ics",
        ] {
            assert!(text.parse::<Freeze>().is_err(), "{text}");
        }
    }
}
