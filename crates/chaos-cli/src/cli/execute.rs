//! The arguments of `execute`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use secrecy::SecretString;

use super::run::RulesArgs;
use super::runs::StateArgs;
use super::templates::TemplatesArg;

/// Which experiment, and how it is run.
#[derive(Debug, Args)]
pub(crate) struct What {
    /// A ready-made experiment, as `templates list` names it
    #[arg(
        short = 't',
        long,
        value_name = "TYPE",
        conflicts_with = "experiment",
        required_unless_present = "experiment"
    )]
    pub(crate) chaos_type: Option<String>,

    #[command(flatten)]
    pub(crate) templates: TemplatesArg,

    /// An experiment file, in Chaos Toolkit's format (JSON or YAML)
    #[arg(short, long, value_name = "FILE")]
    pub(crate) experiment: Option<PathBuf>,

    /// Set a value of the experiment, such as `vm_name=web-01` or `timeout:int=30`; may be repeated
    // A secret from the start, so that no usage error repeats it: it may be a password.
    #[arg(long = "override", value_name = "KEY=VALUE")]
    pub(crate) overrides: Vec<SecretString>,

    /// What VMs are drawn by at random where the experiment names no seed: the same seed draws the same VMs again
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,

    /// Run it on a simulated platform with a demo estate and every VM that the experiment names
    #[arg(long)]
    pub(crate) rehearse: bool,

    /// In a rehearsal, run process, http and python probes too: they see the real world
    #[arg(long, requires = "rehearse")]
    pub(crate) rehearse_probes: bool,

    #[command(flatten)]
    pub(crate) rules: RulesArgs,

    #[command(flatten)]
    pub(crate) state: StateArgs,

    /// How to write the result to stdout
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: ReportFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Execute {
    #[command(flatten)]
    pub(crate) what: What,

    /// Check the experiment, find its VMs and show what would be done, but change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Where to write the journal [default: journal.json, or run-ID.json in `chaos.reports_path`]
    #[arg(short = 'o', long, visible_alias = "output", value_name = "FILE")]
    pub(crate) journal_path: Option<PathBuf>,

    /// Run it in a process of its own, and put everything back if that dies
    #[arg(long, conflicts_with_all = ["rehearse", "dry_run"])]
    pub(crate) supervise: bool,

    /// The run that a supervising process gives this one
    #[arg(long, value_name = "RUN", hide = true, conflicts_with = "supervise")]
    pub(crate) supervised_as: Option<String>,
}

pub(crate) const PLAN: &str = "\
It finds the VMs as they are now and says what would be done to which of them, how much of each cluster, host and group that is, what
stays up, and which rules of `chaos.policy` come closest to their limit. Nothing is changed.
`--out FILE` keeps that; `chaosmonkey apply FILE` then does exactly that, or says what has changed in the meantime and does nothing.
Exit code 5 if a rule does not allow it; the plan is written all the same, for whoever has to look at it.";

#[derive(Debug, Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    pub(crate) what: What,

    /// Where to keep the plan, for `apply`
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

pub(crate) const APPLY: &str = "\
The experiment is read again from where the plan says that it came from, and its VMs are found again. What differs from the plan is named,
and then nothing is done (exit code 5): a VM that is gone, renamed, moved or in another state, a new member of a group, another server, a
changed experiment or policy. Values that were kept out of the plan because they are secret are given again with --override.";

#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// The plan, as `plan --out` has written it
    #[arg(value_name = "PLAN")]
    pub(crate) plan: PathBuf,

    #[command(flatten)]
    pub(crate) again: Again,
}

pub(crate) const REPLAY: &str = "\
The run log says from where the experiment came, with which values, and by which seed VMs were drawn. All of that is taken again. If other
VMs would be drawn now, since others can be drawn, that is said and nothing is done (exit code 5); --redraw takes what the seed gives now.";

#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// The run, by its id or the beginning of it
    #[arg(value_name = "RUN")]
    pub(crate) run: String,

    /// Go on also if other VMs are drawn than then
    #[arg(long)]
    pub(crate) redraw: bool,

    #[command(flatten)]
    pub(crate) again: Again,
}

/// How something is run that is known already.
#[derive(Debug, Args)]
pub(crate) struct Again {
    /// A value of the experiment that is not written down because it is secret; may be repeated
    #[arg(long = "override", value_name = "KEY=VALUE")]
    pub(crate) overrides: Vec<SecretString>,

    /// Say whether it could be run now, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Where to write the journal [default: journal.json, or run-ID.json in `chaos.reports_path`]
    #[arg(short = 'o', long, visible_alias = "output", value_name = "FILE")]
    pub(crate) journal_path: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) state: StateArgs,

    /// How to write the result to stdout
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: ReportFormat,
}

/// How the report of a run is written to stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ReportFormat {
    /// A summary for people; may change
    #[default]
    Table,
    /// For programs: verdict, journal and what is left changed, with stable field names
    Json,
    /// The same as YAML
    Yaml,
}
