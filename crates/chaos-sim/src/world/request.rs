//! What a platform does to VMs that decides by itself what is allowed, and reaches guests by their power button.
//!
//! These functions check nothing. A platform that keeps to the rules of the world itself uses [`State::begin`].

use super::model::{Condition, GuestPhase, HostId, HostState, OnReboot, OnShutdown, Power, Reach, VmId};
use super::power::GuestStep;
use super::state::State;
use super::task::{Failure, Operation, TaskId, TaskState};

impl State {
    /// Whether a VM is busy with this, queued or at work.
    pub(crate) fn is_busy_with(&self, vm: VmId, operation: Operation) -> bool {
        self.current_task(vm).is_some_and(|(current, _)| current == operation)
    }

    /// The operation that a VM is busy with, and how far that is.
    pub(crate) fn current_task(&self, vm: VmId) -> Option<(Operation, &TaskState)> {
        let task = self.inventory.vms.get(&vm)?.task?;
        let task = self.tasks.get(&task).filter(|task| !task.state.is_over())?;
        Some((task.operation, &task.state))
    }

    /// Starts a VM or resumes it from its saved memory, on another host of its cluster if its own is not in service. Tells
    /// the task; none if no host is.
    pub(crate) fn launch(&mut self, id: VmId, paused: bool, user: &str) -> Option<TaskId> {
        let host = self.host_to_run(id)?;
        self.interrupt(id);
        self.change_vm(id, |vm| {
            vm.host = host;
            vm.pauses_at_power_on = paused;
            if vm.reach == Reach::Disconnected {
                vm.reach = Reach::Connected;
            }
        });
        self.begin(id, Operation::PowerOn, user).ok().flatten()
    }

    /// The host to run a VM on: its own, or one of the same cluster.
    pub(crate) fn host_to_run(&self, id: VmId) -> Option<HostId> {
        let own = self.inventory.hosts.get(&self.inventory.vms.get(&id)?.host)?;
        if own.state == HostState::Up {
            return Some(own.id);
        }
        let cluster = own.cluster?;
        let mut hosts = self.inventory.hosts.values();
        hosts.find(|host| host.cluster == Some(cluster) && host.state == HostState::Up).map(|host| host.id)
    }

    /// Powers a VM off hard, whatever it is busy with. What is saved of its memory is lost at once.
    pub(crate) fn kill(&mut self, id: VmId, user: &str) -> Option<TaskId> {
        if self.is_busy_with(id, Operation::PowerOff) {
            return None;
        }
        self.interrupt(id);
        // A VM that is only just being launched is off for the world, and its launch is over now.
        if self.inventory.vms.get(&id).is_some_and(|vm| vm.power != Power::On) {
            self.count_operation(id);
            self.power_off(id, false);
            return None;
        }
        self.begin(id, Operation::PowerOff, user).ok().flatten()
    }

    /// Saves a VM's memory.
    pub(crate) fn save(&mut self, id: VmId, user: &str) -> Option<TaskId> {
        self.begin(id, Operation::Suspend, user).ok().flatten()
    }

    /// Resets a VM's hardware, unless it is being powered off.
    pub(crate) fn reset(&mut self, id: VmId, user: &str) -> Option<TaskId> {
        if self.is_busy_with(id, Operation::PowerOff) {
            return None;
        }
        self.interrupt(id);
        self.begin(id, Operation::Reset, user).ok().flatten()
    }

    /// Lets a VM that stands still run on.
    pub(crate) fn unpause(&mut self, id: VmId) {
        self.count_operation(id);
        self.become_so(id, Condition::Normal);
        // Its guest has not begun to boot if it was started paused.
        if self.inventory.vms.get(&id).is_some_and(|vm| vm.phase == GuestPhase::Booting) {
            self.boot(id);
        }
    }

    /// Keeps what was said when a VM was told to stop.
    pub(crate) fn set_stop_reason(&mut self, id: VmId, reason: Option<String>) {
        self.change_vm(id, |vm| vm.stop_reason = reason);
    }

    /// Presses the power button: the guest goes down, hangs on its way, or shows after a while that it did not care.
    pub(crate) fn press_power_button(&mut self, id: VmId) {
        self.count_operation(id);
        // A migration comes to its end first.
        self.become_so(id, Condition::Normal);
        let Some(vm) = self.inventory.vms.get(&id) else { return };
        let (answer, time) = (vm.guest.on_shutdown, vm.guest.shutdown.unwrap_or(self.timing.shutdown));
        self.enter(id, GuestPhase::ShuttingDown);
        match answer {
            OnShutdown::Obeys => {
                let time = self.duration(id, "shutdown", time);
                self.guest_later(id, time, GuestStep::ShutDown);
            }
            OnShutdown::Ignores => {
                let time = self.duration(id, "refusal", self.timing.refusal);
                self.guest_later(id, time, GuestStep::Refused);
            }
            OnShutdown::Hangs => {}
        }
    }

    /// Tells the guest to reboot. One that does not care is seen to be up again after a while.
    pub(crate) fn press_reset_combination(&mut self, id: VmId) {
        self.count_operation(id);
        let Some(vm) = self.inventory.vms.get(&id) else { return };
        if vm.guest.on_reboot == OnReboot::Ignores {
            let time = self.duration(id, "monitoring", self.timing.monitoring);
            self.enter(id, GuestPhase::Restarting);
            self.change_vm(id, |vm| vm.is_rebooting = true);
            self.guest_later(id, time, GuestStep::Booted);
        } else {
            self.ask_guest_to_reboot(id);
        }
    }

    /// Has a VM shut down by its guest, and started again with what has changed of its configuration.
    pub(crate) fn restart_cold(&mut self, id: VmId) {
        self.press_power_button(id);
        self.change_vm(id, |vm| vm.restarts_when_down = true);
    }

    fn count_operation(&mut self, id: VmId) {
        self.change_vm(id, |vm| vm.operations += 1);
    }

    /// Ends what a VM is busy with, so that something else can begin.
    fn interrupt(&mut self, id: VmId) {
        self.fail_current_task(id, Failure::Cancelled);
        self.change_vm(id, |vm| vm.restarts_when_down = false);
    }
}
