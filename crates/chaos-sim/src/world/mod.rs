//! A world of virtual machines that knows no vendor: inventory, power, guests and tasks on a clock of its own.

mod chance;
mod clock;
mod error;
mod estate;
mod inventory;
mod log;
mod model;
mod past;
mod patch;
mod power;
mod request;
pub(crate) mod seconds;
mod state;
mod task;
mod timing;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, watch};

pub use self::clock::SimClock;
pub use self::error::{Refusal, WorldError};
pub use self::estate::{AppSpec, ClusterSpec, DatacenterSpec, Estate, VmSpec};
pub use self::log::{Happening, LogEntry, Note};
pub use self::model::{
    App, AppId, Cluster, ClusterId, Condition, Datacenter, DatacenterId, Disks, Folder, FolderId, Guest, GuestPhase,
    Hold, Host, HostId, HostState, OnReboot, OnShutdown, Place, Power, Question, Reach, Tools, Vm, VmId, VmRole,
};
pub use self::patch::VmPatch;
pub use self::task::{Failure, Operation, Task, TaskId, TaskOwner, TaskState};
pub use self::timing::Timing;

pub(crate) use self::chance::{key, number, uuid};
pub(crate) use self::inventory::{Inventory, Origin};
pub(crate) use self::past::PowerChange;

use self::state::PlannedFailure;
pub(crate) use self::state::State;

/// A handle on a simulated world. Clones are handles on the same world.
#[derive(Debug, Clone)]
pub struct World {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    clock: SimClock,
    state: Mutex<State>,
    /// The count of changes, for whoever waits for one.
    changed: watch::Sender<u64>,
    /// Rung when the agenda may have a new first entry.
    agenda_changed: Notify,
}

/// How a world begins.
#[derive(Debug, Clone)]
pub(crate) struct Beginning {
    pub(crate) seed: u64,
    pub(crate) start: Timestamp,
    pub(crate) timing: Timing,
    pub(crate) estate: Estate,
    pub(crate) refuses_at_once: bool,
    pub(crate) failure_rate: f64,
    pub(crate) speed: f64,
    pub(crate) is_paused: bool,
}

