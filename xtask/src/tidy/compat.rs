//! Rules over the comparison with Chaos Toolkit: it leaves nothing out, and what it refers to exists.

use std::collections::{BTreeMap, BTreeSet};

use super::{File, Finding, Repository};

const DOCUMENT: &str = "docs/chaos-toolkit-compat.md";
/// The type whose methods are everything in which the two sets of rules differ.
const RULES: &str = "crates/chaos-experiments/src/rules.rs";
const CORPUS: &str = "xtask/peers/chaostoolkit/";
/// What is different on purpose in the corpus.
const DIFFERENCES: &str = "xtask/peers/chaostoolkit/differences.toml";

/// What may be said of a behaviour.
const VERDICTS: [&str; 3] = ["matched", "safe form", "left out"];
/// In place of a test.
const NO_TEST: &str = "none";

/// The areas of the behaviours, and how many each has, numbered from 1.
const AREAS: [(&str, usize); 27] = [
    ("CLI", 15),
    ("LOAD", 10),
    ("TOP", 15),
    ("VAL", 21),
    ("CONF", 12),
    ("SEC", 7),
    ("VAR", 6),
    ("SUB", 13),
    ("ACT", 12),
    ("PAU", 5),
    ("BG", 8),
    ("REF", 5),
    ("PY", 7),
    ("PROC", 10),
    ("HTTP", 12),
    ("TOL", 19),
    ("JP", 10),
    ("SSH", 10),
    ("STR", 13),
    ("RB", 10),
    ("DRY", 6),
    ("INT", 12),
    ("CTL", 13),
    ("JRN", 12),
    ("SET", 4),
    ("EXT", 5),
    ("TPL", 9),
];

/// Each difference of the two sets of rules has its row: a comment in the first cell has the name of the method.
pub(super) fn rules(repository: &Repository) -> Vec<Finding> {
    let (document, rules) = match (file(repository, DOCUMENT), file(repository, RULES)) {
        (Ok(document), Ok(rules)) => (document, rules),
        (document, rules) => return [document.err(), rules.err()].into_iter().flatten().collect(),
    };
    let methods: BTreeSet<&str> = rules.text.lines().filter_map(method).collect();
    let mut missing = methods.clone();
    let mut findings = Vec::new();
    for (number, row) in rows(document) {
        let Some(key) = cells(row).first().filter(|first| !is_id(first)).and_then(|first| comment(first)) else {
            continue;
        };
        if !methods.contains(key) {
            findings.push(Finding::at(document, number, format!("`{key}` is nothing in which the rules differ")));
        } else if !missing.remove(key) {
            findings.push(Finding::at(document, number, format!("`{key}` has two rows")));
        }
    }
    let missing = missing.iter().map(|name| Finding::new(DOCUMENT, format!("no row `<!-- {name} -->` for {RULES}")));
    findings.extend(missing);
    findings
}

/// Each behaviour has one row, with a verdict and tests that exist. What differs in the corpus is not called the same.
pub(super) fn behaviours(repository: &Repository) -> Vec<Finding> {
    let document = match file(repository, DOCUMENT) {
        Ok(document) => document,
        Err(finding) => return vec![finding],
    };
    let known = match Known::of(repository) {
        Ok(known) => known,
        Err(finding) => return vec![finding],
    };
    let mut missing: BTreeSet<String> =
        AREAS.iter().flat_map(|(area, count)| (1..=*count).map(move |number| format!("{area}-{number:02}"))).collect();
    let (mut findings, mut verdicts) = (Vec::new(), BTreeMap::new());
    for (number, row) in rows(document) {
        let cells = cells(row);
        let Some(id) = cells.first().filter(|first| is_id(first)) else { continue };
        let mut find = |message: String| findings.push(Finding::at(document, number, format!("{id}: {message}")));
        if !missing.remove(*id) {
            find("there is no such behaviour, or it has two rows".to_owned());
        }
        let [_, _, here, shown] = cells.as_slice() else {
            find("a row has four cells".to_owned());
            continue;
        };
        match VERDICTS.iter().find(|verdict| here.starts_with(**verdict)) {
            None => find(format!("says none of {}", VERDICTS.join(", "))),
            Some(verdict) => {
                *verdicts.entry(*verdict).or_insert(0_usize) += 1;
                if *verdict == VERDICTS[0] && known.different.contains(*id) {
                    find(format!("is not matched by {DIFFERENCES}"));
                } else if *verdict != VERDICTS[0] && *here == *verdict {
                    find("does not say what we do, or why not".to_owned());
                }
            }
        }
        let shown = shown.split("<!--").next().unwrap_or_default().trim();
        for test in shown.split(", ").filter(|shown| *shown != NO_TEST) {
            let name = test.strip_prefix('`').and_then(|test| test.strip_suffix('`'));
            if !name.is_some_and(|name| known.shows(repository, name)) {
                find(format!("there is no test {test}"));
            }
        }
    }
    findings.extend(missing.iter().map(|id| Finding::new(DOCUMENT, format!("{id} has no row"))));
    for verdict in VERDICTS {
        let count = verdicts.get(verdict).copied().unwrap_or_default();
        let said = format!("*{verdict}* ({count})");
        if !document.text.contains(&said) {
            findings.push(Finding::new(DOCUMENT, format!("does not say `{said}`, which is how many there are")));
        }
    }
    findings
}

