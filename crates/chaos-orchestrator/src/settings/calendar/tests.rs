//! Calendars as people and programs write them, and the times at which they freeze.

use proptest::prelude::*;

use super::*;

const NOW: &str = "2026-11-01T12:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A calendar with these lines in its only event.
fn event(lines: &[&str]) -> String {
    let lines = lines.join("\n");
    format!("BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:1\nSUMMARY:Freeze\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n")
}

fn read_in(text: &str, zone: Option<&str>) -> Result<Vec<Freeze>, Vec<String>> {
    let zone = zone.map(|name| moment::zone(name).unwrap());
    freezes("c.ics", text.as_bytes(), zone.as_ref(), at(NOW))
}

/// Whether any fault may be sent at a time.
fn is_frozen(freezes: &[Freeze], time: &str) -> bool {
    freezes.iter().any(|freeze| chaos_core::Rule::Freeze(freeze.clone()).check_time(at(time)).is_err())
}

/// From the first to the last second, and not the ones around them.
#[track_caller]
fn freezes_exactly(freezes: &[Freeze], from: &str, to: &str) {
    let second = SignedDuration::from_secs(1);
    for (time, is) in [(at(from) - second, false), (at(from), true), (at(to) - second, true), (at(to), false)] {
        assert_eq!(is_frozen(freezes, &time.to_string()), is, "{time} of {from} to {to}");
    }
}

#[test]
fn times_are_those_of_their_zone() {
    for (lines, from, to) in [
        (&["DTSTART:20261224T180000Z", "DTEND:20261226T060000Z"][..], "2026-12-24T18:00:00Z", "2026-12-26T06:00:00Z"),
        (
            &["DTSTART;TZID=Europe/Berlin:20261224T180000", "DTEND;TZID=Europe/Berlin:20261224T190000"],
            "2026-12-24T17:00:00Z",
            "2026-12-24T18:00:00Z",
        ),
        // From one zone to another, as a flight is.
        (
            &["DTSTART;TZID=\"Europe/Berlin\":20260701T100000", "DTEND;TZID=America/New_York:20260701T130000"],
            "2026-07-01T08:00:00Z",
            "2026-07-01T17:00:00Z",
        ),
        (&["DTSTART:20261224T180000Z", "DURATION:PT90M"], "2026-12-24T18:00:00Z", "2026-12-24T19:30:00Z"),
    ] {
        freezes_exactly(&read_in(&event(lines), None).unwrap(), from, to);
    }
}

#[test]
fn days_are_whole_and_the_end_is_the_first_free_one() {
    let berlin = Some("Europe/Berlin");
    let one = read_in(&event(&["DTSTART;VALUE=DATE:20261224"]), berlin).unwrap();
    freezes_exactly(&one, "2026-12-23T23:00:00Z", "2026-12-24T23:00:00Z");
    let several = read_in(&event(&["DTSTART;VALUE=DATE:20261220", "DTEND;VALUE=DATE:20270107"]), berlin).unwrap();
    freezes_exactly(&several, "2026-12-19T23:00:00Z", "2027-01-06T23:00:00Z");
    let week = read_in(&event(&["DTSTART;VALUE=DATE:20261220", "DURATION:P1W"]), berlin).unwrap();
    freezes_exactly(&week, "2026-12-19T23:00:00Z", "2026-12-26T23:00:00Z");
    assert_eq!(chaos_core::Rule::Freeze(one[0].clone()).to_string(), "freeze calendar c.ics: Freeze");
}

