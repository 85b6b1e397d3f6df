//! What is compared: an outcome without what differs between any two runs, value by value and in the order of its keys.

use std::fmt;

use anyhow::{Context, Result, bail, ensure};

use super::json::Json;
use super::side::Outcome;

/// What differs from machine to machine and from release to release.
const OF_THE_MACHINE: [&str; 3] = ["chaoslib-version", "platform", "node"];
/// Fields of an answer that no two servers, or no two moments, have in common.
const VOLATILE_FIELDS: [&str; 2] = ["date", "server"];
/// Messages whose end is the HTTP library's, or says more on our side.
const STABLE_BEGINNINGS: [&str; 3] =
    ["failed to connect to", "process activity took too long to complete", "activity took too long to complete"];

/// A place where two outcomes are not the same.
#[derive(Debug, PartialEq)]
pub(super) struct Difference {
    pub(super) at: String,
    pub(super) reference: Option<Json>,
    pub(super) ours: Option<Json>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<Json>| value.as_ref().map_or("nothing".to_owned(), Json::brief);
        write!(f, "{}: {}, the reference has {}", self.at, shown(&self.ours), shown(&self.reference))
    }
}

/// An outcome as one document.
pub(super) fn normal(outcome: &Outcome) -> Result<Json> {
    let journal = match &outcome.journal {
        Some(text) => match Json::parse(text) {
            Ok(mut journal) => {
                journal_of(&mut journal).context("the journal is not as it should be")?;
                journal
            }
            // The reference leaves such a one behind when a value cannot be written.
            Err(_) => Json::text("cut short"),
        },
        None => Json::Null,
    };
    Ok(Json::Object(vec![
        ("exit".to_owned(), Json::Integer(outcome.exit.to_string())),
        ("stdout".to_owned(), Json::text(&outcome.stdout)),
        ("said".to_owned(), Json::List(outcome.said.iter().map(Json::text).collect())),
        ("files".to_owned(), Json::List(outcome.files.iter().map(Json::text).collect())),
        ("trace".to_owned(), outcome.trace.as_ref().map_or(Json::Null, Json::text)),
        ("layout".to_owned(), outcome.journal.as_deref().map_or(Json::Null, layout)),
        ("journal".to_owned(), journal),
    ]))
}

/// How a journal is written: by how much it is indented, and how many characters are written as escapes.
fn layout(journal: &str) -> Json {
    let indented = journal.lines().nth(1).map_or(0, |line| line.len() - line.trim_start().len());
    let escaped = journal.matches("\\u").count();
    let number = |count: usize| Json::Integer(count.to_string());
    Json::Object(vec![("indent".to_owned(), number(indented)), ("escapes".to_owned(), number(escaped))])
}

/// Every difference, in the order of the reference.
pub(super) fn differences(reference: &Json, ours: &Json) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", Some(reference), Some(ours), &mut found);
    found
}

