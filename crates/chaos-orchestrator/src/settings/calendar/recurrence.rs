//! Recurrence rules, RFC 5545 section 3.3.10, as far as they are understood; anything else is an error, never left out.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::AmbiguousOffset;
use jiff::{Span, Timestamp};

use super::moment::{Moment, Written, written};

/// How large a `COUNT` or an `INTERVAL` may be: 27 years of days.
const MOST: usize = 10_000;

/// An `RRULE`.
#[derive(Debug, PartialEq)]
pub(super) struct Recurrence {
    every: Every,
    interval: i64,
    count: Option<usize>,
    until: Option<Written>,
    /// Of a week, as days from its first one, in order.
    days: Vec<i64>,
    week_start: Weekday,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Every {
    Year,
    Month,
    Week,
    Day,
}

/// One time at which an event begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) civil: DateTime,
    pub(super) at: Timestamp,
}

impl Recurrence {
    /// Reads the rule of an event that first begins at `start`.
    pub(super) fn read(text: &str, start: &Moment) -> Result<Self, String> {
        let mut parts: Vec<(String, String)> = Vec::new();
        for part in text.trim().split(';').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').ok_or_else(|| format!("`{part}` of `RRULE` is not understood"))?;
            let (name, value) = (name.trim().to_ascii_uppercase(), value.trim().to_ascii_uppercase());
            if parts.iter().any(|(known, _)| *known == name) {
                return Err(format!("`{name}` is twice in `RRULE`"));
            }
            parts.push((name, value));
        }
        let mut take = |name: &str| {
            let at = parts.iter().position(|(known, _)| known == name)?;
            Some(parts.remove(at).1)
        };
        let every = match take("FREQ").as_deref() {
            Some("YEARLY") => Every::Year,
            Some("MONTHLY") => Every::Month,
            Some("WEEKLY") => Every::Week,
            Some("DAILY") => Every::Day,
            other => {
                let given = other.unwrap_or("nothing");
                return Err(format!("`FREQ` is `{given}`, and only YEARLY, MONTHLY, WEEKLY and DAILY are understood"));
            }
        };
        let interval = take("INTERVAL").map_or(Ok(1), |text| number("INTERVAL", &text))?;
        let count = take("COUNT").map(|text| number("COUNT", &text)).transpose()?;
        let until = take("UNTIL").map(|text| written(&text)).transpose()?;
        if count.is_some() && until.is_some() {
            return Err("`COUNT` and `UNTIL` exclude each other: keep one of them".to_owned());
        }
        let week_start = take("WKST").map_or(Ok(Weekday::Monday), |text| weekday(&text))?;
        let mut days = match (every, take("BYDAY")) {
            (Every::Week, Some(text)) => text.split(',').map(weekday).collect::<Result<Vec<_>, _>>()?,
            (_, Some(text)) => return Err(format!("`BYDAY={text}` is understood only with `FREQ=WEEKLY`")),
            (_, None) => vec![start.civil.date().weekday()],
        };
        if !days.contains(&start.civil.date().weekday()) {
            return Err(
                "`BYDAY` leaves out the day of `DTSTART`: let it begin on the first day that is meant".to_owned()
            );
        }
        // What says once more what `DTSTART` says already.
        let date = start.civil.date();
        let same = |text: Option<String>, number: i8| text.is_none_or(|text| text.parse() == Ok(number));
        let is_plain = match every {
            Every::Year => {
                let (month, day) = (take("BYMONTH"), take("BYMONTHDAY"));
                // A day without a month means that day of each month.
                (day.is_none() || month.is_some()) && same(month, date.month()) && same(day, date.day())
            }
            Every::Month => same(take("BYMONTHDAY"), date.day()),
            Every::Week | Every::Day => true,
        };
        if !is_plain {
            let why = "`BYMONTH` and `BYMONTHDAY` are understood only where they say what `DTSTART` says";
            return Err(why.to_owned());
        }
        if let Some((name, value)) = parts.first() {
            return Err(format!("`{name}={value}` of `RRULE` is not understood"));
        }
        if until.is_some_and(|until| start.timestamp().is_ok_and(|at| is_behind(until, start, start.civil, at))) {
            return Err("`UNTIL` is before `DTSTART`".to_owned());
        }
        let offset = |day: &Weekday| i64::from(day.since(week_start));
        days.sort_by_key(offset);
        days.dedup();
        let count = count.map(usize::try_from).transpose().map_err(|_| "`COUNT` is too large".to_owned())?;
        Ok(Self { every, interval, count, until, days: days.iter().map(offset).collect(), week_start })
    }

    /// The times at which it begins, from `from` to `to`.
    pub(super) fn starts(&self, start: &Moment, from: Timestamp, to: Timestamp) -> Vec<Start> {
        let mut found = Vec::new();
        let mut counted = 0;
        let last = to.to_zoned(start.zone.clone()).date();
        let mut period = self.first_period(start, from);
        loop {
            let Some((begin, dates)) = self.period(start.civil.date(), period) else { return found };
            if begin > last {
                return found;
            }
            for date in dates.into_iter().filter(|date| *date >= start.civil.date()) {
                let civil = date.to_datetime(start.civil.time());
                // Behind the last date of all.
                let Ok(at) = start.at(civil) else { return found };
                let is_over = self.until.is_some_and(|until| is_behind(until, start, civil, at));
                if is_over || at > to || self.count.is_some_and(|count| counted >= count) {
                    return found;
                }
                // A time that clocks skip does not count, section 3.3.10. It is a freeze all the same: better one more.
                let offset = start.zone.to_ambiguous_timestamp(civil).offset();
                counted += usize::from(!matches!(offset, AmbiguousOffset::Gap { .. }));
                if at >= from {
                    found.push(Start { civil, at });
                }
            }
            period += 1;
        }
    }

    /// The period to begin with: without a count there is no need to go through what is long over.
    fn first_period(&self, start: &Moment, from: Timestamp) -> i64 {
        if self.count.is_some() {
            return 0;
        }
        let (first, from) = (start.civil.date(), from.to_zoned(start.zone.clone()).date());
        let months = |date: Date| i64::from(date.year()) * 12 + i64::from(date.month());
        let days = || first.until(from).map_or(0, |span| i64::from(span.get_days()));
        let passed = match self.every {
            Every::Year => i64::from(from.year()) - i64::from(first.year()),
            Every::Month => months(from) - months(first),
            Every::Week => days() / 7,
            Every::Day => days(),
        };
        (passed / self.interval - 1).max(0)
    }

    /// The first day of a period, and those of its days on which the event may begin; none behind the end of time.
    fn period(&self, first: Date, number: i64) -> Option<(Date, Vec<Date>)> {
        let steps = number.checked_mul(self.interval)?;
        let after = |from: Date, days: i64| from.checked_add(Span::new().try_days(days).ok()?).ok();
        let in_month = |year: i64, month: i64| {
            let (year, month) = (i16::try_from(year).ok()?, i8::try_from(month).ok()?);
            // The 30th of February does not recur, section 3.3.10.
            Some((Date::new(year, month, 1).ok()?, Date::new(year, month, first.day()).ok().into_iter().collect()))
        };
        match self.every {
            Every::Year => in_month(i64::from(first.year()).checked_add(steps)?, i64::from(first.month())),
            Every::Month => {
                let months = (i64::from(first.month()) - 1).checked_add(steps)?;
                in_month(i64::from(first.year()) + months.div_euclid(12), months.rem_euclid(12) + 1)
            }
            Every::Day => after(first, steps).map(|date| (date, vec![date])),
            Every::Week => {
                let into = i64::from(first.weekday().since(self.week_start));
                let week = after(first, steps.checked_mul(7)?.checked_sub(into)?)?;
                Some((week, self.days.iter().filter_map(|day| after(week, *day)).collect()))
            }
        }
    }
}

