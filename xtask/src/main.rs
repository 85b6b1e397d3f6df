//! The one entry for every chore: `cargo xtask ci` is what CI runs.

mod artifacts;
mod bench;
mod ci;
mod docs;
mod peers;
mod readme;
mod say;
mod shell;
mod simulator;
mod soak;
mod tally;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::tally::Tally;
use crate::workspace::Workspace;

/// The chores of this workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Every test and doctest of the workspace; needs no peer.
    Test,
    /// All that CI checks: format, lints, tidy, tests, docs, licences, examples, README commands, peers.
    Ci,
    /// The house rules that no compiler checks.
    Tidy,
    /// The commands that README.md and docs/ show, run as they stand.
    Readme,
    /// The documents that the program writes about itself: settings, examples of them, manual pages.
    Docs(docs::Options),
    /// Checks against programs that this project did not write; installs what it needs.
    Peers(peers::Options),
    /// Benches and the peak memory of a large discovery, in release mode.
    Bench,
    /// What CI only samples: the crash matrix, the property tests, and long fuzzing, on nightly.
    Soak(soak::Options),
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(tally) => {
            say::line(tally);
            if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            say::line(format_args!("xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<Tally> {
    let workspace = Workspace::load()?;
    match &cli.command {
        Chore::Test => Ok(test::run(&workspace)),
        Chore::Ci => Ok(ci::run(&workspace)),
        Chore::Tidy => tidy::run(&workspace),
        Chore::Readme => {
            let programs = artifacts::build_chaosmonkey(&workspace, false)?;
            readme::run(&workspace, &programs)
        }
        Chore::Docs(options) => {
            let programs = artifacts::build_chaosmonkey(&workspace, false)?;
            docs::run(&workspace, &programs, options)
        }
        Chore::Peers(options) => {
            let programs = if options.needs_programs() {
                artifacts::build_chaosmonkey(&workspace, false)?
            } else {
                artifacts::Programs::default()
            };
            Ok(peers::run(&workspace, &programs, options))
        }
        Chore::Bench => bench::run(&workspace),
        Chore::Soak(options) => soak::run(&workspace, options),
    }
}
