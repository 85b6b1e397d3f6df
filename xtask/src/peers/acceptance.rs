//! `chaosmonkey` against govmomi's simulated vCenter with 1,000 VMs: the right VMs and states, in few requests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::Verdicts;
use super::proxy::{Calls, CountingProxy};
use super::pyvmomi;
use super::vcsim::Vcsim;
use crate::artifacts::Programs;
use crate::shell;
use crate::workspace::Workspace;

/// VMs of the simulated vCenter.
const VMS: usize = 1000;
/// VMs of a power command, spread over all hosts.
const CHOSEN: usize = 100;
/// VMs in transition at one time.
const PARALLEL: usize = 16;
/// Versions, content, login, traversal, logout.
const DISCOVERY_REQUESTS: usize = 5;
/// Requests of a power command that do not depend on the number of VMs: login, look-up, collector, views, logout.
const FIXED_REQUESTS: usize = 12;
/// The limit of one command.
const LIMIT: Duration = Duration::from_mins(5);

/// A vCenter, the proxy before it, and the two clients that look at it.
pub(super) struct Run<'a> {
    workspace: &'a Workspace,
    chaosmonkey: &'a Path,
    pyvmomi: &'a Path,
    directory: PathBuf,
    // Before the vCenter, which waits for its connections when it ends.
    proxy: CountingProxy,
    vcsim: Vcsim,
}

/// A power command, the call that it takes for each VM, and the state in which it leaves the VM.
const COMMANDS: &[(&[&str], &str, &str)] = &[
    (&["power-off"], "PowerOffVM_Task", "powered_off"),
    (&["power-on"], "PowerOnVM_Task", "powered_on"),
    (&["suspend"], "SuspendVM_Task", "suspended"),
    // A suspended VM is resumed first: it cannot be reset.
    (&["power-on"], "PowerOnVM_Task", "powered_on"),
    (&["reboot", "--force"], "ResetVM_Task", "powered_on"),
];

impl<'a> Run<'a> {
    /// Starts the vCenter and the proxy.
    pub(super) fn new(
        workspace: &'a Workspace,
        programs: &'a Programs,
        vcsim: &Path,
        pyvmomi: &'a Path,
    ) -> Result<Self> {
        let vcsim = Vcsim::start(vcsim, VMS)?;
        Ok(Self {
            workspace,
            chaosmonkey: programs.chaosmonkey(),
            pyvmomi,
            directory: workspace.scratch("xtask/peers")?,
            proxy: CountingProxy::start(vcsim.address())?,
            vcsim,
        })
    }

    /// Discovery, then each power command.
    pub(super) fn all(&self, verdicts: &mut Verdicts) -> Result<()> {
        let before = self.seen_by_pyvmomi()?;
        let discovered = self.platforms(&["discover-vms"]);
        let calls = self.proxy.take();
        verdicts.check("vcsim discover-vms: exactly its VMs", &discovered.and_then(|vms| same_vms(&vms, &before)));
        verdicts.check(
            "vcsim discover-vms: requests",
            &requests(&calls, ("RetrievePropertiesEx", 1), DISCOVERY_REQUESTS, 0),
        );

        let examined = self.run(&["doctor", "--platform", "vsphere"]);
        self.proxy.take();
        verdicts.check("vcsim doctor: login, inventory and rights", &examined.and_then(|checkups| healthy(&checkups)));

        let names: Vec<&str> = before.keys().map(String::as_str).step_by(VMS / CHOSEN).collect();
        for (command, method, goal) in COMMANDS {
            let shown = command.join(" ");
            let mut arguments = command.to_vec();
            let parallel = PARALLEL.to_string();
            arguments.extend(["--parallel", &parallel]);
            arguments.extend(&names);
            let results = self.platforms(&arguments);
            let calls = self.proxy.take();
            verdicts.check(
                format_args!("vcsim {shown}: results"),
                &results.and_then(|results| reached(&results, &names, goal)),
            );
            verdicts.check(
                format_args!("vcsim {shown}: requests"),
                &requests(&calls, (method, names.len()), names.len() + FIXED_REQUESTS, names.len().div_ceil(PARALLEL)),
            );
            let after = self.seen_by_pyvmomi()?;
            verdicts
                .check(format_args!("vcsim {shown}: states seen by pyvmomi"), &states(&before, &after, &names, goal));
        }
        Ok(())
    }

