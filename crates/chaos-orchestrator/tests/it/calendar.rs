//! Calendars that the rules of settings files name: where they are looked for, and what is said of those that cannot be read.

use std::fs;
use std::path::Path;

use chaos_core::Policy;
use chaos_orchestrator::{Settings, Sources};
use jiff::Timestamp;
use secrecy::SecretString;

const NOW: &str = "2026-11-01T00:00:00Z";

const CALENDAR: &str = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Year end\r\nDTSTART;VALUE=DATE:20261220\r\n\
                        DTEND;VALUE=DATE:20270107\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

fn time(text: &str) -> Timestamp {
    text.parse().expect("it is a time")
}

fn load(directory: &Path, rules: &str) -> Result<Settings, String> {
    fs::write(directory.join("chaosmonkey.yaml"), format!("chaos:\n  policy: [{rules}]\n")).expect("written");
    Sources::none().project(directory).at(time(NOW)).load().map_err(|error| error.to_string())
}

fn is_open(policy: &Policy, at: &str) -> bool {
    policy.rules().iter().all(|rule| rule.check_time(time(at)).is_ok())
}

#[test]
fn a_calendar_beside_the_settings_file_freezes() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("my freezes")).unwrap();
    fs::write(directory.path().join("my freezes/c.ics"), CALENDAR).unwrap();
    let settings = load(directory.path(), "at most 5, freeze calendar my freezes/c.ics in Europe/Berlin").unwrap();
    let policy = &settings.chaos.policy;
    assert_eq!(policy.to_string(), "at most 5\nfreeze calendar my freezes/c.ics: Year end");
    assert!(is_open(policy, "2026-12-19T22:59:59Z") && !is_open(policy, "2026-12-19T23:00:00Z"));
    assert!(!is_open(policy, "2027-01-06T22:59:59Z") && is_open(policy, "2027-01-06T23:00:00Z"));
    let denial = policy.rules()[1].check_time(time("2026-12-24T00:00:00Z")).unwrap_err();
    assert_eq!(
        denial.to_string(),
        "there is a freeze from 2026-12-19T23:00:00Z: refused by the rule `freeze calendar my freezes/c.ics: Year end`; wait \
         until 2027-01-06T23:00:00Z"
    );
    assert!(settings.warnings().is_empty(), "{:?}", settings.warnings());
}

#[test]
fn a_flag_names_it_from_the_working_directory() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("c.ics");
    fs::write(&file, CALENDAR).unwrap();
    let rule = |file: &str| SecretString::from(format!("freeze calendar {file} in UTC"));
    let sources = |file: &str| Sources::none().flag("chaos.policy", rule(file), "--set");
    let found = sources(file.to_str().unwrap()).at(time(NOW)).load().unwrap();
    assert!(!is_open(&found.chaos.policy, "2026-12-24T00:00:00Z"));
    let error = sources("c.ics").load().unwrap_err().to_string();
    assert!(error.contains("the calendar c.ics cannot be read"), "{error}");
}

#[test]
fn one_that_cannot_be_read_is_an_error_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::write(path("c.ics"), CALENDAR).unwrap();
    fs::write(path("large.ics"), vec![b'\n'; (4 << 20) + 1]).unwrap();
    fs::write(path("cut.ics"), &CALENDAR[..40]).unwrap();
    for (rule, why) in [
        ("freeze calendar", "it has to say which file"),
        ("freeze calendar none.ics", "none.ics cannot be read"),
        ("freeze calendar .", "it is no plain file"),
        ("freeze calendar large.ics", "it is larger than 4194304 bytes"),
        ("freeze calendar cut.ics in UTC", "cut.ics:2: `BEGIN:VEVENT` has no end"),
        ("freeze calendar c.ics", "c.ics:4: the event `Year end`: `20261220` is a day without a time zone"),
        ("freeze calendar c.ics in Nowhere/City", "`Nowhere/City` is not known here"),
    ] {
        let error = load(directory.path(), rule).unwrap_err();
        assert!(error.contains("chaosmonkey.yaml:2") && error.contains(why), "{rule}: {error}");
    }
}

#[test]
fn one_in_which_all_is_over_is_told() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("c.ics"), CALENDAR.replace("2026", "2006").replace("2027", "2007")).unwrap();
    let settings = load(directory.path(), "freeze calendar c.ics in UTC").unwrap();
    assert!(settings.chaos.policy.is_empty());
    assert!(settings.warnings()[0].contains("it freezes nothing"), "{:?}", settings.warnings());
}
