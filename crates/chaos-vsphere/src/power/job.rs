//! One operation on one VM: what it was found like, what was sent, and waiting for it with progress and a good error.

use std::time::Duration;

use chaos_core::{Context, Error, ErrorKind, How, Outcome, Progress, ProgressStep, Retry, VMInfo, VMPowerState, VMRef};

use super::Power;
use super::info::info;
use super::read::read;
use super::reboot::{Phase, Restart};
use crate::error::Cause;
use crate::session::Session;
use crate::soap::fault::Fault;
use crate::vim::{Question, Request, TaskPhase, TaskState, VmState};
use crate::watch::{Followed, Lost, Watch};

/// How long the watch may take to hear of what was read directly.
const CATCHING_UP: Duration = Duration::from_secs(5);

/// An operation under way.
#[derive(Debug)]
pub(super) struct Job<'a> {
    pub(super) cx: &'a Context,
    pub(super) watch: &'a Watch,
    pub(super) vm: Followed<VmState>,
    pub(super) vm_ref: &'a VMRef,
    session: &'a Session,
    started: Duration,
    found: VMPowerState,
    /// The methods that reached the server, or may have.
    sent: Vec<&'static str>,
    /// What a person should know about a goal that was reached.
    note: Option<String>,
    /// What was reported last, so that nothing is reported twice.
    told: (VMPowerState, Option<String>),
}

/// What became of a call.
#[derive(Debug)]
pub(super) enum Sent<T> {
    /// The server accepted it.
    Accepted(T),
    /// The server refused it: it was not executed.
    Refused(Fault),
    /// Whether it was executed is not known. It is never sent again.
    Unsettled(Error),
}

/// How a task ended.
#[derive(Debug)]
pub(super) enum TaskEnd {
    Success,
    Failed(Fault),
    /// The server does not know it any more: only the VM's state tells.
    Forgotten,
}

impl<'a> Job<'a> {
    /// Waits for what the VM is like now.
    pub(super) async fn begin(
        power: Power<'a>,
        cx: &'a Context,
        vm_ref: &'a VMRef,
        mut vm: Followed<VmState>,
    ) -> Result<Self, Error> {
        let started = cx.monotonic();
        let settled = cx.bounded("reading the VM's state", vm.settle()).await;
        let found = match settled {
            Ok(Ok(state)) => state.power(),
            Ok(Err(Lost::Gone)) => return Err(gone(vm_ref)),
            Ok(Err(lost @ Lost::Failed(_))) => return Err(lost.of_vm()),
            Err(error) => return Err(with_trouble(error, vm.trouble()).platform(vm_ref.platform.clone())),
        };
        let Power { session, watch, .. } = power;
        let told = (found, None);
        Ok(Self { cx, watch, vm, vm_ref, session, started, found, sent: Vec::new(), note: None, told })
    }

    /// Makes sure that what is known is of later than the beginning of this operation.
    pub(super) async fn confirm(&mut self) -> Result<(), Error> {
        if !self.vm.is_nearly_fresh() {
            return Ok(());
        }
        let read = read(self.session, self.cx, std::slice::from_ref(self.vm.object())).await;
        let mut read = read.map_err(|error| self.describe(error))?;
        let now = read.remove(&self.vm_ref.id).ok_or_else(|| self.gone())?;
        let agrees = |vm: &VmState| vm.power_state == now.power_state && vm.connection_state == now.connection_state;
        // What was read is on its way to the watch as well, unless it has changed once more.
        let limit = self.cx.limit(CATCHING_UP);
        match self.until(&limit, "reading the VM's state", agrees).await {
            Err(error) if error.kind() == ErrorKind::Timeout && !self.cx.remaining().is_zero() => Ok(()),
            result => result.map_err(|error| self.describe(error)),
        }
    }

    /// The VM does not exist.
    pub(super) fn gone(&self) -> Error {
        gone(self.vm_ref)
    }

    /// The VM as it is now.
    pub(super) fn info(&self) -> VMInfo {
        info(&self.vm_ref.id, self.vm.state())
    }

    pub(super) fn power(&self) -> VMPowerState {
        self.vm.state().power()
    }

    /// Fails if what is shown of the VM may be old.
    pub(super) fn check_reachable(&self) -> Result<(), Error> {
        match self.info().unmanageable {
            None => Ok(()),
            Some(reason) => {
                Err(self.describe(Error::new(ErrorKind::InvalidState, format!("cannot be managed: {reason}"))))
            }
        }
    }

    /// The goal was reached.
    pub(super) fn outcome(&self, how: How) -> Outcome {
        let duration = self.cx.monotonic().saturating_sub(self.started);
        let outcome = Outcome::new(how, self.found, self.power(), duration).booted(self.info().boot_time);
        match &self.note {
            Some(note) => outcome.note(note.clone()),
            None => outcome,
        }
    }

    /// Adds something that a person should know about the outcome.
    pub(super) fn note(&mut self, note: impl Into<String>) {
        self.note = Some(note.into());
    }

    pub(super) fn report(&self, step: ProgressStep) {
        self.cx.report(Progress::new(self.vm_ref.clone(), self.info().name, step));
    }

