//! A plan that is kept: what a run would do to which VMs as they are now, so that exactly that is done later, or nothing.

use std::collections::BTreeMap;
use std::fmt;

use chaos_core::{Error, ErrorKind, Policy, VMInfo, VMPowerState, VMRef};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::outlook::BlastRadius;
use crate::plan::{Plan, PlanStep, PlanVm};
use crate::resolve::{On, ResolvedExperiment};

/// What the file says that it is.
const FORMAT: &str = "chaosmonkey-plan";
/// The version of its form.
const VERSION: u32 = 1;

/// A plan as it is kept in a file: canonical JSON, with a digest of what was planned. Holds no secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlanRecord {
    /// What the file is.
    pub format: String,
    /// The version of its form.
    pub version: u32,
    /// SHA-256 of what follows under `plan`, in canonical JSON: keys in order, no white space.
    pub digest: String,
    /// What was planned.
    pub plan: Planned,
}

/// What was planned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Planned {
    /// When the VMs were read.
    pub made: String,
    /// Where the experiment came from, in the words of whoever made the plan.
    pub source: Value,
    /// By which rules it is run.
    pub rules: String,
    /// What VMs are drawn by where the experiment names no seed.
    pub seed: u64,
    /// The experiment with its secrets masked.
    pub experiment: Value,
    /// The servers: the entry of the settings and what the server calls itself.
    pub servers: BTreeMap<String, String>,
    /// The rules that it was planned under.
    pub policy: Vec<String>,
    /// What it hits, and what stays up.
    pub blast_radius: BlastRadius,
    /// The steps, with the VMs that they touch.
    pub steps: Plan,
}

/// What is not as it was planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drift(String);

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Drift {
    /// That an entry of the settings leads to another server.
    #[must_use]
    pub fn of_server(entry: &str, planned: &str, now: &str) -> Self {
        Self(format!("`{entry}` is another server: {now}, and not {planned}"))
    }
}

impl ResolvedExperiment {
    /// The plan of a run, to be kept.
    #[must_use]
    pub fn planned(&self, made: String, source: Value, policy: &Policy, blast_radius: BlastRadius) -> Planned {
        let on: Vec<&On> = self.bounds().filter_map(|bound| bound.on.as_ref()).collect();
        let identity = |on: &&On| {
            let identity = on.platform.identity();
            (identity.entry.clone(), identity.instance.clone())
        };
        Planned {
            made,
            source,
            rules: self.experiment.rules.as_str().to_owned(),
            seed: self.experiment.seed,
            experiment: self.experiment.shown.clone(),
            servers: on.iter().map(identity).collect(),
            policy: policy.rules().iter().chain(self.experiment.policy.rules()).map(ToString::to_string).collect(),
            blast_radius,
            steps: self.plan(),
        }
    }
}

impl PlanRecord {
    /// The record of a plan.
    #[must_use]
    pub fn new(plan: Planned) -> Self {
        Self { format: FORMAT.to_owned(), version: VERSION, digest: plan.digest(), plan }
    }

    /// Reads a plan, and holds it against its digest.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if the text is no plan, [`ErrorKind::Unsupported`] if a newer version wrote it,
    /// [`ErrorKind::Refused`] if it was changed after it was made.
    pub fn read(text: &str) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Head {
            format: String,
            version: u32,
        }
        let no_plan = |error: serde_json::Error| {
            Error::new(ErrorKind::Configuration, "this is no plan: make one with `chaosmonkey plan --out FILE`")
                .caused_by(error)
        };
        let head: Head = serde_json::from_str(text).map_err(no_plan)?;
        if head.format != FORMAT {
            return Err(Error::new(ErrorKind::Configuration, format!("`{}` is no format of a plan", head.format)));
        }
        if head.version > VERSION {
            let message =
                format!("the plan has version {}, this program knows {VERSION}: use a newer one", head.version);
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let record: Self = serde_json::from_str(text).map_err(no_plan)?;
        if record.digest != record.plan.digest() {
            let message = "the plan was changed after it was made: its digest is another one; make it anew";
            return Err(Error::new(ErrorKind::Refused, message));
        }
        Ok(record)
    }

