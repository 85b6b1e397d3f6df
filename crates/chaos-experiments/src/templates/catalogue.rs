//! Which templates there are. A new one is a document and an entry here.

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

pub(super) const ALL: &[Template] = &[
    Template {
        name: "vsphere-vm-poweroff",
        summary: "power a vSphere VM off, prove that it is off, power it on again",
        platform: "vsphere",
        parameters: &[VM_NAME, GRACEFUL, TIMEOUT, HARD_TIMEOUT, GROUP],
        optional: WITHOUT_GROUP,
        document: include_str!("vsphere_vm_poweroff.json"),
    },
    Template {
        name: "vsphere-vm-reboot",
        summary: "restart a vSphere VM and see it go down and come up",
        platform: "vsphere",
        parameters: &[VM_NAME, GRACEFUL, TIMEOUT, HARD_TIMEOUT, GROUP],
        optional: WITHOUT_GROUP,
        document: include_str!("vsphere_vm_reboot.json"),
    },
    Template {
        name: "olvm-vm-shutdown",
        summary: "shut an OLVM VM down, prove that it is off, power it on again",
        platform: "olvm",
        parameters: &[VM_NAME, GRACEFUL, TIMEOUT, HARD_TIMEOUT, GROUP],
        optional: WITHOUT_GROUP,
        document: include_str!("olvm_vm_shutdown.json"),
    },
    Template {
        name: "olvm-vm-batch-shutdown",
        summary: "shut several OLVM VMs down, prove that all are off, put each back to the state it was found in",
        platform: "olvm",
        parameters: &[VM_NAMES, PARALLEL, GRACEFUL, TIMEOUT, HARD_TIMEOUT, GROUP],
        optional: WITHOUT_GROUP,
        document: include_str!("olvm_vm_batch_shutdown.json"),
    },
];
