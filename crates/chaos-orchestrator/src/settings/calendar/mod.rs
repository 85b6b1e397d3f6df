//! Freezes from an iCalendar file, RFC 5545. What is not understood is an error: a freeze that is missed breaks something.
//!
//! It is read here and not by one of the crates for it, since those that know recurrences bring chrono and a second data base of
//! time zones, and leave out what they do not understand.

mod event;
mod lines;
mod moment;
mod recurrence;

use std::collections::{BTreeMap, BTreeSet};

use chaos_core::Freeze;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use event::{Entry, Key};
use lines::{Calendar, Event, Problem};
pub(super) use moment::zone;

/// How far back and ahead recurring events are looked at, in days: a year and five years. Of others only the end counts.
const BACK: i64 = 366;
const AHEAD: i64 = 5 * 366;

/// More times than any calendar of freezes has. The guard looks at each of them.
const MOST: usize = 20_000;

/// How many mistakes of a file are told.
const TOLD: usize = 20;

/// The freezes of a calendar at `now`. `file` is its name for people and `zone` that of days and times that have none.
///
/// # Errors
/// All that is not understood, each with file and line.
pub(super) fn freezes(
    file: &str,
    bytes: &[u8],
    zone: Option<&TimeZone>,
    now: Timestamp,
) -> Result<Vec<Freeze>, Vec<String>> {
    let place = |problem: &Problem| format!("{file}:{}: {}", problem.line, problem.why);
    let calendars = lines::read(bytes).map_err(|problem| vec![place(&problem)])?;
    let horizon = (around(now, -BACK), around(now, AHEAD));
    let mut found = Found::default();
    let mut problems = Vec::new();
    for calendar in &calendars {
        if let Err(wrong) = read(calendar, zone, horizon, file, &mut found) {
            problems.extend(wrong.iter().map(place));
        }
        if found.times > MOST {
            problems.push(format!(
                "{file}: it has more than {MOST} times from one year ago to five years ahead: make it smaller"
            ));
            break;
        }
    }
    problems.truncate(TOLD);
    if problems.is_empty() { Ok(found.freezes) } else { Err(problems) }
}

/// The freezes of the events that were read, and how many times these have.
#[derive(Debug, Default)]
struct Found {
    freezes: Vec<Freeze>,
    times: usize,
}

fn around(now: Timestamp, days: i64) -> Timestamp {
    let end = if days < 0 { Timestamp::MIN } else { Timestamp::MAX };
    now.checked_add(SignedDuration::from_hours(days * 24)).unwrap_or(end)
}

fn read(
    calendar: &Calendar,
    zone: Option<&TimeZone>,
    (from, to): (Timestamp, Timestamp),
    file: &str,
    found: &mut Found,
) -> Result<(), Vec<Problem>> {
    // What the rule says goes before what the file says.
    let of_file = match (zone, &calendar.zone) {
        (None, Some(property)) => {
            Some(moment::zone(&property.value).map_err(|why| vec![Problem::new(property.line, why)])?)
        }
        _ => None,
    };
    let floating = zone.or(of_file.as_ref());
    let named = |event: &Event, problem: Problem| {
        let why = format!("the event `{}`: {}", event::name(event), problem.why);
        Problem { why, ..problem }
    };
    let mut problems = Vec::new();
    let mut entries = Vec::new();
    let mut replaced: BTreeMap<&str, BTreeSet<Key>> = BTreeMap::new();
    for event in &calendar.events {
        match Entry::read(event, floating) {
            Ok(entry) => entries.push((event, entry)),
            Err(problem) => problems.push(named(event, problem)),
        }
    }
    for (_, entry) in &entries {
        if let (Some(uid), Some(key)) = (&entry.uid, entry.replaces) {
            replaced.entry(uid).or_default().insert(key);
        }
    }
    let nothing = BTreeSet::new();
    for (event, entry) in &entries {
        // Only the event itself has occurrences that others stand in for.
        let uid = entry.uid.as_deref().filter(|_| entry.replaces.is_none());
        let elsewhere = uid.and_then(|uid| replaced.get(uid)).unwrap_or(&nothing);
        let about = format!("calendar {file}: {}", event::name(event));
        match entry.times(from, to, elsewhere) {
            Ok(times) if times.is_empty() => {}
            Ok(times) => {
                found.times += times.len();
                match Freeze::at_times(times, &about) {
                    Ok(freeze) => found.freezes.push(freeze),
                    Err(why) => problems.push(named(event, Problem::new(event.line, why))),
                }
            }
            Err(why) => problems.push(named(event, Problem::new(event.line, why))),
        }
        if found.times > MOST {
            break;
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

#[cfg(test)]
mod tests;