    /// Runs a command of `chaosmonkey platforms` through the proxy and returns what it printed.
    fn platforms(&self, arguments: &[&str]) -> Result<Vec<Value>> {
        self.run(&[&["platforms", arguments[0], "--platform", "vsphere"], &arguments[1..]].concat())
    }

    /// Runs a command of `chaosmonkey` through the proxy and returns what it printed.
    fn run(&self, arguments: &[&str]) -> Result<Vec<Value>> {
        let mut command = Command::new(self.chaosmonkey);
        command.args(arguments).args(["--format", "json"]);
        command.current_dir(&self.directory).env("VSPHERE_SERVER", self.proxy.url());
        command.env("VSPHERE_USERNAME", Vcsim::LOGIN).env("VSPHERE_PASSWORD", Vcsim::LOGIN);
        for setting in ["VSPHERE_PORT", "VSPHERE_INSECURE", "VSPHERE_CA_FILE", "VSPHERE_THUMBPRINT"] {
            command.env_remove(setting);
        }
        serde_json::from_str(&shell::capture(&mut command, LIMIT)?).context("chaosmonkey did not print a JSON array")
    }

    /// Every VM by name, read past the proxy.
    fn seen_by_pyvmomi(&self) -> Result<BTreeMap<String, Value>> {
        let vms = pyvmomi::inventory(self.workspace, self.pyvmomi, &self.vcsim.url(), Vcsim::LOGIN, Vcsim::LOGIN)?;
        let by_name: BTreeMap<String, Value> = vms.into_iter().map(|vm| (text(&vm, "name").to_owned(), vm)).collect();
        ensure!(by_name.len() == VMS, "pyvmomi sees {} VMs of different names instead of {VMS}", by_name.len());
        Ok(by_name)
    }
}

/// One checkup, in which the steps that matter went well.
fn healthy(checkups: &[Value]) -> Result<String> {
    let checks = checkups.first().and_then(|checkup| checkup["checks"].as_array()).context("no checkup")?;
    for step in ["login", "inventory", "rights"] {
        let check = checks.iter().find(|check| text(check, "step") == step).with_context(|| format!("no {step}"))?;
        ensure!(text(check, "finding") == "good", "{step}: {} {}", text(check, "finding"), text(check, "says"));
    }
    Ok(format!("{} steps", checks.len()))
}

/// The same VMs, each with the same id, place and state.
fn same_vms(ours: &[Value], theirs: &BTreeMap<String, Value>) -> Result<String> {
    ensure!(ours.len() == theirs.len(), "{} VMs, pyvmomi sees {}", ours.len(), theirs.len());
    for vm in ours {
        let name = text(vm, "name");
        let other = theirs.get(name).with_context(|| format!("{name}: pyvmomi does not know it"))?;
        for field in ["id", "host", "cluster", "datacenter", "power_state"] {
            let (mine, other) = (text(vm, field), text(other, field));
            ensure!(mine == other, "{name}: {field} is {mine:?}, pyvmomi sees {other:?}");
        }
    }
    let distinct: BTreeSet<&str> = ours.iter().map(|vm| text(vm, "name")).collect();
    ensure!(distinct.len() == ours.len(), "a VM is listed twice");
    Ok(format!("{} VMs", ours.len()))
}

/// The one call that matters as often as it must be, and in all, long polls apart, no more than `fixed` requests and two
/// updates of the list view for each wave, which on a slow machine ends in parts.
fn requests(calls: &Calls, (method, times): (&str, usize), fixed: usize, waves: usize) -> Result<String> {
    let polls = calls.of("WaitForUpdatesEx");
    let counted = calls.total() - polls;
    ensure!(calls.of(method) == times, "{} calls of {method} instead of {times}; {calls}", calls.of(method));
    let updates = 2 * waves;
    ensure!(counted <= fixed + updates, "{counted} besides the long polls, allowed are {fixed} + {updates}; {calls}");
    Ok(format!("{counted} of {fixed} + {updates} besides {polls} long polls; {calls}"))
}

