//! Where an experiment takes place, and a run of it with its records.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chaos_core::{
    Clock, Context, Denial, ErrorKind, EventSink, Guard, HaltFlag, OpenTarget, PlatformSource, Policy, RunId, RunLog,
    RunState, SystemClock, TargetPattern,
};
use chaos_experiments::{
    Experiment, JournalFile, Outlook, Planned, RecoverOptions, ResolvedExperiment, RunOptions, RunReport, Sinks,
};
use chaos_orchestrator::{PlatformOrchestrator, RehearsalSource};

use super::{recover, way_back};
use crate::cli::StateArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt::Interrupts;
use crate::output::{Answer, Output};
use crate::state::State;

/// How long it may take to put back what another run has left changed.
const RECOVERING: Duration = Duration::from_mins(30);
/// How long opening the platforms and finding all VMs may take.
const RESOLVING: Duration = Duration::from_mins(5);

/// Where an experiment takes place.
pub(super) struct Stage {
    pub(super) source: Box<dyn PlatformSource>,
    /// What faults have to keep. In a rehearsal nothing is broken that anybody would want to keep.
    policy: Policy,
    clock: Arc<dyn Clock>,
    pub(super) is_rehearsal: bool,
}

impl Stage {
    pub(super) async fn build(
        rehearse: bool,
        source: PlatformOrchestrator,
        experiment: &Experiment,
        output: &Output,
    ) -> Result<Self, Failure> {
        if !rehearse {
            let policy = source.settings().chaos.policy.clone();
            return Ok(Self { source: Box::new(source), policy, clock: SystemClock::shared(), is_rehearsal: false });
        }
        output.note("rehearsal: the platforms are simulated, nothing real is touched");
        if experiment.ignores_connection_values() {
            output.note("rehearsal: connection values are ignored");
        }
        let named =
            experiment.vms().into_iter().map(|vm| vm.target.parse()).collect::<Result<Vec<TargetPattern>, _>>()?;
        let source = RehearsalSource::start(&named).await?;
        let (clock, policy) = (source.clock(), Policy::default());
        Ok(Self { clock, source: Box::new(source), policy, is_rehearsal: true })
    }

    /// A context without a limit of its own: each step of an experiment has one.
    pub(super) fn context(&self, run: RunId) -> Context {
        Context::on_clock(Arc::clone(&self.clock), super::LONGEST).run(run)
    }

    /// Finds the VMs.
    pub(super) async fn resolve(&self, experiment: Experiment, cx: &Context) -> Result<ResolvedExperiment, Failure> {
        let resolved = experiment.resolve(&cx.limit(RESOLVING), &*self.source).await;
        resolved.map_err(|error| self.unresolved(error))
    }

    /// What every fault is asked about.
    fn guard(&self, records: &State) -> Arc<Guard> {
        Arc::new(Guard::new(self.policy.clone(), records.store.clone()))
    }

    /// What a run would do now, and what the guard does not allow of it. Reads only.
    pub(super) async fn plan(
        &self,
        resolved: &ResolvedExperiment,
        from: &serde_json::Value,
        state: &StateArgs,
        cx: &Context,
    ) -> Result<(Planned, Outlook), Failure> {
        // Where there is no place for what other runs do, there are none.
        let records = State::existing(state, self.is_rehearsal).or_else(|_| State::temporary())?;
        let guard = Guard::new(self.policy.clone(), records.store.clone());
        let outlook = resolved.outlook(&cx.limit(RESOLVING), &guard).await?;
        let made = format!("{:.0}", cx.now());
        Ok((resolved.planned(made, from.clone(), &self.policy, outlook.blast_radius.clone()), outlook))
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

/// A run that is over, and all that is needed to put back what it has left changed.
pub(super) struct After<'a> {
    pub(super) report: &'a RunReport,
    /// Whether everything should be back already.
    pub(super) puts_back: bool,
    pub(super) stage: &'a Stage,
    pub(super) records: &'a State,
    pub(super) cx: &'a Context,
    pub(super) interrupts: &'a Interrupts,
    pub(super) options: &'a RecoverOptions,
}

impl After<'_> {
    /// Puts back what the experiment has left changed, where that was asked for; else says what that is.
    ///
    /// # Errors
    /// Not everything is back.
    pub(super) async fn settle(&self, undo: bool, output: &Output) -> Result<(), Failure> {
        let Self { report, puts_back, stage, records, cx, interrupts, options } = self;
        // What is not back where everything should be could not be put back.
        if !undo || *puts_back || report.left_changed.is_empty() {
            tell_left_changed(report, stage, *puts_back, output);
            return Ok(());
        }
        let cx = cx.detached(super::LONGEST).cancelled_by(interrupts.second().clone());
        let recovered = recover::one(records, &report.run, &cx, &*stage.source, options, output).await?;
        recover::tell(records, &recovered, output).await;
        if recovered.is_settled() {
            return Ok(());
        }
        Err(Failure::new(Exit::Failed, "not everything is back as it was found"))
    }
}

