//! The house rules that no compiler checks: crate directions, module comments, documents.

mod compat;
mod crates;
mod fuzz;
mod sources;
mod texts;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::tally::Tally;
use crate::workspace::Workspace;
use crate::{say, shell};

/// Everything that a rule may look at.
#[derive(Debug)]
pub(crate) struct Repository {
    /// The answer of `cargo metadata`.
    pub(crate) metadata: Value,
    /// The text files, tracked or about to be.
    pub(crate) files: Vec<File>,
}

/// One text file.
#[derive(Debug)]
pub(crate) struct File {
    /// Relative to the root, with forward slashes.
    pub(crate) path: String,
    /// Its content.
    pub(crate) text: String,
}

/// A place where a rule does not hold, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    place: String,
    message: String,
}

impl Finding {
    fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into() }
    }

    fn at(file: &File, line: usize, message: impl Into<String>) -> Self {
        Self::new(format!("{}:{}", file.path, line + 1), message)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

type Rule = fn(&Repository) -> Vec<Finding>;

const RULES: &[(&str, Rule)] = &[
    ("crate directions", crates::directions),
    ("dependencies with one owner", crates::owners),
    ("what must not be in a crate's tree", crates::trees),
    ("crate metadata", crates::metadata),
    ("module comments", sources::module_comments),
    ("one output module", sources::output),
    ("fuzz targets", fuzz::targets),
    ("white space", texts::white_space),
    ("nothing outside of the repository", texts::outside),
    ("links", texts::links),
    ("commands in documents", texts::commands),
    ("changelog", texts::changelog),
    ("differences of the rules", compat::rules),
    ("behaviours of Chaos Toolkit", compat::behaviours),
];

/// Checks every rule; each is one check of the count.
pub(crate) fn run(workspace: &Workspace) -> Result<Tally> {
    let repository = Repository::load(workspace)?;
    let mut tally = Tally::default();
    for (name, rule) in RULES {
        let findings = rule(&repository);
        for finding in &findings {
            say::line(format_args!("tidy: {name}: {finding}"));
        }
        tally += Tally::check(findings.is_empty());
    }
    Ok(tally)
}

impl Repository {
    fn load(workspace: &Workspace) -> Result<Self> {
        let mut list = std::process::Command::new("git");
        list.args(["ls-files", "--cached", "--others", "--exclude-standard"]).current_dir(workspace.root());
        let names = shell::capture(&mut list, Duration::from_mins(1))?;
        let mut files = Vec::new();
        for name in names.lines().filter(|name| is_text(name)) {
            let path = workspace.root().join(name);
            // Deleted, but not yet so for git.
            if !path.exists() {
                continue;
            }
            let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {name}"))?;
            files.push(File { path: name.to_owned(), text });
        }
        Ok(Self { metadata: workspace.metadata().clone(), files })
    }

    fn with_extension<'a>(&'a self, extension: &'a str) -> impl Iterator<Item = &'a File> {
        self.files.iter().filter(move |file| Path::new(&file.path).extension().is_some_and(|e| e == extension))
    }
}

/// Files that people write; snapshots and fixtures are written by machines and servers.
fn is_text(name: &str) -> bool {
    const KINDS: &[&str] = &["rs", "md", "toml", "yml", "yaml", "json", "py", "go", "sh"];
    let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
    let fixture = name.contains("/fixtures/") || name.contains("/corpus/");
    !fixture && (name.starts_with(".ci/") || extension.is_some_and(|extension| KINDS.contains(&extension)))
}

#[cfg(test)]
impl Repository {
    /// A repository that holds one file and no crates.
    fn of(path: &str, text: &str) -> Self {
        Self { metadata: Value::Null, files: vec![File { path: path.to_owned(), text: text.to_owned() }] }
    }
}

#[cfg(test)]
mod tests {
    use super::is_text;

    #[test]
    fn what_people_write_is_checked_and_what_servers_sent_is_not() {
        assert!(is_text("crates/chaos-core/src/lib.rs") && is_text(".ci/run") && is_text("README.md"));
        assert!(!is_text("crates/chaos-vsphere/tests/fixtures/login.json"));
        assert!(!is_text("crates/chaos-vsphere/tests/it/snapshots/login.snap"));
    }
}
