//! Actions on the power of a VM: what each status allows, and what the engine makes of it.
//!
//! Source: oVirt REST API guide, service `Vm`; the refusals are the engine's messages in English.

use super::Engine;
use super::action::Options;
use super::fault::Fault;
use super::route::Action;
use super::status::Status;
use super::version::EngineVersion;
use crate::world::{Disks, Happening, Hold, Note, Operation, State, TaskId, TaskState, Vm, VmId};

/// What becomes of an action that is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Move {
    Launch,
    Resume,
    Kill,
    /// Instead of asking the guest to shut down.
    KillInstead,
    AskToShutDown,
    Reboot,
    Reset,
    Save,
    /// It is down already.
    Nothing,
}

/// Who acts, and as what that is told.
#[derive(Debug, Clone)]
pub(super) struct Actor {
    pub(super) user: String,
    pub(super) correlation: String,
}

/// What came of an action that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) task: Option<TaskId>,
    /// Whether it has tasks of its own in the engine, so that the answer is not the end of it.
    pub(super) lasts: bool,
}

impl Engine {
    /// Carries out an action or refuses it.
    pub(super) fn act(
        &self,
        state: &mut State,
        id: VmId,
        action: Action,
        options: &Options,
        actor: &Actor,
    ) -> Result<Accepted, Fault> {
        let version = self.site.version;
        let vm = state.inventory.vms.get(&id).ok_or_else(|| not_found(action))?;
        let status = Status::of(vm, state, version);
        let is_forced = options.force == Some(true) && version.has_force();
        let next = decide(vm, status, state, action, is_forced, version)?;
        let host = state.inventory.hosts.get(&vm.host).map(|host| host.name.clone()).unwrap_or_default();
        let said = Said { vm: vm.name.clone(), host, user: actor.user.clone(), reason: options.reason.clone() };
        if matches!(action, Action::Stop | Action::Shutdown) && next != Move::Nothing {
            state.set_stop_reason(id, options.reason.clone().filter(|reason| !reason.is_empty()));
        }
        let is_cold = vm_has_next_run(state, id) && next == Move::Reboot;
        if let Some((code, text)) = said.text(next, action) {
            let (user, correlation) = (Some(actor.user.clone()), Some(actor.correlation.clone()));
            state.log(Some(id), Happening::Note(Note { code, is_error: false, text, user, correlation }));
        }
        let task = match next {
            Move::Launch => state.launch(id, options.pause == Some(true), &actor.user),
            Move::Kill | Move::KillInstead => state.kill(id, &actor.user),
            Move::Reset => state.reset(id, &actor.user),
            Move::Save => state.save(id, &actor.user),
            Move::Resume => {
                state.unpause(id);
                None
            }
            Move::AskToShutDown => {
                state.press_power_button(id);
                None
            }
            Move::Reboot => {
                if is_cold {
                    state.restart_cold(id);
                } else {
                    state.press_reset_combination(id);
                }
                None
            }
            Move::Nothing => None,
        };
        Ok(Accepted { task, lasts: next == Move::Save })
    }
}

fn vm_has_next_run(state: &State, id: VmId) -> bool {
    state.inventory.vms.get(&id).is_some_and(|vm| vm.has_next_run)
}

/// The refusal for a VM that does not exist.
pub(super) fn not_found(action: Action) -> Fault {
    Fault::failed(400, format!("Cannot {} VM. VM is not found.", action.verb()))
}

fn conflict(text: impl AsRef<str>) -> Fault {
    Fault::failed(409, text)
}

/// What an action comes to, or why it is refused. The checks are in the engine's order.
fn decide(
    vm: &Vm,
    status: Status,
    state: &State,
    action: Action,
    is_forced: bool,
    version: EngineVersion,
) -> Result<Move, Fault> {
    let verb = action.verb();
    if is_locked(vm, state) {
        return Err(conflict(format!(
            "Cannot {verb} VM. Related operation is currently in progress. Please try again later."
        )));
    }
    let wrong_status = || conflict(format!("Cannot {verb} VM because the VM is in {} status.", status.spoken()));
    if vm.hold == Hold::Backup && !is_forced && matches!(action, Action::Stop | Action::Shutdown | Action::Reboot) {
        return Err(conflict(format!("Cannot {verb} VM. The VM is during a backup operation.")));
    }
    match action {
        Action::Start => decide_start(vm, status, state),
        Action::Stop | Action::Shutdown => decide_stop(vm, status, action, version),
        Action::Reboot if matches!(status, Status::Up | Status::PoweringUp) => Ok(Move::Reboot),
        Action::Reset
            if matches!(
                status,
                Status::Up | Status::PoweringUp | Status::PoweringDown | Status::RebootInProgress | Status::Migrating
            ) =>
        {
            Ok(Move::Reset)
        }
        Action::Suspend => match status {
            _ if vm.hold == Hold::Snapshot => Err(during_snapshot(verb)),
            Status::Up => Ok(Move::Save),
            Status::WaitForLaunch | Status::NotResponding => Err(wrong_status()),
            _ => Err(conflict("Cannot hibernate VM. VM is not up.")),
        },
        Action::Reboot | Action::Reset => Err(wrong_status()),
    }
}