/// What the corpus has.
struct Known {
    cases: BTreeSet<String>,
    /// The behaviours of which something is different on purpose.
    different: BTreeSet<String>,
}

impl Known {
    fn of(repository: &Repository) -> Result<Self, Finding> {
        let tables = repository.files.iter().filter(|file| file.path.starts_with(CORPUS));
        let mut cases = BTreeSet::new();
        for table in tables.filter(|file| file.path.ends_with("/cases.toml")) {
            let names = entries(table, "case")?;
            cases.extend(names.iter().filter_map(|case| case.get("name")?.as_str().map(str::to_owned)));
        }
        let differences = entries(file(repository, DIFFERENCES)?, "difference")?;
        let items = differences.iter().filter_map(|difference| difference.get("items")?.as_array()).flatten();
        let different = items.filter_map(|item| item.as_str().map(str::to_owned)).collect();
        Ok(Self { cases, different })
    }

    /// Whether it is a case of the corpus, or as `FILE::NAME` a function.
    fn shows(&self, repository: &Repository, test: &str) -> bool {
        match test.split_once("::") {
            None => self.cases.contains(test),
            Some((path, name)) => file(repository, path).is_ok_and(|file| file.text.contains(&format!("fn {name}("))),
        }
    }
}

fn file<'a>(repository: &'a Repository, path: &str) -> Result<&'a File, Finding> {
    let found = repository.files.iter().find(|file| file.path == path);
    found.ok_or_else(|| Finding::new(path, "is not there"))
}

/// The entries of a list of tables.
fn entries(file: &File, list: &str) -> Result<Vec<toml::Value>, Finding> {
    let table: toml::Table = toml::from_str(&file.text).map_err(|error| Finding::new(&file.path, error.to_string()))?;
    Ok(table.get(list).and_then(toml::Value::as_array).cloned().unwrap_or_default())
}

/// The name of the method that begins in a line, if it is one in which the rules differ.
fn method(line: &str) -> Option<&str> {
    let name = line.trim_start().strip_prefix("pub(crate) fn ")?.split('(').next()?;
    (!["is_strict", "as_str"].contains(&name)).then_some(name)
}

/// The rows of all tables, with the number of the line.
fn rows(document: &File) -> impl Iterator<Item = (usize, &str)> {
    document.text.lines().enumerate().filter(|(_, line)| line.starts_with("| "))
}

fn cells(row: &str) -> Vec<&str> {
    row.trim_matches('|').split('|').map(str::trim).collect()
}

/// Whether it is `AREA-12`, of any area.
fn is_id(cell: &str) -> bool {
    cell.split_once('-').is_some_and(|(area, number)| {
        let is_number = number.len() == 2 && number.bytes().all(|byte| byte.is_ascii_digit());
        is_number && !area.is_empty() && area.bytes().all(|byte| byte.is_ascii_uppercase())
    })
}

fn comment(cell: &str) -> Option<&str> {
    let (_, rest) = cell.split_once("<!--")?;
    rest.split_once("-->").map(|(comment, _)| comment.trim())
}

#[cfg(test)]
mod tests {
    use super::super::{File, Repository};
    use super::{AREAS, CORPUS, DIFFERENCES, DOCUMENT, RULES, behaviours, rules};