impl World {
    pub(crate) fn begin(beginning: Beginning) -> Result<Self, WorldError> {
        let Beginning { seed, start, timing, estate, refuses_at_once, failure_rate, speed, is_paused } = beginning;
        let inventory = Inventory::build(&estate, Origin { seed, start, revision: 1 })?;
        let mut state = State::new(seed, start, timing, inventory);
        state.refuses_at_once = refuses_at_once;
        state.failure_rate = failure_rate;
        let shared = Shared {
            clock: SimClock::with(start, speed, is_paused),
            state: Mutex::new(state),
            changed: watch::channel(1).0,
            agenda_changed: Notify::new(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The world's clock.
    #[must_use]
    pub fn clock(&self) -> &SimClock {
        &self.shared.clock
    }

    /// Looks at or changes the state, as it is at this moment of world time.
    pub(crate) fn with<R>(&self, look: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.lock();
        state.advance(self.shared.clock.elapsed());
        let due_before = state.next_due();
        let result = look(&mut state);
        let (revision, due) = (state.revision, state.next_due());
        drop(state);
        self.shared.changed.send_if_modified(|seen| std::mem::replace(seen, revision) != revision);
        if due != due_before {
            self.shared.agenda_changed.notify_one();
        }
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells of every change from now on.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }

    /// Lets events happen when they are due. Runs until it is dropped.
    pub(crate) async fn live(&self) {
        loop {
            let due = self.with(|state| state.next_due());
            match due {
                Some(due) => tokio::select! {
                    () = self.shared.clock.sleep_until(due) => {}
                    () = self.shared.agenda_changed.notified() => {}
                },
                None => self.shared.agenda_changed.notified().await,
            }
        }
    }

    /// Moves the world forward by `duration` at once; everything due on the way happens, each at its own time.
    pub fn step(&self, duration: Duration) {
        self.shared.clock.step(duration);
        self.with(|_| ());
    }

    /// Moves the world to the next event, and tells how far that was; none if nothing is going to happen.
    #[expect(clippy::must_use_candidate, reason = "it is called for what it does")]
    pub fn step_to_next_event(&self) -> Option<Duration> {
        let (now, due) = self.with(|state| (state.now, state.next_notable()));
        let distance = due?.saturating_sub(now);
        self.step(distance);
        Some(distance)
    }

    /// Moves the world forward until nothing more is going to happen by itself.
    pub fn settle(&self) {
        while self.step_to_next_event().is_some() {}
    }

    /// All VMs in the order of their ids.
    #[must_use]
    pub fn vms(&self) -> Vec<Vm> {
        self.with(|state| state.inventory.vms.values().cloned().collect())
    }

    /// The VM that `which` names: a name, a path (`/datacenter/folder/name`) or `id:NUMBER`.
    ///
    /// # Errors
    /// No VM or several VMs are named so.
    pub fn vm(&self, which: &str) -> Result<Vm, WorldError> {
        self.with(|state| state.find(which).cloned())
    }

    /// The path of a VM, as `/datacenter/folder/name`.
    ///
    /// # Errors
    /// No VM or several VMs are named so.
    pub fn path(&self, which: &str) -> Result<String, WorldError> {
        self.with(|state| state.find(which).map(|vm| state.inventory.path(vm)))
    }

    /// All hosts.
    #[must_use]
    pub fn hosts(&self) -> Vec<Host> {
        self.with(|state| state.inventory.hosts.values().cloned().collect())
    }

    /// The tasks that are still remembered, oldest of each VM first.
    #[must_use]
    pub fn tasks(&self) -> Vec<Task> {
        self.with(|state| state.tasks.values().cloned().collect())
    }

    /// What happened and is still remembered, oldest first.
    #[must_use]
    pub fn log(&self) -> Vec<LogEntry> {
        let mut entries = self.with(|state| state.log.after(0).cloned().collect::<Vec<_>>());
        entries.reverse();
        entries
    }

    /// Adds a VM.
    ///
    /// # Errors
    /// Its place is not there, or its name is taken.
    pub fn add(&self, spec: &VmSpec) -> Result<Vm, WorldError> {
        self.with(|state| state.add(spec))
    }

    /// Removes a VM, as if someone had deleted it.
    ///
    /// # Errors
    /// No VM or several VMs are named so.
    pub fn remove(&self, which: &str) -> Result<(), WorldError> {
        self.with(|state| state.remove(which))
    }

    /// Changes a VM at once, past every rule and task.
    ///
    /// # Errors
    /// No VM or several VMs are named so.
    pub fn change(&self, which: &str, patch: &VmPatch) -> Result<Vm, WorldError> {
        self.with(|state| state.apply_patch(which, patch))
    }

    /// Sets the power of a VM at once.
    ///
    /// # Errors
    /// No VM or several VMs are named so.
    pub fn set_power(&self, which: &str, power: Power) -> Result<Vm, WorldError> {
        self.change(which, &VmPatch { power: Some(power), ..VmPatch::default() })
    }

    /// Changes how a VM's guest behaves from now on.
    ///
    /// # Errors
    /// No VM or several VMs are named so.
    pub fn set_guest(&self, which: &str, guest: Guest) -> Result<Vm, WorldError> {
        self.change(which, &VmPatch { guest: Some(guest), ..VmPatch::default() })
    }

    /// Changes the state of a host, with what that means for its VMs.
    ///
    /// # Errors
    /// No host has that name.
    pub fn set_host(&self, name: &str, host: HostState) -> Result<(), WorldError> {
        self.with(|state| state.set_host(name, host))
    }

    /// Lets a coming task fail: the one after `skip` tasks that match, and `count` of them.
    ///
    /// # Errors
    /// No VM or several VMs are named so.
    pub fn fail_tasks(
        &self,
        vm: Option<&str>,
        operation: Option<Operation>,
        failure: Failure,
        skip: u32,
        count: u32,
    ) -> Result<(), WorldError> {
        self.with(|state| {
            let vm = vm.map(|vm| state.find(vm).map(|vm| vm.id)).transpose()?;
            state.planned_failures.push(PlannedFailure { vm, operation, failure, skip, count: count.max(1) });
            Ok(())
        })
    }

    /// Asks for an operation as a client of a door does. Tells the task, if the operation has one.
    ///
    /// # Errors
    /// The operation is refused; nothing happens then.
    pub fn operate(&self, vm: VmId, operation: Operation, user: &str) -> Result<Option<TaskId>, Refusal> {
        self.with(|state| state.begin(vm, operation, user))
    }
}
