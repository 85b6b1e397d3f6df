//! What is known of a watched VM or task: built up by applying changes in order, as they come from a long poll.

use chaos_core::VMPowerState;
use chaos_xml::Node;
use jiff::Timestamp;

use super::types::{MoRef, boolean, timestamp};
use super::update::{PropertyChange, PropertyValue};
use crate::soap::fault::Fault;
use crate::soap::node::VimNode;

/// A question that a VM waits for somebody to answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) id: String,
    pub(crate) text: String,
    /// What may be answered, for people.
    pub(crate) choices: Vec<String>,
}

impl Question {
    pub(crate) fn read(node: Node<'_>) -> Self {
        let text = |name: &str| node.child_value(name).unwrap_or_default().trim().to_owned();
        let choices = node.child("choice").into_iter().flat_map(|choice| choice.children_named("choiceInfo"));
        Self {
            id: text("id"),
            text: text("text"),
            choices: choices
                .filter_map(|info| info.child_value("label"))
                .map(|label| label.trim().to_owned())
                .collect(),
        }
    }
}

/// What decides about power operations on a VM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct VmState {
    /// As the wire writes it, with `%2f` for `/`.
    pub(crate) name: Option<String>,
    pub(crate) template: Option<bool>,
    /// The extension that looks after the VM, if one does.
    pub(crate) managed_by: Option<String>,
    /// Whether it is the secondary of a fault-tolerant pair.
    pub(crate) secondary: bool,
    /// `poweredOn`, `poweredOff`, `suspended`.
    pub(crate) power_state: Option<String>,
    /// `connected`, `disconnected`, `orphaned`, `inaccessible`, `invalid`.
    pub(crate) connection_state: Option<String>,
    /// `guestToolsRunning`, `guestToolsNotRunning`, `guestToolsExecutingScripts`.
    pub(crate) tools_running_status: Option<String>,
    /// Whether the guest can take a soft power operation now.
    pub(crate) state_change_supported: Option<bool>,
    /// In lower case: the documents disagree on it.
    pub(crate) guest_state: Option<String>,
    pub(crate) boot_time: Option<Timestamp>,
    /// Whether the last power-off was an orderly one.
    pub(crate) clean_power_off: Option<bool>,
    pub(crate) question: Option<Question>,
}

impl VmState {
    /// The property paths that this is built from.
    pub(crate) const PATHS: &'static [&'static str] = &[
        "name",
        "summary.config.template",
        "summary.config.managedBy.extensionKey",
        "summary.config.ftInfo",
        "runtime.powerState",
        "runtime.connectionState",
        "guest.toolsRunningStatus",
        "guest.guestStateChangeSupported",
        "guest.guestState",
        "runtime.bootTime",
        "runtime.cleanPowerOff",
        "runtime.question",
    ];

    /// Takes one change over; a path that is not ours is ignored.
    pub(crate) fn apply(&mut self, change: &PropertyChange) {
        let value = change.value.as_ref();
        let scalar = || value.and_then(PropertyValue::as_scalar).map(str::trim).filter(|text| !text.is_empty());
        match change.path.as_str() {
            "name" => self.name = scalar().map(str::to_owned),
            "summary.config.template" => self.template = scalar().and_then(boolean),
            "summary.config.managedBy.extensionKey" => self.managed_by = scalar().map(str::to_owned),
            "summary.config.ftInfo" => {
                self.secondary = match value {
                    Some(PropertyValue::Other(kind)) => kind == "FaultToleranceSecondaryConfigInfo",
                    _ => false,
                }
            }
            "runtime.powerState" => self.power_state = scalar().map(str::to_owned),
            "runtime.connectionState" => self.connection_state = scalar().map(str::to_owned),
            "guest.toolsRunningStatus" => self.tools_running_status = scalar().map(str::to_owned),
            "guest.guestStateChangeSupported" => self.state_change_supported = scalar().and_then(boolean),
            "guest.guestState" => self.guest_state = scalar().map(str::to_ascii_lowercase),
            "runtime.bootTime" => self.boot_time = scalar().and_then(timestamp),
            "runtime.cleanPowerOff" => self.clean_power_off = scalar().and_then(boolean),
            "runtime.question" => {
                self.question = match value {
                    Some(PropertyValue::Question(question)) => Some(question.clone()),
                    _ => None,
                }
            }
            _ => {}
        }
    }

    /// The power state in the words of every platform.
    pub(crate) fn power(&self) -> VMPowerState {
        power_state(self.power_state.as_deref().unwrap_or_default())
    }

    /// Whether Tools answer in the guest.
    pub(crate) fn tools_running(&self) -> bool {
        self.tools_running_status.as_deref() == Some("guestToolsRunning")
    }
}

/// Translates the wire's `VirtualMachinePowerState`.
pub(crate) fn power_state(wire: &str) -> VMPowerState {
    match wire {
        "poweredOn" => VMPowerState::PoweredOn,
        "poweredOff" => VMPowerState::PoweredOff,
        "suspended" => VMPowerState::Suspended,
        _ => VMPowerState::Unknown,
    }
}

/// How far a task is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum TaskPhase {
    #[default]
    Queued,
    Running,
    Success,
    Error,
}

/// What is known of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TaskState {
    pub(crate) phase: TaskPhase,
    /// Percent, while it runs and says so.
    pub(crate) progress: Option<u8>,
    /// Why it failed.
    pub(crate) error: Option<Fault>,
    /// What it made, if that is a managed object.
    pub(crate) result: Option<MoRef>,
}

impl TaskState {
    /// The property paths that this is built from.
    pub(crate) const PATHS: &'static [&'static str] = &["info.state", "info.progress", "info.error", "info.result"];

    /// Takes one change over; a path that is not ours is ignored.
    pub(crate) fn apply(&mut self, change: &PropertyChange) {
        let value = change.value.as_ref();
        let scalar = || value.and_then(PropertyValue::as_scalar).map(str::trim);
        match change.path.as_str() {
            // A state of a later version is not an end: go on waiting.
            "info.state" => match scalar() {
                Some("queued") => self.phase = TaskPhase::Queued,
                Some("success") => self.phase = TaskPhase::Success,
                Some("error") => self.phase = TaskPhase::Error,
                _ => self.phase = TaskPhase::Running,
            },
            "info.progress" => {
                self.progress = scalar().and_then(|text| text.parse().ok()).map(|percent: u8| percent.min(100));
            }
            "info.error" => {
                self.error = match value {
                    Some(PropertyValue::Fault(fault)) => Some((**fault).clone()),
                    _ => None,
                }
            }
            "info.result" => {
                self.result = match value {
                    Some(PropertyValue::Reference(reference)) => Some(reference.clone()),
                    _ => None,
                }
            }
            _ => {}
        }
    }
}
