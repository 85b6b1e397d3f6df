//! The differences that are meant: where we keep someone from harm that the reference does, and what we do instead.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::case::Case;
use super::json::Json;

/// The table, beside the areas of the corpus.
const TABLE: &str = "differences.toml";
/// In place of a value: there is one.
const ANY: &str = "any";

/// One difference, which must be seen: an entry that is not needed is a mistake.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Deliberate {
    /// A case, or with `.*` at the end all variants of one.
    case: String,
    /// The place in the outcome: `/exit`, `/trace`, `/files`, `/journal` or one in it.
    at: String,
    /// What we have there, in JSON (of an object, the members that matter), or `any`; nothing if it is missing on our side.
    ours: Option<String>,
    /// The item of the reference's behaviour.
    #[expect(dead_code, reason = "for who reads the table")]
    item: String,
    #[expect(dead_code, reason = "for who reads the table")]
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    difference: Vec<Deliberate>,
}

/// Reads the table; each entry names a case that exists.
pub(super) fn load(corpus: &Path, cases: &[Case]) -> Result<Vec<Deliberate>> {
    let path = corpus.join(TABLE);
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let table: Table = toml::from_str(&text).with_context(|| format!("{}", path.display()))?;
    for entry in &table.difference {
        ensure!(cases.iter().any(|case| entry.is_of(&case.name)), "{TABLE}: there is no case {}", entry.case);
    }
    Ok(table.difference)
}

impl Deliberate {
    /// Whether it is about that case.
    pub(super) fn is_of(&self, name: &str) -> bool {
        match self.case.strip_suffix(".*") {
            Some(entry) => name.rsplit_once('.').is_some_and(|(whole, _)| whole == entry),
            None => name == self.case,
        }
    }

    /// Checks what we do, and takes the place out of both outcomes.
    pub(super) fn apply(&self, reference: &mut Json, ours: &mut Json) -> Result<()> {
        let at = &self.at;
        let (theirs, mine) = (reference.at(at).cloned(), ours.at(at).cloned());
        ensure!(theirs != mine, "{at} is the same on both sides: the deliberate difference is not needed");
        match (&self.ours, &mine) {
            (Some(expected), Some(_)) if expected == ANY => {}
            (Some(expected), Some(found)) => {
                let expected = Json::parse(expected).context("a deliberate difference is not JSON")?;
                ensure!(expected.is_part_of(found), "{at} is {}, and is meant to be {expected}", found.brief());
            }
            (None, None) => {}
            (Some(expected), None) => bail!("{at} is missing, and is meant to be {expected}"),
            (None, Some(found)) => bail!("{at} is {}, and is meant to be missing", found.brief()),
        }
        let both = theirs.is_some() && mine.is_some();
        for (side, found) in [(reference, theirs), (ours, mine)] {
            if found.is_some() {
                side.put(at, both.then(|| Json::text("<deliberate>")))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::Json;
    use super::{Deliberate, Table};

    fn entry(at: &str, ours: Option<&str>) -> Deliberate {
        let ours = ours.map(|ours| format!("ours = '{ours}'\n")).unwrap_or_default();
        let text = format!("[[difference]]\ncase = 'a.*'\nat = '{at}'\n{ours}item = 'X-01'\nreason = 'because'\n");
        let table: Table = toml::from_str(&text).unwrap();
        table.difference.into_iter().next().unwrap()
    }

    fn applied(entry: &Deliberate, reference: &str, ours: &str) -> Result<bool, String> {
        let (mut reference, mut ours) = (Json::parse(reference).unwrap(), Json::parse(ours).unwrap());
        entry.apply(&mut reference, &mut ours).map_err(|error| error.to_string())?;
        Ok(reference == ours)
    }

    #[test]
    fn a_difference_that_is_meant_is_taken_out() {
        assert_eq!(applied(&entry("/exit", Some("1")), r#"{"exit": 0}"#, r#"{"exit": 1}"#), Ok(true));
        assert_eq!(applied(&entry("/x", None), r#"{"x": 0}"#, "{}"), Ok(true));
        let journal = r#"{"journal": {"status": "failed", "run": []}}"#;
        let expected = Some(r#"{"status": "failed"}"#);
        assert_eq!(applied(&entry("/journal", expected), r#"{"journal": null}"#, journal), Ok(true));
    }

    #[test]
    fn another_difference_than_the_one_that_is_meant_or_none_is_an_error() {
        assert!(applied(&entry("/exit", Some("1")), r#"{"exit": 0}"#, r#"{"exit": 2}"#).is_err());
        assert!(applied(&entry("/exit", Some("0")), r#"{"exit": 0}"#, r#"{"exit": 0}"#).is_err());
        assert!(applied(&entry("/x", None), "{}", r#"{"x": 0}"#).is_err());
    }

    #[test]
    fn an_entry_may_be_for_all_variants() {
        let entry = entry("/exit", None);
        assert!(entry.is_of("a.1") && entry.is_of("a.12") && !entry.is_of("a") && !entry.is_of("b.1"));
    }
}
