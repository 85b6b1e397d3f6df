//! `execute`: a whole experiment, for real or on a simulated platform.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chaos_core::{
    Clock, Context, ErrorKind, EventSink, PlatformSource, RunId, SystemClock, TargetPattern, VMPowerState,
};
use chaos_experiments::{
    Document, Experiment, FileSink, Inputs, JournalFile, Overrides, ResolvedExperiment, RunOptions, RunReport, Sinks,
    Template, Verdict,
};
use chaos_orchestrator::{ChaosSettings, PlatformOrchestrator, RehearsalSource};
use secrecy::ExposeSecret;

use crate::cli::{Execute, SettingsArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt::Interrupts;
use crate::narrator::Narrator;
use crate::output::{Output, write_plan, write_run};
use crate::run_log::RunLogPlace;
use crate::session;

/// How long opening the platforms and finding all VMs may take.
const RESOLVING: Duration = Duration::from_mins(5);

/// Runs an experiment.
pub(super) async fn run(mut args: Execute, settings: &SettingsArgs, output: &Output) -> Result<Exit, Failure> {
    let source = session::platforms(settings, output)?;
    let interrupts = Interrupts::listen(
        output.clone(),
        "interrupted: stopping, and putting everything back (again: stop that too)",
    )?;
    let chaos = &source.settings().chaos;
    // A rehearsal touches nothing real.
    args.dry_run |= !args.rehearse && session::is_dry(source.settings(), args.dry_run, output);
    let experiment = read(&args, chaos.experiments_path.as_deref())?;
    for warning in experiment.warnings() {
        output.warning(warning);
    }
    let run = RunId::random();
    // Proved before anything starts that the result can be kept.
    let journal = if args.dry_run { None } else { Some(Journal::create(&args, chaos, &run)?) };
    let stage = Stage::build(&args, source, &experiment, output).await?;
    let cx = stage.context(run).cancelled_by(interrupts.first().clone()).reason(experiment.title());

    let ended = perform(&args, &stage, experiment, journal, &cx, &interrupts, output).await;
    session::close(&*stage.source, &cx, output).await;
    ended
}

/// Where the journal goes.
struct Journal {
    path: PathBuf,
    file: JournalFile,
}

impl Journal {
    fn create(args: &Execute, chaos: &ChaosSettings, run: &RunId) -> Result<Self, Failure> {
        let path = match (&args.journal_path, &chaos.reports_path) {
            (Some(path), _) => path.clone(),
            (None, Some(directory)) => {
                std::fs::create_dir_all(directory).map_err(|error| {
                    Failure::usage(format!("cannot make {} (chaos.reports_path): {error}", directory.display()))
                })?;
                directory.join(format!("run-{run}.json"))
            }
            (None, None) => PathBuf::from("journal.json"),
        };
        let file = JournalFile::create(&path)?;
        Ok(Self { path, file })
    }
}

/// Finds the VMs, and then shows the plan or runs it.
async fn perform(
    args: &Execute,
    stage: &Stage,
    experiment: Experiment,
    journal: Option<Journal>,
    cx: &Context,
    interrupts: &Interrupts,
    output: &Output,
) -> Result<Exit, Failure> {
    let resolving = cx.limit(RESOLVING);
    let resolved = experiment.resolve(&resolving, &*stage.source).await.map_err(|error| stage.unresolved(error))?;
    let Some(journal) = journal else {
        output.data(|to| write_plan(args.format, &resolved.plan(), to))?;
        return Ok(Exit::Done);
    };
    let report = run_recorded(&resolved, stage, cx, interrupts, output).await?;
    let Journal { path, file } = journal;
    let kept = file.write(&report.journal);
    // What is left changed is said in any case, also where the report cannot be written.
    let shown = output.data(|to| write_run(args.format, &report, to));
    if kept.is_ok() {
        output.note(format_args!("journal: {}", path.display()));
    }
    for left in &report.left_changed {
        output.note(format_args!("error: LEFT CHANGED: {left}"));
        if let (Some(vm), Some(command), false) = (left.target.vm(), way_back(left.found), stage.is_rehearsal) {
            output.note(format_args!(
                "hint: put it back with `chaosmonkey platforms {command} --platform {} id:{}`",
                vm.entry, vm.id
            ));
        }
    }
    shown?;
    // The journal is part of what was asked for.
    kept.map_err(|error| Failure::new(Exit::Failed, error.with_causes()))?;
    Ok(exit(report.verdict))
}

/// Runs the experiment with its events on disk first and on the screen second.
async fn run_recorded(
    resolved: &ResolvedExperiment,
    stage: &Stage,
    cx: &Context,
    interrupts: &Interrupts,
    output: &Output,
) -> Result<RunReport, Failure> {
    let run_log = FileSink::create(&stage.run_log.path(cx.run_id(), cx.now())?)?;
    if !stage.is_rehearsal {
        output.note(format_args!("run log: {}", run_log.path().display()));
    }
    let sinks: Vec<Arc<dyn EventSink>> = vec![Arc::new(run_log), Arc::new(Narrator::new(output.clone()))];
    let mut options = RunOptions::default();
    options.stop_repair = interrupts.second().clone();
    Ok(resolved.run(cx, &Sinks(sinks), &options).await)
}

/// The command that brings a VM to a state.
fn way_back(state: VMPowerState) -> Option<&'static str> {
    match state {
        VMPowerState::PoweredOn => Some("power-on"),
        VMPowerState::PoweredOff => Some("power-off"),
        VMPowerState::Suspended => Some("suspend"),
        VMPowerState::Unknown => None,
    }
}

