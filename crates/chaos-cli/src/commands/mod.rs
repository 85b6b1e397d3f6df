//! One module for each command, each from its arguments to its exit code.

mod again;
mod completions;
mod config;
mod discover;
mod doctor;
#[cfg(feature = "dora")]
mod dora;
mod execute;
mod halt;
mod plan;
mod policy;
mod power;
mod recover;
mod reference;
mod run;
mod runs;
mod schema;
mod select;
mod sim;
mod source;
mod stage;
mod supervise;
mod templates;
mod validate;
mod variables;

use std::time::Duration;

use chaos_core::{Chosen, Context, Discovery, ErrorKind, Selector, TargetPattern, VMPowerState, resolve};

use crate::cli::{Cli, Command, Filters, Platforms, Sim};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt::Interrupts;
use crate::output::Output;
use crate::toolkit::ToolkitLog;

pub(crate) use halt::Halted;
pub(crate) use policy::Ruling;

/// Runs one command.
pub(crate) async fn run(cli: Cli, output: &Output) -> Result<Exit, Failure> {
    let settings = &cli.settings;
    match cli.command {
        Command::Run(args) => {
            let log = ToolkitLog::open(&cli.toolkit, &cli.logging, output)?;
            run::run(*args, &cli.toolkit, settings, &log, output).await
        }
        Command::Validate(args) => {
            let log = ToolkitLog::open(&cli.toolkit, &cli.logging, output)?;
            validate::run(&args, &cli.toolkit, &log).await
        }
        Command::Platforms(platforms) => match platforms {
            Platforms::DiscoverVms(args) => discover::vms(args, settings, output).await,
            Platforms::VmInfo(args) => discover::vm_info(args, settings, output).await,
            Platforms::Summary(args) => discover::summary(args, settings, output).await,
            Platforms::PowerOn(args) => power::power_on(args, settings, output).await,
            Platforms::PowerOff(args) => power::power_off(args, settings, output).await,
            Platforms::Reboot(args) => power::reboot(args, settings, output).await,
            Platforms::Suspend(args) => power::suspend(args, settings, output).await,
            #[cfg(feature = "dora")]
            Platforms::DoraEnvironments(args) => dora::environments(&args, settings, output),
            #[cfg(feature = "dora")]
            Platforms::DoraDiscover(args) => dora::discover(args, settings, output).await,
        },
        Command::Execute(args) if args.supervise => Box::pin(supervise::run(&args, settings, output)).await,
        Command::Execute(args) => execute::run(*args, settings, output).await,
        Command::Plan(args) => execute::plan(*args, settings, output).await,
        Command::Apply(args) => again::apply(args, settings, output).await,
        Command::Replay(args) => again::replay(args, settings, output).await,
        Command::Templates(command) => templates::run(&command, settings, output),
        Command::Schema => schema::run(output),
        Command::Runs(command) => runs::run(command, output).await,
        Command::Recover(args) => recover::run(args, settings, output).await,
        Command::Halt(args) => halt::halt(args, output).await,
        Command::Resume(args) => halt::resume(args, output).await,
        Command::Policy(command) => policy::run(command, settings, output).await,
        Command::Config(command) => config::run(&command, settings, output),
        Command::Doctor(args) => doctor::run(args, settings, output).await,
        Command::Sim(Sim::Serve(args)) => sim::serve(args, output).await,
        Command::Completions(args) => completions::run(&args, output),
        Command::Reference(args) => reference::run(&args, output),
    }
}

/// The limit of a command as a whole, whose steps all have nearer ones.
const LONGEST: Duration = Duration::from_hours(7 * 24);

/// A context that the first signal cancels. Each step sets its own, nearer limit.
fn context(interrupts: &Interrupts, reason: &str) -> Context {
    Context::with_timeout(LONGEST).cancelled_by(interrupts.first().clone()).reason(reason)
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

/// The selector of a set of targets and filters.
fn selector(targets: Vec<TargetPattern>, filters: Filters) -> Selector {
    let mut selector = Selector::targets(targets);
    selector.datacenter = filters.datacenter;
    selector.cluster = filters.cluster;
    selector.host = filters.host;
    selector.power_state = filters.state.map(VMPowerState::from);
    selector
}

/// Waits for `future`, unless a second signal comes.
async fn until_second<T>(
    interrupts: &Interrupts,
    future: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        biased;
        () = interrupts.second().cancelled() => Err(Failure::new(Exit::Interrupted, "interrupted")),
        ended = future => ended,
    }
}

/// The VMs that `selector` means in what was discovered with it.
///
/// # Errors
/// A target that is not there or is ambiguous.
fn resolved(selector: &Selector, discovery: &Discovery) -> Result<Vec<Chosen>, Failure> {
    resolve(selector, &discovery.vms).map_err(|error| {
        let outside = error.kind() == ErrorKind::NotFound && selector.has_filters();
        let failure = Failure::from(error);
        if outside { failure.hint("only VMs within the given filters were looked at") } else { failure }
    })
}
