//! `run`: an experiment as Chaos Toolkit runs it, from the same arguments to the same journal and exit codes.

use std::sync::Arc;

use chaos_core::{Context, HaltFlag, RunId};
use chaos_experiments::{
    Document, Experiment, ExperimentError, Inputs, Notice, Notifications, RecoverOptions, Rules, RunOptions, Schedule,
    Strategies, Verdict,
};

use super::stage::{After, Journal, Stage, recover_first, run_recorded};
use super::{validate, variables};
use crate::cli::{Run, SettingsArgs, ToolkitArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt::{Interrupts, Signals};
use crate::output::Output;
use crate::session;
use crate::state::State;
use crate::toolkit::{ToolkitLog, ToolkitNarrator, ToolkitSettings};

/// Runs an experiment. Whatever goes wrong behind the arguments is exit code 1.
pub(super) async fn run(
    args: Run,
    toolkit: &ToolkitArgs,
    settings: &SettingsArgs,
    log: &ToolkitLog,
    output: &Output,
) -> Result<Exit, Failure> {
    let variables = variables::read(&args.var_files, &args.vars)?;
    let performed = perform(&args, variables, toolkit, settings, log, output).await;
    performed.map_err(|failure| failure.with_exit(Exit::Failed))
}

async fn perform(
    args: &Run,
    variables: variables::Variables,
    toolkit: &ToolkitArgs,
    settings: &SettingsArgs,
    log: &ToolkitLog,
    output: &Output,
) -> Result<Exit, Failure> {
    let known = ToolkitSettings::load(toolkit, log);
    let loading = Context::with_timeout(super::LONGEST);
    let environment = session::experiment_environment()?;
    let mut inputs = Inputs::new(variables.overrides)
        .rules(args.rules.or(Rules::Compat))
        .environment(environment.clone())
        .controls(known.controls(&args.control_files, log))
        .export(variables.environment);
    inputs.validates = !args.no_validation;
    if args.rehearse {
        inputs = inputs.rehearsal();
    }
    if args.rehearse_probes {
        inputs = inputs.rehearse_probes();
    }
    let load = validate::load(&args.source, args.rules.or(Rules::Compat), args.no_verify_tls, &known, &loading);
    let document = inputs.load_controlled(&loading, &args.source, load).await;
    let document = document.map_err(|why| Failure::new(Exit::Failed, why))??;
    // A rehearsal is nobody's business but of whoever makes it.
    let told = if args.rehearse { Notifications::default() } else { known.notifications(environment) };
    told.tell(&loading, Notice::RunStarted, &document, &inputs, None).await;
    // What is wrong as it is written is found before the first probe is made.
    check(&document, &inputs, &loading, log).await?;
    let inputs = inputs.measure(&document, &loading).await;
    let experiment = Experiment::new(&document, &inputs)?;
    for warning in experiment.warnings() {
        log.warning(warning);
    }
    let journal = Journal::create(args.journal_path.clone())?;
    let source = session::platforms(settings, output)?;
    let interrupts = Interrupts::listen_as(Signals::Toolkit, output.clone(), "interrupted: stopping")?;
    let stage = Stage::build(args.rehearse, source, &experiment, output).await?;
    let cx = stage.context(RunId::random()).cancelled_by(interrupts.first().clone()).reason(experiment.title());
    let ended = on_stage(args, &stage, experiment, &known, &told, journal, &cx, &interrupts, log, output).await;
    session::close(&*stage.source, &cx, output).await;
    ended
}

async fn check(document: &Document, inputs: &Inputs, cx: &Context, log: &ToolkitLog) -> Result<(), Failure> {
    let experiment = Experiment::new(document, inputs)?;
    if inputs.validates {
        let known = experiment.warnings().len();
        let experiment = experiment.with_checked_python(cx).await?;
        // The others are told when everything is known.
        for warning in experiment.warnings().iter().skip(known) {
            log.warning(warning);
        }
    }
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "each is a part of the command, and none belongs to another")]
async fn on_stage(
    args: &Run,
    stage: &Stage,
    experiment: Experiment,
    known: &ToolkitSettings,
    told: &Notifications,
    journal: Journal,
    cx: &Context,
    interrupts: &Interrupts,
    log: &ToolkitLog,
    output: &Output,
) -> Result<Exit, Failure> {
    let records = records(args, &experiment, log)?;
    if let Some(halt) = records.store.get().await? {
        return Err(chaos_core::Error::from(&halt).into());
    }
    let mut recovery = RecoverOptions::default();
    recovery.connections = experiment.connections();
    let mut options = RunOptions::default();
    options.strategies = Some(Strategies::choose(
        args.hypothesis_strategy,
        args.rollback_strategy,
        experiment.strategies(),
        known.strategies(),
    ));
    options.schedule = Schedule::default();
    options.schedule.frequency = args.hypothesis_frequency;
    options.schedule.fail_fast = args.fail_fast;
    options.dry = args.dry;

    let puts_back = experiment.puts_back();
    let mut resolved = stage.resolve(experiment.clone(), cx).await?;
    if puts_back && recover_first(&resolved, &records, stage, cx, &recovery, output).await? {
        resolved = stage.resolve(experiment, cx).await?;
    }
    let teller = Arc::new(ToolkitNarrator::new(log.clone()));
    let report = run_recorded(&resolved, stage, &records, cx, interrupts, options, teller, output).await?;
    if let Some(reason) = &report.reason {
        log.warning(reason);
    }
    let written = journal.write(&report.journal, output);
    told.tell_end(cx, &report.journal).await;
    let after = After { report: &report, puts_back, stage, records: &records, cx, interrupts, options: &recovery };
    after.settle(args.undo, output).await?;
    written?;
    Ok(if report.verdict == Verdict::Completed { Exit::Done } else { Exit::Failed })
}

/// Where the run is written down. An experiment that changes no VM can do without.
fn records(args: &Run, experiment: &Experiment, log: &ToolkitLog) -> Result<State, Failure> {
    if args.rehearse {
        return State::of_rehearsals(&args.state);
    }
    State::real(&args.state).or_else(|failure| {
        if !experiment.vms().is_empty() {
            return Err(failure);
        }
        log.warning(format_args!("there will be no run log: {}", failure.message));
        State::temporary()
    })
}

impl From<ExperimentError> for Failure {
    fn from(error: ExperimentError) -> Self {
        match error {
            ExperimentError::Load(error) => error.into(),
            ExperimentError::Invalid(findings) => findings.into(),
            ExperimentError::Platform(error) => error.into(),
            other => Self::new(Exit::Failed, other.to_string()),
        }
    }
}
