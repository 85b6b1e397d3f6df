//! `halt` and `resume`: the switch that stops every run.

use std::time::Duration;

use chaos_core::{Clock, ErrorKind, HaltFlag, RunEventKind, RunId, RunLog, RunState, SystemClock};
use serde::Serialize;

use crate::cli::{Halt, Resume};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt::Interrupts;
use crate::output::{Output, write_halted};
use crate::state::State;

/// How often the logs of the runs are looked at.
const LOOKS: Duration = Duration::from_millis(100);

/// A run that was told to stop.
#[derive(Debug, Serialize)]
pub(crate) struct Halted {
    pub(crate) run: RunId,
    pub(crate) title: String,
    /// How long after the word was given it had stopped, in seconds.
    pub(crate) stopped_after: Option<f64>,
    pub(crate) state: RunState,
}

/// Halts everything and waits for the runs to put everything back.
pub(super) async fn halt(args: Halt, output: &Output) -> Result<Exit, Failure> {
    let state = State::real(&args.state)?;
    let interrupts = Interrupts::listen(output.clone(), "interrupted: waiting no longer; everything stays halted")?;
    let clock = SystemClock::new();
    let halt = chaos_core::Halt::new(args.reason.trim(), who(), clock.now());
    match state.store.halt(&halt).await.map_err(|error| not_halted(&error))? {
        None => output.note("halted: no run begins until `chaosmonkey resume`"),
        Some(before) => output.note(format_args!("it was {before}; that goes on")),
    }
    let runs = state.store.list().await?;
    for run in runs.iter().filter(|run| matches!(run.state, RunState::Unrecovered | RunState::Damaged)) {
        output.warning(format_args!(
            "run {} was killed and has left something changed: `chaosmonkey recover {}`",
            run.run, run.run
        ));
    }
    let mut halted: Vec<Halted> = runs
        .into_iter()
        .filter(|run| run.state == RunState::Running)
        .map(|run| Halted { run: run.run, title: run.title, stopped_after: None, state: RunState::Running })
        .collect();
    output.note(match halted.len() {
        0 => "no run goes on".to_owned(),
        1 => "1 run is told to stop".to_owned(),
        number => format!("{number} runs are told to stop"),
    });
    let deadline = clock.monotonic().saturating_add(args.timeout);
    while !args.no_wait
        && clock.monotonic() < deadline
        && !interrupts.first().is_cancelled()
        && halted.iter().any(|run| run.state == RunState::Running)
    {
        look(&state, &halt, &mut halted, output).await?;
        tokio::select! {
            () = tokio::time::sleep(LOOKS) => {}
            () = interrupts.first().cancelled() => {}
        }
    }
    for run in halted.iter().filter(|run| run.state == RunState::Running && !args.no_wait) {
        output.warning(format_args!(
            "run {run} has not come to its end: if its process hangs, end it with SIGKILL and then `chaosmonkey recover {run}`",
            run = run.run
        ));
    }
    output.data(|to| write_halted(args.format.format, &halted, to))?;
    Ok(match halted.iter().all(|run| run.state.is_settled()) {
        _ if interrupts.first().is_cancelled() => Exit::Interrupted,
        _ if args.no_wait => Exit::Done,
        true => Exit::Done,
        false => Exit::Failed,
    })
}

/// The switch cannot be set. Whoever wanted to stop everything needs another way, at once.
fn not_halted(error: &chaos_core::Error) -> Failure {
    Failure::new(Exit::Failed, format!("NOTHING IS HALTED: {}", error.with_causes())).hint(
        "`chaosmonkey runs list` shows what goes on; each run stops and undoes on SIGTERM: `pkill -TERM chaosmonkey`",
    )
}

/// Looks how far the runs have come.
async fn look(state: &State, halt: &chaos_core::Halt, halted: &mut [Halted], output: &Output) -> Result<(), Failure> {
    for run in halted.iter_mut().filter(|run| run.state == RunState::Running) {
        let recorded = match state.store.read(&run.run).await {
            Ok(recorded) => recorded,
            // It ended before it began, so nothing was written down, or was forgotten meanwhile.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                run.state = RunState::Interrupted;
                continue;
            }
            Err(error) => {
                output.warning(format_args!("run {} cannot be looked at: {}", run.run, error.with_causes()));
                run.state = RunState::Damaged;
                continue;
            }
        };
        let stopped = recorded.events.iter().rev().find_map(|event| {
            matches!(event.event, RunEventKind::Interrupted { .. } | RunEventKind::RunEnded { .. }).then_some(event.at)
        });
        if let (Some(at), None) = (stopped, run.stopped_after) {
            let after = at.duration_since(halt.at).as_secs_f64().max(0.0);
            run.stopped_after = Some(after);
            output.note(format_args!("run {} stopped after {after:.1} s, and puts everything back", run.run));
        }
        if !recorded.is_alive {
            let account = chaos_core::RunAccount::fold(&recorded.events);
            run.state = if recorded.damage.is_some() { RunState::Damaged } else { account.state() };
            if run.state.is_settled() {
                output.note(format_args!("run {} is over: {}", run.run, run.state));
            } else {
                output.warning(format_args!(
                    "run {} is over and has left something changed: `chaosmonkey recover {}`",
                    run.run, run.run
                ));
            }
        }
    }
    Ok(())
}

/// Ends a halt.
pub(super) async fn resume(args: Resume, output: &Output) -> Result<Exit, Failure> {
    let state = State::existing(&args.state, false)?;
    output.note(match HaltFlag::resume(&*state.store).await? {
        Some(halt) => format!("runs may begin again; it was {halt}"),
        None => "nothing was halted".to_owned(),
    });
    Ok(Exit::Done)
}

/// Who gives the word.
fn who() -> String {
    let user =
        ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()));
    let machine = chaos_experiments::RunOptions::default().node;
    format!("{}@{machine}", user.unwrap_or_else(|| "somebody".to_owned()))
}
