//! The arguments of `execute`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use secrecy::SecretString;

use super::run::RulesArgs;
use super::runs::StateArgs;
use super::templates::TemplatesArg;

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct Execute {
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

    /// Check the experiment, find its VMs and show what would be done, but change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Where to write the journal [default: journal.json, or run-ID.json in `chaos.reports_path`]
    #[arg(short = 'o', long, visible_alias = "output", value_name = "FILE")]
    pub(crate) journal_path: Option<PathBuf>,

    /// Run it on a simulated platform with a demo estate and every VM that the experiment names
    #[arg(long)]
    pub(crate) rehearse: bool,

    /// In a rehearsal, run process, http and python probes too: they see the real world
    #[arg(long, requires = "rehearse")]
    pub(crate) rehearse_probes: bool,

    #[command(flatten)]
    pub(crate) rules: RulesArgs,

    /// Run it in a process of its own, and put everything back if that dies
    #[arg(long, conflicts_with_all = ["rehearse", "dry_run"])]
    pub(crate) supervise: bool,

    /// The run that a supervising process gives this one
    #[arg(long, value_name = "RUN", hide = true, conflicts_with = "supervise")]
    pub(crate) supervised_as: Option<String>,

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
