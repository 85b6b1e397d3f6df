//! Operations that the guest is asked for. It answers nothing: the VM's state tells whether it does them.

use std::time::Duration;

use chaos_core::{Context, Error, ErrorKind, Fault, How, Need, ProgressStep, Stop, VMPowerState, check_power};

use super::job::{Job, Sent};
use super::reboot::{Phase, Restart};
use super::run::{STOP, was_started};
use crate::api::action::Action;
use crate::api::event::{REBOOTED, STOPPED_INSTEAD_OF_SHUTDOWN};
use crate::api::status::Status;

/// What came of asking the guest.
#[derive(Debug)]
enum Guest {
    /// It did what it was asked for.
    Done,
    /// There was nothing left to ask for.
    Already,
    /// It cannot be asked, for this reason.
    Mute(&'static str),
    /// It was not asked: the engine stopped the VM hard instead.
    Passed,
    /// It refused, or its time is over. It may still do it.
    Late(String),
}

/// What the looks at a VM whose guest was asked to shut down amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shutdown {
    Down,
    DownAndStarted,
    Refused,
}

const MUTE_STATE: &str = "its guest does not respond to the engine";
const NO_GUEST: &str = "no guest runs in it";
const NOT_READY: &str = "it did not come up in time for its guest to be asked";
const PASSED: &str = "the engine stopped it hard without asking its guest: it has neither ACPI nor a guest agent";

