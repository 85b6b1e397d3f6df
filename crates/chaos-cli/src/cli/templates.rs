//! The arguments of `templates`.

use clap::{Args, Subcommand};

use super::{FormatArg, ReportFormat};

pub(super) const SHOW: &str = "\
With --document it is the experiment itself, with its defaults in `configuration` and with `<NAME>` where a value has to be
given: a beginning for an experiment of one's own. With --format json or yaml alone it is among the fields.";

#[derive(Debug, Subcommand)]
pub(crate) enum Templates {
    /// List the built-in experiments
    List(TemplatesList),
    /// Show what a built-in experiment takes, and its document
    #[command(after_help = SHOW)]
    Show(TemplatesShow),
}

#[derive(Debug, Args)]
pub(crate) struct TemplatesList {
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

#[derive(Debug, Args)]
pub(crate) struct TemplatesShow {
    /// The built-in experiment, as `templates list` names it
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// Only the document: YAML, or JSON with --format json
    #[arg(long)]
    pub(crate) document: bool,

    /// How to write the result to stdout
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: ReportFormat,
}
