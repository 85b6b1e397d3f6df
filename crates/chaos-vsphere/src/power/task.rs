//! Operations that the server does as a task: sent once, followed to the end, verified by the VM's state.

use std::time::Duration;

use chaos_core::{Context, Error, ErrorKind, Fault, Need, ProgressStep, Retry, VMPowerState, check_power};

use super::job::{Job, Sent, TaskEnd};
use super::reboot::{Phase, Restart};
use crate::soap::fault::FaultKind;
use crate::vim::{self, MoRef, Request, TaskState, power_state};

/// The pause before a call that another task kept from being executed is made again; it doubles with each further time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// A method that gives a task.
#[derive(Debug, Clone, Copy)]
pub(super) struct Method {
    request: fn(&MoRef) -> Request<MoRef>,
    /// The state that the VM is in when it is done.
    goal: VMPowerState,
    /// Whether the VM was in another state before, so that being in this one proves that it was done.
    proved_by_state: bool,
    doing: &'static str,
}

pub(super) const POWER_ON: Method = Method {
    request: vim::power_on,
    goal: VMPowerState::PoweredOn,
    proved_by_state: true,
    doing: "waiting for the VM to be powered on",
};
pub(super) const POWER_OFF: Method = Method {
    request: vim::power_off,
    goal: VMPowerState::PoweredOff,
    proved_by_state: true,
    doing: "waiting for the VM to be powered off",
};
pub(super) const SUSPEND: Method = Method {
    request: vim::suspend,
    goal: VMPowerState::Suspended,
    proved_by_state: true,
    doing: "waiting for the VM to be suspended",
};
pub(super) const RESET: Method = Method {
    request: vim::reset,
    goal: VMPowerState::PoweredOn,
    proved_by_state: false,
    doing: "waiting for the VM to be reset",
};

/// Who reached the goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reached {
    /// This operation.
    Done,
    /// Somebody else, before this operation could.
    Already,
}

impl Job<'_> {
    /// Calls `method`, waits for its task and reads that the goal is reached.
    pub(super) async fn run_task(&mut self, limit: &Context, method: Method, fault: &Fault) -> Result<Reached, Error> {
        let mut others = 0;
        loop {
            let end = match self.call(limit, method).await? {
                Ok(end) => end,
                Err(unsettled) => return self.settle(limit, method, unsettled).await,
            };
            let refusal = match end {
                TaskEnd::Success => {
                    self.until(limit, method.doing, |vm| vm.power() == method.goal).await?;
                    return Ok(Reached::Done);
                }
                TaskEnd::Forgotten => {
                    let forgotten = Error::new(ErrorKind::Failed, "the server does not know the task any more");
                    return self.settle(limit, method, forgotten).await;
                }
                TaskEnd::Failed(refusal) => refusal,
            };
            match &refusal.kind {
                FaultKind::InvalidPowerState { existing: Some(existing), .. }
                    if method.proved_by_state && power_state(existing) == method.goal =>
                {
                    self.until(limit, method.doing, |vm| vm.power() == method.goal).await?;
                    return Ok(Reached::Already);
                }
                FaultKind::TaskInProgress { task } => {
                    self.wait_for_other(limit, task.as_ref(), others).await?;
                    others += 1;
                    if check_power(&self.info(), fault)? == Need::Nothing {
                        return Ok(Reached::Already);
                    }
                }
                _ => return Err(refusal.into()),
            }
        }
    }

    /// Sends the call and follows its task. The inner error is a call of which it is not known whether it was executed.
    async fn call(&mut self, limit: &Context, method: Method) -> Result<Result<TaskEnd, Error>, Error> {
        let watch = self.watch;
        let under_way = watch.begin_call();
        let request = (method.request)(self.vm.object());
        let mut task = match self.send(limit, &request).await? {
            Sent::Accepted(task) => watch.follow::<TaskState>(limit, &task)?,
            Sent::Refused(fault) => return Ok(Ok(TaskEnd::Failed(fault))),
            Sent::Unsettled(error) => return Ok(Err(error)),
        };
        drop(under_way);
        self.report(ProgressStep::Accepted);
        match self.until_over(limit, method.doing, &mut task).await {
            Err(error)
                if error.kind() == ErrorKind::Timeout && method.proved_by_state && self.power() == method.goal =>
            {
                self.note("the VM reached the state within the time limit and the server's task did not end");
                Ok(Ok(TaskEnd::Success))
            }
            end => end.map(Ok),
        }
    }

    /// Waits until another task that is at work on the VM is over. After that the VM has to be looked at again.
    pub(super) async fn wait_for_other(
        &mut self,
        limit: &Context,
        task: Option<&MoRef>,
        before: u32,
    ) -> Result<(), Error> {
        const DOING: &str = "waiting for another task on the VM";
        if let Some(task) = task {
            let mut other = self.watch.follow::<TaskState>(limit, task)?;
            self.until_over(limit, DOING, &mut other).await?;
        }
        // Not to hope for a state: a server that goes on refusing is not to be asked without pause.
        if task.is_none() || before > 0 {
            limit.pause(DOING, FIRST_PAUSE.saturating_mul(1 << before.min(8)).min(LONGEST_PAUSE)).await?;
        }
        self.vm.catch_up().map_err(crate::watch::Lost::of_vm)?;
        Ok(())
    }

    /// The call may have been executed: the VM's own state decides, until the limit. The call is not sent again.
    async fn settle(&mut self, limit: &Context, method: Method, lost: Error) -> Result<Reached, Error> {
        let waited = if method.proved_by_state {
            self.until(limit, method.doing, |vm| vm.power() == method.goal).await
        } else {
            // The state before and after is the same: only a guest that goes down shows that it was done.
            let mut restart = Restart::asked(self.vm.state());
            match self.until_restarted(limit, method.doing, &mut restart, Phase::Down).await {
                Ok(()) => self.until(limit, method.doing, |vm| vm.power() == method.goal).await,
                Err(error) => Err(error),
            }
        };
        match waited {
            Ok(()) => {
                self.note(format!("{lost}; that it was done was read from the VM's state"));
                Ok(Reached::Done)
            }
            Err(error) if error.kind() == ErrorKind::Timeout => {
                let message = format!(
                    "{lost}; it was not sent again, and the VM is {} at the end of the time limit: \
                     look at its recent tasks before trying again",
                    self.power()
                );
                Err(Error::new(lost.kind(), message).retry(Retry::Unsettled).caused_by(lost))
            }
            Err(error) => Err(error),
        }
    }
}
