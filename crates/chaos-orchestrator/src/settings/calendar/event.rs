//! One `VEVENT` of a calendar, RFC 5545 section 3.6.1: when it is, how often, and what it leaves out.

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

use super::lines::{Event, Problem, Property};
use super::moment::{Moment, Nominal, nominal};
use super::recurrence::{Recurrence, Start};

/// What tells the occurrences of an event apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Day(Date),
    At(Timestamp),
}

/// An event that was understood.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) uid: Option<String>,
    /// The occurrence of the event with the same `uid` in whose place this one is.
    pub(super) replaces: Option<Key>,
    /// None if it is cancelled.
    plan: Option<Plan>,
}

#[derive(Debug)]
struct Plan {
    start: Moment,
    length: Length,
    recurrence: Option<Recurrence>,
    except: BTreeSet<Key>,
}

#[derive(Debug)]
enum Length {
    /// By `DTEND`: so long by the clock, and where both are of one zone, so long on its clocks.
    Until { exact: SignedDuration, civil: Option<SignedDuration> },
    /// By `DURATION`, or a day.
    For(Nominal),
}

/// The name of an event for people.
pub(super) fn name(event: &Event) -> String {
    let value = |name: &str| event.properties.iter().find(|property| property.name == name);
    let text = value("SUMMARY").or_else(|| value("UID")).map_or("", |property| property.value.as_str());
    let mut name = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        name.push(match character {
            '\\' => match characters.next() {
                Some('n' | 'N') | None => ' ',
                Some(other) => other,
            },
            control if control.is_control() => ' ',
            other => other,
        });
    }
    // Enough to know it by.
    let name: String = name.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(80).collect();
    if name.is_empty() { "without a name".to_owned() } else { name }
}

impl Entry {
    /// Reads an event. `floating` is the zone of what names none.
    pub(super) fn read(event: &Event, floating: Option<&TimeZone>) -> Result<Self, Problem> {
        let one = |name: &str| {
            let mut all = event.properties.iter().filter(|property| property.name == name);
            match (all.next(), all.next()) {
                (_, Some(second)) => Err(Problem::new(second.line, format!("`{name}` is there twice"))),
                (first, None) => Ok(first),
            }
        };
        let uid = one("UID")?.map(|property| property.value.trim().to_owned());
        let replaces = one("RECURRENCE-ID")?.map(|property| replaced(property, floating)).transpose()?;
        if one("STATUS")?.is_some_and(|property| property.value.trim().eq_ignore_ascii_case("CANCELLED")) {
            return Ok(Self { uid, replaces, plan: None });
        }
        for name in ["RDATE", "EXRULE"] {
            if let Some(property) = event.properties.iter().find(|property| property.name == name) {
                let why = format!("`{name}` is not understood: write an event for each of the times");
                return Err(Problem::new(property.line, why));
            }
        }
        let begin = one("DTSTART")?.ok_or_else(|| Problem::new(event.line, "it has no `DTSTART`"))?;
        let start = moment(begin, floating)?;
        let length = match (one("DTEND")?, one("DURATION")?) {
            (Some(_), Some(second)) => {
                return Err(Problem::new(second.line, "`DTEND` and `DURATION` exclude each other: keep one of them"));
            }
            (Some(end), None) => Length::until(&start, end, floating)?,
            (None, Some(duration)) => {
                let nominal = nominal(&duration.value).map_err(|why| Problem::new(duration.line, why))?;
                if start.is_day && nominal.seconds != 0 {
                    return Err(Problem::new(duration.line, "the event begins with a day, so it lasts days or weeks"));
                }
                Length::For(nominal)
            }
            (None, None) if start.is_day => Length::For(Nominal { days: 1, seconds: 0 }),
            (None, None) => {
                return Err(Problem::new(event.line, "it has no end: give it a `DTEND` or a `DURATION`"));
            }
        };
        let recurrence = match one("RRULE")? {
            Some(rule) => {
                let read = Recurrence::read(&rule.value, &start);
                Some(read.map_err(|why| Problem::new(rule.line, why))?)
            }
            None => None,
        };
        let mut except = BTreeSet::new();
        for property in event.properties.iter().filter(|property| property.name == "EXDATE") {
            let wrong = |why: String| Problem::new(property.line, why);
            for moment in Moment::all(property, floating).map_err(wrong)? {
                if moment.is_day != start.is_day {
                    return Err(wrong("`EXDATE` and `DTSTART` should both be days or both be times".to_owned()));
                }
                except.insert(key(&moment).map_err(wrong)?);
            }
        }
        let plan = Plan { start, length, recurrence, except };
        // Whether it has an end at all, whatever is left out of it.
        let first = plan.first().map_err(|why| Problem::new(begin.line, why))?;
        let end = plan.end(first).map_err(|why| Problem::new(begin.line, why))?;
        if end <= first.at {
            return Err(Problem::new(begin.line, "it ends before it begins, or lasts no time: mend its `DTEND`"));
        }
        Ok(Self { uid, replaces, plan: Some(plan) })
    }

