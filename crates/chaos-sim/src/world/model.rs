//! What exists in a world and in which states it can be, in no vendor's words.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u32);
    )*};
}

ids! {
    /// A datacenter of the world.
    DatacenterId,
    /// A cluster of hosts.
    ClusterId,
    /// A host, in a cluster or on its own.
    HostId,
    /// A folder for VMs below a datacenter.
    FolderId,
    /// An application: a group of VMs that start together (a vApp in vSphere).
    AppId,
    /// A virtual machine.
    VmId,
}

/// Power of a VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Power {
    /// Running.
    #[default]
    On,
    /// Stopped.
    Off,
    /// Stopped with its memory saved.
    Suspended,
}

/// What the operating system in the VM is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GuestPhase {
    /// No operating system is running.
    #[default]
    Down,
    /// Starting; its agent does not answer yet.
    Booting,
    /// Up; its agent answers if there is one.
    Ready,
    /// On its way down to power off or standby.
    ShuttingDown,
    /// On its way down to boot again.
    Restarting,
    /// Stuck: neither up nor on its way anywhere.
    Hung,
}

/// The guest agent (VMware Tools, the oVirt guest agent).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Tools {
    /// There is none.
    NotInstalled,
    /// Installed, but its service does not run.
    Stopped,
    /// Runs whenever the guest is up.
    #[default]
    Running,
    /// Runs, but was not installed by the platform (open-vm-tools).
    Unmanaged,
    /// Runs, but cannot carry out a soft power operation.
    WithoutScripts,
}

impl Tools {
    /// Whether an agent answers while the guest is up.
    #[must_use]
    pub const fn answers(self) -> bool {
        matches!(self, Self::Running | Self::Unmanaged | Self::WithoutScripts)
    }

    /// Whether a guest that is up carries out soft power operations.
    #[must_use]
    pub const fn obeys(self) -> bool {
        matches!(self, Self::Running | Self::Unmanaged)
    }
}

/// How a guest answers a request to shut down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnShutdown {
    /// It shuts down.
    #[default]
    Obeys,
    /// It begins and never ends.
    Hangs,
    /// It takes the request and does nothing.
    Ignores,
}

/// How a guest answers a request to reboot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnReboot {
    /// It goes down and comes back.
    #[default]
    Obeys,
    /// It goes down and never comes back.
    Hangs,
    /// It takes the request and does nothing.
    Ignores,
    /// The reboot ends with the VM powered off.
    PowersOff,
    /// The reboot is carried out as power off and power on.
    PowerCycles,
}

/// How the guest of one VM behaves. Durations that are not given come from the world's [`Timing`](crate::Timing).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Guest {
    /// Its agent.
    pub tools: Tools,
    /// Its answer to a shutdown or standby request.
    pub on_shutdown: OnShutdown,
    /// Its answer to a reboot request.
    pub on_reboot: OnReboot,
    /// Seconds from power on until its agent answers.
    #[serde(with = "super::seconds::option", skip_serializing_if = "Option::is_none")]
    pub boot: Option<Duration>,
    /// Seconds from a request until it is down.
    #[serde(with = "super::seconds::option", skip_serializing_if = "Option::is_none")]
    pub shutdown: Option<Duration>,
}

/// How far the platform can reach a VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reach {
    /// Fully.
    #[default]
    Connected,
    /// Its host cannot be reached; what is shown is the last that was known.
    Disconnected,
    /// Registered, but no longer on its host.
    Orphaned,
    /// Its files cannot be read.
    Inaccessible,
    /// Its configuration cannot be understood.
    Invalid,
}

/// What a running VM is besides running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Condition {
    /// Nothing out of the ordinary.
    #[default]
    Normal,
    /// It stands still and keeps its memory, because someone wanted that.
    Paused,
    /// It stands still, because its storage is full.
    PausedForSpace,
    /// It stands still, because its storage cannot be read or written.
    PausedForStorage,
    /// It is on its way to another host.
    Migrating,
    /// Its process does not answer the platform.
    Unresponsive,
    /// What the platform was told of it makes no sense.
    Unclear,
}

impl Condition {
    /// Whether it stands still.
    #[must_use]
    pub const fn is_paused(self) -> bool {
        matches!(self, Self::Paused | Self::PausedForSpace | Self::PausedForStorage)
    }
}

/// State of a VM's disks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Disks {
    /// Ready to be used.
    #[default]
    Ready,
    /// In use by a copy, an import or a snapshot: the VM can be neither started nor changed.
    Locked,
    /// Their chain is broken: the VM cannot be started.
    Broken,
    /// There are none.
    Missing,
}

/// What keeps others from a VM although its power would allow their operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Hold {
    /// Nothing.
    #[default]
    Free,
    /// Someone's command is being carried out on it.
    Command,
    /// A snapshot of it is being made.
    Snapshot,
    /// A backup of it is being made.
    Backup,
}

/// Why a VM is not an ordinary one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum VmRole {
    /// An ordinary VM.
    #[default]
    Ordinary,
    /// A template: cannot be powered on.
    Template,
    /// The standby half of a fault tolerant pair.
    FaultToleranceSecondary,
    /// Belongs to the cluster itself (vCLS).
    ClusterService,
}

/// State of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HostState {
    /// In service.
    #[default]
    Up,
    /// The platform has lost contact; its VMs keep running, unseen.
    Disconnected,
    /// Crashed: its VMs are off and out of reach until it is up again.
    Crashed,
    /// In maintenance: nothing can be started on it.
    Maintenance,
}

/// A question that holds up a VM until someone answers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Names the question in an answer.
    #[serde(default = "Question::default_id")]
    pub id: String,
    /// The question itself.
    pub text: String,
    /// Key and label of each possible answer; the first lets the operation go on, every other one fails it.
    pub choices: Vec<(String, String)>,
}