    /// The text of the file.
    #[must_use]
    pub fn to_text(&self) -> String {
        let value = serde_json::to_value(self).unwrap_or_default();
        let mut text = serde_json::to_string_pretty(&sorted(&value)).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// SHA-256 of a value in canonical JSON, as hexadecimal digits.
pub(crate) fn digest(value: &Value) -> String {
    format!("{:x}", Sha256::digest(sorted(value).to_string().as_bytes()))
}

/// The same value with the keys of every mapping in order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let ordered: BTreeMap<&String, Value> = map.iter().map(|(key, value)| (key, sorted(value))).collect();
            Value::Object(ordered.into_iter().map(|(key, value)| (key.clone(), value)).collect())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

impl Planned {
    /// SHA-256 of the canonical JSON, as hexadecimal digits.
    fn digest(&self) -> String {
        digest(&serde_json::to_value(self).unwrap_or_default())
    }

    /// The VMs that it touches or looks at, each once.
    #[must_use]
    pub fn vms(&self) -> Vec<(VMRef, &PlanVm)> {
        let mut vms: BTreeMap<VMRef, &PlanVm> = BTreeMap::new();
        for vm in self.steps.all().flat_map(|step| &step.vms) {
            vms.entry(vm.at.clone()).or_insert(vm);
        }
        vms.into_iter().collect()
    }

    /// What is not as it was planned with a server or a VM, which was read anew by its id; an error where it is not there.
    #[must_use]
    pub fn drift_of_vm(planned: &PlanVm, now: &Result<VMInfo, Error>) -> Vec<Drift> {
        let name = planned.path.as_deref().unwrap_or(&planned.name);
        let vm = match now {
            Ok(vm) => vm,
            Err(error) if error.kind() == ErrorKind::NotFound => return vec![Drift(format!("{name} is gone"))],
            Err(error) => return vec![Drift(format!("{name} cannot be read: {}", error.with_causes()))],
        };
        let mut drift = Vec::new();
        let mut differs = |what: &str, planned: Option<&str>, now: Option<&str>| {
            if planned != now {
                let words = |text: Option<&str>| text.unwrap_or("unknown").to_owned();
                drift.push(Drift(format!("{name} {what} {}, and not {}", words(now), words(planned))));
            }
        };
        differs("is called", Some(&planned.name), Some(&vm.name));
        if planned.name == vm.name {
            differs("is at", planned.path.as_deref(), vm.path.as_deref());
        }
        differs("is in datacenter", planned.datacenter.as_deref(), vm.datacenter.as_deref());
        differs("is in cluster", planned.cluster.as_deref(), vm.cluster.as_deref());
        // Where a VM that is off will run, nobody knows.
        if vm.power_state == VMPowerState::PoweredOn && planned.power_state == VMPowerState::PoweredOn {
            differs("is on host", planned.host.as_deref(), vm.host.as_deref());
        }
        differs("is", Some(planned.power_state.as_str()), Some(vm.power_state.as_str()));
        drift
    }

    /// What is not as it was planned in the rest: servers, experiment, rules of the guard, steps and members of groups.
    #[must_use]
    pub fn drift(&self, now: &Self) -> Vec<Drift> {
        let mut drift = Vec::new();
        let mut note = |text: String| drift.push(Drift(text));
        for (entry, instance) in &self.servers {
            match now.servers.get(entry) {
                Some(there) if there == instance => {}
                Some(there) => note(Drift::of_server(entry, instance, there).0),
                None => note(format!("nothing is done on `{entry}` any more")),
            }
        }
        for entry in now.servers.keys().filter(|entry| !self.servers.contains_key(*entry)) {
            note(format!("something is done on `{entry}` too"));
        }
        if self.experiment != now.experiment {
            let place = first_difference(&self.experiment, &now.experiment);
            note(format!("the experiment was changed at {}", if place.is_empty() { "/" } else { &place }));
        }
        if self.rules != now.rules {
            note(format!("it would be run by `{}` rules, and not by `{}` ones", now.rules, self.rules));
        }
        for rule in self.policy.iter().filter(|rule| !now.policy.contains(rule)) {
            note(format!("the rule `{rule}` is gone from the policy"));
        }
        for rule in now.policy.iter().filter(|rule| !self.policy.contains(rule)) {
            note(format!("the rule `{rule}` is new in the policy"));
        }
        let (before, after): (Vec<_>, Vec<_>) = (self.steps.all().collect(), now.steps.all().collect());
        if before.len() != after.len() {
            note(format!("there are {} steps, and not {}", after.len(), before.len()));
        }
        for (before, after) in before.into_iter().zip(after) {
            for text in before.drift(after) {
                note(text);
            }
        }
        drift
    }
}

impl PlanStep {
    fn drift(&self, now: &Self) -> Vec<String> {
        let step = format!("step `{}`", self.name);
        let mut drift = Vec::new();
        if (&self.name, &self.function, &self.effect) != (&now.name, &now.function, &now.effect) {
            drift.push(format!("{step} would be `{}`: {}; it was: {}", now.name, now.effect, self.effect));
        } else if self.call_digest != now.call_digest {
            drift.push(format!("{step} would be called with other values"));
        }
        let (before, after) = (self.members(), now.members());
        for vm in after.iter().filter(|vm| !before.contains(vm)) {
            drift.push(format!("{step}: {vm} is new among the VMs that are meant"));
        }
        for vm in before.iter().filter(|vm| !after.contains(vm)) {
            drift.push(format!("{step}: {vm} is not among the VMs that are meant any more"));
        }
        drift
    }

    /// The VMs that are meant, and those of which they were drawn.
    fn members(&self) -> Vec<String> {
        let path = |vm: &PlanVm| {
            let path = vm.path.as_deref().unwrap_or(&vm.name);
            format!("{path} (id:{} on `{}`)", vm.id, vm.at.entry)
        };
        let mut members: Vec<String> = self.vms.iter().map(path).collect();
        if let Some(drawn) = &self.drawn {
            members.extend(drawn.candidates.iter().map(|path| format!("{path} ({})", drawn.from)));
        }
        members
    }
}

/// The pointer to where two values begin to differ.
fn first_difference(a: &Value, b: &Value) -> String {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let key = a.keys().chain(b.keys()).find(|key| a.get(*key) != b.get(*key));
            key.map_or_else(String::new, |key| match (a.get(key), b.get(key)) {
                (Some(a), Some(b)) => format!("/{key}{}", first_difference(a, b)),
                _ => format!("/{key}"),
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let at = a.iter().zip(b).position(|(a, b)| a != b);
            at.map_or_else(String::new, |at| format!("/{at}{}", first_difference(&a[at], &b[at])))
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaos_core::PlatformKind;
    use serde_json::json;

    fn vm() -> VMInfo {
        let mut vm = VMInfo::new("web-01", "vm-1", VMPowerState::PoweredOn, PlatformKind::VSPHERE);
        vm.path = Some("/DC0/vm/web/web-01".into());
        (vm.datacenter, vm.cluster, vm.host) = (Some("DC0".into()), Some("C0".into()), Some("esx-1".into()));
        vm
    }

    fn planned() -> PlanVm {
        let vm = vm();
        let at = VMRef { platform: vm.platform, entry: "vsphere".into(), instance: "i".into(), id: vm.id.clone() };
        PlanVm {
            at,
            name: vm.name,
            id: vm.id,
            path: vm.path,
            power_state: vm.power_state,
            datacenter: vm.datacenter,
            cluster: vm.cluster,
            host: vm.host,
        }
    }

    fn said(change: impl Fn(&mut VMInfo)) -> String {
        let mut now = vm();
        change(&mut now);
        let drift = Planned::drift_of_vm(&planned(), &Ok(now));
        drift.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn what_has_changed_with_a_vm_is_said() {
        assert_eq!(said(|_| {}), "");
        let at = "/DC0/vm/web/web-01";
        let renamed = |vm: &mut VMInfo| (vm.name, vm.path) = ("web-99".into(), Some("/DC0/vm/web/web-99".into()));
        assert_eq!(said(renamed), format!("{at} is called web-99, and not web-01"));
        let moved = |vm: &mut VMInfo| vm.path = Some("/DC0/vm/db/web-01".into());
        assert_eq!(said(moved), format!("{at} is at /DC0/vm/db/web-01, and not {at}"));
        assert_eq!(said(|vm| vm.cluster = None), format!("{at} is in cluster unknown, and not C0"));
        assert_eq!(said(|vm| vm.host = Some("esx-2".into())), format!("{at} is on host esx-2, and not esx-1"));
        // Where a VM that is off will run, nobody knows.
        let off = |vm: &mut VMInfo| (vm.power_state, vm.host) = (VMPowerState::PoweredOff, None);
        assert_eq!(said(off), format!("{at} is powered_off, and not powered_on"));
        let gone = Planned::drift_of_vm(&planned(), &Err(Error::new(ErrorKind::NotFound, "no such VM")));
        assert_eq!(gone[0].to_string(), format!("{at} is gone"));
    }

    #[test]
    fn where_values_begin_to_differ_is_a_pointer() {
        let (a, b) = (json!({"m": [{"n": 1}, {"n": 2}], "x": 1}), json!({"m": [{"n": 1}, {"n": 3}], "x": 1}));
        assert_eq!(first_difference(&a, &b), "/m/1/n");
        assert_eq!(first_difference(&a, &json!({"m": [], "x": 1})), "/m");
        assert_eq!(first_difference(&a, &json!({"m": a["m"]})), "/x");
    }

    #[test]
    fn the_order_of_keys_does_not_matter_to_a_digest() {
        let (a, b) = (json!({"b": [{"y": 1, "x": 2}], "a": 1}), json!({"a": 1, "b": [{"x": 2, "y": 1}]}));
        assert_eq!(sorted(&a).to_string(), sorted(&b).to_string());
    }
}
