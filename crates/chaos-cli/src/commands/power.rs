//! `power-on`, `power-off`, `reboot` and `suspend`: choose, check, ask, and only then act.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use chaos_core::{
    ChosenBy, Error, Fault, HaltFlag, Member, Operation, PlatformExt, PowerReport, Scene, Stop, Strike,
    SuspendedMemory, VMInfo, VMRef, check_power,
};

#[cfg(feature = "dora")]
use chaos_core::PlatformKind;

use super::context;
use super::plan::Planned;
use super::select::Wish;
use super::stage::denied;
use crate::cli::{Format, LimitedPower, PowerArgs, PowerOff, Reboot, SettingsArgs, StopArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt::Interrupts;
use crate::output::{Answer, Output, write_power};
use crate::progress::Bar;
use crate::session::{self, Session};
use crate::state::State;

/// What comes on top of the limits of each VM: reading the VMs first, and waiting for the next one's turn.
const OVERHEAD: Duration = Duration::from_mins(1);

/// Powers VMs on.
pub(super) async fn power_on(args: LimitedPower, settings: &SettingsArgs, output: &Output) -> Result<Exit, Failure> {
    run(args.power, Fault::PowerOn { limit: args.timeout }, settings, output).await
}

/// Powers VMs off.
pub(super) async fn power_off(args: PowerOff, settings: &SettingsArgs, output: &Output) -> Result<Exit, Failure> {
    let suspended = if args.discard_suspended { SuspendedMemory::Discard } else { SuspendedMemory::Keep };
    run(args.power, Fault::PowerOff { stop: stop(&args.stop), suspended }, settings, output).await
}

/// Restarts VMs.
pub(super) async fn reboot(args: Reboot, settings: &SettingsArgs, output: &Output) -> Result<Exit, Failure> {
    run(args.power, Fault::Reboot { stop: stop(&args.stop) }, settings, output).await
}

/// Suspends VMs.
pub(super) async fn suspend(args: LimitedPower, settings: &SettingsArgs, output: &Output) -> Result<Exit, Failure> {
    run(args.power, Fault::Suspend { limit: args.timeout }, settings, output).await
}

fn stop(args: &StopArgs) -> Stop {
    match (args.force, args.graceful_only) {
        (true, _) => Stop::Hard { limit: args.timeout },
        (false, true) => Stop::GuestOnly { grace: args.timeout },
        (false, false) => Stop::GuestThenHard { grace: args.timeout, hard: args.hard_timeout },
    }
}

async fn run(mut args: PowerArgs, fault: Fault, settings: &SettingsArgs, output: &Output) -> Result<Exit, Failure> {
    let platform = args.selection.platform.platform.clone();
    // Everything that can be wrong with the arguments is found before the first connection.
    let wish = Wish::of(args.selection.clone())?;
    let source = if fault.breaks() {
        session::platforms(settings, output)?
    } else {
        session::platforms_to_repair(settings, output)?
    };
    let interrupts = Interrupts::listen(
        output.clone(),
        "interrupted: no further VM is started, and those in transition are left as they are (again: stop at once)",
    )?;
    let cx = context(&interrupts, "chaosmonkey platforms");
    args.dry_run |= session::is_dry(source.settings(), args.dry_run, output);
    let session = Session::open(source, &platform, cx).await?;
    let power = async {
        let discovery = session.discover(&wish.selector(), output).await?;
        let (vms, by) = wish.find(&platform, &discovery, output)?;
        act(&session, &args, &fault, (vms, by), output).await
    };
    let exit = tokio::select! {
        biased;
        () = interrupts.second().cancelled() => {
            return Err(Failure::new(Exit::Interrupted, "stopped at once")
                .hint("VMs may still be in transition: look with `chaosmonkey platforms vm-info`"));
        }
        exit = power => exit,
    };
    session.close(output).await;
    exit
}

async fn act(
    session: &Session,
    args: &PowerArgs,
    fault: &Fault,
    (vms, by): (Vec<VMInfo>, ChosenBy),
    output: &Output,
) -> Result<Exit, Failure> {
    let operation = fault.operation();
    if vms.is_empty() {
        return Err(Failure::new(Exit::Target, "no VM fits the filters"));
    }
    if !session.platform().capabilities().supports(operation) {
        return Err(unsupported(session, operation, &vms).await);
    }
    let planned: Vec<Planned> = vms.iter().map(|vm| Planned::new(vm, operation, check_power(vm, fault))).collect();
    may(session, args, fault, &vms).await?;
    if args.dry_run {
        output.data(|to| write_power(args.format.format, &planned, to))?;
        return if planned.iter().any(Planned::is_refused) { Err(refused(&planned)) } else { Ok(Exit::Done) };
    }
    if planned.iter().any(Planned::is_refused) {
        return Err(refused(&planned));
    }
    if by == ChosenBy::Pattern && !args.yes {
        let confirmed = confirm(&planned, operation.words(), output);
        if session.context().cancellation().is_cancelled() {
            return Err(Failure::new(Exit::Interrupted, "interrupted, nothing was touched"));
        }
        confirmed?;
        // Whoever was asked may have taken their time.
        may(session, args, fault, &vms).await?;
    }
    let reports = apply(session, args.parallel, fault, &vms, output).await;
    let shown = output.data(|to| write_power(args.format.format, &reports, to));
    // A table has the errors in it, if it could be written.
    if args.format.format != Format::Table || shown.is_err() {
        for error in reports.iter().filter_map(|report| report.result.as_ref().err()) {
            output.note(format_args!("error: {}", error.with_causes()));
        }
    }
    let ended = conclude(session, &reports)?;
    shown.map(|()| ended)
}

/// Whether a person may do this: what is protected, when it may be, and a halt hold by hand too.
///
/// # Errors
/// It is not allowed, with what each rule says.
async fn may(session: &Session, args: &PowerArgs, fault: &Fault, vms: &[VMInfo]) -> Result<(), Failure> {
    if !fault.breaks() {
        return Ok(());
    }
    // Where there is no place for a halt, there is none.
    if let Ok(state) = State::existing(&args.state, false)
        && let Some(halt) = state.store.get().await?
    {
        return Err(Error::from(&halt).into());
    }
    let identity = session.platform().identity();
    let member = |vm: &VMInfo| Member { at: VMRef::new(identity, &vm.id), vm: vm.clone() };
    let estate: Vec<Member> = vms.iter().map(member).collect();
    let scene = Scene::new(session.context().now(), &estate);
    let strike = Strike { fault, targets: estate.iter().collect() };
    session.policy().by_hand().check(&strike, &scene).map_err(|denials| denied(&denials))
}

/// How many VMs are looked for elsewhere, if the platform cannot switch them.
#[cfg(feature = "dora")]
const LOOKED_FOR: usize = 3;

/// That the platform cannot do it, and for VMs of a Dora service, which one can.
async fn unsupported(session: &Session, operation: Operation, vms: &[VMInfo]) -> Failure {
    let kind = &session.platform().identity().kind;
    #[cfg_attr(not(feature = "dora"), expect(unused_mut, reason = "only Dora needs hints"))]
    let mut failure = Failure::from(Error::unsupported(kind, operation.words()));
    #[cfg(feature = "dora")]
    if *kind == PlatformKind::DORA {
        for vm in vms.iter().take(LOOKED_FOR) {
            failure = failure.hint(session.elsewhere(vm, &operation.words().replace(' ', "-")).await);
        }
    }
    #[cfg(not(feature = "dora"))]
    let _ = vms;
    failure
}

/// Every VM that was refused, and what can be done about it.
fn refused(planned: &[Planned]) -> Failure {
    let reasons: Vec<&str> = planned.iter().filter_map(Planned::refusal).collect();
    let mut failure = Failure::new(Exit::Refused, reasons.join("\n"));
    if planned.iter().any(Planned::would_lose_memory) {
        failure = failure.hint("--discard-suspended powers suspended VMs off and loses what is in their memory");
    }
    failure.hint(match planned.len() - reasons.len() {
        0 => "nothing was touched".to_owned(),
        1 => "the other VM was not touched either".to_owned(),
        others => format!("the other {others} VMs were not touched either"),
    })
}

/// Lists what a pattern chose and asks. Without a terminal nobody can be asked.
fn confirm(planned: &[Planned], words: &str, output: &Output) -> Result<(), Failure> {
    let count = match planned.len() {
        1 => "1 VM".to_owned(),
        more => format!("{more} VMs"),
    };
    output.note(format_args!("A pattern, filter or selector chose {count} to {words}:"));
    for row in planned {
        output.note(format_args!("  {} ({})", row.display_path(), row.previous_state()));
    }
    match output.ask(&format!("{words} {count}?")) {
        Answer::Yes => Ok(()),
        Answer::No => Err(Failure::new(Exit::Refused, "not confirmed, nothing was touched")),
        Answer::NobodyThere => Err(Failure::new(
            Exit::Refused,
            format!("{count} chosen by a pattern, filter or selector, and there is no terminal to ask at: nothing was touched"),
        )
        .hint("add --yes if these are the VMs that you mean, or name them in full")),
    }
}

async fn apply(
    session: &Session,
    parallel: NonZeroUsize,
    fault: &Fault,
    vms: &[VMInfo],
    output: &Output,
) -> Vec<PowerReport> {
    let waves = u32::try_from(vms.len().div_ceil(parallel.get())).unwrap_or(u32::MAX);
    let limit = fault.limit().saturating_add(OVERHEAD).saturating_mul(waves);
    let bar = Arc::new(Bar::new(output.bar(vms.len()), fault.operation()));
    let cx = session.context().limit(limit).progress_to(Arc::<Bar>::clone(&bar));
    let reports = session.platform().apply_each(&cx, vms, fault, parallel).await;
    bar.finish();
    reports
}

/// The exit code, and a line for people who read only the end.
fn conclude(session: &Session, reports: &[PowerReport]) -> Result<Exit, Failure> {
    let failed = reports.iter().filter(|report| report.result.is_err()).count();
    if session.context().cancellation().is_cancelled() {
        return Err(Failure::new(
            Exit::Interrupted,
            format!("interrupted: {} of {} VMs are done", reports.len() - failed, reports.len()),
        ));
    }
    if failed > 0 {
        return Err(Failure::new(Exit::Failed, format!("{failed} of {} VMs failed", reports.len())));
    }
    Ok(Exit::Done)
}
