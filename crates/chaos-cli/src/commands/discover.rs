//! `discover-vms`, `vm-info` and `summary`: they only read.

use chaos_core::{Context, EnvironmentSummary, Error, Selector};
use chaos_orchestrator::{Kind, PlatformOrchestrator};

use super::select::{Wish, among, discovered};
use super::{context, selector, until_second};
use crate::cli::{DiscoverVms, Format, PlatformsArg, SettingsArgs, Summary, VmInfo};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt::Interrupts;
use crate::output::{Listed, Output, write_summary, write_vm_details, write_vms};
use crate::session::{self, Session};

/// Lists VMs.
pub(super) async fn vms(args: DiscoverVms, settings: &SettingsArgs, output: &Output) -> Result<Exit, Failure> {
    let selector = discovered(&args.select, selector(args.names, args.filters));
    let Found { vms, exit } = find(&args.platforms, settings, &selector, output).await?;
    let vms = among(&args.select, vms, output)?;
    if vms.is_empty() && args.format.format == Format::Table {
        output.note("no VM fits");
        return Ok(exit);
    }
    output.data(|to| write_vms(args.format.format, &vms, to))?;
    Ok(exit)
}

/// Shows everything about some VMs.
pub(super) async fn vm_info(args: VmInfo, settings: &SettingsArgs, output: &Output) -> Result<Exit, Failure> {
    let platform = args.selection.platform.platform.clone();
    let wish = Wish::of(args.selection)?;
    let source = session::platforms(settings, output)?;
    let interrupts = Interrupts::listen(output.clone(), GIVING_UP)?;
    let cx = context(&interrupts, REASON);
    let looking = async {
        let session = Session::open(source, &platform, cx).await?;
        let discovery = session.discover(&wish.selector(), output).await;
        session.close(output).await;
        discovery
    };
    let discovery = until_second(&interrupts, looking).await?;
    let (vms, _) = wish.find(&platform, &discovery, output)?;
    let vms: Vec<Listed> = vms.into_iter().map(|vm| Listed { vm, entry: platform.clone() }).collect();
    output.data(|to| write_vm_details(args.format.format, &vms, to))?;
    Ok(Exit::Done)
}

/// Counts VMs.
pub(super) async fn summary(args: Summary, settings: &SettingsArgs, output: &Output) -> Result<Exit, Failure> {
    let selector = discovered(&args.select, selector(Vec::new(), args.filters));
    let Found { vms, exit } = find(&args.platforms, settings, &selector, output).await?;
    let vms = among(&args.select, vms, output)?;
    let summary = EnvironmentSummary::of(vms.iter().map(|listed| &listed.vm));
    output.data(|to| write_summary(args.format.format, &summary, to))?;
    Ok(exit)
}

const REASON: &str = "look at the inventory";
const GIVING_UP: &str = "interrupted: logging out";

/// What was found on the platforms, and the exit code if nothing else goes wrong.
struct Found {
    vms: Vec<Listed>,
    exit: Exit,
}

/// Asks each platform that is meant. If only some of several fail, the others count.
async fn find(
    platforms: &PlatformsArg,
    settings: &SettingsArgs,
    selector: &Selector,
    output: &Output,
) -> Result<Found, Failure> {
    let source = session::platforms(settings, output)?;
    let interrupts = Interrupts::listen(output.clone(), GIVING_UP)?;
    let names = names(platforms, &source)?;
    let cx = context(&interrupts, REASON);
    let looking = async {
        let found = each(&source, &names, &cx, selector, output).await;
        session::close(&source, &cx, output).await;
        found
    };
    let mut found = until_second(&interrupts, looking).await?;
    if !platforms.fail_on_partial && found.exit == Exit::Unreachable {
        found.exit = Exit::Done;
    }
    Ok(found)
}

async fn each(
    source: &PlatformOrchestrator,
    names: &[String],
    cx: &Context,
    selector: &Selector,
    output: &Output,
) -> Result<Found, Failure> {
    let (mut vms, mut failures) = (Vec::new(), Vec::new());
    for found in source.discover_each(&cx.limit(session::READING), names, selector).await {
        match found.discovery {
            Ok(discovery) => {
                output.problems(&discovery.problems);
                vms.extend(discovery.vms.into_iter().map(|vm| Listed { vm, entry: found.entry.clone() }));
            }
            Err(error) => failures.push((found.entry, error)),
        }
    }
    if cx.cancellation().is_cancelled() {
        return Err(Failure::new(Exit::Interrupted, "interrupted"));
    }
    if failures.len() < names.len() {
        let exit = if failures.is_empty() { Exit::Done } else { Exit::Unreachable };
        for (entry, error) in &failures {
            output.warning(told(entry, error));
        }
        if !failures.is_empty() {
            let without = failures.into_iter().map(|(entry, _)| entry).collect::<Vec<_>>().join(", ");
            output.warning(format_args!("the result is without the VMs of {without}"));
        }
        return Ok(Found { vms, exit });
    }
    // None answered: the first says why, as it would alone.
    let mut failures = failures.into_iter();
    let Some((entry, first)) = failures.next() else { return Ok(Found { vms, exit: Exit::Done }) };
    let first_told = if names.len() > 1 { told(&entry, &first) } else { first.with_causes() };
    let mut failure = Failure::from(first);
    failure.message = first_told;
    for (entry, error) in failures {
        failure.message = format!("{}\n{}", failure.message, told(&entry, &error));
    }
    Err(failure)
}

/// What went wrong with one of several platforms, which is named once.
fn told(entry: &str, error: &Error) -> String {
    let text = error.with_causes();
    if text.starts_with(&format!("{entry}: ")) { text } else { format!("{entry}: {text}") }
}

/// The names of the platforms that are meant, each once.
fn names(platforms: &PlatformsArg, source: &PlatformOrchestrator) -> Result<Vec<String>, Failure> {
    let mut names: Vec<String> = Vec::new();
    if platforms.all_platforms {
        let switchable =
            source.settings().entries().filter(|entry| entry.names_a_server() && entry.kind() != Kind::Dora);
        names.extend(switchable.map(|entry| entry.name.clone()));
        if names.is_empty() {
            return Err(Failure::usage("the settings name no vCenter, ESXi host or engine")
                .hint("`chaosmonkey config init` writes a settings file to begin with"));
        }
    }
    for name in platforms.platform.iter().filter(|_| !platforms.all_platforms) {
        // A misspelt name is no platform that failed.
        source.entry(name)?;
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    Ok(names)
}
