//! The corpus: tables of cases beside the experiments that they run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::json::Json;

/// The table of an area.
const TABLE: &str = "cases.toml";
/// In place of a value: there is none.
const NOTHING: &str = "nothing";

/// One run of a command, which both sides do.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) name: String,
    /// The items of the reference's behaviour that it shows.
    pub(super) covers: Vec<String>,
    /// Where its files come from.
    pub(super) directory: PathBuf,
    /// The experiment's file.
    pub(super) experiment: String,
    /// What is different from that file in this case; none removes.
    pub(super) changes: Vec<(String, Option<Json>)>,
    /// `run` or `validate`.
    pub(super) command: String,
    /// Options before the command.
    pub(super) globals: Vec<String>,
    /// Options of the command.
    pub(super) options: Vec<String>,
    /// What stands in place of the file; empty for nothing.
    pub(super) source: Option<String>,
    pub(super) environment: BTreeMap<String, String>,
    /// Other files that the run finds in its directory; those below `home/` are in the home directory.
    pub(super) files: Vec<String>,
    /// The file that the journal is expected in.
    pub(super) journal: String,
    /// What the reference is known to do.
    pub(super) known: Known,
    /// What both sides write to stderr, among more.
    pub(super) says: Vec<String>,
    /// The least and the most that the journal's `duration` may be, on both sides.
    pub(super) seconds: Option<[f64; 2]>,
}

/// What the reference is known to do, so that a change of it is not taken for one of ours.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) exit: i32,
    /// The status in the journal; none if there is no journal.
    pub(super) status: Option<String>,
    /// Single values of what was seen, by their place; none where there is nothing.
    pub(super) shows: BTreeMap<String, Option<Json>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    case: Vec<Entry>,
}

/// One entry of a table; it stands for as many cases as it has variants.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Entry {
    name: String,
    covers: Vec<String>,
    experiment: Option<String>,
    /// A place and a value (none: removed) that all variants have.
    #[serde(default)]
    change: Vec<Vec<String>>,
    /// The places that the variants put their values in.
    #[serde(default)]
    at: Vec<String>,
    /// For each variant the values, in JSON; an empty text removes.
    #[serde(default)]
    variants: Vec<Vec<String>>,
    /// For each variant the options.
    #[serde(default)]
    each: Vec<Vec<String>>,
    #[serde(default)]
    command: Commands,
    #[serde(default = "no_log")]
    globals: Vec<String>,
    #[serde(default)]
    options: Vec<String>,
    source: Option<String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    #[serde(default)]
    files: Vec<String>,
    journal: Option<String>,
    exit: i32,
    status: Option<String>,
    #[serde(default)]
    shows: BTreeMap<String, String>,
    #[serde(default)]
    says: Vec<String>,
    seconds: Option<[f64; 2]>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Commands {
    #[default]
    Run,
    Validate,
    Both,
}

fn no_log() -> Vec<String> {
    vec!["--no-log-file".to_owned()]
}

/// Every case of the corpus, area by area.
pub(super) fn load(corpus: &Path) -> Result<Vec<Case>> {
    let mut tables: Vec<PathBuf> = fs::read_dir(corpus)
        .with_context(|| format!("cannot read {}", corpus.display()))?
        .filter_map(|entry| Some(entry.ok()?.path().join(TABLE)))
        .filter(|table| table.is_file())
        .collect();
    tables.sort();
    let mut cases = Vec::new();
    for table in &tables {
        let text = fs::read_to_string(table).with_context(|| format!("cannot read {}", table.display()))?;
        let directory = table.parent().unwrap_or(corpus);
        cases.extend(read(&text, directory).with_context(|| format!("{}", table.display()))?);
    }
    let mut names = BTreeSet::new();
    for case in &cases {
        ensure!(names.insert(&case.name), "two cases are named {}", case.name);
    }
    Ok(cases)
}

fn read(text: &str, directory: &Path) -> Result<Vec<Case>> {
    let table: Table = toml::from_str(text)?;
    let mut cases = Vec::new();
    for entry in &table.case {
        cases.extend(entry.cases(directory).with_context(|| entry.name.clone())?);
    }
    Ok(cases)
}

