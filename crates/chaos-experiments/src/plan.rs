//! What a run would do: its steps, with the VMs that they would touch as they were found.

use std::fmt;

use chaos_core::{Fault, Stop, VMPowerState, VMRef};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::activity::{Broken, Call};
use crate::draw::Drawn;
use crate::native::{Kind, What};
use crate::planned;
use crate::resolve::{Bound, ResolvedExperiment};

/// The steps of a run. `Display` is for people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Plan {
    /// The title of the experiment.
    pub title: String,
    /// What is checked before and after the method.
    pub hypothesis: Vec<PlanStep>,
    /// What is done.
    pub method: Vec<PlanStep>,
    /// What is played afterwards. Whatever is changed even then is put back to the state that it was found in.
    pub rollbacks: Vec<PlanStep>,
    /// What stops the run when it does not hold any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stop_conditions: Vec<PlanStep>,
}

/// One step of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlanStep {
    /// The name of the activity.
    pub name: String,
    /// Whether it is an `action` or a `probe`.
    pub kind: String,
    /// The function, or the type of the provider of what is no VM function.
    pub function: String,
    /// What it means, in words.
    pub effect: String,
    /// The platform's name in the settings, or its kind; none where the step is about no platform.
    pub platform: Option<String>,
    /// Whether it changes VMs.
    pub changes: bool,
    /// Whether it acts by a process, a request or a function in Python, whose doings nothing here can undo.
    pub without_undo: bool,
    /// The name of the group whose steps begin at once; none where the step follows the one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_once: Option<String>,
    /// How VMs were chosen for it, where they were not named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drawn: Option<Drawn>,
    /// SHA-256 of what is called and with what, once names are replaced and secrets masked.
    #[serde(default)]
    pub call_digest: String,
    /// The VMs that it is about.
    pub vms: Vec<PlanVm>,
}

/// A VM of a step, as it was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlanVm {
    /// Which one.
    #[serde(rename = "ref")]
    pub at: VMRef,
    /// Its name.
    pub name: String,
    /// Its object id.
    pub id: String,
    /// Its inventory path.
    pub path: Option<String>,
    /// Its power state, to which it is put back.
    pub power_state: VMPowerState,
    /// Its datacenter.
    pub datacenter: Option<String>,
    /// Its cluster.
    pub cluster: Option<String>,
    /// Its host.
    pub host: Option<String>,
}

impl Plan {
    /// All steps.
    pub(crate) fn all(&self) -> impl Iterator<Item = &PlanStep> {
        self.hypothesis.iter().chain(&self.method).chain(&self.rollbacks).chain(&self.stop_conditions)
    }
}

impl ResolvedExperiment {
    /// Everything that it does, with the VMs.
    pub(crate) fn bounds(&self) -> impl Iterator<Item = &Bound> {
        let conditions = self.stop_conditions.iter().map(|watched| &watched.bound);
        self.hypothesis.iter().chain(&self.method).chain(&self.rollbacks).chain(conditions)
    }

    /// What a run would do.
    #[must_use]
    pub fn plan(&self) -> Plan {
        let steps = |bounds: &[Bound]| bounds.iter().map(|bound| self.step(bound)).collect();
        Plan {
            title: self.experiment.title().to_owned(),
            hypothesis: steps(&self.hypothesis),
            method: steps(&self.method),
            rollbacks: steps(&self.rollbacks),
            stop_conditions: self.stop_conditions.iter().map(|watched| self.step(&watched.bound)).collect(),
        }
    }

    fn digest_of(&self, declaration: &Value) -> String {
        let provider = declaration.get("provider").unwrap_or(&Value::Null);
        let called = self.experiment.late.variables.substitute_always(provider).value;
        planned::digest(&self.experiment.masker.value(&called))
    }

