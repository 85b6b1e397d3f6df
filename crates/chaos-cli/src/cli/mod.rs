//! The command line: every command, argument and help text. Only clap types are here, no behaviour.

mod execute;
mod policy;
mod power;
mod run;
mod runs;
mod select;
mod templates;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use chaos_core::{NamePattern, TargetPattern, VMPowerState};
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use secrecy::SecretString;

use crate::duration;
use crate::exit;

pub(crate) use execute::{Again, Apply, Execute, Plan, Replay, ReportFormat, What};
pub(crate) use policy::{Policy, PolicyCheck, PolicyExplain};
pub(crate) use power::{LimitedPower, PowerArgs, PowerOff, Reboot, StopArgs};
pub(crate) use run::{LogLevel, RulesArgs, Run, ToolkitArgs, Validate};
pub(crate) use runs::{Halt, Recover, Resume, Runs, RunsJournal, RunsList, RunsRm, RunsShow, StateArgs};
pub(crate) use select::SelectArgs;
pub(crate) use templates::{Templates, TemplatesArg};

const SETTINGS: &str = "\
Settings, of which the later win: chaosmonkey.yaml (or .yml, .json, .toml) in /etc/chaosmonkey, in
~/.config/chaosmonkey and in the working directory (or --config); then .env; then the environment:
  VSPHERE_SERVER, VSPHERE_USERNAME, VSPHERE_PASSWORD   a vCenter or an ESXi host
  OLVM_URL, OLVM_USERNAME, OLVM_PASSWORD               an engine of OLVM or oVirt
  DORA_HOST, DORA_USERNAME, DORA_PASSWORD              a Dora inventory service
`config init` writes a commented example, `config show` tells what counts, `doctor` tries it out.";

/// Chaos engineering on virtual machines: find them, switch them off and on, run experiments that put everything back.
#[derive(Debug, Parser)]
#[command(name = "chaosmonkey", version, after_help = exit::HELP, after_long_help = format!("{SETTINGS}\n\n{}", exit::HELP))]
#[command(max_term_width = 100, propagate_version = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,

    #[command(flatten)]
    pub(crate) logging: Logging,

    #[command(flatten)]
    pub(crate) toolkit: ToolkitArgs,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where settings come from, beside the usual places.
#[derive(Debug, Clone, Args)]
pub(crate) struct SettingsArgs {
    /// A settings file, in place of chaosmonkey.yaml in the working directory
    #[arg(short, long, env = "CHAOSMONKEY_CONFIG", value_name = "FILE", global = true, hide_env_values = true)]
    // An empty variable counts as not given.
    #[arg(value_parser = OsStringValueParser::new().map(PathBuf::from))]
    #[arg(help_heading = "Settings")]
    pub(crate) config: Option<PathBuf>,

    /// One setting, such as `platforms.vsphere.port=8443`; it wins over all others, and may be repeated
    // A secret from the start, so that no usage error repeats it: it may be a password.
    #[arg(long = "set", value_name = "KEY=VALUE", global = true, help_heading = "Settings")]
    pub(crate) set: Vec<SecretString>,
}

/// What goes to the log, which is on stderr.
#[derive(Debug, Args)]
pub(crate) struct Logging {
    /// Say more on stderr: -v what is done, -vv each call, -vvv everything
    #[arg(short, long, action = ArgAction::Count, global = true, help_heading = "Logging")]
    pub(crate) verbose: u8,

    /// What to log, in place of -v, such as `info` or `chaos_http=trace`
    #[arg(long, env = "CHAOS_LOG", value_name = "FILTER", global = true, hide_env_values = true)]
    #[arg(help_heading = "Logging")]
    pub(crate) log: Option<String>,

    /// How log lines look
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", global = true, help_heading = "Logging")]
    pub(crate) log_format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people
    #[default]
    #[value(alias = "string")]
    Text,
    /// One JSON object a line
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Look at the VMs of a platform, and switch them on and off
    #[command(subcommand)]
    Platforms(Platforms),

    /// Run a chaos experiment: check, break, check again, put everything back
    Execute(Box<Execute>),

    /// Say what an experiment would do now, and how far that reaches; changes nothing
    #[command(after_help = execute::PLAN)]
    Plan(Box<Plan>),

    /// Do exactly what was planned, or nothing
    #[command(after_help = execute::APPLY)]
    Apply(Apply),

