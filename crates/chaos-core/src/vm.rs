//! A virtual machine as every platform describes it.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::kind::PlatformKind;

/// Whether a VM runs. The platform's own, finer word is in [`VMInfo::native_state`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VMPowerState {
    /// The VM runs, or is on its way up or down.
    PoweredOn,
    /// The VM does not run and holds no memory.
    PoweredOff,
    /// The VM does not run; its memory is kept and comes back when it is powered on.
    Suspended,
    /// The platform does not know, or says something that this version does not.
    Unknown,
}

impl VMPowerState {
    /// All states, for help texts and completions.
    pub const ALL: [Self; 4] = [Self::PoweredOn, Self::PoweredOff, Self::Suspended, Self::Unknown];

    /// The serialised word, such as `powered_on`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PoweredOn => "powered_on",
            Self::PoweredOff => "powered_off",
            Self::Suspended => "suspended",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for VMPowerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whether the agent inside the guest (VMware Tools, oVirt guest agent) is there and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ToolsStatus {
    /// The agent runs.
    Running,
    /// The agent is installed and does not run.
    NotRunning,
    /// The agent is not installed.
    NotInstalled,
    /// The platform does not say, or says something that this version does not know.
    Unknown,
}

impl ToolsStatus {
    /// The serialised word, such as `not_running`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::NotRunning => "not_running",
            Self::NotInstalled => "not_installed",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for ToolsStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A virtual machine as every platform describes it.
///
/// Fields may be added in any version: start from [`VMInfo::new`] and set what is known.
///
/// ```
/// use chaos_core::{PlatformKind, VMInfo, VMPowerState};
///
/// let mut vm = VMInfo::new("web-01", "vm-68", VMPowerState::PoweredOn, PlatformKind::VSPHERE);
/// vm.cluster = Some("prod".into());
/// let json = serde_json::to_value(&vm).unwrap();
/// assert_eq!(json["power_state"], "powered_on");
/// assert_eq!(json["cluster"], "prod");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VMInfo {
    /// The name that people know it by, with the platform's escapes decoded. Not unique.
    pub name: String,
    /// The platform's object id (vSphere: managed object id, oVirt: UUID); unique within one server.
    pub id: String,
    /// Whether it runs.
    pub power_state: VMPowerState,
    /// The kind of platform that it was seen on.
    pub platform: PlatformKind,
    /// The host that it runs on or is registered with, by name.
    pub host: Option<String>,
    /// Its datacenter, by name.
    pub datacenter: Option<String>,
    /// Its cluster, by name; none on a standalone host.
    pub cluster: Option<String>,
    /// Virtual CPUs.
    pub cpu_count: Option<u32>,
    /// Memory in MiB.
    pub memory_mb: Option<u64>,
    /// The guest's operating system, in the platform's words.
    pub guest_os: Option<String>,
    /// The agent inside the guest.
    pub tools_status: Option<ToolsStatus>,
    /// Where it is in the inventory, with decoded names, such as `/DC0/vm/web/web-01`. Unique on one server.
    pub path: Option<String>,
    /// A template: a VM that cannot be powered on.
    pub template: bool,
    /// The platform's globally unique instance id, if it has one beside `id`.
    pub instance_uuid: Option<String>,
    /// When it was last powered on.
    pub boot_time: Option<Timestamp>,
    /// The platform's own word for the state, such as `poweredOn` or `powering_down`.
    pub native_state: String,
    /// Why the VM cannot be managed at the moment, if so: unreachable host, no configuration, not ours to touch.
    pub unmanageable: Option<String>,
    /// More that the platform knows, by field name.
    pub metadata: BTreeMap<String, String>,
}

impl VMInfo {
    /// A VM of which only the essentials are known.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        id: impl Into<String>,
        power_state: VMPowerState,
        platform: PlatformKind,
    ) -> Self {
        Self {
            name: name.into(),
            id: id.into(),
            power_state,
            platform,
            host: None,
            datacenter: None,
            cluster: None,
            cpu_count: None,
            memory_mb: None,
            guest_os: None,
            tools_status: None,
            path: None,
            template: false,
            instance_uuid: None,
            boot_time: None,
            native_state: power_state.as_str().to_owned(),
            unmanageable: None,
            metadata: BTreeMap::new(),
        }
    }

    /// The inventory path where it is known, else the name: what tells two VMs of one name apart.
    #[must_use]
    pub fn display_path(&self) -> &str {
        self.path.as_deref().unwrap_or(&self.name)
    }
}
