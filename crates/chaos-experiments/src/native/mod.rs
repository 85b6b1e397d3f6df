//! The VM functions that run in this process: which there are, what they take, and what a declared call means.

mod arguments;
mod connection;
mod vms;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use chaos_core::{Connection, DEFAULT_PARALLEL, Fault, Stop, TargetPattern, VMPowerState};
use serde_json::{Map, Value};

use crate::error::Finding;
use crate::inputs::{Environment, Overrides};
use crate::provider::Providers;
use crate::rules::Rules;
use crate::substitute::Variables;

pub(crate) use arguments::{Arguments, count, flag, seconds, seed, target_texts};
pub(crate) use connection::{ARGUMENTS as CONNECTION_ARGUMENTS, same_connection};
pub(crate) use vms::Vms;

/// The modules whose functions are these. The second is the one that experiments of the Python tool name.
pub(crate) const MODULES: [&str; 2] = ["chaosmonkey.vm", "chaosmonkey.stubs.actions"];

/// Whether something is done or only looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Action,
    Probe,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Action => "action",
            Self::Probe => "probe",
        }
    }
}

/// A VM function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    PowerOff,
    PowerOn,
    Reboot,
    Suspend,
    BatchPowerOff,
    Restore,
    Exists,
    IsManageable,
    PowerState,
    BatchIsManageable,
    BatchPowerState,
    GroupPoweredOn,
    ToolsState,
    BootTime,
    Count,
}

impl Function {
    pub(crate) const ALL: [Self; 15] = [
        Self::PowerOff,
        Self::PowerOn,
        Self::Reboot,
        Self::Suspend,
        Self::BatchPowerOff,
        Self::Restore,
        Self::Exists,
        Self::IsManageable,
        Self::PowerState,
        Self::BatchIsManageable,
        Self::BatchPowerState,
        Self::GroupPoweredOn,
        Self::ToolsState,
        Self::BootTime,
        Self::Count,
    ];

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.name() == name)
    }

    /// All names, for messages.
    pub(crate) fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::PowerOff => "vm_power_off",
            Self::PowerOn => "vm_power_on",
            Self::Reboot => "vm_reboot",
            Self::Suspend => "vm_suspend",
            Self::BatchPowerOff => "vm_batch_power_off",
            Self::Restore => "vm_restore",
            Self::Exists => "vm_exists",
            Self::IsManageable => "vm_is_manageable",
            Self::PowerState => "vm_power_state",
            Self::BatchIsManageable => "vm_batch_is_manageable",
            Self::BatchPowerState => "vm_batch_power_state",
            Self::GroupPoweredOn => "vm_group_powered_on",
            Self::ToolsState => "vm_tools_state",
            Self::BootTime => "vm_boot_time",
            Self::Count => "vm_count",
        }
    }

    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::PowerOff | Self::PowerOn | Self::Reboot | Self::Suspend | Self::BatchPowerOff | Self::Restore => {
                Kind::Action
            }
            Self::Exists
            | Self::IsManageable
            | Self::PowerState
            | Self::BatchIsManageable
            | Self::BatchPowerState
            | Self::GroupPoweredOn
            | Self::ToolsState
            | Self::BootTime
            | Self::Count => Kind::Probe,
        }
    }

    /// Whether it is about several VMs.
    pub(crate) fn is_batch(self) -> bool {
        match self {
            Self::BatchPowerOff | Self::Restore | Self::BatchIsManageable | Self::BatchPowerState => true,
            Self::PowerOff
            | Self::PowerOn
            | Self::Reboot
            | Self::Suspend
            | Self::Exists
            | Self::IsManageable
            | Self::PowerState
            | Self::GroupPoweredOn
            | Self::ToolsState
            | Self::BootTime
            | Self::Count => false,
        }
    }

    /// What it takes beside `platform_type` and the connection values.
    pub(crate) fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::PowerOff | Self::Reboot => &["vm_name", "graceful", "timeout", "hard_timeout"],
            Self::PowerOn | Self::Suspend => &["vm_name", "timeout"],
            Self::BatchPowerOff => &["vm_names", "graceful", "timeout", "hard_timeout", "parallel"],
            Self::Exists | Self::IsManageable | Self::PowerState | Self::ToolsState | Self::BootTime => &["vm_name"],
            Self::BatchIsManageable | Self::BatchPowerState | Self::Restore => &["vm_names"],
            Self::GroupPoweredOn => &["group", "except"],
            Self::Count => &["group", "power_state"],
        }
    }
}

/// A VM function, for whoever writes about it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NativeFunction {
    /// The name, such as `vm_power_off`.
    pub name: &'static str,
    /// Whether it changes VMs; else it looks at them.
    pub is_action: bool,
    /// What it takes, the first of it being `platform_type` and the last ones connection values.
    pub parameters: Vec<&'static str>,
    /// Those of them that have to be given.
    pub required: Vec<&'static str>,
}

/// The modules that have the VM functions.
#[must_use]
pub fn native_modules() -> [&'static str; 2] {
    MODULES
}

/// All VM functions.
#[must_use]
pub fn native_functions() -> Vec<NativeFunction> {
    let of = |function: Function| {
        let own = function.parameters();
        let parameters = std::iter::once("platform_type").chain(own.iter().copied()).chain(connection::ARGUMENTS);
        let first = own.first().copied();
        NativeFunction {
            name: function.name(),
            is_action: function.kind() == Kind::Action,
            parameters: parameters.collect(),
            required: std::iter::once("platform_type").chain(first).collect(),
        }
    };
    Function::ALL.into_iter().map(of).collect()
}