    /// Run an experiment again that was run before, with the VMs that were drawn then
    #[command(after_help = execute::REPLAY)]
    Replay(Replay),

    /// Run an experiment as `chaos run` does, with the same options, journal and exit codes
    Run(Box<Run>),

    /// Check an experiment as `chaos validate` does, and run nothing
    Validate(Validate),

    /// Look at the ready-made experiments and what they take
    #[command(subcommand)]
    Templates(Templates),

    /// Print the JSON Schema of experiments, by which an editor completes and checks them
    #[command(after_help = SCHEMA)]
    Schema,

    /// Look at what runs have done, also those that were killed
    #[command(subcommand)]
    Runs(Runs),

    /// Put back what runs have left changed that were killed
    #[command(after_help = runs::RECOVER)]
    Recover(Recover),

    /// Stop every run, undo what it did, and let no new one begin
    #[command(after_help = runs::HALT)]
    Halt(Halt),

    /// End a halt: runs may begin again
    Resume(Resume),

    /// Look at what faults may be sent, and why others may not
    #[command(subcommand)]
    Policy(Policy),

    /// Look at the settings, check them, and begin with them
    #[command(subcommand)]
    Config(Config),

    /// Find out how far one gets with each platform, and what to do where that ends. Changes nothing
    #[command(after_help = DOCTOR)]
    Doctor(Doctor),

    /// A simulated platform, to try things out without a vCenter
    #[command(subcommand)]
    Sim(Sim),

    /// Print a script that lets a shell complete commands and options
    #[command(after_help = COMPLETIONS)]
    Completions(Completions),

    /// Write the reference: configuration.md, the examples of settings, the manual pages
    #[command(hide = true)]
    Reference(Reference),
}

const SCHEMA: &str = "\
chaosmonkey schema > experiment.schema.json, and tell the editor about it:
  YAML     as the first line of an experiment: # yaml-language-server: $schema=experiment.schema.json
  VS Code  \"json.schemas\": [{\"fileMatch\": [\"*.experiment.json\"], \"url\": \"./experiment.schema.json\"}]
Keys that it does not know are fine. `validate` and `execute --rehearse` find what a schema cannot tell.";

const COMPLETIONS: &str = "\
Where shells look for it:
  bash  chaosmonkey completions bash > ~/.local/share/bash-completion/completions/chaosmonkey
  zsh   chaosmonkey completions zsh > ~/.zfunc/_chaosmonkey   (with ~/.zfunc in `fpath`)
  fish  chaosmonkey completions fish > ~/.config/fish/completions/chaosmonkey.fish";

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct Reference {
    /// The directory to write to
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) out: PathBuf,

    /// Instead, Python modules with the VM functions, which do nothing: with them Chaos Toolkit can check experiments
    #[arg(long)]
    pub(crate) stubs: bool,
}

const DOCTOR: &str = "\
For each platform: settings, name, connection, certificate, clock, login, inventory, rights. It logs out at the end.
Exit code 0 if everything works, also with something to look at; 1 if something does not.";

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// The platforms: entries of the settings, separated by commas [default: all that name a server]
    #[arg(short, long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) platform: Vec<String>,

    /// How long each login and each look at an inventory may take: seconds, or 30s, 5m
    #[arg(short, long, value_name = "TIME", default_value = "30", value_parser = duration::parse)]
    pub(crate) timeout: Duration,

    #[command(flatten)]
    pub(crate) format: FormatArg,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Show every setting that counts, and where it comes from; secrets are masked
    Show(ConfigShow),
    /// Check all settings, without a connection to anything
    Check,
    /// Write a commented chaosmonkey.yaml and .env.platforms.example to begin with
    Init(ConfigInit),
}

