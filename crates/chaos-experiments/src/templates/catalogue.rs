//! Which templates there are. A new one is an entry here, and a document if none of those that are there fits. In a document
//! `@platform` stands for the platform of the entry.

use std::borrow::Cow;

use crate::templates::{Limits, Optional, Parameter, ParameterKind, Source, Template};

const VM_NAME: Parameter = needed("vm_name", "the VM", ParameterKind::Target);
const VM_NAMES: Parameter = needed("vm_names", "the VMs", ParameterKind::Targets);
const POOL: Parameter =
    needed("group", "the VMs to draw from, of which only those that are on count", ParameterKind::Group);
const DRAWN: Parameter = with("count", "how many VMs are drawn", ParameterKind::Count, "1");
const SEED: Parameter = optional(
    "seed",
    "draws the same VMs again on the same estate; without one, each run draws anew",
    ParameterKind::Seed,
);
const CLUSTER: Parameter = optional("cluster", "draw only from this cluster, a name or a glob", ParameterKind::Text);
const HOST: Parameter = optional("host", "draw only from what is on this host, a name or a glob", ParameterKind::Text);
const DATACENTER: Parameter =
    optional("datacenter", "draw only from this datacenter, a name or a glob", ParameterKind::Text);
const SERVING: Parameter = optional(
    "serving",
    "the VMs that have to be on, before and after, beside those that are drawn",
    ParameterKind::Group,
);
const PARALLEL: Parameter = with("parallel", "how many VMs are worked on at a time", ParameterKind::Count, "5");
const GRACEFUL: Parameter = with("graceful", "whether the guest is asked first", ParameterKind::Flag, "true");
const TIMEOUT: Parameter = with(
    "timeout",
    "how long the guest may take, or the hard way if the guest is not asked",
    ParameterKind::Seconds,
    "300",
);
const SUSPEND_TIMEOUT: Parameter =
    with("timeout", "how long the VM may take to be suspended", ParameterKind::Seconds, "300");
const HARD_TIMEOUT: Parameter =
    with("hard_timeout", "how long the hard way may take after the guest did not do it", ParameterKind::Seconds, "60");
const GROUP: Parameter = optional(
    "group",
    "the VMs that have to be on, before and after, beside those that are acted on",
    ParameterKind::Group,
);

const fn optional(name: &'static str, summary: &'static str, kind: ParameterKind) -> Parameter {
    let (name, summary) = (Cow::Borrowed(name), Cow::Borrowed(summary));
    Parameter { name, summary, kind, default: None, required: false, limits: Limits::NONE }
}

const fn needed(name: &'static str, summary: &'static str, kind: ParameterKind) -> Parameter {
    let (name, summary) = (Cow::Borrowed(name), Cow::Borrowed(summary));
    Parameter { name, summary, kind, default: None, required: true, limits: Limits::NONE }
}

const fn with(name: &'static str, summary: &'static str, kind: ParameterKind, default: &'static str) -> Parameter {
    let (name, summary, default) = (Cow::Borrowed(name), Cow::Borrowed(summary), Some(Cow::Borrowed(default)));
    Parameter { name, summary, kind, default, required: false, limits: Limits::NONE }
}

const PROBE: &str = "/steady-state-hypothesis/probes/1";
/// The probe of the group is the second one in every document.
const WITHOUT_GROUP: &[Optional] = &[Optional { place: Cow::Borrowed(PROBE), parameter: Cow::Borrowed("group") }];
const WITHOUT_SERVING: &[Optional] = &[Optional { place: Cow::Borrowed(PROBE), parameter: Cow::Borrowed("serving") }];

/// The parameters of everything that asks the guest of one VM.
const ONE: &[Parameter] = &[VM_NAME, GRACEFUL, TIMEOUT, HARD_TIMEOUT, GROUP];
/// Those of everything that asks the guests of several VMs.
const SEVERAL: &[Parameter] = &[VM_NAMES, PARALLEL, GRACEFUL, TIMEOUT, HARD_TIMEOUT, GROUP];

const SUSPENDED: &[Parameter] = &[VM_NAME, SUSPEND_TIMEOUT, GROUP];
/// Those of everything that draws the VMs.
const RANDOM: &[Parameter] =
    &[POOL, DRAWN, SEED, DATACENTER, CLUSTER, HOST, SERVING, PARALLEL, GRACEFUL, TIMEOUT, HARD_TIMEOUT];

const POWER_OFF: &str = include_str!("power_off.json");
const REBOOT: &str = include_str!("reboot.json");
const SUSPEND: &str = include_str!("suspend.json");
const BATCH_SHUTDOWN: &str = include_str!("batch_shutdown.json");
const RANDOM_POWER_OFF: &str = include_str!("random_power_off.json");

const fn built_in(
    name: &'static str,
    summary: &'static str,
    platform: &'static str,
    parameters: &'static [Parameter],
    optional: &'static [Optional],
    document: &'static str,
) -> Template {
    Template {
        name: Cow::Borrowed(name),
        summary: Cow::Borrowed(summary),
        platform: Some(Cow::Borrowed(platform)),
        parameters: Cow::Borrowed(parameters),
        optional: Cow::Borrowed(optional),
        source: Source::BuiltIn(document),
    }
}

pub(super) static ALL: &[Template] = &[
    built_in(
        "vsphere-vm-poweroff",
        "power a vSphere VM off, prove that it is off, power it on again",
        "vsphere",
        ONE,
        WITHOUT_GROUP,
        POWER_OFF,
    ),
    built_in(
        "vsphere-vm-reboot",
        "restart a vSphere VM and see it go down and come up",
        "vsphere",
        ONE,
        WITHOUT_GROUP,
        REBOOT,
    ),
    built_in(
        "vsphere-vm-suspend",
        "suspend a vSphere VM, prove that it is suspended, resume it",
        "vsphere",
        SUSPENDED,
        WITHOUT_GROUP,
        SUSPEND,
    ),
    built_in(
        "vsphere-vm-batch-shutdown",
        "shut several vSphere VMs down, prove that all are off, put each back to the state it was found in",
        "vsphere",
        SEVERAL,
        WITHOUT_GROUP,
        BATCH_SHUTDOWN,
    ),
    built_in(
        "vsphere-vm-random-poweroff",
        "power off vSphere VMs of a group that are drawn at random, prove that they are off, put them back",
        "vsphere",
        RANDOM,
        WITHOUT_SERVING,
        RANDOM_POWER_OFF,
    ),
    built_in(
        "olvm-vm-shutdown",
        "shut an OLVM VM down, prove that it is off, power it on again",
        "olvm",
        ONE,
        WITHOUT_GROUP,
        POWER_OFF,
    ),
    built_in("olvm-vm-reboot", "restart an OLVM VM and see it go down and come up", "olvm", ONE, WITHOUT_GROUP, REBOOT),
    built_in(
        "olvm-vm-suspend",
        "suspend an OLVM VM, prove that it is suspended, resume it",
        "olvm",
        SUSPENDED,
        WITHOUT_GROUP,
        SUSPEND,
    ),
    built_in(
        "olvm-vm-batch-shutdown",
        "shut several OLVM VMs down, prove that all are off, put each back to the state it was found in",
        "olvm",
        SEVERAL,
        WITHOUT_GROUP,
        BATCH_SHUTDOWN,
    ),
    built_in(
        "olvm-vm-random-shutdown",
        "shut down OLVM VMs of a group that are drawn at random, prove that they are off, put them back",
        "olvm",
        RANDOM,
        WITHOUT_SERVING,
        RANDOM_POWER_OFF,
    ),
];
