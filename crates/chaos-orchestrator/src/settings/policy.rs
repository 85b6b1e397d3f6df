//! `chaos.policy`: the rules of all layers, and the calendars that they name.

use std::path::Path;

use chaos_core::{Policy, Rule};
use jiff::Timestamp;
use secrecy::ExposeSecret;

use super::calendar;
use super::error::SettingsError;
use super::file;
use super::layer::{Given, Raw};

/// Many times what a calendar of freezes takes.
const LARGEST: u64 = 4 << 20;

/// The rules of all layers. They add up: none is taken away by a nearer one.
pub(super) fn read(
    layers: &[Given],
    now: Timestamp,
    warnings: &mut Vec<String>,
    errors: &mut Vec<SettingsError>,
) -> Policy {
    let mut policy = Policy::default();
    for given in layers {
        let mut fail = |expected: String| errors.push(SettingsError::Value { name: given.name(), expected });
        let texts: Vec<&str> = match &given.raw {
            Raw::Nothing => continue,
            Raw::Text(text) => vec![text.expose_secret()],
            Raw::List(texts) => texts.iter().map(ExposeSecret::expose_secret).collect(),
            Raw::Tangle => {
                fail("give a list of rules, such as [\"at most 5\", \"protect db-*\"]".to_owned());
                continue;
            }
        };
        let (calendars, rules): (Vec<&str>, Vec<&str>) =
            texts.into_iter().partition(|text| calendar_of(text).is_some());
        match Policy::read(rules) {
            Ok(rules) => policy = policy.narrowed(rules),
            Err(error) => fail(error.message().to_owned()),
        }
        for text in calendars.into_iter().filter_map(calendar_of) {
            match freezes(text, &given.base(), now) {
                Ok(freezes) => {
                    if freezes.is_empty() {
                        warnings.push(format!(
                            "{}: the calendar `{text}` has no event that is not over: it freezes nothing",
                            given.name()
                        ));
                    }
                    policy = policy.narrowed(freezes);
                }
                Err(problems) => problems.into_iter().for_each(&mut fail),
            }
        }
    }
    policy
}

/// What follows `freeze calendar`, if a rule begins so.
fn calendar_of(rule: &str) -> Option<&str> {
    let rest = rule.trim().strip_prefix("freeze")?;
    let rest = rest.trim_start().strip_prefix("calendar").filter(|_| rest.starts_with(char::is_whitespace))?;
    (rest.is_empty() || rest.starts_with(char::is_whitespace)).then(|| rest.trim())
}

/// `FILE [in ZONE]`.
fn freezes(text: &str, base: &Path, now: Timestamp) -> Result<Vec<Rule>, Vec<String>> {
    let (file, zone) = match text.rsplit_once(" in ") {
        Some((file, zone)) => (file.trim(), Some(calendar::zone(zone).map_err(|why| vec![why])?)),
        None => (text, None),
    };
    if file.is_empty() {
        return Err(vec!["it has to say which file: write `freeze calendar holidays.ics`".to_owned()]);
    }
    let path = base.join(file);
    let (bytes, _) = file::bytes_of(&path, LARGEST)
        .map_err(|error| vec![format!("the calendar {} cannot be read: {error}", path.display())])?;
    let freezes = calendar::freezes(file, &bytes, zone.as_ref(), now)?;
    Ok(freezes.into_iter().map(Rule::Freeze).collect())
}

#[cfg(test)]
mod tests {
    use super::calendar_of;

    #[test]
    fn a_calendar_is_told_from_a_freeze() {
        assert_eq!(calendar_of(" freeze  calendar  a b.ics in UTC "), Some("a b.ics in UTC"));
        assert_eq!(calendar_of("freeze calendar"), Some(""));
        for text in ["freeze 2026-12-20..2027-01-06 UTC", "freezecalendar x", "freeze calendars x", "protect calendar"]
        {
            assert_eq!(calendar_of(text), None, "{text}");
        }
    }
}