/// One result for each VM, without an error and in the state that was asked for.
fn reached(results: &[Value], names: &[&str], goal: &str) -> Result<String> {
    let told: BTreeSet<&str> = results.iter().map(|result| text(result, "vm")).collect();
    ensure!(results.len() == names.len() && names.iter().all(|name| told.contains(name)), "not one result for each VM");
    for result in results {
        let name = text(result, "vm");
        ensure!(result["error"].is_null(), "{name}: {}", result["error"]);
        ensure!(text(result, "state") == goal, "{name}: state {:?} instead of {goal}", text(result, "state"));
    }
    Ok(format!("{} VMs {goal}", results.len()))
}

/// The chosen VMs are in the state, all others as they were.
fn states(
    before: &BTreeMap<String, Value>,
    after: &BTreeMap<String, Value>,
    names: &[&str],
    goal: &str,
) -> Result<String> {
    for (name, vm) in after {
        let found = text(vm, "power_state");
        if names.contains(&name.as_str()) {
            ensure!(found == goal, "{name} is {found} instead of {goal}");
        } else {
            let was = before.get(name).map_or("unknown", |vm| text(vm, "power_state"));
            ensure!(found == was, "{name} was not asked for and went from {was} to {found}");
        }
    }
    Ok(format!("{} VMs {goal}, {} untouched", names.len(), after.len() - names.len()))
}

/// A text field; one that is null or missing is empty, as both clients may say that there is no cluster.
fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::super::proxy::Calls;
    use super::{healthy, reached, requests, same_vms, states};

    fn vm(name: &str, state: &str) -> Value {
        json!({"id": "vm-1", "name": name, "host": "h", "cluster": null, "datacenter": "d", "power_state": state})
    }

    fn seen(vms: &[Value]) -> BTreeMap<String, Value> {
        vms.iter().map(|vm| (vm["name"].as_str().unwrap().to_owned(), vm.clone())).collect()
    }

    #[test]
    fn a_difference_in_place_or_state_is_named() {
        let theirs = seen(&[vm("a", "powered_on")]);
        assert!(same_vms(&[vm("a", "powered_on")], &theirs).is_ok());
        let error = same_vms(&[vm("a", "powered_off")], &theirs).unwrap_err().to_string();
        assert_eq!(error, r#"a: power_state is "powered_off", pyvmomi sees "powered_on""#);
        assert!(same_vms(&[], &theirs).is_err());
    }

    #[test]
    fn a_step_that_went_wrong_or_is_missing_is_found() {
        let checkup = |finding: &str| {
            let checks =
                ["login", "inventory", "rights"].map(|step| json!({"step": step, "finding": finding, "says": "x"}));
            json!({"checks": checks})
        };
        assert!(healthy(&[checkup("good")]).is_ok());
        assert_eq!(healthy(&[checkup("bad")]).unwrap_err().to_string(), "login: bad x");
        assert!(healthy(&[json!({"checks": []})]).is_err() && healthy(&[]).is_err());
    }

    #[test]
    fn a_call_too_many_is_found_and_long_polls_are_free() {
        let calls = |resets: usize, logins: usize| {
            let counts = [("ResetVM_Task", resets), ("Login", logins), ("WaitForUpdatesEx", 50)];
            Calls::from_iter(counts.map(|(method, count)| (method.to_owned(), count)))
        };
        assert!(requests(&calls(16, 3), ("ResetVM_Task", 16), 17, 1).is_ok());
        assert!(requests(&calls(16, 4), ("ResetVM_Task", 16), 17, 1).is_err());
        assert!(requests(&calls(17, 1), ("ResetVM_Task", 16), 17, 1).is_err());
    }

    #[test]
    fn a_bystander_that_changed_is_found() {
        let before = seen(&[vm("a", "powered_on"), vm("b", "powered_on")]);
        let after = seen(&[vm("a", "powered_off"), vm("b", "powered_off")]);
        let error = states(&before, &after, &["a"], "powered_off").unwrap_err().to_string();
        assert_eq!(error, "b was not asked for and went from powered_on to powered_off");
        assert!(states(&before, &after, &["a", "b"], "powered_off").is_ok());
    }

    #[test]
    fn a_result_for_each_vm_is_needed() {
        let done = json!({"vm": "a", "state": "powered_off", "error": null});
        assert!(reached(std::slice::from_ref(&done), &["a"], "powered_off").is_ok());
        assert!(reached(std::slice::from_ref(&done), &["a", "b"], "powered_off").is_err());
        let failed = json!({"vm": "a", "state": "powered_on", "error": {"kind": "timeout"}});
        assert!(reached(&[failed], &["a"], "powered_off").is_err());
    }
}