fn compare(at: &str, reference: Option<&Json>, ours: Option<&Json>, found: &mut Vec<Difference>) {
    match (reference, ours) {
        (Some(Json::Object(theirs)), Some(Json::Object(mine))) => {
            for (key, value) in theirs {
                compare(&format!("{at}/{}", escaped(key)), Some(value), ours.and_then(|ours| ours.member(key)), found);
            }
            for (key, value) in mine.iter().filter(|(key, _)| !theirs.iter().any(|(known, _)| known == key)) {
                compare(&format!("{at}/{}", escaped(key)), None, Some(value), found);
            }
            let keys = |members: &[(String, Json)]| members.iter().map(|(key, _)| Json::text(key)).collect::<Vec<_>>();
            let (mut theirs, mut mine) = (keys(theirs), keys(mine));
            let order = (Json::List(theirs.clone()), Json::List(mine.clone()));
            theirs.sort_by_key(ToString::to_string);
            mine.sort_by_key(ToString::to_string);
            if theirs == mine && order.0 != order.1 {
                let at = format!("the order of the keys of {at}");
                found.push(Difference { at, reference: Some(order.0), ours: Some(order.1) });
            }
        }
        (Some(Json::List(theirs)), Some(Json::List(mine))) => {
            for index in 0..theirs.len().max(mine.len()) {
                compare(&format!("{at}/{index}"), theirs.get(index), mine.get(index), found);
            }
        }
        (Some(reference), Some(ours)) if reference.same(ours) => {}
        _ => found.push(Difference { at: at.to_owned(), reference: reference.cloned(), ours: ours.cloned() }),
    }
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Checks the kinds of what cannot be compared, and takes it out.
fn journal_of(journal: &mut Json) -> Result<()> {
    for key in OF_THE_MACHINE {
        replace(journal, key, |value| matches!(value, Json::Text(text) if !text.is_empty()), "text")?;
    }
    span(journal)?;
    for list in ["run", "rollbacks"] {
        journal.member_mut(list).map_or(Ok(()), runs)?;
    }
    if let Some(states) = journal.member_mut("steady_states") {
        for moment in ["before", "after"] {
            states.member_mut(moment).and_then(|state| state.member_mut("probes")).map_or(Ok(()), runs)?;
        }
        if let Some(Json::List(passes)) = states.member_mut("during") {
            for pass in passes.iter_mut() {
                pass.member_mut("probes").map_or(Ok(()), runs)?;
            }
            // How many there are is up to the clock.
            passes.sort_by_key(ToString::to_string);
            passes.dedup();
        }
    }
    Ok(())
}

fn runs(runs: &mut Json) -> Result<()> {
    let Json::List(runs) = runs else { bail!("{runs} is no list of runs") };
    for run in runs {
        span(run)?;
        if let Some(exception) = run.member_mut("exception") {
            *exception = Json::text(message(exception)?);
        }
        let answer = run.member_mut("output").filter(|output| output.member("body").is_some());
        if let Some(Json::Object(fields)) = answer.and_then(|output| output.member_mut("headers")) {
            for (name, _) in fields.iter_mut() {
                name.make_ascii_lowercase();
            }
            fields.retain(|(name, _)| !VOLATILE_FIELDS.contains(&name.as_str()));
        }
    }
    Ok(())
}

/// The times of a run or of the journal.
fn span(value: &mut Json) -> Result<()> {
    for key in ["start", "end"] {
        replace(value, key, |value| matches!(value, Json::Text(text) if is_time(text)), "time")?;
    }
    replace(value, "duration", |value| matches!(value, Json::Float(seconds) if *seconds >= 0.0), "seconds")
}

fn replace(within: &mut Json, key: &str, fits: impl Fn(&Json) -> bool, kind: &str) -> Result<()> {
    if let Some(value) = within.member_mut(key) {
        ensure!(fits(value), "{key} is {value}, which is no {kind}");
        *value = Json::text(format!("<{kind}>"));
    }
    Ok(())
}

/// What went wrong, as the last line of the exception tells it, without the types before it.
fn message(exception: &Json) -> Result<String> {
    let Json::List(lines) = exception else { bail!("an exception is {exception}, which is no list") };
    let Some(Json::Text(last)) = lines.last() else { bail!("an exception does not end with a text") };
    ensure!(lines.iter().all(|line| matches!(line, Json::Text(_))), "an exception has lines that are no texts");
    let text = last.trim_end();
    let text = text.rsplit_once("ActivityFailed: ").map_or(text, |(_, text)| text);
    let stable = STABLE_BEGINNINGS.iter().find(|beginning| text.starts_with(**beginning));
    Ok(stable.map_or(text, |beginning| beginning).to_owned())
}

/// `2026-11-23T03:25:15.855304+00:00`; the fraction is not written where it is zero.
fn is_time(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "0000-00-00T00:00:00.000000+00:00" || shape == "0000-00-00T00:00:00+00:00"
}

#[cfg(test)]
mod tests {
    use super::super::side::Outcome;
    use super::{differences, is_time, normal};

    fn outcome(journal: &str) -> Outcome {
        let (stdout, files, journal) = (String::new(), Vec::new(), Some(journal.to_owned()));
        Outcome { exit: 0, stdout, said: Vec::new(), files, trace: None, journal }
    }

    fn found(reference: &str, ours: &str) -> Vec<String> {
        let (reference, ours) = (normal(&outcome(reference)).unwrap(), normal(&outcome(ours)).unwrap());
        let (reference, ours) = (reference.member("journal").unwrap(), ours.member("journal").unwrap());
        differences(reference, ours).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn times_machines_and_tracebacks_are_no_differences() {
        let reference = r#"{"node": "a", "start": "2026-11-23T03:25:15.855304+00:00", "duration": 0.25, "run": [
            {"exception": ["Traceback\n", "chaoslib.exceptions.ActivityFailed: KeyError: 'x'\n"],
             "output": {"status": 200, "headers": {"content-type": "x", "date": "now"}, "body": ""}}]}"#;
        let ours = r#"{"node": "b", "start": "2026-11-24T03:25:15+00:00", "duration": 1.5, "run": [
            {"exception": ["KeyError: 'x'"],
             "output": {"status": 200, "headers": {"Content-Type": "x"}, "body": ""}}]}"#;
        assert_eq!(found(reference, ours), [""; 0]);
    }

    #[test]
    fn values_kinds_of_numbers_order_and_missing_ones_are_differences() {
        assert_eq!(found(r#"{"a": 1}"#, r#"{"a": 1.0}"#), ["/a: 1.0, the reference has 1"]);
        assert_eq!(found(r#"{"a": [1]}"#, r#"{"a": []}"#), ["/a/0: nothing, the reference has 1"]);
        let order = found(r#"{"a": 1, "b": 2}"#, r#"{"b": 2, "a": 1}"#);
        assert_eq!(order, [r#"the order of the keys of : ["b", "a"], the reference has ["a", "b"]"#]);
    }

    #[test]
    fn passes_are_told_apart_and_not_counted() {
        let state = |passes: &str| format!(r#"{{"steady_states": {{"during": [{passes}]}}}}"#);
        let met = r#"{"steady_state_met": true}"#;
        assert_eq!(found(&state(met), &state(&format!("{met}, {met}"))), [""; 0]);
        assert_eq!(found(&state(met), &state("")).len(), 1);
    }

    #[test]
    fn a_time_or_duration_of_another_kind_is_an_error() {
        assert!(normal(&outcome(r#"{"duration": 1}"#)).is_err() && normal(&outcome(r#"{"start": "now"}"#)).is_err());
        assert!(!is_time("2026-11-23T03:25:15.855304Z"));
    }
}