impl Job<'_> {
    /// Powers off as `stop` says.
    pub(super) async fn power_off(&mut self, fault: &Fault, stop: Stop) -> Result<How, Error> {
        let (grace, hard) = match stop {
            Stop::Hard { limit } => return self.hard_power_off(fault, limit, How::HardPowerOff).await,
            Stop::GuestOnly { grace } => (grace, None),
            Stop::GuestThenHard { grace, hard } => (grace, Some(hard)),
        };
        if self.power() == VMPowerState::Suspended {
            let Some(limit) = hard else { return Err(mute(NO_GUEST, "shut down")) };
            self.note("its memory was discarded, as asked");
            return self.hard_power_off(fault, limit, How::HardPowerOff).await;
        }
        match (self.shut_down_guest(fault, grace).await?, hard) {
            (Guest::Done, _) => Ok(How::GuestShutdown),
            (Guest::Already, _) => Ok(How::AlreadyThere),
            (Guest::Passed, Some(_)) => {
                self.note(PASSED);
                Ok(How::HardWithoutTools)
            }
            (Guest::Passed, None) => Err(Error::new(ErrorKind::Failed, format!("is off, but {PASSED}"))),
            (Guest::Mute(reason), None) => Err(mute(reason, "shut down")),
            (Guest::Late(message), None) => Err(Error::new(ErrorKind::Timeout, message)),
            (Guest::Mute(reason), Some(limit)) => {
                self.note(reason);
                self.report(ProgressStep::FallingBack);
                self.hard_power_off(fault, limit, How::HardWithoutTools).await
            }
            (Guest::Late(message), Some(limit)) => {
                self.report(ProgressStep::FallingBack);
                self.look(&self.cx.limit(limit)).await?;
                // The VM may have changed meanwhile: a suspended one still keeps its memory.
                match check_power(&self.info(), fault)? {
                    Need::Nothing => Ok(How::GuestShutdown),
                    Need::Act => match self.hard_power_off(fault, limit, How::HardAfterGuestTimeout).await? {
                        // It went down in the gap.
                        How::AlreadyThere => Ok(How::GuestShutdown),
                        how => {
                            self.note(message);
                            Ok(how)
                        }
                    },
                }
            }
        }
    }

    async fn hard_power_off(&mut self, fault: &Fault, limit: Duration, how: How) -> Result<How, Error> {
        let limit = self.cx.limit(limit);
        Ok(self.run(&limit, &STOP, fault).await?.how(how))
    }

    /// Restarts as `stop` says.
    pub(super) async fn reboot(&mut self, fault: &Fault, stop: Stop) -> Result<How, Error> {
        let (grace, hard) = match stop {
            Stop::Hard { limit } => {
                self.reset(&self.cx.limit(limit), fault).await?;
                self.note("the VM was reset; its guest was not waited for");
                return Ok(How::Reset);
            }
            Stop::GuestOnly { grace } => (grace, None),
            Stop::GuestThenHard { grace, hard } => (grace, Some(hard)),
        };
        let (message, how, limit) = match (self.restart_guest(fault, grace).await?, hard) {
            (Guest::Done | Guest::Already | Guest::Passed, _) => return Ok(How::GuestReboot),
            (Guest::Mute(reason), None) => return Err(mute(reason, "restart")),
            (Guest::Late(message), None) => return Err(Error::new(ErrorKind::Timeout, message)),
            (Guest::Mute(reason), Some(limit)) => {
                (format!("{reason}; it was not waited for"), How::ResetWithoutTools, limit)
            }
            (Guest::Late(message), Some(limit)) => (message, How::ResetAfterGuestTimeout, limit),
        };
        self.report(ProgressStep::FallingBack);
        self.reset(&self.cx.limit(limit), fault).await?;
        self.note(message);
        Ok(how)
    }

    async fn shut_down_guest(&mut self, fault: &Fault, grace: Duration) -> Result<Guest, Error> {
        let limit = self.cx.limit(grace);
        let mut lost = None;
        let mut going_down = loop {
            if let Err(error) = self.ready(&limit, fault).await {
                return self.late(error, || NOT_READY.to_owned());
            }
            let _turn = match self.turn(&limit).await {
                Err(error) => return self.late(error, || NOT_READY.to_owned()),
                Ok(turn) => turn,
            };
            match self.ready(&limit, fault).await {
                Err(error) => return self.late(error, || NOT_READY.to_owned()),
                Ok(Ready::Mute(reason)) => return Ok(Guest::Mute(reason)),
                Ok(Ready::There) => return Ok(Guest::Already),
                // Somebody else has asked. To ask again would be an order to stop hard.
                Ok(Ready::Asked) => break true,
                Ok(Ready::Up) => {}
            }
            match self.send(&limit, Action::Shutdown, fault).await {
                Err(error) => return self.late(error, || "its guest could not be asked in time".to_owned()),
                Ok(Sent::NotNeeded) => return Ok(Guest::Already),
                Ok(Sent::NotNow) => {}
                Ok(Sent::Refused(refusal)) => return Err(refusal.into()),
                Ok(Sent::Unknown(error)) => return Err(error),
                Ok(Sent::Accepted) => {
                    self.report(ProgressStep::GuestAsked);
                    break false;
                }
                // An answer that was lost is as good as the guest's silence: its time runs.
                Ok(Sent::Unsettled(error)) => {
                    lost = Some(error);
                    break false;
                }
            }
        };
        let (start_time, has_agent) = (self.vm().start_time, self.vm().agent_was_heard);
        let end = self
            .until(&limit, "waiting for the guest to shut down", |vm| {
                if vm.status.power() == VMPowerState::PoweredOff {
                    return Some(Shutdown::Down);
                }
                if was_started(start_time, vm) {
                    return Some(Shutdown::DownAndStarted);
                }
                if vm.status == Status::PoweringDown {
                    going_down = true;
                } else if going_down && vm.status == Status::Up {
                    return Some(Shutdown::Refused);
                }
                None
            })
            .await;
        let seconds = grace.as_secs_f64();
        match end {
            Ok(Shutdown::DownAndStarted) => {
                self.note("its guest shut down, and the engine has started the VM again since");
                Ok(Guest::Done)
            }
            // A VM that is stopped hard may show `powering_down` too. Where no agent was heard, only the log tells whether the
            // guest was asked at all.
            Ok(Shutdown::Down)
                if !has_agent
                    && !self.logged(&[STOPPED_INSTEAD_OF_SHUTDOWN], Some(Action::Shutdown)).await.is_empty() =>
            {
                Ok(Guest::Passed)
            }
            Ok(Shutdown::Down) => Ok(Guest::Done),
            Ok(Shutdown::Refused) => Ok(Guest::Late("its guest was asked to shut down and refused".to_owned())),
            Err(error) => self.late(error, || match lost {
                None => format!("its guest did not shut down within {seconds} s"),
                Some(lost) => {
                    format!("its guest may not have been asked ({lost}) and did not shut down within {seconds} s")
                }
            }),
        }
    }

    async fn restart_guest(&mut self, fault: &Fault, grace: Duration) -> Result<Guest, Error> {
        let limit = self.cx.limit(grace);
        match self.ready(&limit, fault).await {
            Err(error) => return self.late(error, || NOT_READY.to_owned()),
            Ok(Ready::Mute(reason)) => return Ok(Guest::Mute(reason)),
            Ok(Ready::Up | Ready::There | Ready::Asked) => {}
        }
        let mut lost = None;
        match self.send(&limit, Action::Reboot, fault).await {
            Err(error) => return self.late(error, || "its guest could not be asked in time".to_owned()),
            Ok(Sent::Refused(refusal)) => return Err(refusal.into()),
            Ok(Sent::Unknown(error)) => return Err(error),
            Ok(Sent::NotNeeded | Sent::NotNow | Sent::Accepted) => self.report(ProgressStep::GuestAsked),
            Ok(Sent::Unsettled(error)) => lost = Some(error),
        }
        let mut restart = Restart::asked(self.vm());
        let error = match self.follow_restart(&limit, &mut restart).await {
            Ok(()) => return Ok(Guest::Done),
            Err(error) => error,
        };
        let seconds = grace.as_secs_f64();
        let power = self.power();
        match restart.phase() {
            Phase::Asked => {
                // The engine's log tells whether the guest was asked, not whether it has done anything.
                let logged = !self.logged(&[REBOOTED], Some(Action::Reboot)).await.is_empty();
                self.late(error, || match lost {
                    Some(lost) if !logged => {
                        format!("its guest may not have been asked ({lost}) and did not restart within {seconds} s")
                    }
                    _ => format!("its guest was asked to restart and was not seen going down within {seconds} s"),
                })
            }
            Phase::Down | Phase::Up if power != VMPowerState::PoweredOn => {
                self.late(error, String::new)?;
                let message = format!(
                    "its guest went down for the restart and the VM is {power} since: power it on to bring it back"
                );
                Err(Error::new(ErrorKind::Failed, message))
            }
            Phase::Down | Phase::Up => {
                self.late(error, || format!("its guest went down and did not come up again within {seconds} s"))
            }
        }
    }

    /// Waits until a restart was seen from its beginning to its end: `up` alone is no sign.
    async fn follow_restart(&mut self, limit: &Context, restart: &mut Restart) -> Result<(), Error> {
        let down = "waiting for the guest to go down";
        self.until(limit, down, |vm| (restart.observe(vm) > Phase::Asked).then_some(())).await?;
        self.report(ProgressStep::GuestDown);
        if restart.phase() < Phase::Up {
            let up = "waiting for the guest to come up again";
            self.until(limit, up, |vm| (restart.observe(vm) == Phase::Up).then_some(())).await?;
        }
        self.report(ProgressStep::GuestUp);
        Ok(())
    }

    /// Waits until the VM's guest can be asked: in every state but `up` the engine would take a shutdown for an order to stop
    /// hard, and refuse a restart.
    async fn ready(&mut self, limit: &Context, fault: &Fault) -> Result<Ready, Error> {
        let ready = match Ready::of(&self.vm().status, fault) {
            Some(ready) => ready,
            None => self.until(limit, "waiting for the VM to come up", |vm| Ready::of(&vm.status, fault)).await?,
        };
        // It may have become something else than `up`: refused now, or there already.
        match check_power(&self.info(), fault)? {
            Need::Nothing => Ok(Ready::There),
            Need::Act => Ok(ready),
        }
    }

    /// Waits until the VM is `up`, or has become what decides without that.
    pub(super) async fn until_up(&mut self, limit: &Context, fault: &Fault) -> Result<(), Error> {
        self.ready(limit, fault).await.map(drop)
    }

    /// The grace is over, unless it is the whole call that is.
    fn late(&self, error: Error, message: impl FnOnce() -> String) -> Result<Guest, Error> {
        if error.kind() == ErrorKind::Timeout && self.cx.check("waiting for the guest").is_ok() {
            Ok(Guest::Late(message()))
        } else {
            Err(error)
        }
    }
}

/// Whether a guest can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ready {
    Up,
    /// It was asked to shut down already.
    Asked,
    /// It cannot be asked, for this reason.
    Mute(&'static str),
    /// It is where it was to go.
    There,
}

impl Ready {
    /// What a state says; none if it passes.
    fn of(status: &Status, fault: &Fault) -> Option<Self> {
        match status {
            Status::Up => Some(Self::Up),
            Status::PoweringDown if matches!(fault, Fault::PowerOff { .. }) => Some(Self::Asked),
            Status::NotResponding => Some(Self::Mute(MUTE_STATE)),
            Status::WaitForLaunch
            | Status::PoweringUp
            | Status::PoweringDown
            | Status::RebootInProgress
            | Status::Migrating
            | Status::SavingState
            | Status::RestoringState => None,
            Status::Down
            | Status::Paused
            | Status::Suspended
            | Status::ImageLocked
            | Status::Unknown
            | Status::Unassigned
            | Status::Absent
            | Status::Other(_) => Some(Self::Mute(NO_GUEST)),
        }
    }
}

fn mute(reason: &str, what: &str) -> Error {
    Error::new(ErrorKind::InvalidState, format!("cannot be asked to {what}: {reason}; allow the hard way"))
}