impl Entry {
    fn cases(&self, directory: &Path) -> Result<Vec<Case>> {
        let whole = self.whole(directory)?;
        ensure!(
            self.variants.is_empty() || self.each.is_empty(),
            "variants of values and of options do not go together"
        );
        let mut cases = Vec::new();
        for (number, values) in self.variants.iter().enumerate() {
            ensure!(values.len() == self.at.len(), "variant {} has not one value for each place", number + 1);
            let mut case = Case { name: format!("{}.{}", self.name, number + 1), ..whole.clone() };
            for (place, value) in self.at.iter().zip(values) {
                let value = if value.is_empty() { None } else { Some(json(value)?) };
                case.changes.push((place.clone(), value));
            }
            cases.push(case);
        }
        for (number, options) in self.each.iter().enumerate() {
            let mut case = Case { name: format!("{}.{}", self.name, number + 1), ..whole.clone() };
            case.options.extend_from_slice(options);
            cases.push(case);
        }
        if cases.is_empty() {
            cases.push(whole);
        }
        if let Commands::Both = self.command {
            // A document that is not valid is refused by both commands.
            let validated = cases.iter().map(|case| {
                let known = Known { status: None, shows: BTreeMap::new(), ..case.known.clone() };
                Case { name: format!("{}.validate", case.name), command: "validate".to_owned(), known, ..case.clone() }
            });
            let validated: Vec<Case> = validated.collect();
            cases.extend(validated);
        }
        Ok(cases)
    }

    /// The case that all variants have in common.
    fn whole(&self, directory: &Path) -> Result<Case> {
        let mut changes = Vec::new();
        for change in &self.change {
            match change.as_slice() {
                [place] => changes.push((place.clone(), None)),
                [place, value] => changes.push((place.clone(), Some(json(value)?))),
                _ => bail!("a change is a place and a value"),
            }
        }
        let expected = |value: &str| if value == NOTHING { Ok(None) } else { json(value).map(Some) };
        let shows = self.shows.iter().map(|(place, value)| Ok((place.clone(), expected(value)?)));
        Ok(Case {
            name: self.name.clone(),
            covers: self.covers.clone(),
            directory: directory.to_owned(),
            experiment: self.experiment(directory)?,
            changes,
            command: if let Commands::Validate = self.command { "validate" } else { "run" }.to_owned(),
            globals: self.globals.clone(),
            options: self.options.clone(),
            source: self.source.clone(),
            environment: self.environment.clone(),
            files: self.files.clone(),
            journal: self.journal.clone().unwrap_or_else(|| "journal.json".to_owned()),
            known: Known { exit: self.exit, status: self.status.clone(), shows: shows.collect::<Result<_>>()? },
            says: self.says.clone(),
            seconds: self.seconds,
        })
    }

    /// The named file, or the one that has the name of the case.
    fn experiment(&self, directory: &Path) -> Result<String> {
        if let Some(named) = &self.experiment {
            ensure!(directory.join(named).is_file(), "there is no {named}");
            return Ok(named.clone());
        }
        let names = ["yaml", "json"].map(|extension| format!("{}.{extension}", self.name));
        names.into_iter().find(|name| directory.join(name).is_file()).context("it has no experiment of its name")
    }
}

fn json(text: &str) -> Result<Json> {
    Json::parse(text).with_context(|| format!("{text:?} is not JSON"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{load, read};

    fn names(text: &str) -> Vec<String> {
        // The manifest stands for an experiment that exists.
        let directory = Path::new(env!("CARGO_MANIFEST_DIR"));
        let text = text.replace("FILE", "experiment = 'Cargo.toml'\ncovers = []\nexit = 0");
        read(&text, directory).unwrap().into_iter().map(|case| case.name).collect()
    }

    #[test]
    fn an_entry_stands_for_each_of_its_variants_and_for_both_commands() {
        assert_eq!(names("[[case]]\nname = 'a'\nFILE"), ["a"]);
        assert_eq!(names("[[case]]\nname = 'a'\nFILE\nat = ['/t']\nvariants = [['1'], ['']]"), ["a.1", "a.2"]);
        assert_eq!(names("[[case]]\nname = 'a'\nFILE\neach = [['--fail-fast']]"), ["a.1"]);
        assert_eq!(names("[[case]]\nname = 'a'\nFILE\ncommand = 'both'"), ["a", "a.validate"]);
    }

    #[test]
    fn the_corpus_is_well_formed() {
        let cases = load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/chaostoolkit")).unwrap();
        assert!(cases.len() > 90);
        for case in cases {
            assert!(!case.covers.is_empty(), "{} covers nothing", case.name);
            for file in &case.files {
                assert!(case.directory.join(file).is_file(), "{}: there is no {file}", case.name);
            }
        }
    }
}
