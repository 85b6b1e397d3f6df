//! One operation on one VM: what it was found like, what was sent, and waiting for it with progress and a good error.

use std::time::Duration;

use chaos_core::{
    Context, Error, ErrorKind, Fault, How, Need, Outcome, Progress, ProgressStep, Retry, VMInfo, VMPowerState, VMRef,
    check_power,
};
use chaos_http::StatusCode;
use tokio::sync::OwnedMutexGuard;
use tracing::debug;

use super::Power;
use crate::api::action::Action;
use crate::api::event::Event;
use crate::api::fault::Fault as Refusal;
use crate::api::request::{Request, is_id};
use crate::api::status::Status;
use crate::api::vm::Vm;
use crate::error::{CallError, Cause};
use crate::transport::List;
use crate::watch::{Followed, gone};

/// The pause before an action that another command kept from being executed is sent again; it doubles with each further time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// How long reading the engine's log may take: it only adds to what is known.
const READING_LOG: Duration = Duration::from_secs(10);

/// An operation under way.
#[derive(Debug)]
pub(super) struct Job<'a> {
    pub(super) cx: &'a Context,
    pub(super) vm_ref: &'a VMRef,
    power: Power<'a>,
    vm: Followed,
    started: Duration,
    found: VMPowerState,
    /// The actions that reached the engine, or may have, with the ids by which its log knows them.
    sent: Vec<(Action, String)>,
    /// What a person should know about a goal that was reached.
    note: Option<String>,
    /// What was reported last, so that nothing is reported twice.
    told: VMPowerState,
}

/// What became of an action.
#[derive(Debug)]
pub(super) enum Sent {
    /// The engine accepted it, which says nothing of the VM yet.
    Accepted,
    /// The engine refused it: it was not executed.
    Refused(Refusal),
    /// Whether it was executed is not known. It is never sent again.
    Unsettled(Error),
    /// While another command held the VM, it got to where it was to go.
    NotNeeded,
    /// While another command held the VM, it got into a state in which the action would do something else.
    NotNow,
    /// The engine does not know the action: it is too old for it.
    Unknown(Error),
}

impl<'a> Job<'a> {
    /// Waits for what the VM is like now.
    pub(super) async fn begin(power: Power<'a>, cx: &'a Context, vm_ref: &'a VMRef) -> Result<Self, Error> {
        cx.check("reading the VM's state")?;
        if !is_id(&vm_ref.id) {
            return Err(gone(&vm_ref.id));
        }
        let started = cx.monotonic();
        let mut vm = power.watch.follow(cx, &vm_ref.id);
        let found = match vm.fresh(cx).await {
            Ok(vm) => vm.status.power(),
            Err(error) => {
                let trouble = vm.trouble();
                return Err(with_trouble(error, trouble).platform(vm_ref.platform.clone()));
            }
        };
        Ok(Self { cx, vm_ref, power, vm, started, found, sent: Vec::new(), note: None, told: found })
    }

    /// The VM as it was seen last.
    pub(super) fn vm(&self) -> &Vm {
        self.vm.vm()
    }

    /// The same in the terms of every platform.
    pub(super) fn info(&self) -> VMInfo {
        self.power.places.describe(self.vm())
    }

    pub(super) fn power(&self) -> VMPowerState {
        self.vm().status.power()
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
        self.cx.report(Progress::new(self.vm_ref.clone(), self.vm().name.clone(), step));
    }

    /// Sends an action once. While another command holds the VM the engine refuses it and says so: then it is sent again
    /// within the limit, if the VM still needs it.
    pub(super) async fn send(&mut self, limit: &Context, action: Action, fault: &Fault) -> Result<Sent, Error> {
        const DOING: &str = "waiting for another operation on the VM";
        let (mut pause, mut unknown, mut renewed) = (FIRST_PAUSE, 0, false);
        loop {
            let sent = self.power.session.act(limit, self.vm.id(), action).await;
            let error = match sent.result {
                Ok(()) => {
                    self.sent.push((action, sent.correlation));
                    self.vm.expect_change();
                    return Ok(Sent::Accepted);
                }
                Err(error) => error,
            };
            if error.may_have_taken_effect() {
                self.sent.push((action, sent.correlation));
                self.vm.expect_change();
                let error = Error::from(error);
                return if error.kind() == ErrorKind::Cancelled { Err(error) } else { Ok(Sent::Unsettled(error)) };
            }
            match &error.cause {
                Cause::Fault(refusal) if refusal.is_busy() => {}
                // Nothing was executed. An engine that is being deployed knows no path at all; one that shows the VM in
                // between does not know this one.
                Cause::Page { status: StatusCode::NOT_FOUND, .. } if unknown == 0 => unknown += 1,
                Cause::Page { status: StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED, .. } => {
                    return Ok(Sent::Unknown(error.into()));
                }
                Cause::NotFound => return Err(gone(self.vm.id())),
                // There is a new session, and the VM has to be looked at before it is sent again.
                Cause::Unauthenticated(_) if action == Action::Shutdown && !renewed => renewed = true,
                _ => {
                    return match error.cause {
                        Cause::Fault(refusal) => Ok(Sent::Refused(*refusal)),
                        cause => Err(CallError { cause, ..error }.into()),
                    };
                }
            }
            debug!(vm = self.vm.id(), action = action.word(), %error, "the action is sent again");
            if !error.is_unauthenticated() {
                if let Err(ended) = limit.pause(DOING, pause).await {
                    return Err(if ended.kind() == ErrorKind::Timeout { error.into() } else { ended });
                }
                pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
            }
            self.look(limit).await?;
            if check_power(&self.info(), fault)? == Need::Nothing {
                return Ok(Sent::NotNeeded);
            }
            // The engine would take a shutdown of a VM that is on its way for an order to stop it hard.
            if action == Action::Shutdown && !self.is_up() {
                return Ok(Sent::NotNow);
            }
        }
    }

