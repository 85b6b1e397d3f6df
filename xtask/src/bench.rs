//! Figures for docs/performance.md: criterion benches, and the peak memory of a discovery of 10,000 VMs.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::artifacts::{self, Programs};
use crate::peers;
use crate::simulator::Simulator;
use crate::tally::{Runner, Tally};
use crate::workspace::Workspace;
use crate::{say, shell};

const LIMIT: Duration = Duration::from_hours(1);
/// VMs of the large estate.
const VMS: &str = "10000";
/// What the client may need at its peak for that estate, in MiB.
const PEAK_MIB: u64 = 64;

/// Benches and peak memory, both optimised.
pub(crate) fn run(workspace: &Workspace) -> Result<Tally> {
    let mut tally = Tally::default();
    for (package, bench) in [("chaos-vsphere", "discovery"), ("chaos-vsphere", "power"), ("chaos-core", "selection")] {
        say::heading(format_args!("bench {bench}"));
        let mut command = workspace.cargo(["bench", "--locked", "--package", package, "--bench", bench]);
        tally += shell::count(&mut command, Runner::Check, LIMIT);
    }
    say::heading("peak memory of choosing");
    for vms in ["10000", "50000", "100000"] {
        let mut command = workspace.cargo(["bench", "--locked", "--package", "chaos-core", "--bench", "selection"]);
        tally += shell::count(command.env("CHAOS_VMS", vms), Runner::Check, LIMIT);
    }
    say::heading("peak memory");
    let programs = artifacts::build_chaosmonkey(workspace, true)?;
    tally += peak_memory(workspace, &programs)?;
    say::heading("start-up, beside Chaos Toolkit");
    let mut measured = Command::new("python3");
    measured.arg(workspace.root().join("xtask/measure/start_up.py")).arg(programs.chaosmonkey());
    measured.arg(peers::chaos(workspace)?);
    tally += shell::count(&mut measured, Runner::Check, LIMIT);
    Ok(tally)
}

/// Discovers a large simulated estate in a process of its own and holds its peak resident memory against the limit.
pub(crate) fn peak_memory(workspace: &Workspace, programs: &Programs) -> Result<Tally> {
    let directory = workspace.scratch("xtask/peak-memory")?;
    let arguments = ["--vms", VMS];
    let vcenter = Simulator::start(programs.chaosmonkey(), &directory, &arguments)?;
    let mut tally = peak_of_discovery(workspace, programs, &vcenter, "vsphere")?;
    drop(vcenter);
    let engine = Simulator::start_engine(programs.chaosmonkey(), &directory, &arguments)?;
    tally += peak_of_discovery(workspace, programs, &engine, "olvm")?;
    Ok(tally)
}

fn peak_of_discovery(
    workspace: &Workspace,
    programs: &Programs,
    simulator: &Simulator,
    platform: &str,
) -> Result<Tally> {
    let directory = workspace.scratch("xtask/peak-memory")?;
    let discovery = ["platforms", "discover-vms", "--platform", platform, "--format", "json"];
    let mut measured = Command::new("python3");
    measured.arg(script(workspace)).arg(programs.chaosmonkey()).args(discovery);
    measured.current_dir(&directory).envs(simulator.environment());
    let answer = shell::capture(&mut measured, LIMIT)?;
    let kib: u64 = answer.trim().parse().with_context(|| format!("no number of KiB: {answer}"))?;
    let held = kib <= PEAK_MIB * 1024;
    let verdict = if held { "ok" } else { "not ok" };
    say::line(format_args!(
        "{verdict} discovery of {VMS} VMs on {platform} needs {} MiB at its peak (limit {PEAK_MIB})",
        kib.div_ceil(1024)
    ));
    Ok(Tally::check(held))
}

fn script(workspace: &Workspace) -> PathBuf {
    workspace.root().join("xtask/measure/peak_memory.py")
}
