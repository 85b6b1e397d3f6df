//! `execute`: a whole experiment, for real or on a simulated platform.

use std::sync::Arc;
use std::time::Duration;

use chaos_core::{
    Clock, Context, ErrorKind, EventSink, PlatformSource, RunId, SystemClock, TargetPattern, VMPowerState,
};
use chaos_experiments::{
    Document, Experiment, FileSink, Inputs, JournalFile, Overrides, ResolvedExperiment, RunOptions, RunReport, Sinks,
    Template, Verdict,
};
use chaos_orchestrator::{PlatformOrchestrator, RehearsalSource};
use secrecy::ExposeSecret;

use crate::cli::Execute;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt::Interrupts;
use crate::narrator::Narrator;
use crate::output::{Output, write_plan, write_run};
use crate::run_log::RunLogPlace;
use crate::session;

/// How long opening the platforms and finding all VMs may take.
const RESOLVING: Duration = Duration::from_mins(5);
/// How long logging out may take.
const CLOSING: Duration = Duration::from_secs(10);

/// Runs an experiment.
pub(super) async fn run(args: Execute, output: &Output) -> Result<Exit, Failure> {
    let interrupts = Interrupts::listen(
        output.clone(),
        "interrupted: stopping, and putting everything back (again: stop that too)",
    )?;
    let experiment = read(&args)?;
    for warning in experiment.warnings() {
        output.warning(warning);
    }
    // Proved before anything starts that the result can be kept.
    let journal = if args.dry_run { None } else { Some(JournalFile::create(&args.journal_path)?) };
    let stage = Stage::build(&args, &experiment, output).await?;
    let cx = stage.context().cancelled_by(interrupts.first().clone()).reason(experiment.title());

    let ended = perform(&args, &stage, experiment, journal, &cx, &interrupts, output).await;
    if let Err(error) = stage.source.close(&cx.detached(CLOSING)).await {
        output.warning(format_args!("logging out failed: {}", error.with_causes()));
    }
    ended
}

/// Finds the VMs, and then shows the plan or runs it.
async fn perform(
    args: &Execute,
    stage: &Stage,
    experiment: Experiment,
    journal: Option<JournalFile>,
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
    let kept = journal.write(&report.journal);
    // What is left changed is said in any case, also where the report cannot be written.
    let shown = output.data(|to| write_run(args.format, &report, to));
    if kept.is_ok() {
        output.note(format_args!("journal: {}", args.journal_path.display()));
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
fn read(args: &Execute) -> Result<Experiment, Failure> {
    let overrides = Overrides::parse(args.overrides.iter().map(ExposeSecret::expose_secret))?;
    let (document, overrides) = match (&args.chaos_type, &args.experiment) {
        (Some(chaos_type), _) => Template::find(chaos_type)?.render(&overrides)?,
        (None, Some(file)) => (Document::load(file)?, overrides),
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

/// Where an experiment takes place.
struct Stage {
    source: Box<dyn PlatformSource>,
    clock: Arc<dyn Clock>,
    run_log: RunLogPlace,
    is_rehearsal: bool,
}

impl Stage {
    async fn build(args: &Execute, experiment: &Experiment, output: &Output) -> Result<Self, Failure> {
        if !args.rehearse {
            return Ok(Self {
                source: Box::new(PlatformOrchestrator::new(session::settings()?)),
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
    fn context(&self) -> Context {
        Context::on_clock(Arc::clone(&self.clock), super::LONGEST).run(RunId::random())
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