/// Whether a time is behind the `UNTIL` of its rule. Where that is of another kind than `DTSTART`, which RFC 5545 does not
/// allow and programs write, all that may be meant is within it.
fn is_behind(until: Written, start: &Moment, civil: DateTime, at: Timestamp) -> bool {
    match until {
        Written::Day(last) => civil.date() > last,
        Written::Local(last) => civil > last,
        Written::Utc(last) => {
            let last_at = last.to_zoned(jiff::tz::TimeZone::UTC).map_or(Timestamp::MAX, |last| last.timestamp());
            at > last_at && (!start.is_day || civil.date() > last.date())
        }
    }
}

fn number(name: &str, text: &str) -> Result<i64, String> {
    let most = i64::try_from(MOST).unwrap_or(i64::MAX);
    let number = text.parse().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| format!("`{name}` is `{text}`, and should be a number from 1 to {MOST}"))
}

fn weekday(text: &str) -> Result<Weekday, String> {
    match text {
        "MO" => Ok(Weekday::Monday),
        "TU" => Ok(Weekday::Tuesday),
        "WE" => Ok(Weekday::Wednesday),
        "TH" => Ok(Weekday::Thursday),
        "FR" => Ok(Weekday::Friday),
        "SA" => Ok(Weekday::Saturday),
        "SU" => Ok(Weekday::Sunday),
        other => Err(format!("`{other}` of `RRULE` is no plain day of the week, such as `MO`")),
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn moment(text: &str, zone: &str) -> Moment {
        let (civil, is_day) = match written(text).unwrap() {
            Written::Day(date) => (date.at(0, 0, 0, 0), true),
            Written::Local(civil) | Written::Utc(civil) => (civil, false),
        };
        Moment { civil, zone: TimeZone::get(zone).unwrap(), is_day }
    }

    /// The days on which a rule begins from 2026 to 2031.
    fn days(start: &str, rule: &str) -> Vec<String> {
        let start = moment(start, "Europe/Berlin");
        let (from, to) = ("2025-12-31T23:00:00Z".parse().unwrap(), "2031-12-31T00:00:00Z".parse().unwrap());
        let starts = Recurrence::read(rule, &start).unwrap().starts(&start, from, to);
        starts.iter().map(|start| start.civil.strftime("%y%m%d").to_string()).collect()
    }

    #[test]
    fn each_frequency_recurs_as_it_says() {
        assert_eq!(days("20201224", "FREQ=YEARLY;UNTIL=20281224"), ["261224", "271224", "281224"]);
        assert_eq!(days("20240229", "FREQ=YEARLY"), ["280229"], "only in leap years");
        assert_eq!(days("20260131", "FREQ=MONTHLY;COUNT=3"), ["260131", "260331", "260531"], "no 30th of February");
        assert_eq!(days("20251101", "FREQ=MONTHLY;INTERVAL=6;UNTIL=20270601"), ["260501", "261101", "270501"]);
        assert_eq!(days("20251230", "FREQ=DAILY;COUNT=5"), ["260101", "260102", "260103"]);
        assert_eq!(days("20260101", "FREQ=DAILY;INTERVAL=100;UNTIL=20260801"), ["260101", "260411", "260720"]);
        assert_eq!(days("20261224", "freq=daily;count=1;"), ["261224"]);
        assert_eq!(days("20201224", "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24;COUNT=7"), ["261224"]);
    }

    #[test]
    fn weeks_have_days_and_a_first_one() {
        let four = ["260102", "260105", "260107", "260109"];
        assert_eq!(days("20260102", "FREQ=WEEKLY;BYDAY=MO,WE,FR;COUNT=4"), four);
        // The example of RFC 5545 in which the first day of the week makes the difference.
        assert_eq!(
            days("20260804", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO"),
            ["260804", "260809", "260818", "260823"]
        );
        assert_eq!(
            days("20260804", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU"),
            ["260804", "260816", "260818", "260830"]
        );
        // From long ago, every other week, without a count.
        let all = days("19990105", "FREQ=WEEKLY;INTERVAL=2;UNTIL=20260201");
        assert_eq!(all, ["260113", "260127"]);
    }

    #[test]
    fn an_end_of_another_kind_leaves_nothing_out() {
        let at = |until: &str| days("20260101T120000", &format!("FREQ=DAILY;UNTIL={until}")).len();
        assert_eq!(
            (at("20260103"), at("20260103T110000Z"), at("20260103T105959Z"), at("20260103T120000")),
            (3, 3, 2, 3)
        );
        let day = |until: &str| days("20260101", &format!("FREQ=DAILY;UNTIL={until}")).len();
        // Its day in UTC or in the zone, whichever is later, and the begin of the last one in either.
        assert_eq!((day("20260103T235959Z"), day("20260103T000000Z"), day("20260102T230000Z")), (4, 3, 3));
    }

    #[test]
    fn skipping_what_is_over_changes_nothing() {
        for rule in [
            "FREQ=DAILY;INTERVAL=7",
            "FREQ=WEEKLY;INTERVAL=3;BYDAY=WE,SA",
            "FREQ=MONTHLY;INTERVAL=5",
            "FREQ=YEARLY;INTERVAL=3",
        ] {
            let start = moment("19980131T023000", "Europe/Berlin");
            let rule = Recurrence::read(rule, &start).unwrap();
            let to = "2031-12-31T00:00:00Z".parse().unwrap();
            let from: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
            let mut all = rule.starts(&start, Timestamp::UNIX_EPOCH, to);
            all.retain(|start| start.at >= from);
            assert_eq!(rule.starts(&start, from, to), all, "{rule:?}");
        }
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for (rule, why) in [
            ("", "`FREQ` is `nothing`"),
            ("FREQ=HOURLY", "HOURLY"),
            ("FREQ=DAILY;COUNT=0", "`COUNT` is `0`"),
            ("FREQ=DAILY;INTERVAL=x", "`INTERVAL` is `X`"),
            ("FREQ=DAILY;COUNT=2;UNTIL=20280101", "exclude each other"),
            ("FREQ=DAILY;UNTIL=soon", "no date"),
            ("FREQ=DAILY;UNTIL=20250101", "before `DTSTART`"),
            ("FREQ=DAILY;BYDAY=MO", "only with `FREQ=WEEKLY`"),
            ("FREQ=MONTHLY;BYDAY=2TU", "only with `FREQ=WEEKLY`"),
            ("FREQ=WEEKLY;BYDAY=2TH", "no plain day"),
            ("FREQ=WEEKLY;BYDAY=MO", "leaves out the day of `DTSTART`"),
            ("FREQ=MONTHLY;BYMONTHDAY=-1", "only where they say"),
            ("FREQ=YEARLY;BYMONTHDAY=24", "only where they say"),
            ("FREQ=YEARLY;BYMONTH=1,12", "only where they say"),
            ("FREQ=MONTHLY;BYSETPOS=1", "`BYSETPOS=1`"),
            ("FREQ=DAILY;BYHOUR=9", "`BYHOUR=9`"),
            ("FREQ=DAILY;FREQ=DAILY", "twice"),
            ("FREQ", "`FREQ`"),
        ] {
            let error = Recurrence::read(rule, &moment("20261224", "UTC")).unwrap_err();
            assert!(error.contains(why), "{rule}: {error}");
        }
    }
}