    /// Waits for the turn to ask the guest, with the VM as it is by then.
    pub(super) async fn turn(&mut self, limit: &Context) -> Result<OwnedMutexGuard<()>, Error> {
        let turn = self.vm.turn(limit).await?;
        if self.vm.is_outdated() {
            self.look(limit).await?;
        }
        Ok(turn)
    }

    /// Looks at the VM as it is now.
    pub(super) async fn look(&mut self, limit: &Context) -> Result<(), Error> {
        self.vm.fresh(limit).await?;
        self.tell();
        Ok(())
    }

    /// Waits until `wanted` says what it waits for, and tells what happens until then.
    pub(super) async fn until<T: Send>(
        &mut self,
        limit: &Context,
        doing: &str,
        mut wanted: impl FnMut(&Vm) -> Option<T> + Send,
    ) -> Result<T, Error> {
        let wait = async {
            loop {
                let seen = self.vm.next(self.cx).await?;
                let reached = wanted(seen);
                self.tell();
                if let Some(reached) = reached {
                    return Ok(reached);
                }
            }
        };
        limit.bounded(doing, wait).await?
    }

    /// The newest lines of the engine's log on this VM with one of `codes`, newest first; of `action` alone if it is given.
    /// Empty if the log cannot be read: it only adds to what is known.
    pub(super) async fn logged(&self, codes: &[u32], action: Option<Action>) -> Vec<Event> {
        let correlation = match action {
            Some(action) => match self.sent.iter().rev().find(|(sent, _)| *sent == action) {
                Some((_, correlation)) => Some(correlation.as_str()),
                None => return Vec::new(),
            },
            None => None,
        };
        let request = Request::events(self.vm.id(), codes, correlation);
        let limit = self.cx.limit(READING_LOG);
        match self.power.session.list(&limit, &request, List::EVENTS, Event::read).await {
            Ok(events) => events.into_iter().filter(|event| codes.contains(&event.code)).collect(),
            Err(error) => {
                debug!(%error, "the engine's log cannot be read");
                Vec::new()
            }
        }
    }

    /// Waits while the VM is on its way to a state that decides: one that is being suspended or powers down still counts as on.
    pub(super) async fn settled(&mut self, limit: &Context) -> Result<(), Error> {
        let passes = |vm: &Vm| {
            matches!(
                vm.status,
                Status::SavingState | Status::PoweringDown | Status::WaitForLaunch | Status::RestoringState
            )
        };
        if passes(self.vm()) {
            self.until(limit, "waiting for what becomes of the VM", |vm| (!passes(vm)).then_some(())).await?;
        }
        Ok(())
    }

    pub(super) fn is_up(&self) -> bool {
        self.vm().status == Status::Up
    }

    fn tell(&mut self) {
        let power = self.power();
        if power != self.told {
            self.told = power;
            self.report(ProgressStep::State(power));
        }
    }

    /// Says in an error which VM it was, what was sent already, and why nothing was heard.
    pub(super) fn describe(&self, error: Error) -> Error {
        let name = self.info().display_path().to_owned();
        let error = error.vm(&*name).platform(self.vm_ref.platform.clone());
        // These say how it ended: nothing is to come.
        if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Failed) {
            return error;
        }
        let mut text = error.message().to_owned();
        let retry = match self.sent.last() {
            None => error.retry_class(),
            Some((action, _)) => {
                let now = &self.vm().status;
                text = format!(
                    "{text}; {} was sent and may still take effect: the VM is `{}` now",
                    action.word(),
                    now.word()
                );
                Retry::Unsettled
            }
        };
        let told = with_trouble(Error::new(error.kind(), text).retry(retry), self.vm.trouble());
        let told = told.vm(name).platform(self.vm_ref.platform.clone());
        let told = match error.operation_name() {
            Some(operation) => told.operation(operation.to_owned()),
            None => told,
        };
        told.caused_by(error)
    }
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
