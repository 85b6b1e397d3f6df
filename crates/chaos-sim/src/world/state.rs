//! The whole state of a world at one moment, and the agenda of what will happen to it.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::chance;
use super::inventory::Inventory;
use super::log::Log;
use super::model::{DatacenterId, Hold, Vm, VmId};
use super::past::{Past, PowerChange};
use super::power::GuestStep;
use super::task::{Failure, Operation, Task, TaskId, TaskOwner, TaskState};
use super::timing::Timing;

/// Something that will happen.
#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    /// Work on a task begins.
    TaskStarts(TaskId),
    /// Half of a task's work is done.
    TaskIsHalfDone(TaskId),
    /// A task's work is done.
    TaskEnds(TaskId),
    /// A task is forgotten.
    TaskFades(TaskId),
    /// A guest gets to its next phase, unless something else happened to the VM since `epoch`.
    Guest { vm: VmId, epoch: u64, step: GuestStep },
    /// What keeps others from a VM ends, unless it is another thing by then.
    HoldEnds { vm: VmId, hold: u32 },
}

/// When an event is due. Ties are broken by the VM, then by the order in which that VM's events were planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: Duration,
    owner: TaskOwner,
    planned: u64,
}

/// A failure that a coming task will meet.
#[derive(Debug, Clone)]
pub(super) struct PlannedFailure {
    pub(super) vm: Option<VmId>,
    pub(super) operation: Option<Operation>,
    pub(super) failure: Failure,
    /// How many matching tasks still pass before it strikes.
    pub(super) skip: u32,
    /// How many tasks it still strikes.
    pub(super) count: u32,
}

/// Everything about a world at one moment.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) seed: u64,
    pub(crate) start: Timestamp,
    /// World time.
    pub(crate) now: Duration,
    pub(crate) timing: Timing,
    pub(crate) inventory: Inventory,
    pub(crate) tasks: BTreeMap<TaskId, Task>,
    /// What happened.
    pub(crate) log: Log,
    /// The power that VMs had before.
    pub(crate) past: Past,
    /// Counts changes; every changed object carries the count of its last change.
    pub(crate) revision: u64,
    /// Whether an operation that the power state does not allow is refused at once, or fails inside its task.
    pub(crate) refuses_at_once: bool,
    /// The part of all tasks that fail, from 0 to 1.
    pub(crate) failure_rate: f64,
    pub(super) planned_failures: Vec<PlannedFailure>,
    pub(super) joint_operations: BTreeMap<DatacenterId, u32>,
    agenda: BTreeMap<Due, Event>,
    planned: u64,
}

impl State {
    pub(super) fn new(seed: u64, start: Timestamp, timing: Timing, inventory: Inventory) -> Self {
        Self {
            seed,
            start,
            now: Duration::ZERO,
            timing,
            inventory,
            tasks: BTreeMap::new(),
            log: Log::default(),
            past: Past::default(),
            revision: 1,
            refuses_at_once: false,
            failure_rate: 0.0,
            planned_failures: Vec::new(),
            joint_operations: BTreeMap::new(),
            agenda: BTreeMap::new(),
            planned: 0,
        }
    }

    /// The moment at `elapsed` world time.
    pub(crate) fn timestamp(&self, elapsed: Duration) -> Timestamp {
        self.start.saturating_add(elapsed).unwrap_or(Timestamp::MAX)
    }

    /// The present moment.
    pub(crate) fn moment(&self) -> Timestamp {
        self.timestamp(self.now)
    }

    /// When the next event is due.
    pub(super) fn next_due(&self) -> Option<Duration> {
        self.agenda.keys().next().map(|due| due.at)
    }

    /// When something that anyone could notice is due: the fading of finished tasks does not count.
    pub(super) fn next_notable(&self) -> Option<Duration> {
        self.agenda.iter().find(|(_, event)| !matches!(event, Event::TaskFades(_))).map(|(due, _)| due.at)
    }

    /// Lets everything happen that is due up to `to`, each at its own time.
    pub(super) fn advance(&mut self, to: Duration) {
        while let Some(next) = self.agenda.first_entry() {
            if next.key().at > to {
                break;
            }
            let (due, event) = next.remove_entry();
            self.now = self.now.max(due.at);
            self.happen(event);
        }
        self.now = self.now.max(to);
    }

    /// Plans an event after `delay`.
    pub(super) fn plan(&mut self, owner: TaskOwner, delay: Duration, event: Event) {
        self.planned += 1;
        let due = Due { at: self.now.saturating_add(delay), owner, planned: self.planned };
        self.agenda.insert(due, event);
    }

    /// Takes back what was planned for a task.
    pub(super) fn call_off(&mut self, task: TaskId) {
        self.agenda.retain(|_, event| {
            let (Event::TaskStarts(id) | Event::TaskIsHalfDone(id) | Event::TaskEnds(id)) = event else { return true };
            *id != task
        });
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::TaskStarts(id) => self.task_starts(id),
            Event::TaskIsHalfDone(id) => self.task_is_half_done(id),
            Event::TaskEnds(id) => self.task_ends(id),
            Event::TaskFades(id) => {
                self.tasks.remove(&id);
                self.changed();
            }
            Event::Guest { vm, epoch, step } => {
                if self.inventory.vms.get(&vm).is_some_and(|vm| vm.epoch == epoch) {
                    self.guest_steps(vm, step);
                }
            }
            Event::HoldEnds { vm, hold } => {
                if self.inventory.vms.get(&vm).is_some_and(|vm| vm.holds == hold) {
                    self.change_vm(vm, |vm| vm.hold = Hold::Free);
                }
            }
        }
    }

    /// Counts a change.
    pub(super) fn changed(&mut self) -> u64 {
        self.revision += 1;
        self.revision
    }

    /// Counts a change that is not one of the world itself, so that whoever waits looks again.
    pub(crate) fn touch(&mut self) {
        self.revision += 1;
    }

    /// Changes a VM, if it is there.
    pub(super) fn change_vm<R>(&mut self, id: VmId, change: impl FnOnce(&mut Vm) -> R) -> Option<R> {
        let vm = self.inventory.vms.get_mut(&id)?;
        self.revision += 1;
        vm.revision = self.revision;
        let before = vm.power;
        let result = change(vm);
        if vm.power != before {
            self.past.note(PowerChange { vm: id, operations: vm.operations, at: self.now, before });
        }
        Some(result)
    }

    /// Changes a task, if it is there.
    pub(super) fn change_task(&mut self, id: TaskId, state: TaskState) {
        let revision = self.changed();
        let (now, memory) = (self.now, self.timing.task_memory);
        let Some(task) = self.tasks.get_mut(&id) else { return };
        task.revision = revision;
        match &state {
            TaskState::Queued => {}
            TaskState::Running { .. } => {
                task.started.get_or_insert(now);
            }
            TaskState::Succeeded | TaskState::Failed(_) => task.finished = Some(now),
        }
        let is_over = state.is_over();
        task.state = state;
        if is_over {
            self.plan(id.owner, memory, Event::TaskFades(id));
        }
    }

    /// A duration of the world's timing for the present operation on a VM.
    pub(super) fn duration(&self, vm: VmId, purpose: &str, base: Duration) -> Duration {
        let operations = self.inventory.vms.get(&vm).map_or(0, |vm| vm.operations);
        chance::spread(base, self.timing.jitter, self.seed, purpose, &[u64::from(vm.0), u64::from(operations)])
    }
}
