//! The arguments of `run` and `validate`: those of `chaos run` and `chaos validate`, and a few of our own.

use std::path::PathBuf;

use chaos_experiments::{Dry, HypothesisStrategy, RollbackStrategy, Rules};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use secrecy::SecretString;

use super::runs::StateArgs;

pub(crate) const EXIT: &str = "\
Exit codes, as those of `chaos`:
  0  the experiment is valid, or it completed and the steady state did not deviate
  1  everything else: it cannot be loaded, is not valid, was refused, failed, was aborted or interrupted, or deviated
  2  the arguments cannot work
Before the command, as in `chaos`: --verbose, --change-dir DIRECTORY, --log-file FILE (default chaostoolkit.log),
--no-log-file, --log-file-level LEVEL, --log-format string|json, --settings FILE, --no-version-check.
docs/chaos-toolkit-compat.md tells where this differs from Chaos Toolkit, and why.";

/// What `chaos` takes before its command.
#[derive(Debug, Args)]
pub(crate) struct ToolkitArgs {
    /// Nothing: this program never asks anybody for a newer version
    #[arg(long, global = true, hide = true)]
    pub(crate) no_version_check: bool,

    /// Go to this directory first
    #[arg(long, global = true, hide = true, value_name = "DIRECTORY")]
    pub(crate) change_dir: Option<PathBuf>,

    /// Write no log file
    #[arg(long, global = true, hide = true)]
    pub(crate) no_log_file: bool,

    /// The log file, which is written on
    #[arg(long, global = true, hide = true, value_name = "FILE", default_value = "chaostoolkit.log")]
    pub(crate) log_file: PathBuf,

    /// What goes to the log file
    #[arg(
        long,
        global = true,
        hide = true,
        value_enum,
        ignore_case = true,
        value_name = "LEVEL",
        default_value = "debug"
    )]
    pub(crate) log_file_level: LogLevel,

    /// The settings of Chaos Toolkit
    #[arg(long, global = true, hide = true, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum LogLevel {
    Debug,
    Info,
    Warning,
    Error,
    Critical,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct Run {
    /// The experiment: a JSON or YAML file, or a URL
    #[arg(value_name = "SOURCE")]
    pub(crate) source: String,

    /// Where to write the journal
    #[arg(long, value_name = "FILE", default_value = "journal.json")]
    pub(crate) journal_path: PathBuf,

    /// Only take some of it as done: probes, actions, activities (both), or pause for the pauses
    #[arg(long, value_name = "WHAT", value_parser = words(Dry::ALL.map(|dry| (dry.as_str(), dry))))]
    pub(crate) dry: Option<Dry>,

    /// Run it without a check of what is written
    #[arg(long)]
    pub(crate) no_validation: bool,

    /// Load it from a URL whatever the certificate of the server
    #[arg(long)]
    pub(crate) no_verify_tls: bool,

    /// When the rollbacks are played
    #[arg(long, value_name = "STRATEGY", value_parser = rollbacks())]
    pub(crate) rollback_strategy: Option<RollbackStrategy>,

    /// Set a value of the configuration, such as `name=web-01` or `count:int=3`; may be repeated
    // A secret from the start, so that no usage error repeats it: it may be a password.
    #[arg(long = "var", value_name = "KEY[:TYPE]=VALUE")]
    pub(crate) vars: Vec<SecretString>,

    /// Read values of configuration and secrets from a JSON or YAML file, or environment variables from a .env file
    #[arg(long = "var-file", value_name = "FILE", value_parser = existing)]
    pub(crate) var_files: Vec<PathBuf>,

    /// Read controls from a JSON or YAML file; may be repeated
    #[arg(long = "control-file", value_name = "FILE", value_parser = existing)]
    pub(crate) control_files: Vec<PathBuf>,

    /// When the steady-state hypothesis is checked
    #[arg(long, value_name = "STRATEGY", value_parser = hypothesis())]
    pub(crate) hypothesis_strategy: Option<HypothesisStrategy>,

    /// How many seconds lie between two checks of the hypothesis while the method goes on
    #[arg(long, value_name = "SECONDS", default_value = "1.0", value_parser = frequency)]
    pub(crate) hypothesis_frequency: std::time::Duration,

    /// End the method when the steady state is lost while it goes on
    #[arg(long)]
    pub(crate) fail_fast: bool,

    #[command(flatten)]
    pub(crate) rules: RulesArgs,

    /// When the journal is written, put back every VM that is not as it was found
    #[arg(long)]
    pub(crate) undo: bool,

    /// Run it on a simulated platform with a demo estate and every VM that the experiment names
    #[arg(long)]
    pub(crate) rehearse: bool,

    /// In a rehearsal, make probes that are no VM functions too: they see the real world
    #[arg(long, requires = "rehearse")]
    pub(crate) rehearse_probes: bool,

    #[command(flatten)]
    pub(crate) state: StateArgs,
}

/// By which rules.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct RulesArgs {
    /// Run it by strict rules, as `execute` does: what fails ends the method, and everything is put back
    #[arg(long, conflicts_with = "compat")]
    pub(crate) strict: bool,

    /// Run it by the rules of Chaos Toolkit, as `run` does
    #[arg(long)]
    pub(crate) compat: bool,
}

impl RulesArgs {
    /// The rules that are asked for, or those of the command.
    pub(crate) fn or(self, usual: Rules) -> Rules {
        match (self.strict, self.compat) {
            (true, _) => Rules::Strict,
            (_, true) => Rules::Compat,
            _ => usual,
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = EXIT)]
pub(crate) struct Validate {
    /// The experiment: a JSON or YAML file, or a URL
    #[arg(value_name = "SOURCE")]
    pub(crate) source: String,

    /// Load it from a URL whatever the certificate of the server
    #[arg(long)]
    pub(crate) no_verify_tls: bool,

    #[command(flatten)]
    pub(crate) rules: RulesArgs,
}

fn words<T: Copy + Send + Sync + 'static, const N: usize>(
    known: [(&'static str, T); N],
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(known.map(|(word, _)| word)).try_map(move |word| {
        let found = known.iter().find(|(known, _)| *known == word);
        found.map(|(_, value)| *value).ok_or("not one of the possible values")
    })
}

fn rollbacks() -> impl TypedValueParser<Value = RollbackStrategy> {
    words(RollbackStrategy::ALL.map(|strategy| (strategy.as_str(), strategy)))
}

/// Without `skip`, which only an experiment or the settings can ask for.
fn hypothesis() -> impl TypedValueParser<Value = HypothesisStrategy> {
    use HypothesisStrategy::{AfterMethodOnly, BeforeMethodOnly, Continuously, Default, DuringMethodOnly};
    let known = [Default, BeforeMethodOnly, AfterMethodOnly, DuringMethodOnly, Continuously];
    let [default, before, after, during, continuously] = known.map(|strategy| (strategy.as_str(), strategy));
    words([default, before, after, during, continuously, ("continously", Continuously)])
}

fn existing(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.is_file() { Ok(path) } else { Err("there is no such file".to_owned()) }
}

fn frequency(text: &str) -> Result<std::time::Duration, String> {
    let seconds: f64 = text.trim().parse().map_err(|_| "this is no number of seconds".to_owned())?;
    std::time::Duration::try_from_secs_f64(seconds).map_err(|_| "this is no time that can be waited for".to_owned())
}
