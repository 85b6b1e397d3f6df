//! The server in memory: sessions, VMs, a record of every call, and the handles by which a test reaches into it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chaos_core::{Context, Error, ErrorKind, PlatformKind, Problem, SharedClock, VMInfo, VMPowerState};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;

use crate::estate::{EstateSpec, VmKey};
use crate::memory::call::{Call, CallKind, Failure, Mishap};
use crate::memory::machine::{Machine, Refusal};
use crate::memory::platform::MemoryPlatform;

/// A server in memory. Clones are the same server. Its VMs live on the clock that it is made with.
#[derive(Clone)]
pub struct MemoryEstate(Arc<Shared>);

struct Shared {
    clock: SharedClock,
    kind: PlatformKind,
    /// Moves on with every change that somebody could wait for.
    revision: watch::Sender<u64>,
    state: Mutex<State>,
}

struct State {
    username: String,
    password: SecretString,
    machines: Vec<Machine>,
    problems: Vec<Problem>,
    sessions: BTreeSet<u64>,
    logins: u64,
    calls: Vec<Call>,
    failures: Vec<Failure>,
    line: Line,
}

/// Whether the server can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Up,
    Refuses,
    Stalls,
}

/// What a client sees of a call that did not succeed.
#[derive(Debug)]
pub(super) enum Wire {
    NotAuthenticated,
    Unreachable,
    /// The server took the call and never answers.
    NoAnswer,
    /// The connection broke: the call may have been executed.
    Cut,
    Nonsense,
    Refused(ErrorKind, String),
    NoSuchVm,
    Machine(Refusal),
}

/// A VM as it was read, with what a waiting client has to know beside it.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) vm: VMInfo,
    pub(super) guest_listens: bool,
    pub(super) guest_up: bool,
    pub(super) boots: u64,
    pub(super) busy: bool,
    pub(super) next_event: Option<Duration>,
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
    /// [`ErrorKind::Unauthenticated`], [`ErrorKind::Unavailable`] or [`ErrorKind::Timeout`].
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

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.state());
        self.0.revision.send_modify(|revision| *revision += 1);
        result
    }

    /// The state of the server, in which all that was due has happened.
    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, time) = (self.0.clock.monotonic(), self.0.clock.now());
        for machine in &mut state.machines {
            machine.settle(now, time);
        }
        state
    }

    // What follows is the wire between the client and the server.

    pub(super) fn login(&self, cx: &Context, username: &str, password: &SecretString) -> Result<u64, Wire> {
        self.change(|state| {
            state.take(self, cx, CallKind::Login, None, |state| {
                let same = state.password.expose_secret() == password.expose_secret();
                if username != state.username || !same {
                    let message = format!("the server refused the login of `{username}`");
                    return Err(Wire::Refused(ErrorKind::Unauthenticated, message));
                }
                state.logins += 1;
                state.sessions.insert(state.logins);
                Ok(state.logins)
            })
        })
    }

    pub(super) fn logout(&self, cx: &Context, session: u64) -> Result<(), Wire> {
        self.change(|state| {
            state.take(self, cx, CallKind::Logout, None, |state| {
                state.sessions.remove(&session);
                Ok(())
            })
        })
    }

    pub(super) fn list(&self, cx: &Context, session: u64) -> Result<(Vec<VMInfo>, Vec<Problem>), Wire> {
        self.in_session(cx, session, CallKind::List, None, |state| {
            let vms = state.machines.iter().map(|machine| machine.info(&self.0.kind)).collect();
            Ok((vms, state.problems.clone()))
        })
    }

    pub(super) fn read(&self, cx: &Context, session: u64, id: &str) -> Result<Reading, Wire> {
        let now = self.0.clock.monotonic();
        self.in_session(cx, session, CallKind::Read, Some(id), |state| {
            let machine = state.machine(id).ok_or(Wire::NoSuchVm)?;
            Ok(Reading {
                vm: machine.info(&self.0.kind),
                guest_listens: machine.guest_listens(),
                guest_up: machine.guest_up,
                boots: machine.boots,
                busy: machine.is_busy(now),
                next_event: machine.next_event(),
            })
        })
    }

    pub(super) fn power(&self, cx: &Context, session: u64, kind: CallKind, id: &str) -> Result<(), Wire> {
        let now = self.0.clock.monotonic();
        self.in_session(cx, session, kind, Some(id), |state| {
            let machine = state.machines.iter_mut().find(|machine| machine.id == id).ok_or(Wire::NoSuchVm)?;
            machine.start(kind, now).map_err(Wire::Machine)
        })
    }

    fn in_session<T>(
        &self,
        cx: &Context,
        session: u64,
        kind: CallKind,
        vm: Option<&str>,
        serve: impl FnOnce(&mut State) -> Result<T, Wire>,
    ) -> Result<T, Wire> {
        let serve = |state: &mut State| {
            let known = state.sessions.contains(&session);
            if known { serve(state) } else { Err(Wire::NotAuthenticated) }
        };
        let mut state = self.state();
        let result = state.take(self, cx, kind, vm, serve);
        drop(state);
        if kind.is_destructive() {
            self.0.revision.send_modify(|revision| *revision += 1);
        }
        result
    }

    /// Follows the server's changes from here on.
    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.0.revision.subscribe()
    }

    /// Waits until something changes that a client could wait for, or until `at` on the server's clock.
    pub(super) async fn changed(&self, watch: &mut watch::Receiver<u64>, at: Option<Duration>) {
        let due = async {
            match at {
                Some(at) => self.0.clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // The sender lives as long as the estate.
            _ = watch.changed() => {}
            () = due => {}
        }
    }
}

impl State {
    fn machine(&self, id: &str) -> Option<&Machine> {
        self.machines.iter().find(|machine| machine.id == id)
    }

    /// One call on the wire: reaches the server or not, is written down, meets with mishaps, and is served.
    fn take<T>(
        &mut self,
        estate: &MemoryEstate,
        cx: &Context,
        kind: CallKind,
        vm: Option<&str>,
        serve: impl FnOnce(&mut Self) -> Result<T, Wire>,
    ) -> Result<T, Wire> {
        if self.line == Line::Refuses {
            return Err(Wire::Unreachable);
        }
        self.calls.push(Call {
            kind,
            vm: vm.map(str::to_owned),
            run_id: cx.run_id().clone(),
            reason: cx.reason_text().to_owned(),
            at: estate.0.clock.now(),
        });
        if self.line == Line::Stalls {
            return Err(Wire::NoAnswer);
        }
        let failure = self.failures.iter().position(|failure| failure.fits(kind, vm));
        match failure.map(|at| self.failures.remove(at).mishap) {
            None => serve(self),
            Some(Mishap::Refused(kind, message)) => Err(Wire::Refused(kind, message)),
            Some(Mishap::Nonsense) => Err(Wire::Nonsense),
            Some(Mishap::Cut { executed: false }) => Err(Wire::Cut),
            Some(Mishap::Cut { executed: true }) => serve(self).and(Err(Wire::Cut)),
        }
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
