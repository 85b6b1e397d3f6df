//! The commands that documents show, run as they stand, so that a document cannot drift from the program.
//!
//! In README.md and docs/, each line that begins with `$ ` in a block fenced as ```` ```console ```` is run by bash in an
//! empty directory and must succeed. A command may go on over lines that end in a backslash. `chaosmonkey` and
//! `cargo run --release --` mean the program that was just built, and the environment points at a simulated vCenter.
//! What cannot be run here is fenced as ```` ```console ignore ````.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::artifacts::Programs;
use crate::simulator::Simulator;
use crate::tally::{Runner, Tally};
use crate::workspace::Workspace;
use crate::{say, shell};

/// A document's command is a demonstration: it takes seconds.
const LIMIT: Duration = Duration::from_mins(2);

/// A fenced block of a document.
#[derive(Debug)]
pub(crate) struct Block {
    /// The line of the fence, counted from 0.
    pub(crate) line: usize,
    /// What follows the fence: the language and our own word.
    pub(crate) info: String,
    /// The lines between the fences.
    pub(crate) text: String,
}

/// Runs the commands of README.md and docs/.
pub(crate) fn run(workspace: &Workspace, programs: &Programs) -> Result<Tally> {
    let directory = workspace.scratch("xtask/readme")?;
    let simulator = Simulator::start(programs.chaosmonkey(), &directory, &["--vms", "20"])?;
    let beside = programs.chaosmonkey().parent().context("the program is in no directory")?;
    let path = std::env::join_paths(
        std::iter::once(beside.to_owned()).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
    )?;

    let mut tally = Tally::default();
    for document in documents(workspace)? {
        let text = std::fs::read_to_string(workspace.root().join(&document))
            .with_context(|| format!("cannot read {document}"))?;
        for block in blocks(&text).into_iter().filter(|block| block.info == "console") {
            for command in commands(&block.text) {
                say::line(format_args!("--> {document}:{}: {command}", block.line + 1));
                let mut bash = Command::new("bash");
                bash.args(["-euo", "pipefail", "-c", &against_build(&command)])
                    .current_dir(&directory)
                    .env("PATH", &path);
                bash.envs(simulator.environment()).env("XDG_STATE_HOME", directory.join("state"));
                tally += shell::count(&mut bash, Runner::Check, LIMIT);
            }
        }
    }
    Ok(tally)
}

/// README.md and the documents that a user reads.
fn documents(workspace: &Workspace) -> Result<Vec<String>> {
    let mut list = Command::new("git");
    list.args(["ls-files", "README.md", "docs/*.md"]).current_dir(workspace.root());
    Ok(shell::capture(&mut list, LIMIT)?.lines().map(ToOwned::to_owned).collect())
}

/// Every fenced block of a Markdown text.
pub(crate) fn blocks(text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in text.lines().enumerate() {
        match (line.trim_start().strip_prefix("```"), open.take()) {
            (Some(_), Some(block)) => found.push(block),
            (Some(info), None) => {
                open = Some(Block { line: number, info: info.trim().to_owned(), text: String::new() });
            }
            (None, Some(mut block)) => {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    found
}

/// The commands of a block, continued lines joined.
pub(crate) fn commands(block: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = block.lines();
    while let Some(line) = lines.next() {
        let Some(start) = line.trim_start().strip_prefix("$ ") else {
            continue;
        };
        let mut command = start.to_owned();
        while let Some(begun) = command.strip_suffix('\\') {
            command = format!("{}{}", begun, lines.next().unwrap_or_default().trim_start());
        }
        found.push(command);
    }
    found
}

fn against_build(command: &str) -> String {
    command.replace("cargo run --release -- ", "chaosmonkey ").replace("cargo run -- ", "chaosmonkey ")
}

#[cfg(test)]
mod tests {
    use super::{against_build, blocks, commands};

    #[test]
    fn blocks_carry_their_line_and_their_words() {
        let text = "# Title\n\n```console ignore\n$ one\n```\n\n```rust\nlet x = 1;\n```\n";
        let found = blocks(text);
        let shown: Vec<_> = found.iter().map(|block| (block.line, block.info.as_str(), block.text.as_str())).collect();
        assert_eq!(shown, [(2, "console ignore", "$ one\n"), (6, "rust", "let x = 1;\n")]);
    }

    #[test]
    fn output_is_no_command_and_a_backslash_continues() {
        let block = "$ chaosmonkey execute \\\n    --rehearse\nfound web-01\n$ echo done\n";
        assert_eq!(commands(block), ["chaosmonkey execute --rehearse", "echo done"]);
    }

    #[test]
    fn cargo_run_means_the_program_just_built() {
        assert_eq!(against_build("cargo run --release -- execute --rehearse"), "chaosmonkey execute --rehearse");
    }
}
