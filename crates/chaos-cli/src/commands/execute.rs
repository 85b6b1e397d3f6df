//! `execute`: a whole experiment, for real or on a simulated platform.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chaos_core::{Context, HaltFlag, RunId};
use chaos_experiments::{
    Document, Experiment, Inputs, Overrides, PlanRecord, RecoverOptions, Rules, RunOptions, Verdict,
};
use chaos_orchestrator::ChaosSettings;
use secrecy::ExposeSecret;

use super::again::Expected;
use super::source::Source;
use super::stage::{After, Journal, Stage, denied, recover_first, run_recorded};
use super::templates;
use crate::cli::{Execute, Plan, SettingsArgs, What};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt::{Interrupts, Signals};
use crate::narrator::Narrator;
use crate::output::{Output, write_plan, write_run};
use crate::output_file::OutputFile;
use crate::session;
use crate::state::State;

/// Runs an experiment.
pub(super) async fn run(args: Execute, settings: &SettingsArgs, output: &Output) -> Result<Exit, Failure> {
    run_if(args, Expected::Nothing, settings, output).await
}

/// Says what would be done, and keeps that where it is asked for.
pub(super) async fn plan(args: Plan, settings: &SettingsArgs, output: &Output) -> Result<Exit, Failure> {
    if args.out.is_some() && args.what.rehearse {
        return Err(Failure::usage(
            "a rehearsal has VMs that are gone with it: what would be done to them cannot be kept",
        ));
    }
    let out = args.out.as_deref().map(OutputFile::create).transpose()?;
    let args = Execute { what: args.what, dry_run: true, journal_path: None, supervise: false, supervised_as: None };
    perform_if(args, Expected::Nothing, out, settings, output).await
}

/// Runs an experiment if what is expected is so.
pub(super) async fn run_if(
    args: Execute,
    expected: Expected,
    settings: &SettingsArgs,
    output: &Output,
) -> Result<Exit, Failure> {
    perform_if(args, expected, None, settings, output).await
}

async fn perform_if(
    mut args: Execute,
    expected: Expected,
    out: Option<OutputFile>,
    settings: &SettingsArgs,
    output: &Output,
) -> Result<Exit, Failure> {
    let source = session::platforms(settings, output)?;
    let signals = if args.supervised_as.is_some() { Signals::Forwarded } else { Signals::Own };
    let interrupts = Interrupts::listen_as(
        signals,
        output.clone(),
        "interrupted: stopping, and putting everything back (again: stop that too)",
    )?;
    let chaos = &source.settings().chaos;
    // A rehearsal touches nothing real.
    args.dry_run |= !args.what.rehearse && session::is_dry(source.settings(), args.dry_run, output);
    let looking = Context::with_timeout(super::LONGEST).cancelled_by(interrupts.first().clone());
    let (experiment, from) = read(&args.what, args.dry_run, chaos, &looking).await?;
    for warning in experiment.warnings() {
        output.warning(warning.within(experiment.document()));
    }
    if !args.dry_run && !args.what.rehearse && args.supervised_as.is_none() {
        warn_of_connections(&experiment, output);
    }
    let run = args.supervised_as.as_deref().map_or_else(RunId::random, RunId::new);
    // Proved before anything starts that the result can be kept.
    let kept = if args.dry_run { None } else { Some(Kept::create(&args, chaos, &run).await?) };
    let stage = Stage::build(args.what.rehearse, source, &experiment, output).await?;
    let cx = stage.context(run).cancelled_by(interrupts.first().clone()).reason(experiment.title());

    let wish = Wish { args: &args, expected, out, from: serde_json::to_value(from).unwrap_or_default() };
    let ended = perform(wish, &stage, experiment, kept, &cx, &interrupts, output).await;
    session::close(&*stage.source, &cx, output).await;
    ended
}

/// A log holds no password, so whoever recovers this run has to be told again.
fn warn_of_connections(experiment: &Experiment, output: &Output) {
    for entry in experiment.connections().keys() {
        output.warning(format_args!(
            "`{entry}` is reached by values that are not in the settings: if this process dies, `chaosmonkey recover` \
             finds it only with `--set platforms.{entry}.…`; --supervise knows them"
        ));
    }
}

/// What is kept of a run: its log and its journal.
struct Kept {
    records: State,
    journal: Journal,
}

impl Kept {
    /// Proves that both can be written.
    ///
    /// # Errors
    /// One of them cannot, or everything is halted.
    async fn create(args: &Execute, chaos: &ChaosSettings, run: &RunId) -> Result<Self, Failure> {
        let records =
            if args.what.rehearse { State::of_rehearsals(&args.what.state)? } else { State::real(&args.what.state)? };
        if let Some(halt) = records.store.get().await? {
            return Err(chaos_core::Error::from(&halt).into());
        }
        Ok(Self { records, journal: Journal::create(journal_path(args, chaos, run)?)? })
    }
}

/// Where the journal goes.
pub(super) fn journal_path(args: &Execute, chaos: &ChaosSettings, run: &RunId) -> Result<PathBuf, Failure> {
    match (&args.journal_path, &chaos.reports_path) {
        (Some(path), _) => Ok(path.clone()),
        (None, Some(directory)) => {
            std::fs::create_dir_all(directory).map_err(|error| {
                Failure::usage(format!("cannot make {} (chaos.reports_path): {error}", directory.display()))
            })?;
            Ok(directory.join(format!("run-{run}.json")))
        }
        (None, None) => Ok(PathBuf::from("journal.json")),
    }
}

