//! The arguments of `templates`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{FormatArg, ReportFormat};

pub(super) const SHOW: &str = "\
With --document it is the experiment itself, with its defaults in `configuration` and with `<NAME>` where a value has to be
given: a beginning for an experiment of one's own. With --format json or yaml alone it is among the fields.";

pub(super) const LIST: &str = "\
Beside those that are built in there may be others in a directory: `--templates DIR`, or `chaos.templates_path` in the settings.
Each is an experiment (.json, .yaml, .yml) that says what it takes, and that Chaos Toolkit can read:
  extensions:
    - name: chaosmonkey-template
      summary: stop a web server of the shop
      platform: vsphere
      parameters:
        - {name: vm_name, type: vm, summary: the web server}
        - {name: timeout, type: seconds, default: 120}
        - {name: zone, type: text, choices: [north, south], required: false, without: [/method/1]}
The types are vm, vms, group, count, flag, seconds, seed, text, integer and number; text may have `choices` or a `pattern`, numbers
`choices`, `minimum` and `maximum`. In the experiment ${vm_name} is the value. `without` names what is left out where no value is
given. The name of the file is the name of the template.";

/// Where there are more ready-made experiments.
#[derive(Debug, Args)]
pub(crate) struct TemplatesArg {
    /// A directory with more ready-made experiments [default: `chaos.templates_path`]
    #[arg(long = "templates", value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Templates {
    /// List the ready-made experiments
    #[command(after_help = LIST)]
    List(TemplatesList),
    /// Show what a ready-made experiment takes, and its document
    #[command(after_help = SHOW)]
    Show(TemplatesShow),
}

#[derive(Debug, Args)]
pub(crate) struct TemplatesList {
    #[command(flatten)]
    pub(crate) templates: TemplatesArg,

    #[command(flatten)]
    pub(crate) format: FormatArg,
}

#[derive(Debug, Args)]
pub(crate) struct TemplatesShow {
    /// The ready-made experiment, as `templates list` names it
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// Only the document: YAML, or JSON with --format json
    #[arg(long)]
    pub(crate) document: bool,
    #[command(flatten)]
    pub(crate) templates: TemplatesArg,

    /// How to write the result to stdout
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: ReportFormat,
}