fn tell_left_changed(report: &RunReport, stage: &Stage, puts_back: bool, output: &Output) {
    let (level, back) =
        if puts_back { ("error", "tries again to put everything back") } else { ("warning", "puts everything back") };
    for left in &report.left_changed {
        output.note(format_args!("{level}: LEFT CHANGED: {left}"));
        if let (Some(vm), Some(command), false) = (left.target.vm(), way_back(left.found), stage.is_rehearsal) {
            output.note(format_args!(
                "hint: put it back with `chaosmonkey platforms {command} --platform {} id:{}`",
                vm.entry, vm.id
            ));
        }
    }
    if !report.left_changed.is_empty() && !stage.is_rehearsal {
        output.note(format_args!("hint: `chaosmonkey recover {}` {back}", report.run));
    }
}

/// Offers to recover the runs that have left VMs of this one changed, and says whether that was done.
///
/// # Errors
/// Nobody is there to say yes, or something is still not back.
pub(super) async fn recover_first(
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
#[expect(clippy::too_many_arguments, reason = "each is a part of the command, and none belongs to another")]
pub(super) async fn run_recorded(
    resolved: &ResolvedExperiment,
    stage: &Stage,
    records: &State,
    cx: &Context,
    interrupts: &Interrupts,
    mut options: RunOptions,
    teller: Arc<dyn EventSink>,
    output: &Output,
) -> Result<RunReport, Failure> {
    let store = &records.store;
    options.guard = Some(stage.guard(records));
    // Whoever is refused here disturbs nobody.
    allowed(resolved, &options, cx).await?;
    // From here on the run is alive for others, so that its leases count.
    let log = store.begin(cx.run_id(), cx.now()).await?;
    // And whoever halts from here on waits for it. So this look misses no halt, however long ago the first one was.
    if let Some(halt) = store.get().await? {
        return Err(chaos_core::Error::from(&halt).into());
    }
    let claim = resolved.claim(cx.run_id(), store.clone()).await?;
    // Asked again with the leases, which others see: of two runs that begin at once, one knows of the other.
    if let Err(refused) = allowed(resolved, &options, cx).await {
        claim.release().await?;
        return Err(refused);
    }
    if !stage.is_rehearsal {
        output.note(format_args!("run log: {}", store.directory_of(cx.run_id())?.display()));
    }
    let sinks: Vec<Arc<dyn EventSink>> = vec![log, teller];
    options.stop_repair = interrupts.second().clone();
    options.abandon = interrupts.abandon().clone();
    options.halt = Some(store.clone());
    options.claim = Some(claim.clone());
    let report = resolved.run(cx, &Sinks(sinks), &options).await;
    if let Err(error) = claim.release().await {
        output.warning(format_args!("the leases could not be given back: {}", error.with_causes()));
    }
    Ok(report)
}

/// Whether the guard allows the whole of an experiment.
///
/// # Errors
/// It does not, with what each of its rules says.
async fn allowed(resolved: &ResolvedExperiment, options: &RunOptions, cx: &Context) -> Result<(), Failure> {
    let Some(guard) = &options.guard else { return Ok(()) };
    let review = resolved.review(&cx.limit(RESOLVING), guard).await?;
    if review.denials.is_empty() { Ok(()) } else { Err(denied(&review.denials)) }
}

/// A refusal by the guard, one rule a line.
pub(super) fn denied(denials: &[Denial]) -> Failure {
    let said: Vec<String> = denials.iter().map(ToString::to_string).collect();
    Failure::new(Exit::Refused, said.join("\n"))
        .hint("nothing was touched; `chaosmonkey policy explain VM` says what each rule has to say of a VM")
}

/// Where the journal goes.
pub(super) struct Journal {
    path: PathBuf,
    file: JournalFile,
}

impl Journal {
    /// Proves that it can be written.
    pub(super) fn create(path: PathBuf) -> Result<Self, Failure> {
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