#[derive(Debug, Args)]
pub(crate) struct ConfigShow {
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigInit {
    /// Where to write them
    #[arg(long, value_name = "DIRECTORY", default_value = ".")]
    pub(crate) directory: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Platforms {
    /// List VMs
    DiscoverVms(DiscoverVms),
    /// Show everything that is known about some VMs
    VmInfo(VmInfo),
    /// Power VMs on; a suspended VM resumes
    PowerOn(LimitedPower),
    /// Power VMs off: the guest shuts itself down, and the plug is pulled if it does not in time
    PowerOff(PowerOff),
    /// Restart VMs: by the guest, and by a reset if it does not in time
    Reboot(Reboot),
    /// Suspend VMs to disk
    Suspend(LimitedPower),
    /// Count VMs by state, datacenter, cluster and host
    Summary(Summary),
    /// List the environments that a Dora service is asked about by name
    #[cfg(feature = "dora")]
    DoraEnvironments(DoraEnvironments),
    /// Ask a Dora service what hypervisors and VMs an environment has
    #[cfg(feature = "dora")]
    DoraDiscover(DoraDiscover),
}

/// Which Dora service.
#[cfg(feature = "dora")]
#[derive(Debug, Args)]
pub(crate) struct DoraArg {
    /// The Dora service: an entry of the settings
    #[arg(long, value_name = "NAME", default_value = "dora")]
    pub(crate) platform: String,
}

#[cfg(feature = "dora")]
#[derive(Debug, Args)]
pub(crate) struct DoraEnvironments {
    #[command(flatten)]
    pub(crate) dora: DoraArg,

    #[command(flatten)]
    pub(crate) format: FormatArg,
}

#[cfg(feature = "dora")]
#[derive(Debug, Args)]
pub(crate) struct DoraDiscover {
    /// The environment, as `dora-environments` lists it
    #[arg(value_name = "ENVIRONMENT")]
    pub(crate) environment: String,

    #[command(flatten)]
    pub(crate) dora: DoraArg,

    /// The account, in place of that of the settings
    #[arg(short, long, value_name = "NAME")]
    pub(crate) username: Option<String>,

    /// Its password. Everyone on this machine can read it while the command runs: --password-stdin is better
    #[arg(short, long, value_name = "PASSWORD", conflicts_with = "password_stdin")]
    pub(crate) password: Option<SecretString>,

    /// Read its password from standard input, up to the first line break
    #[arg(long)]
    pub(crate) password_stdin: bool,

    /// Which hosts: a regular expression, `empty` to send an empty filter, `omit` to send none
    #[arg(long, value_name = "REGEX|empty|omit")]
    pub(crate) hostfilter: Option<String>,

    /// Write the result to a file, which takes the place of an old one when all of it is there
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// How to write the result [default: table; with --output what the file's name ends in, or json]. csv has the VMs only
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    pub(crate) format: Option<Format>,
}

/// Which platform.
#[derive(Debug, Clone, Args)]
pub(crate) struct PlatformArg {
    /// The platform: an entry of the settings
    #[arg(short, long, value_name = "NAME", default_value = "vsphere")]
    pub(crate) platform: String,
}

/// Which platforms.
#[derive(Debug, Clone, Args)]
pub(crate) struct PlatformsArg {
    /// The platforms: entries of the settings, separated by commas
    #[arg(short, long, value_name = "NAME", value_delimiter = ',', default_value = "vsphere")]
    pub(crate) platform: Vec<String>,

    /// Every vCenter, ESXi host and engine of the settings. A Dora service mirrors these and has to be named
    #[arg(long, conflicts_with = "platform")]
    pub(crate) all_platforms: bool,

    /// End with exit code 3 if one of several platforms fails; what the others have is shown all the same
    #[arg(long)]
    pub(crate) fail_on_partial: bool,
}

/// Which part of the inventory.
#[derive(Debug, Clone, Args)]
pub(crate) struct Filters {
    /// Only VMs of this datacenter (name or glob)
    #[arg(short, long, value_name = "NAME", value_parser = name_pattern, help_heading = "Filters")]
    #[arg(conflicts_with = "select")]
    pub(crate) datacenter: Option<NamePattern>,

    /// Only VMs of this cluster (name or glob)
    #[arg(long, value_name = "NAME", value_parser = name_pattern, help_heading = "Filters")]
    #[arg(conflicts_with = "select")]
    pub(crate) cluster: Option<NamePattern>,

    /// Only VMs on this host (name or glob)
    #[arg(long, value_name = "NAME", value_parser = name_pattern, help_heading = "Filters")]
    #[arg(conflicts_with = "select")]
    pub(crate) host: Option<NamePattern>,

    /// Only VMs in this power state
    #[arg(long, value_enum, value_name = "STATE", help_heading = "Filters", conflicts_with = "select")]
    pub(crate) state: Option<State>,
}

/// A power state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum State {
    PoweredOn,
    PoweredOff,
    Suspended,
    Unknown,
}

/// How data is written to stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people; may change
    #[default]
    Table,
    /// For programs: with stable field names
    Json,
    /// The same as YAML
    Yaml,
    /// One line each, with a header
    Csv,
}

