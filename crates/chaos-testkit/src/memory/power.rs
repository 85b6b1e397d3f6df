//! What each fault means on the platform in memory: which calls, and what has to be seen afterwards.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chaos_core::{
    Context, Error, ErrorKind, Fault, How, Need, Outcome, Progress, ProgressStep, Retry, Stop, VMPowerState, VMRef,
    check_power,
};

use crate::memory::call::CallKind;
use crate::memory::machine::Refusal;
use crate::memory::platform::MemoryPlatform;
use crate::memory::wire::{Reading, Wire};

/// One power operation on one VM.
struct Job<'a> {
    platform: &'a MemoryPlatform,
    vm: &'a VMRef,
    name: String,
    /// Whether a call that changes something has left for the server.
    sent: AtomicBool,
}

/// What has to be seen for an operation to have succeeded.
#[derive(Debug, Clone, Copy)]
enum Goal {
    State(VMPowerState),
    /// The guest came up once more than the given number of times.
    BootAfter(u64),
}

impl Goal {
    fn is_reached(self, reading: &Reading) -> bool {
        match self {
            Self::State(state) => reading.vm.power_state == state,
            Self::BootAfter(boots) => reading.boots > boots && reading.guest_up,
        }
    }
}

pub(super) async fn apply(
    platform: &MemoryPlatform,
    cx: &Context,
    vm: &VMRef,
    fault: &Fault,
) -> Result<Outcome, Error> {
    let start = cx.monotonic();
    platform.check_supported(fault)?;
    let before = platform.read(cx, vm).await?;
    let found = before.vm.power_state;
    let place = before.vm.display_path().to_owned();
    let job = Job { platform, vm, name: before.vm.name.clone(), sent: AtomicBool::new(false) };
    let how = match check_power(&before.vm, fault)? {
        Need::Nothing => Ok(How::AlreadyThere),
        Need::Act => job.act(cx, &before, fault).await,
    };
    let how = how.map_err(|error| job.told(error).vm(place).operation(fault.operation().words()))?;
    let after = platform.read(cx, vm).await.map_err(|error| job.told(error))?.vm;
    Ok(Outcome::new(how, found, after.power_state, cx.monotonic().saturating_sub(start)).booted(after.boot_time))
}

