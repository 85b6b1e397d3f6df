//! Operations that the guest is asked for: it answers nothing, so the VM's state tells whether it does them.

use std::time::Duration;

use chaos_core::{Context, Error, ErrorKind, Fault, How, Need, ProgressStep, Stop, VMPowerState, check_power};

use super::job::{Job, Sent};
use super::reboot::{Phase, Restart};
use super::task::{POWER_OFF, RESET, Reached};
use crate::soap::fault::FaultKind;
use crate::vim::{self, MoRef, Request, power_state};

/// What came of asking the guest.
#[derive(Debug)]
enum Guest {
    /// It did what it was asked for.
    Done,
    /// There was nothing left to ask for.
    Already,
    /// It cannot be asked, for this reason.
    Mute(&'static str),
    /// Its time is over. It may still do it.
    Late(String),
}

/// What the server says to asking the guest.
#[derive(Debug)]
enum Asked {
    Yes,
    Mute(&'static str),
    /// The VM is off already.
    Off,
}

const NOT_READY: &str = "VMware Tools in its guest do not take power operations now";
const NO_TOOLS: &str = "VMware Tools do not answer in its guest";
const NO_GUEST: &str = "no guest runs in a suspended VM";

impl Job<'_> {
    /// Powers off as `stop` says.
    pub(super) async fn power_off(&mut self, fault: &Fault, stop: Stop) -> Result<How, Error> {
        let (grace, hard) = match stop {
            Stop::Hard { limit } => return self.hard_power_off(fault, limit, How::HardPowerOff).await,
            Stop::GuestOnly { grace } => (grace, None),
            Stop::GuestThenHard { grace, hard } => (grace, Some(hard)),
        };
        if self.power() == VMPowerState::Suspended {
            let Some(limit) = hard else { return Err(mute(NO_GUEST)) };
            self.note("its memory was discarded, as asked");
            return self.hard_power_off(fault, limit, How::HardPowerOff).await;
        }
        match (self.shut_down_guest(fault, grace).await?, hard) {
            (Guest::Done, _) => Ok(How::GuestShutdown),
            (Guest::Already, _) => Ok(How::AlreadyThere),
            (Guest::Mute(reason), None) => Err(mute(reason)),
            (Guest::Late(message), None) => Err(Error::new(ErrorKind::Timeout, message)),
            (Guest::Mute(reason), Some(limit)) => {
                self.note(reason);
                self.report(ProgressStep::FallingBack);
                self.hard_power_off(fault, limit, How::HardWithoutTools).await
            }
            (Guest::Late(message), Some(limit)) => {
                self.report(ProgressStep::FallingBack);
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
        Ok(self.run_task(&limit, POWER_OFF, fault).await?.how(how))
    }

    /// Restarts as `stop` says.
    pub(super) async fn reboot(&mut self, fault: &Fault, stop: Stop) -> Result<How, Error> {
        let (grace, hard) = match stop {
            Stop::Hard { limit } => {
                let how = self.reset(fault, limit, How::Reset).await?;
                self.note("the VM was reset; its guest was not waited for");
                return Ok(how);
            }
            Stop::GuestOnly { grace } => (grace, None),
            Stop::GuestThenHard { grace, hard } => (grace, Some(hard)),
        };
        match (self.restart_guest(fault, grace).await?, hard) {
            (Guest::Done | Guest::Already, _) => Ok(How::GuestReboot),
            (Guest::Mute(reason), None) => Err(mute(reason)),
            (Guest::Late(message), None) => Err(Error::new(ErrorKind::Timeout, message)),
            (Guest::Mute(reason), Some(limit)) => {
                self.report(ProgressStep::FallingBack);
                let how = self.reset(fault, limit, How::ResetWithoutTools).await?;
                self.note(format!("{reason}; it was not waited for"));
                Ok(how)
            }
            (Guest::Late(message), Some(limit)) => {
                self.report(ProgressStep::FallingBack);
                let how = self.reset(fault, limit, How::ResetAfterGuestTimeout).await?;
                self.note(message);
                Ok(how)
            }
        }
    }

    async fn reset(&mut self, fault: &Fault, limit: Duration, how: How) -> Result<How, Error> {
        let limit = self.cx.limit(limit);
        match self.run_task(&limit, RESET, fault).await? {
            Reached::Done | Reached::Already => Ok(how),
        }
    }

    async fn shut_down_guest(&mut self, fault: &Fault, grace: Duration) -> Result<Guest, Error> {
        let limit = self.cx.limit(grace);
        let (down, done) = match self.ask(&limit, vim::shutdown_guest, fault).await {
            Ok(Asked::Yes) => ("waiting for the guest to shut down", Guest::Done),
            Ok(Asked::Off) => ("reading that the VM is off", Guest::Already),
            Ok(Asked::Mute(reason)) => return Ok(Guest::Mute(reason)),
            Err(error) => return self.late(error, || "its guest could not be asked in time".to_owned()),
        };
        match self.until(&limit, down, |vm| vm.power() == VMPowerState::PoweredOff).await {
            Ok(()) => Ok(done),
            Err(error) => self.late(error, || format!("its guest did not shut down within {} s", grace.as_secs_f64())),
        }
    }

    async fn restart_guest(&mut self, fault: &Fault, grace: Duration) -> Result<Guest, Error> {
        let limit = self.cx.limit(grace);
        match self.ask(&limit, vim::reboot_guest, fault).await {
            Ok(Asked::Yes | Asked::Off) => {}
            Ok(Asked::Mute(reason)) => return Ok(Guest::Mute(reason)),
            Err(error) => return self.late(error, || "its guest could not be asked in time".to_owned()),
        }
        let mut restart = Restart::asked(self.vm.state());
        let down = "waiting for the guest to go down";
        let mut waited = self.until_restarted(&limit, down, &mut restart, Phase::Down).await;
        if waited.is_ok() {
            self.report(ProgressStep::GuestDown);
            let up = "waiting for the guest to come up again";
            waited = self.until_restarted(&limit, up, &mut restart, Phase::Up).await;
        }
        let Err(error) = waited else {
            self.report(ProgressStep::GuestUp);
            return Ok(Guest::Done);
        };
        let seconds = grace.as_secs_f64();
        let power = self.power();
        match restart.phase() {
            Phase::Asked => {
                self.late(error, || format!("its guest was asked to restart and ignored it for {seconds} s"))
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

    /// Asks the guest, if it can be asked.
    async fn ask(
        &mut self,
        limit: &Context,
        request: fn(&MoRef) -> Request<()>,
        fault: &Fault,
    ) -> Result<Asked, Error> {
        let mut others = 0;
        loop {
            let state = self.vm.state();
            // Somebody else has asked already, and the guest takes no further orders: its time runs.
            if matches!(fault, Fault::PowerOff { .. }) && state.guest_state.as_deref() == Some("shuttingdown") {
                return Ok(Asked::Yes);
            }
            // Old servers do not say whether the guest is ready: there, running Tools have to do.
            if !state.state_change_supported.unwrap_or_else(|| state.tools_running()) {
                return Ok(Asked::Mute(NOT_READY));
            }
            let request = request(self.vm.object());
            let refusal = match self.send(limit, &request).await? {
                // An answer that was lost is as good as the guest's silence: its time runs.
                Sent::Accepted(()) | Sent::Unsettled(_) => {
                    self.report(ProgressStep::GuestAsked);
                    return Ok(Asked::Yes);
                }
                Sent::Refused(refusal) => refusal,
            };
            match &refusal.kind {
                FaultKind::ToolsUnavailable => return Ok(Asked::Mute(NO_TOOLS)),
                FaultKind::InvalidPowerState { existing: Some(existing), .. }
                    if matches!(fault, Fault::PowerOff { .. }) && power_state(existing) == VMPowerState::PoweredOff =>
                {
                    return Ok(Asked::Off);
                }
                FaultKind::TaskInProgress { task } => {
                    self.wait_for_other(limit, task.as_ref(), others).await?;
                    others += 1;
                    if check_power(&self.info(), fault)? == Need::Nothing {
                        return Ok(Asked::Off);
                    }
                }
                _ => return Err(refusal.into()),
            }
        }
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

fn mute(reason: &str) -> Error {
    Error::new(
        ErrorKind::InvalidState,
        format!("cannot be asked to stop: {reason}; start VMware Tools, or allow the hard way"),
    )
}