#[test]
fn days_and_nights_in_which_clocks_change() {
    let berlin = Some("Europe/Berlin");
    // 23 and 25 hours.
    let spring = read_in(&event(&["DTSTART;VALUE=DATE:20260329", "DTEND;VALUE=DATE:20260330"]), berlin).unwrap();
    freezes_exactly(&spring, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z");
    let days = event(&["DTSTART;VALUE=DATE:20260101", "DTEND;VALUE=DATE:20260102", "RRULE:FREQ=DAILY"]);
    let days = read_in(&days, berlin).unwrap();
    assert!(["2026-03-29T22:30:00Z", "2026-10-25T22:59:59Z"].iter().all(|time| is_frozen(&days, time)), "no gap");
    // 02:30 is skipped in spring: by the offset before, it is 03:30. In autumn the first of the two counts.
    let skipped = read_in(&event(&["DTSTART:20260329T023000", "DURATION:PT1H"]), berlin).unwrap();
    freezes_exactly(&skipped, "2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z");
    let twice = read_in(&event(&["DTSTART:20261025T023000", "DURATION:PT1H"]), berlin).unwrap();
    freezes_exactly(&twice, "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z");
    // A night of eight hours from 22 to 6: whichever end is later, that of the clock or that on the clocks.
    let nights = event(&["DTSTART:20260110T220000", "DTEND:20260111T060000", "RRULE:FREQ=WEEKLY"]);
    let nights = read_in(&nights, berlin).unwrap();
    freezes_exactly(&nights, "2026-03-28T21:00:00Z", "2026-03-29T05:00:00Z");
    freezes_exactly(&nights, "2026-10-24T20:00:00Z", "2026-10-25T05:00:00Z");
    // The same local hour in summer and in winter.
    freezes_exactly(&nights, "2026-07-04T20:00:00Z", "2026-07-05T04:00:00Z");
}

#[test]
fn what_recurs_leaves_out_what_it_says() {
    let weekly = event(&[
        "DTSTART;TZID=Europe/Berlin:20261106T160000",
        "DTEND;TZID=Europe/Berlin:20261106T200000",
        "RRULE:FREQ=WEEKLY;BYDAY=FR;COUNT=5",
        "EXDATE;TZID=Europe/Berlin:20261113T160000,20261120T160000",
        "EXDATE:20261127T150000Z",
    ]);
    let found = read_in(&weekly, None).unwrap();
    assert_eq!(found.len(), 1);
    for left_out in ["2026-11-13T16:00:00Z", "2026-11-20T16:00:00Z", "2026-11-27T16:00:00Z", "2026-12-11T16:00:00Z"] {
        assert!(!is_frozen(&found, left_out), "{left_out}");
    }
    freezes_exactly(&found, "2026-11-06T15:00:00Z", "2026-11-06T19:00:00Z");
    freezes_exactly(&found, "2026-12-04T15:00:00Z", "2026-12-04T19:00:00Z");
    let yearly = ["DTSTART;VALUE=DATE:20001224", "DURATION:P14D", "RRULE:FREQ=YEARLY", "EXDATE;VALUE=DATE:20271224"];
    let found = read_in(&event(&yearly), Some("UTC")).unwrap();
    assert_eq!(found.len(), 1, "one for each event");
    freezes_exactly(&found, "2026-12-24T00:00:00Z", "2027-01-07T00:00:00Z");
    assert!(!is_frozen(&found, "2027-12-25T00:00:00Z"), "left out");
    // From a year ago to five years ahead.
    for (year, is) in [(2024, false), (2025, true), (2030, true), (2031, false)] {
        assert_eq!(is_frozen(&found, &format!("{year}-12-25T00:00:00Z")), is, "{year}");
    }
}

#[test]
fn an_event_that_stands_in_for_an_occurrence_takes_its_place() {
    let text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nDTSTART:20261106T160000Z\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=3\n\
        END:VEVENT\nBEGIN:VEVENT\nUID:a\nRECURRENCE-ID:20261113T160000Z\nDTSTART:20261114T160000Z\nDURATION:PT1H\nEND:VEVENT\n\
        BEGIN:VEVENT\nUID:a\nRECURRENCE-ID:20261120T160000Z\nSTATUS:CANCELLED\nEND:VEVENT\nEND:VCALENDAR\n";
    let found = read_in(text, None).unwrap();
    assert_eq!(found.len(), 2);
    assert!(is_frozen(&found, "2026-11-06T16:00:00Z") && is_frozen(&found, "2026-11-14T16:00:00Z"));
    assert!(!is_frozen(&found, "2026-11-13T16:30:00Z") && !is_frozen(&found, "2026-11-20T16:30:00Z"));
}

#[test]
fn a_calendar_as_programs_export_it() {
    let text = include_str!("exported.ics").replace('\n', "\r\n");
    let found = read_in(&text, None).unwrap();
    let about = |freeze: &Freeze| chaos_core::Rule::Freeze(freeze.clone()).to_string();
    let names: BTreeSet<String> = found.iter().map(about).collect();
    assert_eq!(
        names.into_iter().collect::<Vec<_>>(),
        [
            "freeze calendar c.ics: Betriebsruhe \u{fc}ber die Feiertage, alle Standorte",
            "freeze calendar c.ics: Friday evenings",
            "freeze calendar c.ics: Quarter close; books are open",
        ]
    );
    freezes_exactly(&found, "2026-12-23T23:00:00Z", "2027-01-01T23:00:00Z");
    freezes_exactly(&found, "2026-07-10T14:00:00Z", "2026-07-10T22:00:00Z");
    assert!(!is_frozen(&found, "2026-05-01T12:00:00Z"), "cancelled");
}

#[test]
fn what_is_not_understood_names_file_line_and_event() {
    for (lines, line, why) in [
        (&["DTSTART;VALUE=DATE:20261224"][..], 6, "is a day without a time zone: end the rule with the zone"),
        (&["DTSTART:20261224T180000", "DURATION:PT1H"], 6, "is a time without a time zone"),
        (&["DTSTART;TZID=W. Europe Standard Time:20261224T180000"], 6, "`W. Europe Standard Time` is not known here"),
        (&["DTSTART;TZID=Europe/Berlin:20261224T180000Z"], 6, "keep one of them"),
        (&["DTSTART;VALUE=PERIOD:20261224T180000Z/PT1H"], 6, "no date"),
        (&["DTSTART;VALUE=DATE:20261224T180000Z"], 6, "is not what its `VALUE` says"),
        (&["DTSTART:20261224T180000Z"], 3, "it has no end"),
        (&["DTEND:20261224T180000Z"], 3, "no `DTSTART`"),
        (&["DTSTART:20261224T180000Z", "DTSTART:20261225T180000Z"], 7, "twice"),
        (&["DTSTART:20261224T180000Z", "DTEND:20261224T180000Z"], 6, "lasts no time"),
        (&["DTSTART:20261224T180000Z", "DTEND:20261223T180000Z"], 6, "ends before it begins"),
        (&["DTSTART:20261224T180000Z", "DTEND;VALUE=DATE:20261225"], 7, "without a time zone"),
        (&["DTSTART:20261224T180000Z", "DTEND:20261225T180000Z", "DURATION:PT1H"], 8, "exclude each other"),
        (&["DTSTART:20261224T180000Z", "DURATION:PT1H", "RRULE:FREQ=MONTHLY;BYDAY=2TU"], 8, "`BYDAY=2TU`"),
        (&["DTSTART:20261224T180000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY", "RRULE:FREQ=DAILY"], 9, "twice"),
        (&["DTSTART:20261224T180000Z", "DURATION:PT1H", "RDATE:20261225T180000Z"], 8, "`RDATE` is not understood"),
        (&["DTSTART:20261224T180000Z", "DURATION:PT1H", "EXDATE:soon"], 8, "no date"),
        (
            &["DTSTART:20261224T180000Z", "DURATION:PT1H", "RECURRENCE-ID;RANGE=THISANDFUTURE:20261224T180000Z"],
            8,
            "RANGE",
        ),
    ] {
        let errors = read_in(&event(lines), None).unwrap_err();
        let begin = format!("c.ics:{line}: the event `Freeze`: ");
        assert!(errors[0].starts_with(&begin) && errors[0].contains(why), "{lines:?}: {errors:?}");
    }
    let text = "BEGIN:VCALENDAR\nX-WR-TIMEZONE:Pacific Standard Time\nEND:VCALENDAR\n";
    assert!(read_in(text, None).unwrap_err()[0].starts_with("c.ics:2: the time zone `Pacific Standard Time`"));
    assert!(read_in(text, Some("UTC")).is_ok(), "the rule goes before");
    let many = event(&["DTSTART:20261224T180000Z"]).repeat(30);
    assert_eq!(read_in(&many, None).unwrap_err().len(), TOLD);
}

#[test]
fn a_calendar_too_large_for_the_guard_is_refused() {
    let many = event(&["DTSTART:20200101T180000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY"]).repeat(30);
    let errors = read_in(&many, None).unwrap_err();
    assert!(errors[0].contains("more than 20000 times"), "{errors:?}");
}

fn line() -> impl Strategy<Value = String> {
    let name = prop::sample::select(
        &[
            "DTSTART",
            "DTEND",
            "DURATION",
            "RRULE",
            "EXDATE",
            "RECURRENCE-ID",
            "UID",
            "STATUS",
            "BEGIN",
            "END",
            "X-WR-TIMEZONE",
        ][..],
    );
    let parameter = prop::sample::select(
        &[
            "",
            ";VALUE=DATE",
            ";TZID=Europe/Berlin",
            ";TZID=\"America/New_York\"",
            ";TZID=Pacific/Apia",
            ";VALUE=DATE-TIME",
        ][..],
    );
    let value = prop_oneof![
        "[0-9]{8}(T[0-9]{6}Z?)?",
        "(19|20)[0-9]{2}(0[1-9]|1[0-2])[0-2][0-9](T[01][0-9][0-5][0-9]00Z?)?",
        "-?P([0-9]{1,7}[WD])?(T[0-9]{1,7}[HMS])?",
        "FREQ=(YEARLY|MONTHLY|WEEKLY|DAILY);(INTERVAL|COUNT)=[0-9]{1,4}(;BYDAY=(MO|TU|FR),SU)?(;UNTIL=[0-9]{8})?",
        "(VEVENT|VCALENDAR|VALARM|CANCELLED)",
        ".{0,20}",
    ];
    (name, parameter, value).prop_map(|(name, parameter, value)| format!("{name}{parameter}:{value}\n"))
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in ".{0,200}") {
        drop(freezes("c.ics", &bytes, None, at(NOW)));
        drop(freezes("c.ics", text.as_bytes(), Some(&TimeZone::UTC), at(NOW)));
    }

    #[test]
    fn no_calendar_makes_it_panic(lines in prop::collection::vec(line(), 0..8), now in any::<i32>()) {
        let now = Timestamp::from_second(i64::from(now) * 90).unwrap();
        let text = event(&[&lines.concat()]);
        drop(freezes("c.ics", text.as_bytes(), Some(&TimeZone::UTC), now));
    }
}