fn during_snapshot(verb: &str) -> Fault {
    conflict(format!(
        "Cannot {verb} VM. The VM is performing an operation on a Snapshot. Please wait for the operation to finish, and \
         try again."
    ))
}

fn decide_start(vm: &Vm, status: Status, state: &State) -> Result<Move, Fault> {
    if vm.disks == Disks::Missing {
        return Err(conflict(
            "Cannot run VM without at least one bootable disk.\nAlternatives:\n- Create a disk with an operating system \
             and mark it as bootable.\n- Boot from the network or from a CD.",
        ));
    }
    match status {
        Status::ImageLocked => return Err(conflict("Cannot run VM: VM is locked. Please try again in a few minutes.")),
        _ if vm.hold == Hold::Snapshot => return Err(during_snapshot("run")),
        Status::Paused => return Ok(Move::Resume),
        Status::Down | Status::Suspended => {}
        _ => return Err(conflict(format!("Cannot run VM because the VM is in {} status.", status.spoken()))),
    }
    if state.host_to_run(vm.id).is_none() {
        let host = state.inventory.hosts.get(&vm.host).map(|host| host.name.as_str()).unwrap_or_default();
        return Err(conflict(format!(
            "Cannot run VM. There is no host that satisfies current scheduling constraints. See below for details:, The \
             host {host} did not satisfy internal filter HostStatus because it is not up."
        )));
    }
    Ok(Move::Launch)
}

fn decide_stop(vm: &Vm, status: Status, action: Action, version: EngineVersion) -> Result<Move, Fault> {
    let verb = action.verb();
    match status {
        Status::Down => Ok(Move::Nothing),
        Status::SavingState | Status::RestoringState => Err(conflict(format!(
            "Cannot {verb} VM. VM is in saving/restoring state.\n-Please try again when the VM is either up or down."
        ))),
        Status::Unknown | Status::Unassigned | Status::ImageLocked | Status::ImageIllegal => {
            Err(conflict(format!("Cannot {verb} VM. VM is not running.")))
        }
        _ if action == Action::Stop => Ok(Move::Kill),
        Status::Suspended => Ok(Move::Kill),
        Status::Up if can_be_asked(vm) => Ok(Move::AskToShutDown),
        Status::Migrating if version.asks_migrating_guests() && can_be_asked(vm) => Ok(Move::AskToShutDown),
        Status::Up
        | Status::Migrating
        | Status::PoweringUp
        | Status::WaitForLaunch
        | Status::RebootInProgress
        | Status::PoweringDown
        | Status::Paused
        | Status::NotResponding => Ok(Move::KillInstead),
    }
}

/// Whether the guest can be told to shut down at all.
fn can_be_asked(vm: &Vm) -> bool {
    vm.hears_button || vm.guest.tools.obeys()
}

/// Whether another command is being carried out on a VM.
fn is_locked(vm: &Vm, state: &State) -> bool {
    let makes_room = match state.current_task(vm.id) {
        Some((_, TaskState::Queued)) => true,
        // The room for the memory is made by tasks of storage, which keep the VM for themselves.
        Some((Operation::Suspend, TaskState::Running { progress })) => *progress < 50,
        _ => false,
    };
    makes_room || vm.hold == Hold::Command
}

/// What the log says of an action.
struct Said {
    vm: String,
    host: String,
    user: String,
    reason: Option<String>,
}

impl Said {
    /// The code and the text.
    fn text(&self, next: Move, action: Action) -> Option<(u32, String)> {
        let Self { vm, host, user, reason } = self;
        let reason = reason.as_ref().filter(|reason| !reason.is_empty());
        let reason = reason.map(|reason| format!(" (Reason: {reason})")).unwrap_or_default();
        let at = format!("(Host: {host}){reason}");
        Some(match next {
            Move::Launch => (153, format!("VM {vm} was started by {user} (Host: {host}).")),
            // The host says it, when it has been done.
            Move::Resume => return None,
            Move::Kill => (33, format!("VM {vm} powered off by {user} {at}.")),
            Move::KillInstead => (76, format!("VM {vm} was powered off ungracefully by {user} {at}.")),
            Move::AskToShutDown => (73, format!("VM shutdown initiated by {user} on VM {vm} {at}.")),
            Move::Reboot => (157, format!("VM {vm} is rebooting. Rebooted by: {user}")),
            Move::Reset => (221, format!("VM {vm} is resetting. Reset by: {user}")),
            Move::Save => (501, format!("Suspending VM {vm} was initiated by User {user} (Host: {host}).")),
            Move::Nothing => {
                let what = if action == Action::Stop { "Stop" } else { "Shutdown" };
                (254, format!("VM {vm} is already Down, {what} was skipped. User: {user}."))
            }
        })
    }
}
