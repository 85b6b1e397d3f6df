//! What a platform's tests provide: a server built to order, and hands that reach into it.

use std::sync::Arc;

use async_trait::async_trait;
use chaos_core::{Context, Error, Platform, SharedClock, VMPowerState};
use secrecy::SecretString;

use crate::estate::{EstateSpec, VmKey};

/// Something that not every platform, or not every server under test, can do.
///
/// Where an operation is missing, the suite sees that it is refused as unsupported; where [`Ability::GuestAgentNeeded`]
/// is missing, that guests without an agent do what they are asked. Nothing else is checked of what is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ability {
    /// The operation [`PowerOn`](chaos_core::Operation::PowerOn).
    PowerOn,
    /// The operation [`PowerOff`](chaos_core::Operation::PowerOff).
    PowerOff,
    /// The operation [`Reboot`](chaos_core::Operation::Reboot).
    Reboot,
    /// The operation [`Suspend`](chaos_core::Operation::Suspend).
    Suspend,
    /// VMs that are suspended.
    SuspendedVms,
    /// Templates.
    Templates,
    /// Two VMs of one name in different datacenters and, where there are [`Ability::Folders`], in different folders of
    /// one datacenter.
    DuplicateNames,
    /// Names with `/`, `%`, brackets, quotes and letters beyond ASCII.
    OddNames,
    /// Folders.
    Folders,
    /// Several datacenters, clusters and hosts.
    Places,
    /// VMs that are off and have a host all the same.
    HostsOfStoppedVms,
    /// Hosts outside of clusters.
    StandaloneHosts,
    /// More VMs than fit on one page of the protocol.
    ManyVms,
    /// Guests that can be asked to shut down and to restart, and that may take their time or hang.
    Guests,
    /// Guests that can be asked through their agent alone, and VMs that show whether it is installed and runs.
    GuestAgentNeeded,
    /// An account: who connects with a wrong password is refused.
    Logins,
    /// Ending sessions from the server's side.
    KillSessions,
    /// Telling how many logins were tried and how many sessions are open.
    CountSessions,
    /// Telling which calls reached a VM.
    CountCalls,
    /// Breaking the next call: see [`Break`].
    BreakCalls,
    /// Being out of order: see [`Outage`].
    Outages,
    /// Changing and deleting VMs behind the client's back.
    ChangeVms,
}

/// How the next call of some kind goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Break {
    /// A call that changes a VM: the connection breaks before it is executed.
    PowerBeforeEffect,
    /// A call that changes a VM: the connection breaks after it was executed.
    PowerAfterEffect,
    /// A call that reads: the connection breaks within the answer.
    ReadCut,
    /// A call that reads: the server says that it cannot answer now (HTTP: 503).
    ReadBusy,
    /// A call that reads: the answer is nothing of the protocol (HTTP: an HTML page).
    ReadNonsense,
}

/// How the whole server is out of order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outage {
    /// Connections are refused.
    Refuses,
    /// Calls are taken and never answered.
    Stalls,
}

/// Knows how to build a server for one check.
#[async_trait]
pub trait Harness: Send + Sync {
    /// What its servers cannot do, each with the reason. Checks that need it are skipped aloud.
    fn cannot(&self) -> Vec<(Ability, &'static str)>;

    /// The clock of the calls. The servers' guests have to move on at the same speed.
    fn clock(&self) -> SharedClock;

    /// A new server with this estate, and nothing else on it.
    async fn start(&self, estate: &EstateSpec) -> Box<dyn Server>;
}

/// A running server under test. Each stops when it is dropped.
#[async_trait]
pub trait Server: Send + Sync {
    /// A fresh client of the platform under test that logs in with the estate's user name and this password.
    async fn connect(&self, cx: &Context, password: &SecretString) -> Result<Arc<dyn Platform>, Error>;

    /// The object id of a VM.
    async fn id_of(&self, vm: VmKey) -> String;

    /// The power state of a VM, as the server knows it.
    async fn power_state(&self, vm: VmKey) -> VMPowerState;

    /// How many calls that were to change this VM have reached the server, with or without success.
    async fn destructive_calls(&self, vm: VmKey) -> usize;

    /// How many of them were to power it off or reset it without asking its guest.
    async fn hard_calls(&self, vm: VmKey) -> usize;

    /// How many logins were tried, with or without success.
    async fn login_attempts(&self) -> usize;

    /// How many sessions are open.
    async fn open_sessions(&self) -> usize;

    /// Ends all sessions, as if the server had been restarted.
    async fn kill_sessions(&self);

    /// Makes the next call of a kind go wrong.
    async fn break_next(&self, what: Break);

    /// From now on the server is out of order, or in order again.
    async fn set_outage(&self, outage: Option<Outage>);

    /// Puts a VM into another state, at once and without a call of a client.
    async fn set_power_state(&self, vm: VmKey, state: VMPowerState);

    /// Deletes a VM.
    async fn delete(&self, vm: VmKey);
}
