//! `execute`: a whole experiment, for real or on a simulated platform.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chaos_core::{
    Clock, Context, ErrorKind, EventSink, HaltFlag, OpenTarget, PlatformSource, RunId, RunLog, RunState, SystemClock,
    TargetPattern,
};
use chaos_experiments::{
    Document, Experiment, Inputs, JournalFile, Overrides, RecoverOptions, ResolvedExperiment, RunOptions, RunReport,
    Sinks, Template, Verdict,
};
use chaos_orchestrator::{ChaosSettings, PlatformOrchestrator, RehearsalSource};
use secrecy::ExposeSecret;

use super::{recover, way_back};
use crate::cli::{Execute, SettingsArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt::{Interrupts, Signals};
use crate::narrator::Narrator;
use crate::output::{Answer, Output, write_plan, write_run};
use crate::session;
use crate::state::State;

/// How long it may take to put back what another run has left changed.
const RECOVERING: Duration = Duration::from_mins(30);
/// How long opening the platforms and finding all VMs may take.
const RESOLVING: Duration = Duration::from_mins(5);

/// Runs an experiment.
pub(super) async fn run(mut args: Execute, settings: &SettingsArgs, output: &Output) -> Result<Exit, Failure> {
    let source = session::platforms(settings, output)?;
    let signals = if args.supervised_as.is_some() { Signals::Forwarded } else { Signals::Own };
    let interrupts = Interrupts::listen_as(
        signals,
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
    if !args.dry_run && !args.rehearse && args.supervised_as.is_none() {
        warn_of_connections(&experiment, output);
    }
    let run = args.supervised_as.as_deref().map_or_else(RunId::random, RunId::new);
    // Proved before anything starts that the result can be kept.
    let kept = if args.dry_run { None } else { Some(Kept::create(&args, chaos, &run).await?) };
    let stage = Stage::build(&args, source, &experiment, output).await?;
    let cx = stage.context(run).cancelled_by(interrupts.first().clone()).reason(experiment.title());

    let ended = perform(&args, &stage, experiment, kept, &cx, &interrupts, output).await;
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
        let records = if args.rehearse { State::of_rehearsals(&args.state)? } else { State::real(&args.state)? };
        if let Some(halt) = records.store.get().await? {
            return Err(chaos_core::Error::from(&halt).into());
        }
        Ok(Self { records, journal: Journal::create(args, chaos, run)? })
    }
}

/// Where the journal goes.
pub(super) struct Journal {
    path: PathBuf,
    file: JournalFile,
}

impl Journal {
    pub(super) fn create(args: &Execute, chaos: &ChaosSettings, run: &RunId) -> Result<Self, Failure> {
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

    /// Writes it, and says where it is.
    pub(super) fn write(self, journal: &chaos_experiments::Journal, output: &Output) -> Result<(), Failure> {
        // The journal is part of what was asked for.
        self.file.write(journal).map_err(|error| Failure::new(Exit::Failed, error.with_causes()))?;
        output.note(format_args!("journal: {}", self.path.display()));
        Ok(())
    }
}

/// Finds the VMs, and then shows the plan or runs it.
async fn perform(
    args: &Execute,
    stage: &Stage,
    experiment: Experiment,
    kept: Option<Kept>,
    cx: &Context,
    interrupts: &Interrupts,
    output: &Output,
) -> Result<Exit, Failure> {
    let mut resolved = stage.resolve(experiment.clone(), cx).await?;
    let Some(Kept { records, journal }) = kept else {
        output.data(|to| write_plan(args.format, &resolved.plan(), to))?;
        return Ok(Exit::Done);
    };
    let mut options = RecoverOptions::default();
    options.connections = experiment.connections();
    if recover_first(&resolved, &records, stage, cx, &options, output).await? {
        // What was put back is not what was found before.
        resolved = stage.resolve(experiment, cx).await?;
    }
    let report = run_recorded(&resolved, stage, &records, cx, interrupts, output).await?;
    // What is left changed is said in any case, also where the report cannot be written.
    let shown = output.data(|to| write_run(args.format, &report, to));
    let written = journal.write(&report.journal, output);
    tell_left_changed(&report, stage, output);
    shown?;
    written?;
    Ok(exit(report.verdict))
}

fn tell_left_changed(report: &RunReport, stage: &Stage, output: &Output) {
    for left in &report.left_changed {
        output.note(format_args!("error: LEFT CHANGED: {left}"));
        if let (Some(vm), Some(command), false) = (left.target.vm(), way_back(left.found), stage.is_rehearsal) {
            output.note(format_args!(
                "hint: put it back with `chaosmonkey platforms {command} --platform {} id:{}`",
                vm.entry, vm.id
            ));
        }
    }
    if !report.left_changed.is_empty() && !stage.is_rehearsal {
        output.note(format_args!("hint: `chaosmonkey recover {}` tries again to put everything back", report.run));
    }
}

/// Offers to recover the runs that have left VMs of this one changed, and says whether that was done.
///
/// # Errors
/// Nobody is there to say yes, or something is still not back.
async fn recover_first(
    resolved: &ResolvedExperiment,
    records: &State,
    stage: &Stage,
    cx: &Context,
    options: &RecoverOptions,
    output: &Output,
) -> Result<bool, Failure> {
    let targets = resolved.targets();
    let is_ours = |open: &OpenTarget| targets.iter().any(|(target, _)| target.is_same(&open.target));
    let mut runs = records.store.list().await?;
    runs.retain(|run| run.state == RunState::Unrecovered && run.open.iter().any(is_ours));
    for run in &runs {
        let names: Vec<&str> = run.open.iter().map(|open| open.name.as_str()).collect();
        output.warning(format_args!("run {} has left {} changed", run.run, names.join(", ")));
        if output.ask("Put that back first?") != Answer::Yes {
            let message = format!("run {} has left VMs of this experiment changed", run.run);
            return Err(Failure::new(Exit::Refused, message)
                .hint(format!("`chaosmonkey recover {}` puts them back; nothing was touched", run.run)));
        }
        let limited = cx.limit(RECOVERING);
        let report = recover::one(records, &run.run, &limited, &*stage.source, options, output).await?;
        recover::tell(records, &report, output).await;
        if !report.is_settled() {
            return Err(Failure::new(Exit::Refused, format!("run {} is not recovered", run.run)));
        }
    }
    Ok(!runs.is_empty())
}

/// Runs the experiment with its events on disk first and on the screen second.
async fn run_recorded(
    resolved: &ResolvedExperiment,
    stage: &Stage,
    records: &State,
    cx: &Context,
    interrupts: &Interrupts,
    output: &Output,
) -> Result<RunReport, Failure> {
    let store = &records.store;
    // From here on the run is alive for others, so that its leases count.
    let log = store.begin(cx.run_id(), cx.now()).await?;
    // And whoever halts from here on waits for it. So this look misses no halt, however long ago the first one was.
    if let Some(halt) = store.get().await? {
        return Err(chaos_core::Error::from(&halt).into());
    }
    let claim = resolved.claim(cx.run_id(), store.clone()).await?;
    if !stage.is_rehearsal {
        output.note(format_args!("run log: {}", store.directory_of(cx.run_id())?.display()));
    }
    let sinks: Vec<Arc<dyn EventSink>> = vec![log, Arc::new(Narrator::new(output.clone()))];
    let mut options = RunOptions::default();
    options.stop_repair = interrupts.second().clone();
    options.halt = Some(store.clone());
    options.claim = Some(claim.clone());
    let report = resolved.run(cx, &Sinks(sinks), &options).await;
    if let Err(error) = claim.release().await {
        output.warning(format_args!("the leases could not be given back: {}", error.with_causes()));
    }
    Ok(report)
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
pub(super) fn read(args: &Execute, experiments: Option<&Path>) -> Result<Experiment, Failure> {
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
            return Ok(Self { source: Box::new(source), clock: SystemClock::shared(), is_rehearsal: false });
        }
        output.note("rehearsal: the platforms are simulated, nothing real is touched");
        if experiment.ignores_connection_values() {
            output.note("rehearsal: connection values are ignored");
        }
        let named =
            experiment.vms().into_iter().map(|vm| vm.target.parse()).collect::<Result<Vec<TargetPattern>, _>>()?;
        let source = RehearsalSource::start(&named).await?;
        Ok(Self { clock: source.clock(), source: Box::new(source), is_rehearsal: true })
    }

    /// A context without a limit of its own: each step of an experiment has one.
    fn context(&self, run: RunId) -> Context {
        Context::on_clock(Arc::clone(&self.clock), super::LONGEST).run(run)
    }

    /// Finds the VMs.
    async fn resolve(&self, experiment: Experiment, cx: &Context) -> Result<ResolvedExperiment, Failure> {
        let resolved = experiment.resolve(&cx.limit(RESOLVING), &*self.source).await;
        resolved.map_err(|error| self.unresolved(error))
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