    /// From when until when it is, as far as that is not over at `from`. What recurs is looked at until `to`. `elsewhere` are
    /// the occurrences that other events stand in for.
    pub(super) fn times(
        &self,
        from: Timestamp,
        to: Timestamp,
        elsewhere: &BTreeSet<Key>,
    ) -> Result<Vec<(Timestamp, Timestamp)>, String> {
        let Some(plan) = &self.plan else { return Ok(Vec::new()) };
        let first = plan.first()?;
        let starts = match &plan.recurrence {
            None => vec![first],
            Some(recurrence) => {
                // Two days for what clocks do in between.
                let longest = plan.end(first)?.duration_since(first.at) + SignedDuration::from_hours(48);
                recurrence.starts(&plan.start, from.checked_sub(longest).unwrap_or(Timestamp::MIN), to)
            }
        };
        let mut times = Vec::new();
        for start in starts {
            let key = if plan.start.is_day { Key::Day(start.civil.date()) } else { Key::At(start.at) };
            let end = plan.end(start)?;
            if end > from && !plan.except.contains(&key) && !elsewhere.contains(&key) {
                times.push((start.at, end));
            }
        }
        Ok(times)
    }
}

impl Plan {
    fn first(&self) -> Result<Start, String> {
        Ok(Start { civil: self.start.civil, at: self.start.timestamp()? })
    }

    /// When an occurrence is over. Where clocks are changed in it, hours by the clock and hours on the clocks differ: the
    /// later end counts.
    fn end(&self, start: Start) -> Result<Timestamp, String> {
        let out = || format!("what begins at `{}` ends out of range", start.civil);
        match &self.length {
            Length::Until { exact, civil } => {
                let exact = start.at.checked_add(*exact).map_err(|_| out())?;
                let Some(civil) = civil else { return Ok(exact) };
                let civil = start.civil.checked_add(*civil).map_err(|_| out())?;
                let civil = self.start.at(civil)?;
                // A day ends with its last hour, however many it has.
                Ok(if self.start.is_day { civil } else { civil.max(exact) })
            }
            Length::For(Nominal { days, seconds }) => {
                let days = Span::new().try_days(*days).map_err(|_| out())?;
                let civil: DateTime = start.civil.checked_add(days).map_err(|_| out())?;
                let at = self.start.at(civil)?;
                at.checked_add(SignedDuration::from_secs(*seconds)).map_err(|_| out())
            }
        }
    }
}

impl Length {
    fn until(start: &Moment, property: &Property, floating: Option<&TimeZone>) -> Result<Self, Problem> {
        let wrong = |why: String| Problem::new(property.line, why);
        let end = moment(property, floating)?;
        if end.is_day != start.is_day {
            return Err(wrong("`DTEND` and `DTSTART` should both be days or both be times".to_owned()));
        }
        let (begin, last) = (start.timestamp().map_err(wrong)?, end.timestamp().map_err(wrong)?);
        let civil = (end.is_day || end.zone == start.zone).then(|| end.civil.duration_since(start.civil));
        Ok(Self::Until { exact: last.duration_since(begin), civil })
    }
}

fn moment(property: &Property, floating: Option<&TimeZone>) -> Result<Moment, Problem> {
    Moment::of(property, floating).map_err(|why| Problem::new(property.line, why))
}

fn key(moment: &Moment) -> Result<Key, String> {
    if moment.is_day { Ok(Key::Day(moment.civil.date())) } else { moment.timestamp().map(Key::At) }
}

fn replaced(property: &Property, floating: Option<&TimeZone>) -> Result<Key, Problem> {
    if let Some(range) = property.parameter("RANGE") {
        let why = format!("`RANGE={range}` is not understood: end the old event by `UNTIL` and write a new one");
        return Err(Problem::new(property.line, why));
    }
    key(&moment(property, floating)?).map_err(|why| Problem::new(property.line, why))
}
