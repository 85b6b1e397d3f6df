//! What operations do to VMs: tasks, power and the phases of guests as timed state machines.

use std::time::Duration;

use super::chance;
use super::error::Refusal;
use super::log::Happening;
use super::model::{Condition, DatacenterId, GuestPhase, HostState, OnReboot, OnShutdown, Power, VmId, VmRole};
use super::state::{Event, State};
use super::task::{Failure, Operation, Task, TaskId, TaskOwner, TaskState};

/// How long a VM stays off when its reboot is carried out as a power cycle.
const POWER_CYCLE_GAP: Duration = Duration::from_millis(500);

/// The next phase of a guest.
#[derive(Debug, Clone, Copy)]
pub(super) enum GuestStep {
    /// Up.
    Booted,
    /// Down after a shutdown request.
    ShutDown,
    /// Down after a standby request.
    StoodBy,
    /// Down in the course of a reboot.
    WentDown,
    /// The second half of a power cycle.
    PoweredUpAgain,
    /// Up still, although it was asked to shut down.
    Refused,
    /// To be started with what has changed of its configuration.
    StartedAgain,
}

impl State {
    /// Accepts an operation on a VM or refuses it. What is accepted may still fail inside its task.
    pub(crate) fn begin(&mut self, vm: VmId, operation: Operation, user: &str) -> Result<Option<TaskId>, Refusal> {
        self.check(vm, operation)?;
        let operations = self.change_vm(vm, |vm| {
            vm.operations += 1;
            vm.operations
        });
        let operations = operations.ok_or(Refusal::Gone)?;
        if operation.is_task() {
            return Ok(Some(self.queue_task(vm, operations, operation, user)));
        }
        match operation {
            Operation::ShutdownGuest | Operation::StandbyGuest => self.ask_guest_to_stop(vm, operation),
            Operation::RebootGuest => self.ask_guest_to_reboot(vm),
            Operation::Terminate => self.power_off(vm, false),
            Operation::PowerOn | Operation::PowerOff | Operation::Reset | Operation::Suspend => {}
        }
        Ok(None)
    }

    /// Accepts the power on of several VMs of a datacenter as one task with a task for each of them.
    pub(crate) fn begin_joint_power_on(&mut self, datacenter: DatacenterId, vms: &[VmId], user: &str) -> TaskId {
        let number = self.joint_operations.entry(datacenter).or_default();
        *number += 1;
        let id = TaskId { owner: TaskOwner::Datacenter(datacenter), number: *number };
        let members = vms
            .iter()
            .map(|vm| {
                let begun = self.begin(*vm, Operation::PowerOn, user);
                (*vm, begun.and_then(|task| task.ok_or(Refusal::NotSupported)))
            })
            .collect();
        let task = self.new_task(id, Operation::PowerOn, user, None);
        self.tasks.insert(id, Task { members, ..task });
        self.plan(id.owner, self.timing.queue, Event::TaskStarts(id));
        id
    }

    fn check(&self, vm: VmId, operation: Operation) -> Result<(), Refusal> {
        let vm = self.inventory.vms.get(&vm).ok_or(Refusal::Gone)?;
        if matches!(vm.role, VmRole::Template | VmRole::FaultToleranceSecondary) {
            return Err(Refusal::NotSupported);
        }
        if !vm.is_reachable() {
            return Err(Refusal::Unreachable(vm.reach));
        }
        if let Some(task) = vm.task {
            return Err(Refusal::Busy(task));
        }
        let host = self.inventory.hosts.get(&vm.host).map(|host| host.state);
        if operation == Operation::PowerOn && host == Some(HostState::Maintenance) {
            return Err(Refusal::HostInMaintenance);
        }
        if (self.refuses_at_once || !operation.is_task())
            && let Some(failure) = wrong_power(operation, vm.power)
        {
            return Err(failure);
        }
        let is_soft = matches!(operation, Operation::ShutdownGuest | Operation::RebootGuest | Operation::StandbyGuest);
        if is_soft && !vm.obeys_soft_operations() {
            return Err(Refusal::NoTools);
        }
        Ok(())
    }

    fn new_task(&self, id: TaskId, operation: Operation, user: &str, fate: Option<Failure>) -> Task {
        Task {
            id,
            operation,
            state: TaskState::Queued,
            user: user.to_owned(),
            queued: self.now,
            started: None,
            finished: None,
            members: Vec::new(),
            revision: self.revision,
            fate,
        }
    }

