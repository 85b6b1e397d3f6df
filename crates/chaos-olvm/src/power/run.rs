//! Actions that the engine carries out without the guest: sent once, verified by the VM's state.

use chaos_core::{Context, Error, ErrorKind, Fault, How, ProgressStep, Retry, VMPowerState};
use jiff::Timestamp;

use super::job::{Job, Sent};
use crate::api::action::Action;
use crate::api::event::{FAILURES, RESET};
use crate::api::status::Status;
use crate::api::vm::Vm;

/// How many looks in a row at a state that is none on the way show that an action failed. A start that fails on one host is
/// tried on the next, with the VM `down` for an instant in between.
const LOOKS: u32 = 3;

/// An action whose effect shows in the VM's state.
#[derive(Debug)]
pub(super) struct Move {
    action: Action,
    /// Whether this is where it leads.
    reached: fn(&Vm) -> bool,
    /// Whether this is on the way there, and shows that it has begun.
    on_the_way: fn(&Vm) -> bool,
    doing: &'static str,
}

/// Down, suspended or paused VMs run again. The guest is not waited for.
pub(super) const START: Move = Move {
    action: Action::Start,
    reached: |vm| vm.status.is_launched(),
    on_the_way: |vm| matches!(vm.status, Status::WaitForLaunch | Status::RestoringState),
    doing: "waiting for the VM to run",
};
pub(super) const STOP: Move = Move {
    action: Action::Stop,
    reached: |vm| vm.status.power() == VMPowerState::PoweredOff,
    on_the_way: |_| false,
    doing: "waiting for the VM to be powered off",
};
/// The memory is saved while the VM is still `up`, for as long as that takes.
pub(super) const SUSPEND: Move = Move {
    action: Action::Suspend,
    reached: |vm| vm.status == Status::Suspended,
    on_the_way: |vm| vm.status == Status::SavingState,
    doing: "waiting for the VM to be suspended",
};

/// Who reached the goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reached {
    /// This operation.
    Done,
    /// Somebody else, before this operation could.
    Already,
}

impl Reached {
    /// `how` if it was this client that did it.
    pub(super) fn how(self, how: How) -> How {
        match self {
            Self::Done => how,
            Self::Already => How::AlreadyThere,
        }
    }
}

/// What the looks at a VM amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Reached,
    /// It was there, and the engine has started it again since.
    ReachedAndStarted,
    /// It had begun, and the VM is back where it was.
    Back,
}

/// Follows one move.
#[derive(Debug)]
struct Course<'m> {
    way: &'m Move,
    start_time: Option<Timestamp>,
    begun: bool,
    back: u32,
}

impl Course<'_> {
    fn observe(&mut self, vm: &Vm) -> Option<End> {
        if (self.way.reached)(vm) {
            return Some(End::Reached);
        }
        if self.way.action == Action::Stop && was_started(self.start_time, vm) {
            return Some(End::ReachedAndStarted);
        }
        if (self.way.on_the_way)(vm) {
            self.begun = true;
            self.back = 0;
        } else if self.begun {
            self.back += 1;
        }
        (self.back >= LOOKS).then_some(End::Back)
    }
}

/// Whether the VM's process is another one than at `before`: it was down in between. VMs of pools and with automatic start are
/// started again by the engine at once.
pub(super) fn was_started(before: Option<Timestamp>, now: &Vm) -> bool {
    before.is_some() && now.start_time.is_some() && now.start_time != before
}

impl Job<'_> {
    /// Sends the action of a move and waits until it is over.
    pub(super) async fn run(&mut self, limit: &Context, way: &Move, fault: &Fault) -> Result<Reached, Error> {
        let lost = match self.send(limit, way.action, fault).await? {
            Sent::NotNeeded | Sent::NotNow => return Ok(Reached::Already),
            Sent::Accepted => {
                self.report(ProgressStep::Accepted);
                None
            }
            Sent::Unsettled(error) => Some(error),
            Sent::Unknown(error) => return Err(error),
            Sent::Refused(refusal) => {
                // Somebody else may have been faster.
                self.look(limit).await?;
                return if (way.reached)(self.vm()) { Ok(Reached::Already) } else { Err(refusal.into()) };
            }
        };
        let mut course = Course { way, start_time: self.vm().start_time, begun: false, back: 0 };
        match (self.until(limit, way.doing, |vm| course.observe(vm)).await, lost) {
            (Ok(End::Reached), None) => Ok(Reached::Done),
            (Ok(End::Reached), Some(lost)) => {
                self.note(format!("{lost}; that it was done was read from the VM's state"));
                Ok(Reached::Done)
            }
            (Ok(End::ReachedAndStarted), _) => {
                self.note("the VM was down, and the engine has started it again since");
                Ok(Reached::Done)
            }
            (Ok(End::Back), _) => Err(self.failed(way.action).await),
            (Err(error), Some(lost)) if error.kind() == ErrorKind::Timeout => Err(self.unsettled(lost)),
            // What fails between two looks shows in the log alone.
            (Err(error), None) if error.kind() == ErrorKind::Timeout && way.action != Action::Stop => {
                let why = self.latest_failure().await;
                Err(Error::new(ErrorKind::Timeout, format!("{}{why}", error.message())).retry(error.retry_class()))
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Restarts the VM without its guest. The state before and after is the same: the engine's answer is what tells.
    pub(super) async fn reset(&mut self, limit: &Context, fault: &Fault) -> Result<(), Error> {
        match self.send(limit, Action::Reset, fault).await? {
            Sent::Accepted => {
                self.report(ProgressStep::Accepted);
                self.until(limit, "reading that the VM runs", |vm| vm.status.is_launched().then_some(())).await
            }
            // Only a VM that is down needs no reset, and that is refused.
            Sent::NotNeeded | Sent::NotNow => Ok(()),
            Sent::Refused(refusal) => Err(refusal.into()),
            Sent::Unknown(error) => {
                let message =
                    "this engine cannot reset VMs, which takes version 4.4.6: power the VM off and on instead";
                Err(Error::new(ErrorKind::Unsupported, message).caused_by(error))
            }
            Sent::Unsettled(lost) => {
                self.look(limit).await?;
                if self.logged(&[RESET], Some(Action::Reset)).await.is_empty() {
                    return Err(self.unsettled(lost));
                }
                self.note(format!("{lost}; that it was done was read from the engine's log"));
                Ok(())
            }
        }
    }

    /// The engine accepted the action and did not carry it out. Its log says why.
    pub(super) async fn failed(&self, action: Action) -> Error {
        let status = self.vm().status.word().to_owned();
        let why = self.latest_failure().await;
        Error::new(ErrorKind::Failed, format!("{} was accepted and failed, the VM is `{status}`{why}", action.word()))
    }

    /// What the engine's log says of this VM's last failure, with its time: it may be of another operation.
    async fn latest_failure(&self) -> String {
        match self.logged(&FAILURES, None).await.first() {
            Some(event) => format!("; the latest failure in the engine's log ({}): {}", event.time, event.description),
            None => "; look at the engine's events for the reason".to_owned(),
        }
    }

    /// The call may have been executed, and nothing shows that it was.
    fn unsettled(&self, lost: Error) -> Error {
        let message = format!(
            "{lost}; it was not sent again, and the VM is `{}` now: look at the engine's events before trying again",
            self.vm().status.word()
        );
        Error::new(lost.kind(), message).retry(Retry::Unsettled).caused_by(lost)
    }
}