/// How data is written.
#[derive(Debug, Args)]
pub(crate) struct FormatArg {
    /// How to write the result to stdout
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: Format,
}

const NOTATION: &str = "\
How to name a VM:
  NAME          its full name; a text that no VM bears in full is a glob: web-*, db-0[1-3]
  id:ID         its object id, as `discover-vms` shows it
  path:/DC/…    its inventory path, which tells two VMs of one name apart
  re:REGEX      a regular expression for the whole name
Names are case-sensitive. A name that two VMs bear is refused with both paths.
--select takes a selector in place of names and filters, as in docs/selectors.md:
  --select 'cluster:prod and not db-* take 20% at random max 1 per host'";

#[derive(Debug, Args)]
#[command(after_help = NOTATION)]
pub(crate) struct DiscoverVms {
    #[command(flatten)]
    pub(crate) platforms: PlatformsArg,

    /// Only VMs with this name (see below); may be repeated
    #[arg(short, long = "name", value_name = "VM", value_parser = target, conflicts_with = "select")]
    pub(crate) names: Vec<TargetPattern>,

    #[command(flatten)]
    pub(crate) select: SelectArgs,

    #[command(flatten)]
    pub(crate) filters: Filters,

    #[command(flatten)]
    pub(crate) format: FormatArg,
}

#[derive(Debug, Args)]
pub(crate) struct Summary {
    #[command(flatten)]
    pub(crate) platforms: PlatformsArg,

    #[command(flatten)]
    pub(crate) select: SelectArgs,

    #[command(flatten)]
    pub(crate) filters: Filters,

    #[command(flatten)]
    pub(crate) format: FormatArg,
}

#[derive(Debug, Args)]
#[command(after_help = NOTATION)]
pub(crate) struct VmInfo {
    #[command(flatten)]
    pub(crate) selection: Selection,

    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Which VMs.
#[derive(Debug, Clone, Args)]
pub(crate) struct Selection {
    /// The VMs (see below)
    #[arg(value_name = "VM", value_parser = target, conflicts_with = "select")]
    pub(crate) vms: Vec<TargetPattern>,

    /// More VMs, in the same notation
    #[arg(short, long = "name", value_name = "VM", value_parser = target, conflicts_with = "select")]
    pub(crate) names: Vec<TargetPattern>,

    #[command(flatten)]
    pub(crate) select: SelectArgs,

    #[command(flatten)]
    pub(crate) platform: PlatformArg,

    #[command(flatten)]
    pub(crate) filters: Filters,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Sim {
    /// Serve a simulated platform until Ctrl-C or SIGTERM
    Serve(Serve),
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Which platform to simulate; several, separated by commas, show the same VMs on one address
    #[arg(short, long, value_enum, value_delimiter = ',', default_value = "vsphere", value_name = "KIND")]
    pub(crate) platform: Vec<Simulated>,

    /// Give each platform VMs and an address of its own
    #[arg(long)]
    pub(crate) separate: bool,

    /// How many VMs it has
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) vms: usize,

    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,

    /// The account's name
    #[arg(long, value_name = "NAME", default_value = "chaos")]
    pub(crate) username: String,

    /// The account's password
    #[arg(long, value_name = "PASSWORD", default_value = "chaos")]
    pub(crate) password: SecretString,

    /// Speak HTTPS with a fresh certificate, in place of plain HTTP
    #[arg(long)]
    pub(crate) tls: bool,

    /// What ids, durations and choices follow from: the same seed gives the same world
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
}

/// A platform that can be simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Simulated {
    /// A vCenter
    Vsphere,
    /// An engine of oVirt or Oracle Linux Virtualization Manager
    Olvm,
    /// A Dora inventory service, which mirrors the vCenter `OracleQA`: the environment Dev1 without its host filter
    Dora,
}

fn target(text: &str) -> Result<TargetPattern, String> {
    text.parse().map_err(|error: chaos_core::Error| error.to_string())
}

fn name_pattern(text: &str) -> Result<NamePattern, String> {
    text.parse().map_err(|error: chaos_core::Error| error.to_string())
}

impl From<State> for VMPowerState {
    fn from(state: State) -> Self {
        match state {
            State::PoweredOn => Self::PoweredOn,
            State::PoweredOff => Self::PoweredOff,
            State::Suspended => Self::Suspended,
            State::Unknown => Self::Unknown,
        }
    }
}