    fn queue_task(&mut self, vm: VmId, number: u32, operation: Operation, user: &str) -> TaskId {
        let id = TaskId { owner: TaskOwner::Vm(vm), number };
        let fate = self.fate(vm, number, operation);
        let task = self.new_task(id, operation, user, fate);
        self.tasks.insert(id, task);
        self.change_vm(vm, |vm| vm.task = Some(id));
        let wait = self.duration(vm, "queue", self.timing.queue);
        self.plan(id.owner, wait, Event::TaskStarts(id));
        id
    }

    /// What a new task is going to fail with, if it is.
    fn fate(&mut self, vm: VmId, number: u32, operation: Operation) -> Option<Failure> {
        let planned = self.planned_failures.iter_mut().find(|planned| {
            planned.vm.is_none_or(|wanted| wanted == vm) && planned.operation.is_none_or(|wanted| wanted == operation)
        });
        if let Some(planned) = planned {
            if planned.skip > 0 {
                planned.skip -= 1;
            } else {
                planned.count -= 1;
                let failure = planned.failure.clone();
                self.planned_failures.retain(|planned| planned.count > 0);
                return Some(failure);
            }
        }
        let drawn = chance::fraction(self.seed, "failure", &[u64::from(vm.0), u64::from(number)]);
        (drawn < self.failure_rate).then(|| Failure::Internal("the simulated host failed the operation".into()))
    }

    pub(super) fn task_starts(&mut self, id: TaskId) {
        let Some(task) = self.tasks.get(&id).filter(|task| task.state == TaskState::Queued) else { return };
        let operation = task.operation;
        self.change_task(id, TaskState::Running { progress: 0 });
        let TaskOwner::Vm(vm) = id.owner else {
            self.change_task(id, TaskState::Succeeded);
            return;
        };
        let Some(power) = self.inventory.vms.get(&vm).map(|vm| vm.power) else { return };
        if let Some(Refusal::WrongPower { wanted, existing }) = wrong_power(operation, power) {
            self.finish(id, vm, TaskState::Failed(Failure::WrongPower { wanted, existing }));
            return;
        }
        let (purpose, base) = match operation {
            Operation::PowerOn => ("power on", self.timing.power_on),
            Operation::Reset => ("reset", self.timing.reset),
            Operation::Suspend => ("suspend", self.timing.suspend),
            _ => ("power off", self.timing.power_off),
        };
        let work = self.duration(vm, purpose, base);
        self.plan(id.owner, work / 2, Event::TaskIsHalfDone(id));
        self.plan(id.owner, work, Event::TaskEnds(id));
    }

    pub(super) fn task_is_half_done(&mut self, id: TaskId) {
        if self.tasks.get(&id).is_some_and(|task| !task.state.is_over()) {
            self.change_task(id, TaskState::Running { progress: 50 });
        }
    }

    pub(super) fn task_ends(&mut self, id: TaskId) {
        let TaskOwner::Vm(vm) = id.owner else { return };
        let Some(task) = self.tasks.get(&id).filter(|task| !task.state.is_over()) else { return };
        let (operation, fate) = (task.operation, task.fate.clone());
        if let Some(failure) = fate {
            self.log(Some(vm), Happening::Failed(operation, failure.clone()));
            self.finish(id, vm, TaskState::Failed(failure));
            return;
        }
        if operation == Operation::PowerOn {
            let asked = self.change_vm(vm, |vm| {
                vm.question = vm.question_at_power_on.take();
                vm.question.is_some()
            });
            if asked == Some(true) {
                self.change_task(id, TaskState::Running { progress: 95 });
                return;
            }
        }
        self.carry_out(vm, operation);
        self.finish(id, vm, TaskState::Succeeded);
    }

    fn finish(&mut self, id: TaskId, vm: VmId, state: TaskState) {
        self.change_task(id, state);
        self.change_vm(vm, |vm| {
            if vm.task == Some(id) {
                vm.task = None;
            }
        });
    }

    /// Answers the question that a VM waits with.
    pub(crate) fn answer(&mut self, vm: VmId, question: &str, choice: &str) -> Result<(), Refusal> {
        let here = self.inventory.vms.get(&vm).ok_or(Refusal::Gone)?;
        let asked = here.question.as_ref().filter(|asked| asked.id == question).ok_or(Refusal::NoSuchQuestion)?;
        let position = asked.choices.iter().position(|(key, _)| key == choice).ok_or(Refusal::NoSuchQuestion)?;
        let task = here.task;
        self.change_vm(vm, |vm| vm.question = None);
        if let Some(task) = task {
            if position == 0 {
                self.carry_out(vm, Operation::PowerOn);
                self.finish(task, vm, TaskState::Succeeded);
            } else {
                self.finish(task, vm, TaskState::Failed(Failure::Declined));
            }
        }
        Ok(())
    }

