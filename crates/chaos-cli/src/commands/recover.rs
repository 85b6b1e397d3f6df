//! `recover`: what killed runs have left changed is put back.

use std::sync::Arc;

use chaos_core::{Context, Error, ErrorKind, EventSink, PlatformSource, RecordedRun, RunId, RunLog, RunState};
use chaos_experiments::{MemorySink, RecoverOptions, Recovered, Recovery, RecoveryReport, Sinks};

use super::way_back;
use crate::cli::{Recover, SettingsArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt::{Interrupts, Signals};
use crate::narrator::Narrator;
use crate::output::{Output, write_recoveries};
use crate::session;
use crate::state::State;

/// Recovers one run, or all that need it.
pub(super) async fn run(args: Recover, settings: &SettingsArgs, output: &Output) -> Result<Exit, Failure> {
    let state = State::existing(&args.state, false)?;
    let runs = chosen(&args, &state).await?;
    if runs.is_empty() {
        output.note("no run has left anything changed");
        return Ok(Exit::Done);
    }
    if let Some(reason) = &args.abandon {
        return abandon(&state, &runs, reason, output).await;
    }
    let source = session::platforms_to_repair(settings, output)?;
    let interrupts = Interrupts::listen_as(
        Signals::WithoutHangup,
        output.clone(),
        "interrupted: stopping; what is not back is named",
    )?;
    let is_dry = args.dry_run || session::is_dry(source.settings(), args.dry_run, output);
    let mut options = RecoverOptions::default();
    options.settle = args.settle;
    let cx = super::context(&interrupts, "recovery of a chaos experiment");

    let mut reports = Vec::with_capacity(runs.len());
    let mut failed = None;
    let mut ahead = runs.iter();
    while !cx.cancellation().is_cancelled()
        && let Some(run) = ahead.next()
    {
        let cx = cx.limit(args.timeout);
        let recovered = if is_dry {
            look(&state, run, &cx, &source, &options).await
        } else {
            one(&state, run, &cx, &source, &options, output).await
        };
        match recovered {
            Ok(report) => reports.push(report),
            Err(error) => {
                output.warning(format_args!("not recovered: {}", error.with_causes()));
                failed = Some(error);
            }
        }
    }
    session::close(&source, &cx, output).await;
    // What is left changed is said in any case, also where the report cannot be written.
    let shown = output.data(|to| write_recoveries(args.format, &reports, to));
    for report in &reports {
        if !is_dry || report.damage.is_some() {
            tell(&state, report, output).await;
        }
    }
    for run in ahead {
        tell_untouched(&state, run, output).await;
    }
    shown?;
    Ok(match failed {
        _ if cx.cancellation().is_cancelled() => Exit::Interrupted,
        Some(error) if reports.is_empty() => Exit::untouched(error.kind()),
        None if reports.iter().all(RecoveryReport::is_settled) => Exit::Done,
        Some(_) | None => Exit::Failed,
    })
}

/// The runs that are meant: the latest first, since what was done last is undone first.
async fn chosen(args: &Recover, state: &State) -> Result<Vec<RunId>, Failure> {
    if let Some(run) = &args.run {
        return Ok(vec![state.find(run).await?]);
    }
    let needs_it = |state: RunState| matches!(state, RunState::Unrecovered | RunState::Damaged);
    let runs = state.store.list().await?.into_iter();
    Ok(runs.filter(|run| needs_it(run.state)).map(|run| run.run).collect())
}

/// What a recovery of one run would do.
///
/// # Errors
/// There is no such run, it is alive, or a newer version wrote its log.
async fn look(
    state: &State,
    run: &RunId,
    cx: &Context,
    source: &dyn PlatformSource,
    options: &RecoverOptions,
) -> Result<RecoveryReport, Error> {
    Ok(Recovery::new(read_dead(state, run).await?).look(cx, source, options).await)
}

/// The log of a run that does not go on.
async fn read_dead(state: &State, run: &RunId) -> Result<RecordedRun, Error> {
    let recorded = state.store.read(run).await?;
    if recorded.is_alive {
        return Err(Error::new(ErrorKind::Refused, format!("run {run} goes on")));
    }
    Ok(recorded)
}

/// Recovers one run and tells each step. Its log goes on; where that cannot be written, the VMs are put back all the same.
///
/// # Errors
/// There is no such run, it is alive, or a newer version wrote its log.
pub(super) async fn one(
    state: &State,
    run: &RunId,
    cx: &Context,
    source: &dyn PlatformSource,
    options: &RecoverOptions,
    output: &Output,
) -> Result<RecoveryReport, Error> {
    let (recorded, log): (_, Arc<dyn EventSink>) = match RunLog::resume(&*state.store, run).await {
        Ok(resumed) => resumed,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Refused | ErrorKind::Unsupported) => {
            return Err(error);
        }
        Err(error) => {
            let recorded = read_dead(state, run).await?;
            output.warning(format_args!(
                "what is done now is not written down, so repeat this when it can be: {}",
                error.with_causes()
            ));
            (recorded, Arc::new(MemorySink::default()))
        }
    };
    output.note(format_args!("recovering run {run}"));
    let narrator = Narrator::after(output.clone(), &recorded.events);
    let sinks = Sinks(vec![log, Arc::new(narrator)]);
    let cx = cx.clone().run(run.clone());
    Ok(Recovery::new(recorded).run(&cx, source, &sinks, options).await)
}

