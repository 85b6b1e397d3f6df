//! The differences that are meant: where we keep someone from harm that the reference does, and what we do instead.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::case::Case;
use super::json::Json;

/// The table, beside the areas of the corpus.
const TABLE: &str = "differences.toml";
/// In place of a value: there is one.
const ANY: &str = "any";
/// In place of a value: there is none.
const NOTHING: &str = "nothing";

/// Differences that have their reason in common.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Deliberate {
    /// Cases, or with `.*` at the end all variants of one.
    cases: Vec<String>,
    /// What we have at which place (`/exit`, `/trace`, `/files`, `/journal` or one in it), in JSON: of an object, the members
    /// that matter.
    ours: BTreeMap<String, String>,
    /// The items of the reference's behaviour.
    #[expect(dead_code, reason = "for who reads the table")]
    items: Vec<String>,
    #[expect(dead_code, reason = "for who reads the table")]
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    difference: Vec<Deliberate>,
}

/// Reads the table; each entry names cases that exist.
pub(super) fn load(corpus: &Path, cases: &[Case]) -> Result<Vec<Deliberate>> {
    let path = corpus.join(TABLE);
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let table: Table = toml::from_str(&text).with_context(|| format!("{}", path.display()))?;
    for name in table.difference.iter().flat_map(|entry| &entry.cases) {
        ensure!(cases.iter().any(|case| is_of(name, &case.name)), "{TABLE}: there is no case {name}");
    }
    Ok(table.difference)
}

/// Whether a name of the table means that case.
fn is_of(name: &str, case: &str) -> bool {
    match name.strip_suffix(".*") {
        Some(entry) => case.rsplit_once('.').is_some_and(|(whole, _)| whole == entry),
        None => name == case,
    }
}

impl Deliberate {
    /// Whether it is about that case.
    pub(super) fn is_of(&self, case: &str) -> bool {
        self.cases.iter().any(|name| is_of(name, case))
    }

    /// Checks what we do, takes the places out of both outcomes and returns how many they are.
    pub(super) fn apply(&self, reference: &mut Json, ours: &mut Json) -> Result<usize> {
        for (at, expected) in &self.ours {
            take_out(at, expected, reference, ours)?;
        }
        Ok(self.ours.len())
    }
}

fn take_out(at: &str, expected: &str, reference: &mut Json, ours: &mut Json) -> Result<()> {
    let (theirs, mine) = (reference.at(at).cloned(), ours.at(at).cloned());
    ensure!(theirs != mine, "{at} is the same on both sides: the deliberate difference is not needed");
    match &mine {
        None => ensure!(expected == NOTHING, "{at} is missing, and is meant to be {expected}"),
        Some(_) if expected == ANY => {}
        Some(found) if expected == NOTHING => bail!("{at} is {}, and is meant to be missing", found.brief()),
        Some(found) => {
            let expected = Json::parse(expected).context("a deliberate difference is not JSON")?;
            ensure!(expected.is_part_of(found), "{at} is {}, and is meant to be {expected}", found.brief());
        }
    }
    let both = theirs.is_some() && mine.is_some();
    for (side, found) in [(reference, theirs), (ours, mine)] {
        if found.is_some() {
            side.put(at, both.then(|| Json::text("<deliberate>")))?;
        }
        // Another journal is laid out otherwise.
        if at.starts_with("/journal") && side.member("layout").is_some() {
            side.put("/layout", None)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::json::Json;
    use super::{Deliberate, Table};

    fn entry(at: &str, ours: &str) -> Deliberate {
        let text = format!(
            "[[difference]]\ncases = ['a.*', 'b']\nitems = ['X-01']\nreason = 'because'\nours = {{ '{at}' = '{ours}' }}\n"
        );
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
        assert_eq!(applied(&entry("/exit", "1"), r#"{"exit": 0}"#, r#"{"exit": 1}"#), Ok(true));
        assert_eq!(applied(&entry("/x", "nothing"), r#"{"x": 0}"#, "{}"), Ok(true));
        assert_eq!(applied(&entry("/x", "any"), "{}", r#"{"x": 0}"#), Ok(true));
        let journal = r#"{"layout": 2, "journal": {"status": "failed", "run": []}}"#;
        let expected = r#"{"status": "failed"}"#;
        assert_eq!(applied(&entry("/journal", expected), r#"{"layout": 1, "journal": null}"#, journal), Ok(true));
    }

    #[test]
    fn another_difference_than_the_one_that_is_meant_or_none_is_an_error() {
        assert!(applied(&entry("/exit", "1"), r#"{"exit": 0}"#, r#"{"exit": 2}"#).is_err());
        assert!(applied(&entry("/exit", "0"), r#"{"exit": 0}"#, r#"{"exit": 0}"#).is_err());
        assert!(applied(&entry("/x", "nothing"), "{}", r#"{"x": 0}"#).is_err());
        assert!(applied(&entry("/x", "0"), r#"{"x": 0}"#, "{}").is_err());
    }

    #[test]
    fn an_entry_may_be_for_all_variants() {
        let entry = entry("/exit", "nothing");
        assert!(entry.is_of("a.1") && entry.is_of("a.12") && entry.is_of("b"));
        assert!(!entry.is_of("a") && !entry.is_of("b.1"));
    }
}