    /// Cancels a task that has not begun or that hangs on a question.
    pub(crate) fn cancel(&mut self, id: TaskId) -> Result<(), Refusal> {
        let task = self.tasks.get(&id).ok_or(Refusal::Gone)?;
        if task.state.is_over() {
            return Err(Refusal::TaskOver);
        }
        if !self.is_cancelable(task) {
            return Err(Refusal::NotCancelable);
        }
        self.call_off(id);
        match id.owner {
            TaskOwner::Vm(vm) => {
                self.change_vm(vm, |vm| vm.question = None);
                self.finish(id, vm, TaskState::Failed(Failure::Cancelled));
            }
            TaskOwner::Datacenter(_) => self.change_task(id, TaskState::Failed(Failure::Cancelled)),
        }
        Ok(())
    }

    /// Whether a task can be cancelled now.
    pub(crate) fn is_cancelable(&self, task: &Task) -> bool {
        let asks = match task.id.owner {
            TaskOwner::Vm(vm) => self.inventory.vms.get(&vm).is_some_and(|vm| vm.question.is_some()),
            TaskOwner::Datacenter(_) => false,
        };
        task.state == TaskState::Queued || (asks && !task.state.is_over())
    }

    fn carry_out(&mut self, vm: VmId, operation: Operation) {
        match operation {
            Operation::PowerOn => self.power_on(vm),
            Operation::PowerOff => self.power_off(vm, false),
            Operation::Suspend => self.suspend(vm),
            Operation::Reset => self.boot(vm),
            Operation::ShutdownGuest | Operation::RebootGuest | Operation::StandbyGuest | Operation::Terminate => {}
        }
    }

    fn power_on(&mut self, id: VmId) {
        let moment = self.moment();
        let resumed = self.change_vm(id, |vm| {
            let resumed = vm.power == Power::Suspended;
            vm.power = Power::On;
            vm.condition = Condition::Normal;
            vm.has_next_run &= resumed;
            vm.stop_reason = None;
            vm.suspend_time = None;
            vm.clean_power_off = None;
            vm.boot_time = if resumed { vm.boot_time.or(Some(moment)) } else { Some(moment) };
            resumed
        });
        self.enter(id, GuestPhase::Ready);
        self.log(Some(id), Happening::Started);
        let pauses = self.change_vm(id, |vm| std::mem::take(&mut vm.pauses_at_power_on)) == Some(true);
        match resumed {
            // Its guest begins to boot when it is no longer paused.
            Some(false) if pauses => self.enter(id, GuestPhase::Booting),
            Some(false) => self.boot(id),
            Some(true) | None => {}
        }
        if pauses {
            self.become_so(id, Condition::Paused);
        }
    }

    /// Changes what a running VM is besides running.
    pub(super) fn become_so(&mut self, id: VmId, after: Condition) {
        let before = self.change_vm(id, |vm| std::mem::replace(&mut vm.condition, after));
        if let Some(before) = before.filter(|before| *before != after) {
            self.log(Some(id), Happening::Became { before, after });
        }
    }

    pub(super) fn power_off(&mut self, id: VmId, clean: bool) {
        let moment = self.moment();
        self.log(Some(id), Happening::WentDown { clean });
        self.enter(id, GuestPhase::Down);
        self.change_vm(id, |vm| {
            vm.power = Power::Off;
            vm.condition = Condition::Normal;
            vm.restarts_when_down = false;
            vm.pauses_at_power_on = false;
            vm.stop_time = Some(moment);
            vm.boot_time = None;
            vm.suspend_time = None;
            vm.clean_power_off = Some(clean);
        });
    }

    fn suspend(&mut self, id: VmId) {
        let moment = self.moment();
        self.log(Some(id), Happening::Suspended);
        self.enter(id, GuestPhase::Down);
        self.change_vm(id, |vm| {
            vm.power = Power::Suspended;
            vm.condition = Condition::Normal;
            vm.suspend_time = Some(moment);
            vm.stop_time = Some(moment);
        });
    }

    /// Lets the guest boot from the beginning.
    pub(super) fn boot(&mut self, id: VmId) {
        let Some(vm) = self.inventory.vms.get(&id) else { return };
        let usual = if vm.guest.tools.answers() { self.timing.boot } else { self.timing.silent_boot };
        let time = self.duration(id, "boot", vm.guest.boot.unwrap_or(usual));
        self.enter(id, GuestPhase::Booting);
        self.guest_later(id, time, GuestStep::Booted);
    }