/// Tells what is not as it was found, and what a person can do about it.
pub(super) async fn tell(state: &State, report: &RecoveryReport, output: &Output) {
    let run = &report.run;
    for target in report.not_back() {
        let word = if matches!(target.result, Recovered::LeftAlone { .. }) { "LEFT ALONE" } else { "LEFT CHANGED" };
        output.note(format_args!("{word}: {target}"));
        if let (Recovered::Open { .. }, Some(vm), Some(command)) =
            (&target.result, target.target.vm(), way_back(target.found))
        {
            output.note(format_args!(
                "hint: put it back with `chaosmonkey platforms {command} --platform {} id:{}`",
                vm.entry, vm.id
            ));
        }
    }
    if let Some(damage) = &report.damage {
        output.note(format_args!("run {run}: {damage}; nobody knows what else it has done"));
        tell_held(state, run, output).await;
        output.note(format_args!("hint: `chaosmonkey recover {run} --abandon REASON` ends it then"));
    } else if !report.is_settled() && report.state != RunState::Running {
        output.note(format_args!(
            "hint: `chaosmonkey recover {run}` tries again; when all is as it should be, \
             `chaosmonkey recover {run} --abandon REASON` ends it"
        ));
    }
}

/// The VMs that a run held whose log is damaged: any of them may be changed.
async fn tell_held(state: &State, run: &RunId, output: &Output) {
    match state.store.held_by(run).await {
        Ok(leases) => {
            for lease in leases {
                output.note(format_args!("hint: it held {}: look at it, and put it back by hand", lease.name));
            }
        }
        Err(error) => output.warning(format_args!("which VMs it held is not known: {}", error.with_causes())),
    }
}

/// A run that an interrupted recovery did not come to.
async fn tell_untouched(state: &State, run: &RunId, output: &Output) {
    let open = state.store.read(run).await.map(|recorded| Recovery::new(recorded).open()).unwrap_or_default();
    let names: Vec<&str> = open.iter().map(|target| target.name.as_str()).collect();
    output.warning(format_args!("run {run} was not recovered; LEFT CHANGED, or may be: {}", names.join(", ")));
}

/// Lets the runs hold nothing any more.
async fn abandon(state: &State, runs: &[RunId], reason: &str, output: &Output) -> Result<Exit, Failure> {
    if reason.trim().is_empty() {
        return Err(Failure::usage("--abandon needs a reason, for whoever reads the log later"));
    }
    for run in runs {
        let is_whole = match state.store.read(run).await {
            Ok(recorded) => recorded.damage.is_none(),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Unsupported) => {
                return Err(error.into());
            }
            Err(error) => {
                output.warning(error.with_causes());
                false
            }
        };
        if !is_whole {
            let aside = state.store.set_aside(run).await?;
            output.note(format_args!("run {run} is abandoned; its damaged log is kept in {}", aside.display()));
            continue;
        }
        let (recorded, log) = RunLog::resume(&*state.store, run).await?;
        let recovery = Recovery::new(recorded);
        let open = recovery.open();
        if open.is_empty() {
            output.note(format_args!("run {run} has left nothing changed"));
            continue;
        }
        recovery.abandon(&Context::with_timeout(super::LONGEST).run(run.clone()), &*log, reason).await?;
        for target in open {
            output.note(format_args!("run {run} holds {} no longer", target.name));
        }
    }
    Ok(Exit::Done)
}
