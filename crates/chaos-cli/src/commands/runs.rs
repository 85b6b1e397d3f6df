//! `runs`: what runs have done, from their logs alone.

use chaos_core::{RecordedRun, RunAccount, RunLog};
use chaos_experiments::Journal;

use crate::cli::{Runs, RunsJournal, RunsList, RunsRm, RunsShow};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, write_run_details, write_runs};
use crate::state::State;

/// Runs one of the commands.
pub(super) async fn run(command: Runs, output: &Output) -> Result<Exit, Failure> {
    match command {
        Runs::List(args) => list(&args, output).await,
        Runs::Show(args) => show(&args, output).await,
        Runs::Journal(args) => journal(&args, output).await,
        Runs::Rm(args) => remove(&args, output).await,
    }
}

async fn list(args: &RunsList, output: &Output) -> Result<Exit, Failure> {
    let state = State::existing(&args.history.state, args.history.rehearsals)?;
    let runs = state.store.list().await?;
    for run in &runs {
        if let Some(damage) = &run.damage {
            output.warning(format_args!("run {}: {damage}", run.run));
        }
    }
    output.data(|to| write_runs(args.format.format, &runs, to))?;
    Ok(Exit::Done)
}

async fn show(args: &RunsShow, output: &Output) -> Result<Exit, Failure> {
    let state = State::existing(&args.history.state, args.history.rehearsals)?;
    let recorded = read(&state, &args.run, output).await?;
    let account = RunAccount::fold(&recorded.events);
    output.data(|to| write_run_details(args.format, &recorded, &account, to))?;
    Ok(Exit::Done)
}

async fn journal(args: &RunsJournal, output: &Output) -> Result<Exit, Failure> {
    let state = State::existing(&args.history.state, args.history.rehearsals)?;
    let recorded = read(&state, &args.run, output).await?;
    let journal = Journal::fold(&recorded.events);
    if recorded.is_alive {
        output.note(format_args!("run {} goes on: this is its journal so far", recorded.run));
    }
    match &args.output {
        Some(path) => {
            chaos_experiments::JournalFile::create(path)?.write(&journal)?;
            output.note(format_args!("journal: {}", path.display()));
        }
        None => output.data(|to| writeln!(to, "{}", journal.to_text()))?,
    }
    Ok(Exit::Done)
}

async fn remove(args: &RunsRm, output: &Output) -> Result<Exit, Failure> {
    let state = State::existing(&args.history.state, args.history.rehearsals)?;
    // All are found before one is removed.
    let mut runs = Vec::with_capacity(args.runs.len());
    for run in &args.runs {
        let run = state.find(run).await?;
        if !runs.contains(&run) {
            runs.push(run);
        }
    }
    for run in runs {
        state.store.remove(&run).await?;
        output.note(format_args!("run {run} is forgotten"));
    }
    Ok(Exit::Done)
}

/// A run, and a word about what is wrong with its log.
///
/// # Errors
/// There is no such run, or its log is that of a newer version.
async fn read(state: &State, run: &str, output: &Output) -> Result<RecordedRun, Failure> {
    let run = state.find(run).await?;
    let recorded = state.store.read(&run).await?;
    if let Some(damage) = &recorded.damage {
        output.warning(format_args!("{damage}: what comes after this is not known"));
    }
    if recorded.torn_bytes > 0 && !recorded.is_alive {
        output.note(format_args!("the last record of the log was cut short ({} bytes)", recorded.torn_bytes));
    }
    Ok(recorded)
}