    fn repository(files: &[(&str, &str)]) -> Repository {
        let files = files.iter().map(|(path, text)| File { path: (*path).to_owned(), text: (*text).to_owned() });
        Repository { metadata: serde_json::Value::Null, files: files.collect() }
    }

    fn shown(findings: &[super::Finding]) -> Vec<String> {
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_method_of_the_rules_has_one_row() {
        let code = "    pub fn as_str(self) {}\n    fn is_strict(self) {}\n    pub(crate) fn a(self) {}\n    pub(crate) fn b(self) {}\n";
        let found = |table: &str| shown(&rules(&repository(&[(RULES, code), (DOCUMENT, table)])));
        assert!(found("| x <!-- a --> | 1 |\n| y <!-- b --> | 2 |\n| CTL-01 <!-- c --> |\n").len() == 1);
        assert!(found("| x <!-- a --> | 1 |\n| y <!-- b --> | 2 |\n| CTL-01 | none <!-- c --> |\n").is_empty());
        assert_eq!(
            found("| x <!-- a --> | 1 |\n| x <!-- a --> | 1 |\n| <!-- c --> |\n"),
            [
                format!("{DOCUMENT}:2: `a` has two rows"),
                format!("{DOCUMENT}:3: `c` is nothing in which the rules differ"),
                format!("{DOCUMENT}: no row `<!-- b -->` for {RULES}"),
            ]
        );
        assert_eq!(rules(&repository(&[])).len(), 2);
    }

    /// A document in which all behaviours are matched, but for what `change` makes of the row of each.
    fn document(change: impl Fn(&str) -> Option<String>) -> Vec<String> {
        let ids = AREAS.iter().flat_map(|(area, count)| (1..=*count).map(move |number| format!("{area}-{number:02}")));
        let rows = ids.filter_map(|id| {
            let row = format!("| {id} | it | matched | `one` |");
            if id == "CLI-02" { change(&row) } else { Some(row) }
        });
        let text = format!("*matched* (281) *safe form* (0) *left out* (0)\n{}\n", rows.collect::<Vec<_>>().join("\n"));
        shown(&behaviours(&repository(&[
            (DOCUMENT, &text),
            (&format!("{CORPUS}cli/cases.toml"), "[[case]]\nname = \"one\"\n"),
            (DIFFERENCES, "[[difference]]\nitems = [\"DRY-07\"]\n"),
            ("a.rs", "fn two() {}\n"),
        ])))
    }

    #[test]
    fn every_behaviour_has_a_row_with_a_test_that_exists() {
        assert!(document(|row| Some(row.to_owned())).is_empty());
        assert!(document(|row| Some(row.replace("`one`", "`one`, `a.rs::two` <!-- x -->"))).is_empty());
        assert!(document(|row| Some(row.replace("`one`", "none"))).is_empty());
        for (test, told) in [("`three`", "`three`"), ("`a.rs::tw`", "`a.rs::tw`"), ("one", "one")] {
            let found = document(|row| Some(row.replace("`one`", test)));
            assert_eq!(found, [format!("{DOCUMENT}:3: CLI-02: there is no test {told}")]);
        }
        assert!(document(|_| None)[0].ends_with("CLI-02 has no row"));
        assert!(document(|row| Some(format!("{row}\n{row}")))[0].ends_with("it has two rows"));
        assert!(document(|row| Some(row.replace("matched", "perhaps")))[0].contains("says none of"));
        assert!(document(|row| Some(row.replace("matched", "left out")))[0].contains("does not say what we do"));
        assert!(document(|row| Some(row.replace("matched", "left out: so")))[0].contains("how many there are"));
    }

    #[test]
    fn what_differs_on_purpose_is_not_matched() {
        let row = "| CLI-02 | it | matched | none |\n";
        let files = [(DOCUMENT, row), (DIFFERENCES, "[[difference]]\nitems = [\"CLI-02\"]\n")];
        assert!(shown(&behaviours(&repository(&files)))[0].contains("is not matched by"));
    }

    #[test]
    fn there_are_281_behaviours() {
        assert_eq!(AREAS.iter().map(|(_, count)| count).sum::<usize>(), 281);
    }
}