    /// Sends a call that changes something, once. A dead session proves that it was not executed: the session is renewed and
    /// the call made again below here.
    pub(super) async fn send<T>(&mut self, limit: &Context, request: &Request<T>) -> Result<Sent<T>, Error> {
        // What was heard until now was before the call.
        self.vm.catch_up().map_err(Lost::of_vm)?;
        let method = request.method();
        match self.session.call(limit, request).await {
            Ok(answer) => {
                self.sent.push(method);
                Ok(Sent::Accepted(answer))
            }
            Err(error) if error.may_have_taken_effect() => {
                self.sent.push(method);
                let error = Error::from(error);
                if error.kind() == ErrorKind::Cancelled { Err(error) } else { Ok(Sent::Unsettled(error)) }
            }
            Err(error) => match error.cause {
                Cause::Fault(fault) => Ok(Sent::Refused(*fault)),
                cause => Err(request.failed(cause).into()),
            },
        }
    }

    /// Waits until the VM is as `wanted`, and tells what happens until then.
    pub(super) async fn until(
        &mut self,
        limit: &Context,
        doing: &str,
        mut wanted: impl FnMut(&VmState) -> bool + Send,
    ) -> Result<(), Error> {
        let wait = async {
            while !wanted(self.vm.state()) {
                self.vm.next().await.map_err(Lost::of_vm)?;
                self.tell();
            }
            Ok(())
        };
        limit.bounded(doing, wait).await?
    }

    /// Waits until a restart is as far as `phase`. What the VM was like before the call is no sign of anything.
    pub(super) async fn until_restarted(
        &mut self,
        limit: &Context,
        doing: &str,
        restart: &mut Restart,
        phase: Phase,
    ) -> Result<(), Error> {
        let wait = async {
            while restart.phase() < phase {
                restart.observe(self.vm.next().await.map_err(Lost::of_vm)?);
                self.tell();
            }
            Ok(())
        };
        limit.bounded(doing, wait).await?
    }

    /// Waits until a task is over, and tells what happens to it and to the VM until then.
    pub(super) async fn until_over(
        &mut self,
        limit: &Context,
        doing: &str,
        task: &mut Followed<TaskState>,
    ) -> Result<TaskEnd, Error> {
        let wait = async {
            let mut percent = None;
            loop {
                tokio::select! {
                    // The VM first: its state is known when the task's end is.
                    biased;
                    changed = self.vm.next() => {
                        changed.map_err(Lost::of_vm)?;
                        self.tell();
                    }
                    changed = task.next() => match changed {
                        Err(Lost::Gone) => return Ok(TaskEnd::Forgotten),
                        Err(lost @ Lost::Failed(_)) => return Err(lost.of_vm()),
                        Ok(state) => match state.phase {
                            TaskPhase::Success => return Ok(TaskEnd::Success),
                            TaskPhase::Error => return Ok(failed(state)),
                            TaskPhase::Queued | TaskPhase::Running => {
                                if let Some(now) = state.progress.filter(|now| percent != Some(*now)) {
                                    percent = Some(now);
                                    self.report(ProgressStep::Percent(now));
                                }
                            }
                        },
                    }
                }
            }
        };
        limit.bounded(doing, wait).await?
    }

    fn tell(&mut self) {
        let power = self.power();
        if power != self.told.0 {
            self.told.0 = power;
            self.report(ProgressStep::State(power));
        }
        let question = self.vm.state().question.as_ref().map(|question| question.text.clone());
        if question != self.told.1 {
            if let Some(text) = &question {
                self.report(ProgressStep::Question(text.clone()));
            }
            self.told.1 = question;
        }
    }

    /// Says in an error which VM it was, what it waits for, what was sent already, and why nothing was heard.
    pub(super) fn describe(&self, error: Error) -> Error {
        let error = error.vm(self.info().name).platform(self.vm_ref.platform.clone());
        if !matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Cancelled) {
            return error;
        }
        let mut text = error.message().to_owned();
        if error.kind() == ErrorKind::Timeout
            && let Some(question) = &self.vm.state().question
        {
            text += &waits_for(question);
        }
        let retry = match self.sent.last() {
            None => error.retry_class(),
            Some(method) => {
                text = format!("{text}; {method} was sent and may still take effect: the VM is {} now", self.power());
                Retry::Unsettled
            }
        };
        let told = with_trouble(Error::new(error.kind(), text), self.vm.trouble()).retry(retry);
        let told = told.vm(self.info().name).platform(self.vm_ref.platform.clone());
        match error.operation_name() {
            Some(operation) => told.operation(operation.to_owned()),
            None => told,
        }
    }
}

fn gone(vm: &VMRef) -> Error {
    let message = format!("there is no VM with id `{}` any more", vm.id);
    Error::new(ErrorKind::NotFound, message).platform(vm.platform.clone())
}

fn failed(state: &TaskState) -> TaskEnd {
    use crate::soap::fault::FaultKind;

    let unnamed = || Fault { kind: FaultKind::Other("MethodFault".to_owned()), message: String::new() };
    TaskEnd::Failed(state.error.clone().unwrap_or_else(unnamed))
}

fn waits_for(question: &Question) -> String {
    let choices = match question.choices.as_slice() {
        [] => String::new(),
        choices => format!(" ({})", choices.join(", ")),
    };
    format!("; the VM waits for an answer to `{}`{choices}: give it in the vSphere client", question.text)
}

/// Adds to a time-out why nothing was heard.
fn with_trouble(error: Error, trouble: Option<String>) -> Error {
    match trouble {
        Some(trouble) if error.kind() == ErrorKind::Timeout => {
            let text = format!("{}; the last attempt to hear of it failed: {trouble}", error.message());
            Error::new(ErrorKind::Timeout, text).retry(error.retry_class())
        }
        _ => error,
    }
}