    fn ask_guest_to_stop(&mut self, id: VmId, operation: Operation) {
        let Some(vm) = self.inventory.vms.get(&id) else { return };
        let time = self.duration(id, "shutdown", vm.guest.shutdown.unwrap_or(self.timing.shutdown));
        let step = if operation == Operation::StandbyGuest { GuestStep::StoodBy } else { GuestStep::ShutDown };
        match vm.guest.on_shutdown {
            OnShutdown::Obeys => {
                self.enter(id, GuestPhase::ShuttingDown);
                self.guest_later(id, time, step);
            }
            OnShutdown::Hangs => self.enter(id, GuestPhase::ShuttingDown),
            OnShutdown::Ignores => {}
        }
    }

    pub(super) fn ask_guest_to_reboot(&mut self, id: VmId) {
        let Some(vm) = self.inventory.vms.get(&id) else { return };
        if vm.guest.on_reboot == OnReboot::Ignores {
            return;
        }
        let time = self.duration(id, "shutdown", vm.guest.shutdown.unwrap_or(self.timing.shutdown));
        self.enter(id, GuestPhase::Restarting);
        self.change_vm(id, |vm| vm.is_rebooting = true);
        self.guest_later(id, time, GuestStep::WentDown);
    }

    pub(super) fn guest_steps(&mut self, id: VmId, step: GuestStep) {
        match step {
            GuestStep::Booted => self.enter(id, GuestPhase::Ready),
            GuestStep::ShutDown => {
                let restarts = self.inventory.vms.get(&id).is_some_and(|vm| vm.restarts_when_down);
                self.power_off(id, true);
                if restarts {
                    self.log(Some(id), Happening::WentDownToRestart);
                    self.guest_later(id, POWER_CYCLE_GAP, GuestStep::StartedAgain);
                }
            }
            GuestStep::Refused => {
                self.log(Some(id), Happening::RefusedShutdown);
                self.change_vm(id, |vm| vm.restarts_when_down = false);
                self.enter(id, GuestPhase::Ready);
            }
            GuestStep::StartedAgain => {
                if self.launch(id, false, "").is_none() {
                    self.log(Some(id), Happening::RestartFailed);
                }
            }
            GuestStep::StoodBy => self.suspend(id),
            GuestStep::PoweredUpAgain => self.power_on(id),
            GuestStep::WentDown => match self.inventory.vms.get(&id).map(|vm| vm.guest.on_reboot) {
                Some(OnReboot::Hangs) => self.enter(id, GuestPhase::Hung),
                Some(OnReboot::PowersOff) => self.power_off(id, true),
                Some(OnReboot::PowerCycles) => {
                    self.power_off(id, true);
                    self.guest_later(id, POWER_CYCLE_GAP, GuestStep::PoweredUpAgain);
                }
                Some(OnReboot::Obeys | OnReboot::Ignores) | None => self.boot(id),
            },
        }
    }

    pub(super) fn enter(&mut self, id: VmId, phase: GuestPhase) {
        let now = self.now;
        self.change_vm(id, |vm| {
            vm.phase = phase;
            vm.phase_since = now;
            vm.is_rebooting &= matches!(phase, GuestPhase::Restarting | GuestPhase::Booting | GuestPhase::Hung);
            vm.epoch += 1;
        });
    }

    pub(super) fn guest_later(&mut self, id: VmId, delay: Duration, step: GuestStep) {
        let Some(epoch) = self.inventory.vms.get(&id).map(|vm| vm.epoch) else { return };
        self.plan(TaskOwner::Vm(id), delay, Event::Guest { vm: id, epoch, step });
    }

    /// Fails the task that a VM is busy with.
    pub(super) fn fail_current_task(&mut self, vm: VmId, failure: Failure) {
        if let Some(task) = self.inventory.vms.get(&vm).and_then(|vm| vm.task) {
            self.call_off(task);
            self.finish(task, vm, TaskState::Failed(failure));
        }
    }
}

/// Why the power of a VM does not allow an operation.
fn wrong_power(operation: Operation, existing: Power) -> Option<Refusal> {
    let (allowed, wanted) = match operation {
        Operation::PowerOn => (existing != Power::On, Power::On),
        Operation::PowerOff => (existing != Power::Off, Power::Off),
        Operation::Suspend => (existing == Power::On, Power::Suspended),
        Operation::Terminate => (existing == Power::On, Power::Off),
        Operation::Reset | Operation::ShutdownGuest | Operation::RebootGuest | Operation::StandbyGuest => {
            (existing == Power::On, Power::On)
        }
    };
    (!allowed).then_some(Refusal::WrongPower { wanted, existing })
}
