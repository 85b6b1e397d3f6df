//! `discover-vms`, `vm-info` and `summary`: they only read.

use chaos_core::{Discovery, EnvironmentSummary, Selector, VMInfo};

use super::{chosen, context, resolved, selector};
use crate::cli::{DiscoverVms, Format, Summary, VmInfo};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt::Interrupts;
use crate::output::{Output, write_summary, write_vm_details, write_vms};
use crate::session::Session;

/// Lists VMs.
pub(super) async fn vms(args: DiscoverVms, output: &Output) -> Result<Exit, Failure> {
    let discovery = discover(&args.platform.platform, &selector(args.names, args.filters), output).await?;
    if discovery.vms.is_empty() && args.format.format == Format::Table {
        output.note("no VM fits");
        return Ok(Exit::Done);
    }
    output.data(|to| write_vms(args.format.format, &discovery.vms, to))?;
    Ok(Exit::Done)
}

/// Shows everything about some VMs.
pub(super) async fn vm_info(args: VmInfo, output: &Output) -> Result<Exit, Failure> {
    let platform = args.selection.platform.platform.clone();
    let selector = chosen(args.selection)?;
    let discovery = discover(&platform, &selector, output).await?;
    let vms: Vec<VMInfo> = resolved(&selector, &discovery)?.into_iter().map(|chosen| chosen.vm).collect();
    output.data(|to| write_vm_details(args.format.format, &vms, to))?;
    Ok(Exit::Done)
}

/// Counts VMs.
pub(super) async fn summary(args: Summary, output: &Output) -> Result<Exit, Failure> {
    let discovery = discover(&args.platform.platform, &selector(Vec::new(), args.filters), output).await?;
    let summary = EnvironmentSummary::of(&discovery.vms);
    output.data(|to| write_summary(args.format.format, &summary, to))?;
    Ok(Exit::Done)
}

async fn discover(platform: &str, selector: &Selector, output: &Output) -> Result<Discovery, Failure> {
    let interrupts = Interrupts::listen(output.clone(), "interrupted: logging out")?;
    let session = Session::open(platform, context(&interrupts, "look at the inventory")).await?;
    let discovery = tokio::select! {
        biased;
        () = interrupts.second().cancelled() => return Err(Failure::new(Exit::Interrupted, "interrupted")),
        discovery = session.discover(selector, output) => discovery,
    };
    session.close(output).await;
    discovery
}
