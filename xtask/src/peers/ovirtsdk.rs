//! oVirt's own Python SDK: as a client of our simulated engine, and as a second pair of eyes on what we discover there.
//!
//! The other direction, our client against an engine that we did not write, is missing: nobody publishes a simulated
//! engine, and a real one needs hosts and storage. So the client is held against the SDK instead, both reading the same
//! simulator: what they disagree on, one of them misunderstands.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::Verdicts;
use crate::artifacts::Programs;
use crate::shell;
use crate::simulator::Simulator;
use crate::tally::Runner;
use crate::workspace::Workspace;

const LIMIT: Duration = Duration::from_mins(5);
/// VMs of the simulated engine before the script adds its own.
const VMS: &str = "250";
/// What must be the same to the last letter.
const FIELDS: [&str; 8] =
    ["name", "power_state", "native_state", "host", "cluster", "datacenter", "cpu_count", "memory_mb"];

/// Runs the script that uses our simulator as the SDK's users use an engine, and then compares what `chaosmonkey` and the
/// SDK see of the world that it leaves behind.
pub(super) fn against_simulator(
    workspace: &Workspace,
    programs: &Programs,
    library: &Path,
    verdicts: &mut Verdicts,
) -> Result<()> {
    let directory = workspace.scratch("xtask/peers")?;
    let simulator = Simulator::start_engine(programs.chaosmonkey(), &directory, &["--vms", VMS])?;
    let mut script = python(workspace, library, "ovirtsdk_against_sim.py");
    script.current_dir(&directory).envs(simulator.environment());
    verdicts.add(shell::count(&mut script, Runner::Lines, LIMIT));

    // The script has stopped the clock, so that both see the same moment, and has left VMs in every status.
    let mut verify = python(workspace, library, "ovirtsdk_verify.py");
    verify.current_dir(&directory).envs(simulator.environment());
    let theirs = json(&mut verify)?;
    let mut discover = Command::new(programs.chaosmonkey());
    discover.args(["platforms", "discover-vms", "--platform", "olvm", "--format", "json"]);
    discover.current_dir(&directory).envs(simulator.environment());
    discover.env_remove("OLVM_INSECURE").env_remove("OLVM_THUMBPRINT");
    let ours = json(&mut discover);
    verdicts.check("olvm discover-vms: what the oVirt SDK sees", &ours.and_then(|ours| same_vms(&ours, &theirs)));
    Ok(())
}

fn python(workspace: &Workspace, library: &Path, script: &str) -> Command {
    let mut command = Command::new("python3");
    command.arg(workspace.root().join("xtask/peers").join(script));
    command.env("PYTHONPATH", library).env("PYTHONUNBUFFERED", "1").env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn json(command: &mut Command) -> Result<Vec<Value>> {
    let printed = shell::capture(command, LIMIT)?;
    serde_json::from_str(&printed).with_context(|| format!("`{}` did not print a JSON array", shell::shown(command)))
}

/// The same VMs, which names do not tell apart, each with the same place, state and size.
fn same_vms(ours: &[Value], theirs: &[Value]) -> Result<String> {
    let by_id: BTreeMap<&str, &Value> = theirs.iter().map(|vm| (id(vm), vm)).collect();
    ensure!(by_id.len() == theirs.len(), "the SDK lists a VM twice");
    let mut seen = BTreeSet::new();
    for vm in ours {
        let other = by_id.get(id(vm)).with_context(|| format!("{}: the SDK does not know its id", vm["name"]))?;
        ensure!(seen.insert(id(vm)), "{} is listed twice", vm["name"]);
        for field in FIELDS {
            let (mine, other) = (&vm[field], &other[field]);
            ensure!(mine == other, "{}: {field} is {mine}, the SDK sees {other}", vm["name"]);
        }
    }
    if let Some((id, vm)) = by_id.iter().find(|(id, _)| !seen.contains(*id)) {
        bail!("{} with the id {id} is missing", vm["name"]);
    }
    let statuses: BTreeSet<&str> = ours.iter().filter_map(|vm| vm["native_state"].as_str()).collect();
    Ok(format!("{} VMs in {} statuses", ours.len(), statuses.len()))
}

fn id(vm: &Value) -> &str {
    vm["id"].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::same_vms;

    fn vm(id: &str, host: Option<&str>, cpus: u32) -> Value {
        json!({"id": id, "name": "web-01", "power_state": "powered_on", "native_state": "up", "host": host,
            "cluster": "c", "datacenter": "d", "cpu_count": cpus, "memory_mb": 1024})
    }

    #[test]
    fn vms_of_the_same_name_are_told_apart_by_id() {
        let both = [vm("1", Some("h1"), 2), vm("2", None, 2)];
        let turned = [both[1].clone(), both[0].clone()];
        assert_eq!(same_vms(&both, &turned).unwrap(), "2 VMs in 1 statuses");
    }

    #[test]
    fn a_difference_is_named() {
        let error = |ours: Value, theirs: Value| same_vms(&[ours], &[theirs]).unwrap_err().to_string();
        assert_eq!(error(vm("1", Some("h1"), 2), vm("1", None, 2)), r#""web-01": host is "h1", the SDK sees null"#);
        assert_eq!(error(vm("1", None, 2), vm("1", None, 4)), r#""web-01": cpu_count is 2, the SDK sees 4"#);
    }

    #[test]
    fn a_vm_too_few_or_twice_is_found() {
        let one = vm("1", None, 2);
        assert!(same_vms(&[], std::slice::from_ref(&one)).is_err());
        assert!(same_vms(std::slice::from_ref(&one), &[]).is_err());
        assert!(same_vms(&[one.clone(), one.clone()], std::slice::from_ref(&one)).is_err());
    }
}