    fn step(&self, bound: &Bound) -> PlanStep {
        let activity = &bound.activity;
        let vms = bound.on.iter().flat_map(|on| on.vms.iter().zip(on.refs()));
        let (function, effect, changes) = match &activity.call {
            Call::Vm(call) => {
                let effect = match &call.what {
                    What::Power { fault, .. } => effect(fault),
                    What::Restore { .. } => "restore the state that each was found in".to_owned(),
                    What::Look { .. } | What::Group { .. } | What::Count { .. } => "reads".to_owned(),
                };
                (call.function.name().to_owned(), effect, call.function.kind() == Kind::Action)
            }
            Call::Provider(call) => {
                let undo = if activity.acts_without_undo().is_some() { ", which cannot be undone" } else { "" };
                let words = match (&activity.more.provider, call.provider()) {
                    (Some(_), "http") => "sends a request with what an earlier step gives".to_owned(),
                    (Some(_), "native") => "looks with what an earlier step gives".to_owned(),
                    _ => self.experiment.masker.text(&call.words()),
                };
                (call.provider().to_owned(), format!("{words}{undo}"), false)
            }
            Call::NotRehearsed(provider) => (provider.clone(), "left out of the rehearsal".to_owned(), false),
            Call::Broken(Broken { why, .. }) => {
                ("nothing".to_owned(), self.experiment.masker.text(&format!("cannot be carried out: {why}")), false)
            }
        };
        PlanStep {
            name: self.experiment.masker.text(&activity.name),
            kind: activity.kind.as_str().to_owned(),
            function,
            effect,
            platform: activity.vm_call().map(|call| call.platform.clone()),
            changes,
            without_undo: activity.acts_without_undo().is_some(),
            at_once: activity.more.group.as_ref().map(|group| self.experiment.masker.text(&group.name)),
            drawn: bound
                .on
                .as_ref()
                .and_then(|on| on.drawn.as_ref())
                .map(|drawn| Drawn { from: self.experiment.masker.text(&drawn.from), ..drawn.clone() }),
            call_digest: self.digest_of(&activity.declaration),
            vms: vms
                .map(|(vm, at)| PlanVm {
                    at,
                    name: vm.name.clone(),
                    id: vm.id.clone(),
                    path: vm.path.clone(),
                    power_state: vm.power_state,
                    datacenter: vm.datacenter.clone(),
                    cluster: vm.cluster.clone(),
                    host: vm.host.clone(),
                })
                .collect(),
        }
    }
}

fn effect(fault: &Fault) -> String {
    match fault {
        Fault::PowerOff { stop, .. } => format!("power off: {}", words(stop)),
        Fault::Reboot { stop } => format!("reboot: {}", words(stop)),
        Fault::PowerOn { limit } => format!("power on within {limit:?}"),
        Fault::Suspend { limit } => format!("suspend within {limit:?}"),
        other => other.operation().words().to_owned(),
    }
}

fn words(stop: &Stop) -> String {
    match stop {
        Stop::GuestThenHard { grace, hard } => {
            format!("ask the guest, and do it hard after {grace:?}, within {hard:?}")
        }
        Stop::GuestOnly { grace } => format!("ask the guest, which has {grace:?}"),
        Stop::Hard { limit } => format!("hard, within {limit:?}"),
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        let sections = [("steady state", &self.hypothesis), ("method", &self.method), ("rollbacks", &self.rollbacks)];
        let conditions = (!self.stop_conditions.is_empty()).then_some(("stop conditions", &self.stop_conditions));
        for (section, steps) in sections.into_iter().chain(conditions) {
            writeln!(f, "{section}:{}", if steps.is_empty() { " nothing" } else { "" })?;
            let mut group: Option<&String> = None;
            for step in steps {
                let inner = if step.at_once.is_some() { "  " } else { "" };
                if let Some(name) = step.at_once.as_ref().filter(|name| group != Some(name)) {
                    writeln!(f, "  at once, {name}:")?;
                }
                group = step.at_once.as_ref();
                writeln!(f, "{inner}  {} {}: {}", step.kind, step.name, step.effect)?;
                if let Some(drawn) = &step.drawn {
                    let end = if step.vms.is_empty() { ": nothing is done" } else { ":" };
                    writeln!(f, "{inner}    {drawn}{end}")?;
                }
                for vm in &step.vms {
                    writeln!(f, "{inner}    {} ({})", vm.path.as_deref().unwrap_or(&vm.name), vm.power_state)?;
                }
                if let Some(candidates) = step.drawn.as_ref().and_then(Drawn::candidates_in_words) {
                    writeln!(f, "{inner}    chosen among {candidates}")?;
                }
            }
        }
        write!(f, "in the end every VM is put back to the state shown here")
    }
}
