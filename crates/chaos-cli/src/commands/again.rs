//! `plan`, `apply` and `replay`: what would be done, exactly that, and what was done before.

use std::collections::BTreeMap;
use std::path::Path;

use chaos_core::{
    Connection, Context, Error, ErrorKind, PlatformSource, RecordedRun, RunEventKind, RunLog, Section, VMRef,
};
use chaos_experiments::{Drawn, Drift, Experiment, Plan, PlanRecord, Planned};

use super::execute;
use super::source::Source;
use crate::cli::{Again, Apply, Execute, Replay, SettingsArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::session::READING;
use crate::state::State;

/// What has to be as it was, or nothing is done.
#[derive(Debug)]
pub(super) enum Expected {
    Nothing,
    /// Everything that was planned.
    Plan(Box<PlanRecord>),
    /// The VMs that were drawn, by the name of the step.
    Draws(Vec<(String, Drawn)>),
}

/// Does what was planned, if everything is as it was then.
pub(super) async fn apply(args: Apply, settings: &SettingsArgs, output: &Output) -> Result<Exit, Failure> {
    let record = read(&args.plan)?;
    let source: Source = serde_json::from_value(record.plan.source.clone())
        .map_err(|error| Failure::usage(format!("{}: where the experiment is from: {error}", args.plan.display())))?;
    let args = executed(source, args.again, Some(record.plan.seed))?;
    execute::run_if(args, Expected::Plan(Box::new(record)), settings, output).await
}

/// Runs again what was run before.
pub(super) async fn replay(args: Replay, settings: &SettingsArgs, output: &Output) -> Result<Exit, Failure> {
    let state = State::existing(&args.again.state, false)?;
    let run = state.find(&args.run).await?;
    let recorded = state.store.read(&run).await?;
    let (source, seed, draws) = of_run(&recorded)?;
    let expected = if args.redraw { Expected::Nothing } else { Expected::Draws(draws) };
    let args = executed(source, args.again, seed)?;
    execute::run_if(args, expected, settings, output).await
}

/// The arguments by which it is run again.
///
/// # Errors
/// A secret that was not given again.
fn executed(source: Source, again: Again, seed: Option<u64>) -> Result<Execute, Failure> {
    let what = source.what(&again, seed)?;
    let Again { dry_run, journal_path, .. } = again;
    Ok(Execute { what, dry_run, journal_path, supervise: false, supervised_as: None })
}

/// Where the experiment of a run came from, its seed, and what was drawn.
type Known = (Source, Option<u64>, Vec<(String, Drawn)>);

fn of_run(recorded: &RecordedRun) -> Result<Known, Failure> {
    let mut known: Option<(Source, Option<u64>)> = None;
    let mut draws = Vec::new();
    for event in &recorded.events {
        match &event.event {
            RunEventKind::RunStarted { seed, source: Some(source), .. } => {
                known = serde_json::from_value(source.clone()).ok().map(|source| (source, *seed));
            }
            // Looks at the steady state are made again and again.
            RunEventKind::ActivityStarted { section: Section::Method | Section::Rollbacks, activity } => {
                let name = activity.get("name").and_then(|name| name.as_str()).unwrap_or_default();
                let made = activity.get("drawn").cloned().and_then(|made| serde_json::from_value(made).ok());
                draws.extend(made.map(|made| (name.to_owned(), made)));
            }
            _ => {}
        }
    }
    let Some((source, seed)) = known else {
        let message = format!("where the experiment of run {} came from is not written down", recorded.run);
        return Err(Failure::new(Exit::Target, message)
            .hint("runs of `execute`, `apply` and `replay` can be replayed; for others there is `execute --seed`"));
    };
    Ok((source, seed, draws))
}

/// The plan in a file.
fn read(path: &Path) -> Result<PlanRecord, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("cannot read the plan {}: {error}", path.display())))?;
    PlanRecord::read(&text).map_err(|error| {
        let exit = if error.kind() == ErrorKind::Refused { Exit::Refused } else { Exit::Usage };
        Failure::new(exit, format!("{}: {}", path.display(), error.with_causes()))
    })
}

impl Expected {
    /// Whether the VMs and servers are as they were planned, each read by its id: whatever a name means now.
    ///
    /// # Errors
    /// What has changed.
    pub(super) async fn check_vms(
        &self,
        experiment: &Experiment,
        source: &dyn PlatformSource,
        cx: &Context,
    ) -> Result<(), Failure> {
        let Self::Plan(record) = self else { return Ok(()) };
        let connections = experiment.connections();
        let mut drift = Vec::new();
        for (entry, instance) in &record.plan.servers {
            let connection = connections.get(entry).cloned().unwrap_or_else(Connection::default);
            let cx = cx.limit(READING);
            let platform = source.open(&cx, entry, &connection).await?;
            if platform.identity().instance != *instance {
                drift.push(Drift::of_server(entry, instance, &platform.identity().instance));
                continue;
            }
            let planned: Vec<_> = record.plan.vms().into_iter().filter(|(at, _)| at.entry == *entry).collect();
            let refs: Vec<VMRef> = planned.iter().map(|(at, _)| at.clone()).collect();
            let mut read = platform.get(&cx, &refs).await.into_iter();
            for (_, planned) in &planned {
                let unread = || Err(Error::new(ErrorKind::Protocol, "the platform gave no answer"));
                drift.extend(Planned::drift_of_vm(planned, &read.next().unwrap_or_else(unread)));
            }
        }
        refused(&drift)
    }

    /// Whether what would be done is what was planned.
    ///
    /// # Errors
    /// What has changed.
    pub(super) fn check_plan(&self, now: &Planned) -> Result<(), Failure> {
        match self {
            Self::Nothing => Ok(()),
            Self::Plan(record) => refused(&record.plan.drift(now)),
            Self::Draws(draws) => check_draws(draws, &now.steps),
        }
    }
}

/// Whether the same VMs are drawn.
fn check_draws(draws: &[(String, Drawn)], plan: &Plan) -> Result<(), Failure> {
    let mut said: Vec<String> = Vec::new();
    // Steps may have one name: the first of a name is the first of the plan.
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, then) in draws {
        let before = seen.entry(name).or_default();
        let steps = plan.method.iter().chain(&plan.rollbacks).filter(|step| step.name == *name);
        let now = steps.filter_map(|step| step.drawn.as_ref()).nth(*before);
        *before += 1;
        match now {
            Some(now) if now.vms == then.vms => {}
            Some(now) => said.push(format!(
                "`{name}` would hit {} of {} now, and hit {} of {} then",
                now.vms.join(", "),
                now.among,
                then.vms.join(", "),
                then.among
            )),
            None => said.push(format!("`{name}` draws nothing now, and hit {} then", then.vms.join(", "))),
        }
    }
    said.dedup();
    if said.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Exit::Refused, said.join("\n"))
        .hint("nothing was touched; `--redraw` goes on with what the seed gives now"))
}

fn refused(drift: &[Drift]) -> Result<(), Failure> {
    if drift.is_empty() {
        return Ok(());
    }
    let said: Vec<String> = drift.iter().map(ToString::to_string).collect();
    Err(Failure::new(Exit::Refused, said.join("\n"))
        .hint("this is not as it was planned, and nothing was touched: make the plan anew, and look at it again"))
}