impl Job<'_> {
    async fn act(&self, cx: &Context, before: &Reading, fault: &Fault) -> Result<How, Error> {
        use VMPowerState::{PoweredOff, PoweredOn, Suspended};

        let suspended = before.vm.power_state == Suspended;
        match *fault {
            Fault::PowerOn { limit } => {
                self.hard(&cx.limit(limit), CallKind::PowerOn, Goal::State(PoweredOn)).await?;
                Ok(if suspended { How::Resumed } else { How::PoweredOn })
            }
            Fault::Suspend { limit } => {
                self.hard(&cx.limit(limit), CallKind::Suspend, Goal::State(Suspended)).await?;
                Ok(How::Suspended)
            }
            Fault::PowerOff { stop, .. } => {
                // A suspended guest cannot be asked.
                let stop = if suspended { Stop::Hard { limit: stop.limit() } } else { stop };
                let goal = Goal::State(PoweredOff);
                match self.stop(cx, before, stop, CallKind::GuestShutdown, CallKind::PowerOff, goal).await? {
                    Way::Guest => Ok(How::GuestShutdown),
                    Way::Hard => Ok(How::HardPowerOff),
                    Way::HardAfterTimeout => Ok(How::HardAfterGuestTimeout),
                    Way::HardWithoutTools => Ok(How::HardWithoutTools),
                }
            }
            Fault::Reboot { stop } => {
                let goal = Goal::BootAfter(before.boots);
                match self.stop(cx, before, stop, CallKind::GuestReboot, CallKind::Reset, goal).await? {
                    Way::Guest => Ok(How::GuestReboot),
                    Way::Hard => Ok(How::Reset),
                    Way::HardAfterTimeout => Ok(How::ResetAfterGuestTimeout),
                    Way::HardWithoutTools => Ok(How::ResetWithoutTools),
                }
            }
            _ => Err(Error::unsupported(self.vm_kind(), fault.operation().words())),
        }
    }

    fn vm_kind(&self) -> &chaos_core::PlatformKind {
        &self.vm.platform
    }

    async fn stop(
        &self,
        cx: &Context,
        before: &Reading,
        stop: Stop,
        guest_call: CallKind,
        hard_call: CallKind,
        goal: Goal,
    ) -> Result<Way, Error> {
        match stop {
            Stop::Hard { limit } => self.hard(&cx.limit(limit), hard_call, goal).await.map(|()| Way::Hard),
            Stop::GuestOnly { grace } => {
                if !before.guest_listens {
                    return Err(Error::new(
                        ErrorKind::InvalidState,
                        "its guest cannot be asked, because no agent answers in it",
                    ));
                }
                self.guest(&cx.limit(grace), guest_call, goal).await.map(|()| Way::Guest)
            }
            Stop::GuestThenHard { grace, hard } => {
                if !before.guest_listens {
                    self.hard(&cx.limit(hard), hard_call, goal).await?;
                    return Ok(Way::HardWithoutTools);
                }
                match self.guest(&cx.limit(grace), guest_call, goal).await {
                    Ok(()) => Ok(Way::Guest),
                    // Only the guest's own grace has ended, not the whole call.
                    Err(error) if error.kind() == ErrorKind::Timeout && !cx.remaining().is_zero() => {
                        self.report(cx, ProgressStep::FallingBack);
                        self.hard(&cx.limit(hard), hard_call, goal).await.map(|()| Way::HardAfterTimeout)
                    }
                    Err(error) => Err(error),
                }
            }
        }
    }

    async fn send(&self, cx: &Context, call: CallKind) -> Result<Result<(), Wire>, Error> {
        let sent = self.platform.call(cx, |session| self.platform.estate().power(cx, session, call, &self.vm.id)).await;
        // In doubt are those that were accepted, and those whose answer is still to come.
        if matches!(sent, Ok(Ok(()) | Err(Wire::Cut | Wire::NoAnswer))) {
            self.sent.store(true, Ordering::Relaxed);
        }
        sent
    }

    /// Says in an error of a caller who waits no more whether something was sent that may still take effect.
    fn told(&self, error: Error) -> Error {
        let gave_up = matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Cancelled);
        if gave_up && self.sent.load(Ordering::Relaxed) { error.retry(Retry::Unsettled) } else { error }
    }

    async fn guest(&self, cx: &Context, call: CallKind, goal: Goal) -> Result<(), Error> {
        self.report(cx, ProgressStep::GuestAsked);
        match self.send(cx, call).await? {
            // If the connection broke the guest may have been asked: what it does tells.
            Ok(()) | Err(Wire::Cut) => self.wait(cx, goal).await,
            Err(Wire::Machine(_)) if goal.is_reached(&self.read(cx).await?) => Ok(()),
            Err(wire) => Err(self.platform.failed(cx, wire).await),
        }
    }

    async fn hard(&self, cx: &Context, call: CallKind, goal: Goal) -> Result<(), Error> {
        loop {
            match self.send(cx, call).await? {
                Ok(()) => {
                    self.report(cx, ProgressStep::Accepted);
                    return self.wait(cx, goal).await;
                }
                // Nothing was executed: the same call may follow when the other task has ended.
                Err(Wire::Machine(Refusal::Busy)) => {
                    self.wait_until(cx, |reading| !reading.busy).await?;
                    if goal.is_reached(&self.read(cx).await?) {
                        return Ok(());
                    }
                }
                // It may have been executed: never send it again, but see what became of it.
                Err(Wire::Cut) => {
                    let reading = self.read(cx).await?;
                    if reading.busy || goal.is_reached(&reading) {
                        return self.wait(cx, goal).await;
                    }
                    let message = "the connection broke and nothing was done: it can be tried again";
                    return Err(Error::new(ErrorKind::Unavailable, message).retry(Retry::Later));
                }
                Err(Wire::Machine(_)) if goal.is_reached(&self.read(cx).await?) => return Ok(()),
                Err(wire) => return Err(self.platform.failed(cx, wire).await),
            }
        }
    }

    async fn wait(&self, cx: &Context, goal: Goal) -> Result<(), Error> {
        let reading = self.wait_until(cx, |reading| goal.is_reached(reading)).await?;
        self.report(
            cx,
            match goal {
                Goal::State(_) => ProgressStep::State(reading.vm.power_state),
                Goal::BootAfter(_) => ProgressStep::GuestUp,
            },
        );
        Ok(())
    }

    async fn wait_until(&self, cx: &Context, seen: impl Fn(&Reading) -> bool + Send) -> Result<Reading, Error> {
        loop {
            // Subscribed before reading, so that no change falls in between.
            let mut watch = self.platform.estate().watch();
            let reading = self.read(cx).await?;
            if seen(&reading) {
                return Ok(reading);
            }
            let next: Option<Duration> = reading.next_event;
            cx.bounded("waiting for the VM", self.platform.estate().changed(&mut watch, next)).await?;
        }
    }

    async fn read(&self, cx: &Context) -> Result<Reading, Error> {
        self.platform.read(cx, self.vm).await
    }

    fn report(&self, cx: &Context, step: ProgressStep) {
        cx.report(Progress::new(self.vm.clone(), &self.name, step));
    }
}

/// Which way a stop or restart went in the end.
enum Way {
    Guest,
    Hard,
    HardAfterTimeout,
    HardWithoutTools,
}
