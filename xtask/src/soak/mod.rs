//! What CI only samples: the crash matrix with many random moments, property tests with many cases, long fuzzing.

mod fuzz;

use std::time::Duration;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::tally::{Runner, Tally};
use crate::workspace::Workspace;
use crate::{say, shell};

/// Longer than any of it takes, building included; fuzzing has limits of its own.
const LIMIT: Duration = Duration::from_hours(3);

/// What CI takes of the crash matrix.
pub(crate) const SAMPLE: Matrix = Matrix { kills: 40, seed: None };

/// How long, and what.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only this; all of it if it is left out.
    #[arg(value_enum)]
    what: Option<What>,
    /// Random moments at which a runner is killed, on each platform.
    #[arg(long, default_value_t = 500)]
    kills: u64,
    /// What these moments follow from; drawn anew and printed if it is left out.
    #[arg(long)]
    seed: Option<u64>,
    /// Cases of each property test.
    #[arg(long, default_value_t = 10_000)]
    cases: u64,
    /// Minutes of fuzzing for each target.
    #[arg(long, default_value_t = 10)]
    minutes: u64,
    /// Only this fuzz target.
    #[arg(long)]
    target: Option<String>,
}

/// A part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Runners are killed behind every record and at random moments.
    Crash,
    /// Random experiments, crashes and changes by others, and random policies.
    Properties,
    /// Every fuzz target; needs a nightly compiler.
    Fuzz,
}

/// How much of the crash matrix.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matrix {
    /// Random moments on each platform.
    kills: u64,
    /// What they follow from.
    seed: Option<u64>,
}

/// Runs what is asked for.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<Tally> {
    let wanted = |what| options.what.is_none_or(|only| only == what);
    let mut tally = Tally::default();
    if wanted(What::Crash) {
        tally += crash(workspace, Matrix { kills: options.kills, seed: options.seed });
    }
    if wanted(What::Properties) {
        tally += properties(workspace, options.cases);
    }
    if wanted(What::Fuzz) {
        tally += fuzz::run(workspace, options)?;
    }
    Ok(tally)
}

/// Kills runners behind every record of their log and at random moments, and recovers them.
pub(crate) fn crash(workspace: &Workspace, matrix: Matrix) -> Tally {
    say::heading("crash matrix");
    let seed = matrix.seed.unwrap_or_else(drawn);
    let args = ["test", "--locked", "--package", "chaos-cli", "--test", "it", "--"];
    let name = ["crash::a_runner_that_is_killed_loses_nothing", "--exact", "--ignored", "--nocapture"];
    let mut command = workspace.cargo(args);
    command.args(name).env("CHAOS_KILLS", matrix.kills.to_string()).env("CHAOS_SEED", seed.to_string());
    shell::count(&mut command, Runner::Libtest, LIMIT)
}

/// The property tests of the engine and of the guard with many cases.
fn properties(workspace: &Workspace, cases: u64) -> Tally {
    say::heading(format_args!("property tests, {cases} cases each"));
    let mut tally = Tally::default();
    for (package, name) in [("chaos-experiments", "found_state_or_listed"), ("chaos-core", "guard_laws")] {
        let mut command = workspace.cargo(["test", "--locked", "--package", package, "--test", "it", "--", name]);
        command.arg("--nocapture").env("CHAOS_CASES", cases.to_string());
        tally += shell::count(&mut command, Runner::Libtest, LIMIT);
    }
    tally
}

/// A seed that differs from run to run.
fn drawn() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(1, |since| since.as_secs())
}
