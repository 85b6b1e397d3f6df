//! The arguments of `runs`, `recover`, `halt` and `resume`: what outlives a run.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Subcommand};

use super::{FormatArg, ReportFormat};
use crate::duration;

/// Where runs are written down.
#[derive(Debug, Clone, Args)]
pub(crate) struct StateArgs {
    #[expect(clippy::doc_markdown, reason = "help of the terminal, which has no markup")]
    /// Where runs, leases and the halt flag are kept [default: $XDG_STATE_HOME/chaosmonkey, or ~/.local/state/chaosmonkey]
    #[arg(long, env = "CHAOSMONKEY_STATE_DIR", value_name = "DIRECTORY", hide_env_values = true)]
    // An empty variable counts as not given.
    #[arg(value_parser = OsStringValueParser::new().map(PathBuf::from))]
    pub(crate) state_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Runs {
    /// List runs, the latest first
    List(RunsList),
    /// Show what a run has done to which VM
    Show(RunsShow),
    /// Write the Chaos Toolkit journal of a run, also of one that was killed
    Journal(RunsJournal),
    /// Forget runs. One that has left something changed cannot be forgotten
    Rm(RunsRm),
}

/// Whose runs.
#[derive(Debug, Clone, Args)]
pub(crate) struct HistoryArgs {
    #[command(flatten)]
    pub(crate) state: StateArgs,

    /// Those of rehearsals, which are kept apart
    #[arg(long)]
    pub(crate) rehearsals: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunsList {
    #[command(flatten)]
    pub(crate) history: HistoryArgs,

    #[command(flatten)]
    pub(crate) format: FormatArg,
}

#[derive(Debug, Args)]
pub(crate) struct RunsShow {
    /// The run: its id, the beginning of it, or `last`
    #[arg(value_name = "RUN", default_value = "last")]
    pub(crate) run: String,

    #[command(flatten)]
    pub(crate) history: HistoryArgs,

    /// How to write the result to stdout
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: ReportFormat,
}

#[derive(Debug, Args)]
pub(crate) struct RunsJournal {
    /// The run: its id, the beginning of it, or `last`
    #[arg(value_name = "RUN", default_value = "last")]
    pub(crate) run: String,

    #[command(flatten)]
    pub(crate) history: HistoryArgs,

    /// Where to write it, in place of stdout
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct RunsRm {
    /// The runs: their ids, or the beginnings of them
    #[arg(value_name = "RUN", required = true)]
    pub(crate) runs: Vec<String>,

    #[command(flatten)]
    pub(crate) history: HistoryArgs,
}

pub(super) const RECOVER: &str = "\
What the log of a run says is held against what its VMs are now. What the run has changed is put back, the last step
first, and is read to be there. What somebody else has changed since is left alone and told. It may be repeated.
Exit code 0 if nothing is left to be done, 1 if something is still to be put back.";

#[derive(Debug, Args)]
pub(crate) struct Recover {
    /// The run: its id, the beginning of it, or `last` [default: all that have left something changed]
    #[arg(value_name = "RUN")]
    pub(crate) run: Option<String>,

    /// Say what would be done, and change nothing
    #[arg(long, conflicts_with = "abandon")]
    pub(crate) dry_run: bool,

    /// Touch nothing and let the run hold its VMs no longer: you have put them back by hand. Names the reason
    #[arg(long, value_name = "REASON", requires = "run")]
    pub(crate) abandon: Option<String>,

    /// How long to go on trying for each run: seconds, or 30s, 5m
    #[arg(short, long, value_name = "TIME", default_value = "30m", value_parser = duration::parse)]
    pub(crate) timeout: Duration,

    /// How long after it was sent a call may take effect of which nobody knows how it ended
    #[arg(long, value_name = "TIME", default_value = "60", value_parser = duration::parse)]
    pub(crate) settle: Duration,

    #[command(flatten)]
    pub(crate) state: StateArgs,

    /// How to write the result to stdout
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: ReportFormat,
}

pub(super) const HALT: &str = "\
Every run of this state directory stops within two seconds and puts everything back; this waits for that. No run begins
until `chaosmonkey resume`, also after a restart of the machine. What puts things back is never halted.
Exit code 0 if all runs have put everything back, 1 if one has not, or goes on after --timeout.";

#[derive(Debug, Args)]
pub(crate) struct Halt {
    /// Why, for those who find everything halted
    #[arg(short, long, value_name = "TEXT", default_value = "")]
    pub(crate) reason: String,

    /// How long to wait until all runs have put everything back: seconds, or 30s, 5m
    #[arg(short, long, value_name = "TIME", default_value = "30m", value_parser = duration::parse)]
    pub(crate) timeout: Duration,

    /// Do not wait for the runs
    #[arg(long)]
    pub(crate) no_wait: bool,

    #[command(flatten)]
    pub(crate) state: StateArgs,

    #[command(flatten)]
    pub(crate) format: FormatArg,
}

#[derive(Debug, Args)]
pub(crate) struct Resume {
    #[command(flatten)]
    pub(crate) state: StateArgs,
}