/// A call of a VM function with all its values.
#[derive(Debug, Clone)]
pub(crate) struct VmCall {
    pub(crate) function: Function,
    /// The platform's name in the settings, or its kind.
    pub(crate) platform: String,
    pub(crate) connection: Connection,
    pub(crate) what: What,
}

/// What a call does or looks at.
#[derive(Debug, Clone)]
pub(crate) enum What {
    /// A fault on each of some VMs.
    Power { vms: Vms, fault: Fault, parallel: NonZeroUsize },
    /// Some VMs back to the state that the run found them in.
    Restore { vms: Vms },
    /// A look at each of some VMs.
    Look { vms: Vms },
    /// A look at a group of VMs without some of them.
    Group { group: TargetPattern, except: Vms },
    /// The number of VMs in a group, which may have none; of those in a state if one is given.
    Count { group: TargetPattern, state: Option<VMPowerState> },
}

/// What calls are read with.
pub(crate) struct Reading<'a> {
    pub(crate) variables: &'a Variables,
    pub(crate) overrides: &'a Overrides,
    /// What processes get beside the environment of this one.
    pub(crate) exported: &'a Environment,
    /// Those that were brought along.
    pub(crate) providers: &'a Providers,
    pub(crate) rules: Rules,
    /// Whether a name that stands for nothing is refused: what an action would do with it is never guessed.
    pub(crate) refuses_unresolved: bool,
    /// Whether what the rules cannot run is only named.
    pub(crate) names_extensions: bool,
    /// A rehearsal has no use for connection values.
    pub(crate) without_connection: bool,
    pub(crate) findings: &'a mut Vec<Finding>,
    /// Passwords that were met.
    pub(crate) secrets: &'a mut BTreeSet<String>,
}

/// Reads the declared arguments of a call. What is wrong with them goes to the findings.
pub(crate) fn read_call(
    function: Function,
    declared: &Map<String, Value>,
    place: &str,
    reading: &mut Reading<'_>,
) -> Option<VmCall> {
    let before = reading.findings.len();
    let mut arguments = Arguments::new(declared, place, reading.variables, reading.findings);
    let platform = arguments.required_text("platform_type");
    let what = read_what(function, &mut arguments);
    let connection = if reading.without_connection {
        arguments.forget(&connection::ARGUMENTS);
        Connection::default()
    } else {
        connection::read(&mut arguments, reading.secrets)
    };
    let mut known = vec!["platform_type"];
    known.extend(function.parameters());
    arguments.finish(function.name(), &known);
    if reading.findings.len() > before {
        return None;
    }
    let (platform, what) = (platform?, what?);
    let connection = if reading.without_connection {
        connection
    } else {
        connection::with_overrides(connection, &platform, reading, place)
    };
    Some(VmCall { function, platform, connection, what })
}

fn read_what(function: Function, arguments: &mut Arguments<'_>) -> Option<What> {
    let one = |fault: Fault, vms: Vms| What::Power { vms, fault, parallel: NonZeroUsize::MIN };
    match function {
        Function::PowerOff => {
            let (vm, stop) = (arguments.vm("vm_name"), read_stop(arguments));
            Some(one(Fault::power_off(stop?), vm?))
        }
        Function::Reboot => {
            let (vm, stop) = (arguments.vm("vm_name"), read_stop(arguments));
            Some(one(Fault::reboot(stop?), vm?))
        }
        Function::PowerOn => {
            let (vm, limit) = (arguments.vm("vm_name"), arguments.seconds("timeout", Fault::DEFAULT_LIMIT));
            Some(one(Fault::PowerOn { limit: limit? }, vm?))
        }
        Function::Suspend => {
            let (vm, limit) = (arguments.vm("vm_name"), arguments.seconds("timeout", Fault::DEFAULT_LIMIT));
            Some(one(Fault::Suspend { limit: limit? }, vm?))
        }
        Function::BatchPowerOff => {
            let (vms, stop) = (arguments.vms("vm_names", true), read_stop(arguments));
            let parallel = arguments.count("parallel", DEFAULT_PARALLEL);
            Some(What::Power { vms: vms?, fault: Fault::power_off(stop?), parallel: parallel? })
        }
        Function::Exists
        | Function::IsManageable
        | Function::PowerState
        | Function::ToolsState
        | Function::BootTime => Some(What::Look { vms: arguments.vm("vm_name")? }),
        Function::BatchIsManageable | Function::BatchPowerState => {
            Some(What::Look { vms: arguments.vms("vm_names", true)? })
        }
        Function::Restore => Some(What::Restore { vms: arguments.vms("vm_names", true)? }),
        Function::GroupPoweredOn => {
            let (group, except) = (arguments.target("group"), arguments.vms("except", false));
            Some(What::Group { group: group?, except: except? })
        }
        Function::Count => {
            let (group, state) = (arguments.target("group"), arguments.value("power_state"));
            let read = state.clone().map(serde_json::from_value::<VMPowerState>).transpose();
            if read.is_err() {
                arguments.refuse("power_state", "this has to be powered_on, powered_off, suspended or unknown");
            }
            Some(What::Count { group: group?, state: read.ok()? })
        }
    }
}

/// `timeout` is the grace of the guest, or the limit of the hard way if the guest is not asked.
fn read_stop(arguments: &mut Arguments<'_>) -> Option<Stop> {
    let graceful = arguments.flag("graceful", true);
    let grace = arguments.seconds("timeout", Stop::DEFAULT_GRACE);
    let hard = arguments.seconds("hard_timeout", Stop::DEFAULT_HARD);
    if graceful? {
        Some(Stop::GuestThenHard { grace: grace?, hard: hard? })
    } else {
        Some(Stop::Hard { limit: grace? })
    }
}
