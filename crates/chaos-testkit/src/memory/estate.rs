//! The server in memory: sessions, VMs, a record of every call, and the handles by which a test reaches into it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chaos_core::{Context, Error, Operation, PlatformKind, Problem, SharedClock, VMPowerState};
use secrecy::SecretString;
use tokio::sync::watch;

use crate::estate::{EstateSpec, VmKey};
use crate::memory::call::{Call, CallKind, Failure};
use crate::memory::machine::Machine;
use crate::memory::platform::MemoryPlatform;

/// A server in memory. Clones are the same server. Its VMs live on the clock that it is made with.
#[derive(Clone)]
pub struct MemoryEstate(pub(super) Arc<Shared>);

pub(super) struct Shared {
    pub(super) clock: SharedClock,
    pub(super) kind: PlatformKind,
    /// Moves on with every change that somebody could wait for.
    pub(super) revision: watch::Sender<u64>,
    state: Mutex<State>,
}

pub(super) struct State {
    pub(super) username: String,
    pub(super) password: SecretString,
    pub(super) operations: BTreeSet<Operation>,
    pub(super) asking: AskGuests,
    pub(super) machines: Vec<Machine>,
    pub(super) problems: Vec<Problem>,
    pub(super) sessions: BTreeSet<u64>,
    pub(super) logins: u64,
    pub(super) calls: Vec<Call>,
    pub(super) failures: Vec<Failure>,
    pub(super) line: Line,
}

/// Which guests the server can ask to shut down or restart themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskGuests {
    /// Those whose agent answers.
    ThroughAgent,
    /// All that are up, as by ACPI.
    Always,
    /// None: the server has no calls for it.
    Never,
}

/// Whether the server can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    Up,
    Refuses,
    Stalls,
}

impl MemoryEstate {
    /// A server with these VMs, whose object ids are `vm-1`, `vm-2` and so on, of the platform kind `memory`.
    ///
    /// # Panics
    /// Never: the kind's name is valid.
    #[must_use]
    pub fn new(spec: &EstateSpec, clock: SharedClock) -> Self {
        Self::of_kind(PlatformKind::new("memory").expect("a valid kind"), spec, clock)
    }

    /// The same, posing as a platform of another kind.
    #[must_use]
    pub fn of_kind(kind: PlatformKind, spec: &EstateSpec, clock: SharedClock) -> Self {
        let now = clock.now();
        let machine = |key: VmKey| Machine::new(id_of(key), spec.vms[key.0].clone(), now);
        let state = State {
            username: spec.username.clone(),
            password: spec.password.clone(),
            operations: [Operation::PowerOn, Operation::PowerOff, Operation::Reboot, Operation::Suspend].into(),
            asking: AskGuests::ThroughAgent,
            machines: spec.keys().map(machine).collect(),
            problems: Vec::new(),
            sessions: BTreeSet::new(),
            logins: 0,
            calls: Vec::new(),
            failures: Vec::new(),
            line: Line::Up,
        };
        Self(Arc::new(Shared { clock, kind, revision: watch::Sender::new(0), state: Mutex::new(state) }))
    }

    /// A client that is logged in with the right password. `entry` is the settings entry that its VM references name.
    ///
    /// # Errors
    /// As [`MemoryEstate::connect_with`].
    pub async fn connect(&self, cx: &Context, entry: &str) -> Result<MemoryPlatform, Error> {
        let (username, password) = {
            let state = self.state();
            (state.username.clone(), state.password.clone())
        };
        self.connect_with(cx, entry, &username, password).await
    }

    /// A client that logs in with these credentials.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthenticated`](chaos_core::ErrorKind::Unauthenticated),
    /// [`ErrorKind::Unavailable`](chaos_core::ErrorKind::Unavailable) or
    /// [`ErrorKind::Timeout`](chaos_core::ErrorKind::Timeout).
    pub async fn connect_with(
        &self,
        cx: &Context,
        entry: &str,
        username: &str,
        password: SecretString,
    ) -> Result<MemoryPlatform, Error> {
        MemoryPlatform::connect(self.clone(), cx, entry, username, password).await
    }

    /// The kind of platform that it is.
    #[must_use]
    pub fn kind(&self) -> &PlatformKind {
        &self.0.kind
    }

    /// The object id of a VM of the [`EstateSpec`] that the server was made from.
    #[must_use]
    pub fn id_of(&self, key: VmKey) -> String {
        id_of(key)
    }

    /// The power state of the first VM of this name, as the server knows it.
    #[must_use]
    pub fn power_state(&self, name: &str) -> Option<VMPowerState> {
        self.state().machines.iter().find(|machine| machine.spec.name == name).map(|machine| machine.power)
    }

