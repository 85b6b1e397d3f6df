//! The documents that the program writes about itself: the built program writes them, and they are put where the
//! repository has them, or compared with what it has.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::artifacts::Programs;
use crate::tally::Tally;
use crate::workspace::Workspace;
use crate::{say, shell};

/// Writing a few files takes no time.
const LIMIT: Duration = Duration::from_mins(1);

/// Files that have another place than docs/.
const ELSEWHERE: &[(&str, &str)] = &[(".env.platforms.example", ".env.platforms.example")];

/// A directory in which the program writes every file, so that one that it does not write is an old one.
const WHOLE: &str = "docs/man";

/// What mends a difference.
const CURE: &str = "run `cargo xtask docs`";

/// What to do with the documents.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Change nothing; fail if a document is not what the program writes.
    #[arg(long)]
    check: bool,
}

/// Writes the documents, or compares them.
pub(crate) fn run(workspace: &Workspace, programs: &Programs, options: &Options) -> Result<Tally> {
    if options.check {
        return check(workspace, programs);
    }
    let written = written(workspace, programs)?;
    let found = found(workspace.root(), &written)?;
    for difference in differences(&written, &found) {
        let path = workspace.root().join(difference.path);
        if let Some(text) = written.get(difference.path) {
            let directory = path.parent().unwrap_or(workspace.root());
            fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
            say::line(format_args!("wrote {}", difference.path.display()));
        } else {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
            say::line(format_args!("removed {}", difference.path.display()));
        }
    }
    Ok(Tally::check(true))
}

/// Compares the documents with what the program writes; each file is one check.
pub(crate) fn check(workspace: &Workspace, programs: &Programs) -> Result<Tally> {
    let written = written(workspace, programs)?;
    let found = found(workspace.root(), &written)?;
    let differences = differences(&written, &found);
    for difference in &differences {
        say::line(format_args!("docs: {}: {}: {CURE}", difference.path.display(), difference.what));
    }
    let failed = differences.len() as u64;
    Ok(Tally { passed: (written.len() as u64).saturating_sub(failed), failed, skipped: 0 })
}

/// Texts by their path below the root of the repository.
type Texts = BTreeMap<PathBuf, Vec<u8>>;

/// What the program writes.
fn written(workspace: &Workspace, programs: &Programs) -> Result<Texts> {
    let directory = workspace.scratch("xtask")?.join("docs");
    if directory.exists() {
        fs::remove_dir_all(&directory).with_context(|| format!("cannot remove {}", directory.display()))?;
    }
    shell::capture(Command::new(programs.chaosmonkey()).arg("reference").arg("--out").arg(&directory), LIMIT)?;
    let mut texts = Texts::new();
    for name in files_below(&directory)? {
        let text = fs::read(directory.join(&name)).with_context(|| format!("cannot read {}", name.display()))?;
        texts.insert(place(&name), text);
    }
    ensure!(!texts.is_empty(), "the program wrote no documents");
    Ok(texts)
}

/// Where the repository has a file of the program.
fn place(name: &Path) -> PathBuf {
    match ELSEWHERE.iter().find(|(known, _)| Path::new(known) == name) {
        Some((_, place)) => PathBuf::from(place),
        None => Path::new("docs").join(name),
    }
}

/// What the repository has of the files that the program writes, and in their places.
fn found(root: &Path, written: &Texts) -> Result<Texts> {
    let whole = root.join(WHOLE);
    let old = if whole.is_dir() { files_below(&whole)? } else { Vec::new() };
    let old = old.into_iter().map(|name| Path::new(WHOLE).join(name));
    let mut texts = Texts::new();
    for path in written.keys().cloned().chain(old) {
        match fs::read(root.join(&path)) {
            Ok(text) => drop(texts.insert(path, text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }
    Ok(texts)
}

/// A file that is not as it should be.
#[derive(Debug, PartialEq, Eq)]
struct Difference<'t> {
    path: &'t Path,
    what: &'static str,
}

fn differences<'t>(written: &'t Texts, found: &'t Texts) -> Vec<Difference<'t>> {
    let mut differences: Vec<Difference<'t>> = Vec::new();
    for (path, text) in written {
        match found.get(path) {
            Some(there) if there == text => {}
            Some(_) => differences.push(Difference { path, what: "is not what the program writes" }),
            None => differences.push(Difference { path, what: "is missing" }),
        }
    }
    let old = found.keys().filter(|path| !written.contains_key(*path));
    differences.extend(old.map(|path| Difference { path, what: "is nothing that the program writes" }));
    differences
}

/// Every file in a directory and in those in it, by its path from there.
fn files_below(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(inner) = open.pop() {
        let path = directory.join(&inner);
        for entry in fs::read_dir(&path).with_context(|| format!("cannot read {}", path.display()))? {
            let entry = entry.with_context(|| format!("cannot read {}", path.display()))?;
            let name = inner.join(entry.file_name());
            if entry.path().is_dir() { open.push(name) } else { files.push(name) }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(files: &[(&str, &str)]) -> Texts {
        files.iter().map(|(path, text)| (PathBuf::from(path), text.as_bytes().to_vec())).collect()
    }

    #[test]
    fn each_file_has_its_place_in_the_repository() {
        assert_eq!(place(Path::new(".env.platforms.example")), Path::new(".env.platforms.example"));
        assert_eq!(place(Path::new("configuration.md")), Path::new("docs/configuration.md"));
        assert_eq!(place(Path::new("man/chaosmonkey.1")), Path::new("docs/man/chaosmonkey.1"));
    }

    #[test]
    fn what_changed_is_missing_or_is_old_is_told_apart() {
        let written = texts(&[("docs/a", "new"), ("docs/b", "same"), ("docs/c", "fresh")]);
        let found = texts(&[("docs/a", "old"), ("docs/b", "same"), ("docs/man/gone.1", "x")]);
        let shown: Vec<String> = differences(&written, &found)
            .iter()
            .map(|difference| format!("{} {}", difference.path.display(), difference.what))
            .collect();
        assert_eq!(
            shown,
            [
                "docs/a is not what the program writes",
                "docs/c is missing",
                "docs/man/gone.1 is nothing that the program writes"
            ]
        );
        assert!(differences(&found, &found).is_empty());
    }
}
