//! Rules over documents and text in general: white space, links, commands, changelog.

use std::path::{Component, Path, PathBuf};

use clap::CommandFactory;

use super::{Finding, Repository};
use crate::readme::{self, Block};

/// Directories beside the repository that only its authors have.
const OUTSIDE: &[&str] = &[concat!("..", "/shared")];

/// No trailing blanks, no tabs in Rust, a newline at the end.
pub(super) fn white_space(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &repository.files {
        for (number, line) in file.text.lines().enumerate() {
            if line.ends_with([' ', '\t', '\r']) {
                findings.push(Finding::at(file, number, "white space at the end of the line"));
            }
        }
        if !file.text.is_empty() && !file.text.ends_with('\n') {
            findings.push(Finding::new(&file.path, "no newline at the end"));
        }
    }
    findings
}

/// Whoever clones the repository has all that it speaks of.
pub(super) fn outside(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &repository.files {
        for (number, line) in file.text.lines().enumerate() {
            if let Some(path) = OUTSIDE.iter().find(|path| line.contains(**path)) {
                findings.push(Finding::at(file, number, format!("{path} is not part of the repository")));
            }
        }
    }
    findings
}

/// Relative links in documents lead to files that exist.
pub(super) fn links(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in repository.with_extension("md") {
        for (number, line) in file.text.lines().enumerate() {
            for target in line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target) {
                let path = target.split('#').next().unwrap_or_default();
                if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
                    continue;
                }
                let place = joined(Path::new(&file.path).parent().unwrap_or(Path::new("")), path);
                if !place.as_deref().is_some_and(|place| exists(repository, place)) {
                    findings.push(Finding::at(file, number, format!("the link to {path} leads nowhere")));
                }
            }
        }
    }
    findings
}

/// Commands stand in `console` blocks, so that they are run, and name chores that exist.
pub(super) fn commands(repository: &Repository) -> Vec<Finding> {
    let chores = crate::Cli::command();
    let mut findings = Vec::new();
    for file in repository.with_extension("md") {
        for Block { line, info, text } in readme::blocks(&file.text) {
            let language = info.split_whitespace().next().unwrap_or_default();
            if ["sh", "bash", "shell", "zsh"].contains(&language) {
                let message = "write shell commands as ```console with `$ ` before each, or as ```console ignore";
                findings.push(Finding::at(file, line, message));
            }
            if language != "console" {
                continue;
            }
            for command in readme::commands(&text) {
                let chore = command.strip_prefix("cargo xtask ").and_then(|rest| rest.split_whitespace().next());
                if let Some(chore) = chore
                    && chores.find_subcommand(chore).is_none()
                {
                    findings.push(Finding::at(file, line, format!("there is no `cargo xtask {chore}`")));
                }
            }
        }
    }
    findings
}

/// The changelog has a place for what is not released yet.
pub(super) fn changelog(repository: &Repository) -> Vec<Finding> {
    let found = repository
        .files
        .iter()
        .find(|file| file.path == "CHANGELOG.md")
        .is_some_and(|file| file.text.lines().any(|line| line == "## Unreleased"));
    if found { Vec::new() } else { vec![Finding::new("CHANGELOG.md", "has no section `## Unreleased`")] }
}

/// The path below the root that a relative link means; none if it leads out.
fn joined(directory: &Path, link: &str) -> Option<PathBuf> {
    let mut path = PathBuf::new();
    for part in directory.join(link).components() {
        match part {
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            Component::ParentDir if path.pop() => {}
            _ => return None,
        }
    }
    Some(path)
}

fn exists(repository: &Repository, path: &Path) -> bool {
    // Licence files and directories are not in the list of texts, so the list and the disk are both asked.
    let root = repository.metadata["workspace_root"].as_str();
    repository.files.iter().any(|file| Path::new(&file.path).starts_with(path))
        || root.is_some_and(|root| Path::new(root).join(path).exists())
}

#[cfg(test)]
mod tests {
    use super::super::Repository;
    use super::{changelog, commands, links, outside, white_space};

    #[test]
    fn blanks_at_the_end_of_a_line_and_a_missing_newline_are_found() {
        let found = white_space(&Repository::of("a.md", "one \ntwo"));
        assert_eq!(
            found.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["a.md:1: white space at the end of the line", "a.md: no newline at the end",]
        );
        assert!(white_space(&Repository::of("a.md", "one\ntwo\n")).is_empty());
    }

    #[test]
    fn a_path_beside_the_repository_is_found() {
        assert_eq!(outside(&Repository::of("a.md", concat!("see ..", "/shared/x\n"))).len(), 1);
        assert!(outside(&Repository::of("a.md", "a shared thing\n")).is_empty());
    }

    #[test]
    fn a_link_to_a_file_that_is_not_there_is_found() {
        let text = "[a](docs/a.md) [self](../docs/b.md#part) [web](https://example.com) [up](../../x) [part](#part)\n";
        let found = links(&Repository::of("docs/b.md", text));
        let shown = found.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            shown,
            ["docs/b.md:1: the link to docs/a.md leads nowhere", "docs/b.md:1: the link to ../../x leads nowhere"]
        );
    }

    #[test]
    fn a_chore_that_does_not_exist_is_found() {
        assert!(commands(&Repository::of("a.md", "```console ignore\n$ cargo xtask ci\n```\n")).is_empty());
        let found = commands(&Repository::of("a.md", "text\n\n```console\n$ cargo xtask dance\n```\n"));
        assert_eq!(found[0].to_string(), "a.md:3: there is no `cargo xtask dance`");
    }

    #[test]
    fn a_shell_block_that_nobody_would_run_is_found() {
        assert_eq!(commands(&Repository::of("a.md", "```sh\nls\n```\n")).len(), 1);
    }

    #[test]
    fn the_changelog_has_a_place_for_the_next_release() {
        assert!(changelog(&Repository::of("CHANGELOG.md", "# Changelog\n\n## Unreleased\n")).is_empty());
        assert_eq!(changelog(&Repository::of("CHANGELOG.md", "# Changelog\n")).len(), 1);
    }
}