    /// The power state of the VM with this object id, as the server knows it.
    #[must_use]
    pub fn power_state_by_id(&self, id: &str) -> Option<VMPowerState> {
        self.state().machine(id).map(|machine| machine.power)
    }

    /// How many VMs are on their way from one state to another.
    #[must_use]
    pub fn in_transition(&self) -> usize {
        self.state().machines.iter().filter(|machine| machine.in_transition()).count()
    }

    /// Every call that has reached the server, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// The calls that were to change the VM with this object id, in order.
    #[must_use]
    pub fn destructive_calls(&self, id: &str) -> Vec<CallKind> {
        let state = self.state();
        let of_vm = state.calls.iter().filter(|call| call.vm.as_deref() == Some(id));
        of_vm.map(|call| call.kind).filter(|kind| kind.is_destructive()).collect()
    }

    /// How many sessions are open.
    #[must_use]
    pub fn open_sessions(&self) -> usize {
        self.state().sessions.len()
    }

    /// How many logins were tried, with or without success.
    #[must_use]
    pub fn login_attempts(&self) -> usize {
        self.state().calls.iter().filter(|call| call.kind == CallKind::Login).count()
    }

    /// Ends all sessions, as if the server had been restarted. Clients that wait are woken.
    pub fn kill_sessions(&self) {
        self.change(|state| state.sessions.clear());
    }

    /// From now on connections are refused.
    pub fn go_away(&self) {
        self.change(|state| state.line = Line::Refuses);
    }

    /// From now on calls are taken and never answered.
    pub fn stall(&self) {
        self.change(|state| state.line = Line::Stalls);
    }

    /// The server can be reached again.
    pub fn come_back(&self) {
        self.change(|state| state.line = Line::Up);
    }

    /// Makes the next call that fits fail.
    pub fn fail_next(&self, failure: Failure) {
        self.change(|state| state.failures.push(failure));
    }

    /// Adds something that a discovery cannot read.
    pub fn add_problem(&self, problem: Problem) {
        self.change(|state| state.problems.push(problem));
    }

    /// From now on clients that connect support these operations and no other.
    pub fn support_only(&self, operations: impl IntoIterator<Item = Operation>) {
        let operations = operations.into_iter().collect();
        self.change(|state| state.operations = operations);
    }

    /// From now on clients that connect can ask these guests. At first it is [`AskGuests::ThroughAgent`].
    pub fn ask_guests(&self, asking: AskGuests) {
        self.change(|state| state.asking = asking);
    }

    /// From now on the guest of this VM takes note of what it is asked and does nothing.
    pub fn hang_guest(&self, id: &str) {
        self.change_vm(id, |machine| machine.spec.guest.hangs = true);
    }

    /// From now on this VM cannot be managed, for the reason given.
    pub fn set_unmanageable(&self, id: &str, why: &str) {
        self.change_vm(id, |machine| machine.unmanageable = Some(why.to_owned()));
    }

    /// Someone else puts a VM into this state, at once and without a call of any client.
    pub fn set_power_state(&self, id: &str, power_state: VMPowerState) {
        let now = self.0.clock.now();
        self.change_vm(id, |machine| {
            let mut spec = machine.spec.clone();
            spec.power_state = power_state;
            *machine = Machine::new(machine.id.clone(), spec, now);
        });
    }

    /// Someone else deletes a VM.
    pub fn delete(&self, id: &str) {
        self.change(|state| state.machines.retain(|machine| machine.id != id));
    }

    fn change_vm(&self, id: &str, change: impl FnOnce(&mut Machine)) {
        self.change(|state| state.machines.iter_mut().find(|machine| machine.id == id).map(change));
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.state());
        self.0.revision.send_modify(|revision| *revision += 1);
        result
    }

    /// The state of the server, in which all that was due has happened.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, time) = (self.0.clock.monotonic(), self.0.clock.now());
        for machine in &mut state.machines {
            machine.settle(now, time);
        }
        state
    }
}

impl State {
    pub(super) fn machine(&self, id: &str) -> Option<&Machine> {
        self.machines.iter().find(|machine| machine.id == id)
    }
}

fn id_of(key: VmKey) -> String {
    format!("vm-{}", key.0 + 1)
}

impl fmt::Debug for MemoryEstate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let vms = self.state().machines.len();
        f.debug_struct("MemoryEstate").field("kind", &self.0.kind).field("vms", &vms).finish_non_exhaustive()
    }
}