fn exit(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Completed => Exit::Done,
        Verdict::Interrupted => Exit::Interrupted,
        // `Verdict` may grow: what is not known to be good is not.
        Verdict::Deviated | Verdict::Failed | _ => Exit::Failed,
    }
}

/// The experiment that the arguments name, checked, with every value in its place.
fn read(args: &Execute, experiments: Option<&Path>) -> Result<Experiment, Failure> {
    let overrides = Overrides::parse(args.overrides.iter().map(ExposeSecret::expose_secret))?;
    let (document, overrides) = match (&args.chaos_type, &args.experiment) {
        (Some(chaos_type), _) => Template::find(chaos_type)?.render(&overrides)?,
        (None, Some(file)) => (Document::load(&found(file, experiments))?, overrides),
        // clap asks for one of the two.
        (None, None) => return Err(Failure::usage("neither --chaos-type nor --experiment is given")),
    };
    let mut inputs = Inputs::new(overrides).environment(session::experiment_environment()?);
    if args.rehearse {
        inputs = inputs.rehearsal();
    }
    if args.rehearse_probes {
        inputs = inputs.rehearse_probes();
    }
    Ok(Experiment::new(&document, &inputs)?)
}

/// The experiment file that is meant: as it is named, or if there is none, below `chaos.experiments_path`.
fn found(file: &Path, experiments: Option<&Path>) -> PathBuf {
    let below = experiments.map(|directory| directory.join(file));
    below.filter(|below| !file.exists() && below.exists()).unwrap_or_else(|| file.to_owned())
}

/// Where an experiment takes place.
struct Stage {
    source: Box<dyn PlatformSource>,
    clock: Arc<dyn Clock>,
    run_log: RunLogPlace,
    is_rehearsal: bool,
}

impl Stage {
    async fn build(
        args: &Execute,
        source: PlatformOrchestrator,
        experiment: &Experiment,
        output: &Output,
    ) -> Result<Self, Failure> {
        if !args.rehearse {
            return Ok(Self {
                source: Box::new(source),
                clock: SystemClock::shared(),
                run_log: RunLogPlace::of_user()?,
                is_rehearsal: false,
            });
        }
        output.note("rehearsal: the platforms are simulated, nothing real is touched");
        if experiment.ignores_connection_values() {
            output.note("rehearsal: connection values are ignored");
        }
        let named =
            experiment.vms().into_iter().map(|vm| vm.target.parse()).collect::<Result<Vec<TargetPattern>, _>>()?;
        let source = RehearsalSource::start(&named).await?;
        Ok(Self {
            clock: source.clock(),
            source: Box::new(source),
            run_log: RunLogPlace::temporary()?,
            is_rehearsal: true,
        })
    }

    /// A context without a limit of its own: each step of an experiment has one.
    fn context(&self, run: RunId) -> Context {
        Context::on_clock(Arc::clone(&self.clock), super::LONGEST).run(run)
    }

    fn unresolved(&self, error: chaos_core::Error) -> Failure {
        let kind = error.kind();
        let failure = Failure::from(error);
        match kind {
            ErrorKind::NotFound if self.is_rehearsal => failure.without_hints().hint(
                "a rehearsal has a demo estate and the VMs that the experiment names by name or path, \
                 not those of your platform",
            ),
            ErrorKind::Configuration if !self.is_rehearsal => {
                failure.hint("--rehearse runs it on a simulated platform, without any settings")
            }
            _ => failure,
        }
    }
}
