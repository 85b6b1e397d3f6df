//! pyvmomi, VMware's own Python client: as a client of our simulator, and as a second pair of eyes on a vCenter.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::artifacts::Programs;
use crate::shell;
use crate::simulator::Simulator;
use crate::tally::{Runner, Tally};
use crate::workspace::Workspace;

/// The major versions in use.
pub(super) const VERSIONS: [&str; 2] = ["8", "9"];
const LIMIT: Duration = Duration::from_mins(5);

/// Runs the script that uses our simulator as pyvmomi's users use a vCenter; it prints a line for each check.
pub(super) fn against_simulator(workspace: &Workspace, programs: &Programs, library: &Path) -> Result<Tally> {
    let directory = workspace.scratch("xtask/peers")?;
    let simulator = Simulator::start(programs.chaosmonkey(), &directory, &["--vms", "250"])?;
    let url = simulator.variable("VSPHERE_SERVER").context("the simulator told no VSPHERE_SERVER")?.to_owned();
    let mut script = python(workspace, library, "pyvmomi_against_sim.py");
    script.arg(url).current_dir(&directory).envs(simulator.environment());
    Ok(shell::count(&mut script, Runner::Lines, LIMIT))
}

/// Every VM of a vCenter as pyvmomi reads it.
pub(super) fn inventory(
    workspace: &Workspace,
    library: &Path,
    url: &str,
    username: &str,
    password: &str,
) -> Result<Vec<Value>> {
    let mut script = python(workspace, library, "pyvmomi_verify.py");
    script.args([url, username, password]);
    serde_json::from_str(&shell::capture(&mut script, LIMIT)?).context("pyvmomi_verify.py did not print JSON")
}

fn python(workspace: &Workspace, library: &Path, script: &str) -> Command {
    let mut command = Command::new("python3");
    command.arg(workspace.root().join("xtask/peers").join(script));
    command.env("PYTHONPATH", library).env("PYTHONUNBUFFERED", "1").env("PYTHONDONTWRITEBYTECODE", "1");
    command
}