impl Question {
    fn default_id() -> String {
        "1".into()
    }
}

/// A datacenter.
#[derive(Debug, Clone)]
pub struct Datacenter {
    /// Its id.
    pub id: DatacenterId,
    /// Its name.
    pub name: String,
}

/// A cluster of hosts.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// Its id.
    pub id: ClusterId,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub datacenter: DatacenterId,
    /// Whether a platform that can tell shows it as belonging to no datacenter.
    pub is_orphan: bool,
}

/// A host.
#[derive(Debug, Clone)]
pub struct Host {
    /// Its id.
    pub id: HostId,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub datacenter: DatacenterId,
    /// Its cluster; a host without one stands on its own.
    pub cluster: Option<ClusterId>,
    /// Its state.
    pub state: HostState,
    /// The world's count of changes when it last changed.
    pub revision: u64,
}

/// A folder of VMs.
#[derive(Debug, Clone)]
pub struct Folder {
    /// Its id.
    pub id: FolderId,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub datacenter: DatacenterId,
    /// The folder that holds it; none directly below the datacenter.
    pub parent: Option<FolderId>,
}

/// An application of several VMs.
#[derive(Debug, Clone)]
pub struct App {
    /// Its id.
    pub id: AppId,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub datacenter: DatacenterId,
    /// The folder that shows it; none directly below the datacenter.
    pub folder: Option<FolderId>,
    /// The cluster whose resources it uses; none for a standalone host's.
    pub cluster: Option<ClusterId>,
    /// A host of that cluster, or the standalone host.
    pub host: HostId,
}

/// Where a VM is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Place {
    /// Directly below a datacenter.
    Datacenter(DatacenterId),
    /// In a folder.
    Folder(FolderId),
    /// In an application.
    App(AppId),
}

/// A virtual machine as it is now.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Vm {
    /// Its id: stable for as long as it exists.
    pub id: VmId,
    /// Its name, unescaped.
    pub name: String,
    /// Where it is shown.
    pub place: Place,
    /// The host that runs it.
    pub host: HostId,
    /// Power.
    pub power: Power,
    /// Phase of its guest.
    pub phase: GuestPhase,
    /// Behaviour of its guest.
    pub guest: Guest,
    /// Reachability.
    pub reach: Reach,
    /// What it is besides running, while it is on.
    pub condition: Condition,
    /// State of its disks.
    pub disks: Disks,
    /// What keeps others from it.
    pub hold: Hold,
    /// What kind of VM it is.
    pub role: VmRole,
    /// Whether its configuration can be read.
    pub has_config: bool,
    /// Whether it takes over a changed configuration when it is next started.
    pub has_next_run: bool,
    /// Whether its guest hears the power button, with or without an agent.
    pub hears_button: bool,
    /// What people wrote about it.
    pub description: String,
    /// Virtual processors: sockets times cores times threads.
    pub cpus: u32,
    /// Sockets that they are in.
    pub sockets: u32,
    /// Threads of each of their cores.
    pub threads: u32,
    /// Memory in MiB.
    pub memory_mb: u32,
    /// Its operating system, in words.
    pub guest_os: String,
    /// Its UUID as the firmware shows it.
    pub bios_uuid: String,
    /// The UUID given by the platform.
    pub instance_uuid: String,
    /// Address of its guest.
    pub ip_address: String,
    /// When it was made.
    pub creation_time: Timestamp,
    /// When it last went off; none if that was never seen.
    pub stop_time: Option<Timestamp>,
    /// What was said when it was last told to stop.
    pub stop_reason: Option<String>,
    /// When it was powered on; none while it is off.
    pub boot_time: Option<Timestamp>,
    /// When it was suspended.
    pub suspend_time: Option<Timestamp>,
    /// Whether it last went off in an orderly way; none if that was never seen.
    pub clean_power_off: Option<bool>,
    /// The question that it waits with.
    pub question: Option<Question>,
    /// The question that its next power on will ask.
    pub(crate) question_at_power_on: Option<Question>,
    /// The task that it is busy with.
    pub(crate) task: Option<super::TaskId>,
    /// Whether its guest was told to reboot and is not back yet.
    pub is_rebooting: bool,
    /// World time when its guest entered its phase.
    pub phase_since: Duration,
    /// Whether it is to be started again as soon as its guest has shut down.
    pub(crate) restarts_when_down: bool,
    /// Whether its next power on leaves it paused.
    pub(crate) pauses_at_power_on: bool,
    /// Counts what kept others from it, so that the end of an earlier hold does not end a later one.
    pub(crate) holds: u32,
    /// How many operations were accepted on it.
    pub operations: u32,
    /// Counts its phases, so that what was planned for an earlier phase no longer happens.
    pub(crate) epoch: u64,
    /// The world's count of changes when it last changed.
    pub revision: u64,
}

impl Vm {
    /// Whether the platform can carry out operations on it at all.
    #[must_use]
    pub fn is_reachable(&self) -> bool {
        self.reach == Reach::Connected
    }

    /// Whether its guest agent answers now.
    #[must_use]
    pub fn tools_answer(&self) -> bool {
        self.guest.tools.answers() && matches!(self.phase, GuestPhase::Ready | GuestPhase::ShuttingDown)
    }

    /// Cores in each of its sockets.
    #[must_use]
    pub const fn cores(&self) -> u32 {
        self.cpus / (self.sockets * self.threads)
    }

    /// Whether its guest would carry out a soft power operation now.
    #[must_use]
    pub fn obeys_soft_operations(&self) -> bool {
        self.power == Power::On && self.phase == GuestPhase::Ready && self.guest.tools.obeys()
    }
}