/// What is to be done with an experiment.
struct Wish<'a> {
    args: &'a Execute,
    expected: Expected,
    /// Where the plan is kept.
    out: Option<OutputFile>,
    from: serde_json::Value,
}

/// Finds the VMs, and then shows the plan or runs it.
async fn perform(
    Wish { args, expected, out, from }: Wish<'_>,
    stage: &Stage,
    experiment: Experiment,
    kept: Option<Kept>,
    cx: &Context,
    interrupts: &Interrupts,
    output: &Output,
) -> Result<Exit, Failure> {
    let puts_back = experiment.puts_back();
    expected.check_vms(&experiment, &*stage.source, cx).await?;
    let mut resolved = stage.resolve(experiment.clone(), cx).await?;
    let Some(Kept { records, journal }) = kept else {
        let (planned, outlook) = stage.plan(&resolved, &from, &args.what.state, cx).await?;
        for rule in &outlook.idle {
            output.warning(format_args!("the rule `{rule}` means no VM here: look at how it is spelt"));
        }
        expected.check_plan(&planned)?;
        output.data(|to| write_plan(args.what.format, &planned, to))?;
        if let Some(out) = out {
            let path = out.path().to_owned();
            out.write(|to| to.write_all(PlanRecord::new(planned).to_text().as_bytes()))?;
            output.note(format_args!("plan: {}", path.display()));
        }
        return if outlook.denials.is_empty() { Ok(Exit::Done) } else { Err(denied(&outlook.denials)) };
    };
    let mut options = RecoverOptions::default();
    options.connections = experiment.connections();
    if puts_back && recover_first(&resolved, &records, stage, cx, &options, output).await? {
        // What was put back is not what was found before.
        resolved = stage.resolve(experiment, cx).await?;
    }
    // From here on it is settled which VMs are hit.
    if !matches!(expected, Expected::Nothing) {
        let (planned, _) = stage.plan(&resolved, &from, &args.what.state, cx).await?;
        expected.check_plan(&planned)?;
    }
    let mut options_of_run = RunOptions::default();
    options_of_run.source = Some(from);
    let report = run_recorded(
        &resolved,
        stage,
        &records,
        cx,
        interrupts,
        options_of_run,
        Arc::new(Narrator::new(output.clone())),
        output,
    )
    .await?;
    // What is left changed is said in any case, also where the report cannot be written.
    let shown = output.data(|to| write_run(args.what.format, &report, to));
    let written = journal.write(&report.journal, output);
    let after = After { report: &report, puts_back, stage, records: &records, cx, interrupts, options: &options };
    let settled = after.settle(false, output).await;
    shown?;
    written?;
    settled?;
    Ok(exit(report.verdict))
}

fn exit(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Completed => Exit::Done,
        Verdict::Interrupted => Exit::Interrupted,
        // `Verdict` may grow: what is not known to be good is not.
        Verdict::Deviated | Verdict::Failed | Verdict::Aborted | _ => Exit::Failed,
    }
}

/// The experiment that the arguments name, checked, with every value in its place. One that is only looked at starts nothing.
pub(super) async fn read(
    what: &What,
    only_looks: bool,
    chaos: &ChaosSettings,
    cx: &Context,
) -> Result<(Experiment, Source), Failure> {
    let overrides = Overrides::parse(what.overrides.iter().map(ExposeSecret::expose_secret))?;
    let file = what.experiment.as_deref().map(|file| found(file, chaos.experiments_path.as_deref()));
    let (document, overrides) = match (&what.chaos_type, &file) {
        (Some(chaos_type), _) => {
            templates::known(&what.templates, chaos.templates_path.as_deref())?.find(chaos_type)?.render(&overrides)?
        }
        (None, Some(file)) => (Document::load(file)?, overrides),
        // clap asks for one of the two.
        (None, None) => return Err(Failure::usage("neither --chaos-type nor --experiment is given")),
    };
    let mut inputs = Inputs::new(overrides)
        .rules(what.rules.or(Rules::Strict))
        .environment(session::experiment_environment()?)
        .seed(what.seed);
    if what.rehearse {
        inputs = inputs.rehearsal();
    }
    if what.rehearse_probes {
        inputs = inputs.rehearse_probes();
    }
    let experiment = if only_looks {
        // Nothing is started, also not to see what it would give.
        Experiment::new(&document, &inputs)?
    } else {
        // What is wrong as it is written is found before the first probe is made.
        Experiment::new(&document, &inputs)?.with_checked_python(cx).await?;
        Experiment::new(&document, &inputs.measure(&document, cx).await)?
    };
    let source = Source::of(what, file.as_deref(), &experiment);
    Ok((experiment, source))
}

/// The experiment file that is meant: as it is named, or if there is none, below `chaos.experiments_path`.
fn found(file: &Path, experiments: Option<&Path>) -> PathBuf {
    let below = experiments.map(|directory| directory.join(file));
    below.filter(|below| !file.exists() && below.exists()).unwrap_or_else(|| file.to_owned())
}
