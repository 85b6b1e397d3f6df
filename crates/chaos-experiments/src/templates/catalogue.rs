//! Which templates there are. A new one is an entry here, and a document if none of those that are there fits. In a document
//! `@platform` stands for the platform of the entry.

use crate::templates::{Parameter, ParameterKind, Template};

const VM_NAME: Parameter =
    Parameter { name: "vm_name", summary: "the VM", kind: ParameterKind::Target, default: None, required: true };
const VM_NAMES: Parameter =
    Parameter { name: "vm_names", summary: "the VMs", kind: ParameterKind::Targets, default: None, required: true };
const PARALLEL: Parameter = Parameter {
    name: "parallel",
    summary: "how many VMs are worked on at a time",
    kind: ParameterKind::Count,
    default: Some("5"),
    required: false,
};
const GRACEFUL: Parameter = Parameter {
    name: "graceful",
    summary: "whether the guest is asked first",
    kind: ParameterKind::Flag,
    default: Some("true"),
    required: false,
};
const TIMEOUT: Parameter = Parameter {
    name: "timeout",
    summary: "how long the guest may take, or the hard way if the guest is not asked",
    kind: ParameterKind::Seconds,
    default: Some("300"),
    required: false,
};
const SUSPEND_TIMEOUT: Parameter = Parameter {
    name: "timeout",
    summary: "how long the VM may take to be suspended",
    kind: ParameterKind::Seconds,
    default: Some("300"),
    required: false,
};
const HARD_TIMEOUT: Parameter = Parameter {
    name: "hard_timeout",
    summary: "how long the hard way may take after the guest did not do it",
    kind: ParameterKind::Seconds,
    default: Some("60"),
    required: false,
};
const GROUP: Parameter = Parameter {
    name: "group",
    summary: "the VMs that have to be on, before and after, beside those that are acted on",
    kind: ParameterKind::Group,
    default: None,
    required: false,
};

/// The probe of the group is the second one in every document.
const WITHOUT_GROUP: &[(&str, usize, &str)] = &[("/steady-state-hypothesis/probes", 1, "group")];

/// The parameters of everything that asks the guest of one VM.
const ONE: &[Parameter] = &[VM_NAME, GRACEFUL, TIMEOUT, HARD_TIMEOUT, GROUP];
/// Those of everything that asks the guests of several VMs.
const SEVERAL: &[Parameter] = &[VM_NAMES, PARALLEL, GRACEFUL, TIMEOUT, HARD_TIMEOUT, GROUP];

const POWER_OFF: &str = include_str!("power_off.json");
const REBOOT: &str = include_str!("reboot.json");
const SUSPEND: &str = include_str!("suspend.json");
const BATCH_SHUTDOWN: &str = include_str!("batch_shutdown.json");

pub(super) const ALL: &[Template] = &[
    Template {
        name: "vsphere-vm-poweroff",
        summary: "power a vSphere VM off, prove that it is off, power it on again",
        platform: "vsphere",
        parameters: ONE,
        optional: WITHOUT_GROUP,
        document: POWER_OFF,
    },
    Template {
        name: "vsphere-vm-reboot",
        summary: "restart a vSphere VM and see it go down and come up",
        platform: "vsphere",
        parameters: ONE,
        optional: WITHOUT_GROUP,
        document: REBOOT,
    },
    Template {
        name: "vsphere-vm-suspend",
        summary: "suspend a vSphere VM, prove that it is suspended, resume it",
        platform: "vsphere",
        parameters: &[VM_NAME, SUSPEND_TIMEOUT, GROUP],
        optional: WITHOUT_GROUP,
        document: SUSPEND,
    },
    Template {
        name: "vsphere-vm-batch-shutdown",
        summary: "shut several vSphere VMs down, prove that all are off, put each back to the state it was found in",
        platform: "vsphere",
        parameters: SEVERAL,
        optional: WITHOUT_GROUP,
        document: BATCH_SHUTDOWN,
    },
    Template {
        name: "olvm-vm-shutdown",
        summary: "shut an OLVM VM down, prove that it is off, power it on again",
        platform: "olvm",
        parameters: ONE,
        optional: WITHOUT_GROUP,
        document: POWER_OFF,
    },
    Template {
        name: "olvm-vm-reboot",
        summary: "restart an OLVM VM and see it go down and come up",
        platform: "olvm",
        parameters: ONE,
        optional: WITHOUT_GROUP,
        document: REBOOT,
    },
    Template {
        name: "olvm-vm-suspend",
        summary: "suspend an OLVM VM, prove that it is suspended, resume it",
        platform: "olvm",
        parameters: &[VM_NAME, SUSPEND_TIMEOUT, GROUP],
        optional: WITHOUT_GROUP,
        document: SUSPEND,
    },
    Template {
        name: "olvm-vm-batch-shutdown",
        summary: "shut several OLVM VMs down, prove that all are off, put each back to the state it was found in",
        platform: "olvm",
        parameters: SEVERAL,
        optional: WITHOUT_GROUP,
        document: BATCH_SHUTDOWN,
    },
];
