//! Activities beyond the VMs: a process, a request or a function in Python, in the time of the real world and without an undo.

use std::sync::PoisonError;
use std::time::Duration;

use chaos_core::{Context, Error, ErrorKind, RunEventKind, RunMode, Section, StopCause, SystemClock};
use serde_json::Value;

use crate::activity::Activity;
use crate::engine::Running;
use crate::engine::activity::{Failed, Unwell};
use crate::engine::stops::Request;
use crate::provider::{Place, ProviderCall, PythonError};
use crate::report::WithoutUndo;

impl Running<'_> {
    /// Carries out a call of a provider. That an action has no undo is written down before it begins.
    pub(super) async fn reach_beyond(
        &self,
        cx: &Context,
        section: Section,
        started: u64,
        activity: &Activity,
        call: &ProviderCall,
        place: Place,
    ) -> Result<Value, Unwell> {
        if activity.acts_without_undo().is_some() {
            let provider = call.provider().to_owned();
            let is_first = self.told_undoless.lock().unwrap_or_else(PoisonError::into_inner).insert(started);
            if is_first {
                let event = RunEventKind::NotUndoable { activity: started, provider: provider.clone() };
                self.recorder.record(event).await?;
            }
            if is_first && section == Section::Method {
                let name = self.recorder.mask(&activity.name);
                let mut begun = self.without_undo.lock().unwrap_or_else(PoisonError::into_inner);
                begun.push(WithoutUndo { name, provider });
            }
        }
        self.call(&self.in_the_world(cx, activity.timeout), call, place).await
    }

    /// The call itself, and what its end means for the run.
    pub(super) async fn call(&self, cx: &Context, call: &ProviderCall, place: Place) -> Result<Value, Unwell> {
        call.run(cx, &self.clients, &self.workers, place).await.map_err(|error| match error {
            PythonError::Failed { message, lines } => {
                Failed { lines, error: Error::new(ErrorKind::Failed, message) }.into()
            }
            PythonError::Broken(why) => Unwell::Broken(why),
            PythonError::Other(error) => error.into(),
            PythonError::Exit(code) => {
                let request = exit_request(cx, code);
                let error = Error::new(ErrorKind::Cancelled, request.reason.clone());
                self.leave(code, request);
                error.into()
            }
        })
    }

    /// Ends the run as a function in Python asks for it.
    pub(super) fn leave(&self, code: i32, request: Request) {
        if self.stops.is_closed() {
            return;
        }
        if code == WITHOUT_ROLLBACKS {
            self.abandon.cancel();
        }
        self.stops.request(request);
    }

    /// The same call on the machine's own clock: that of a rehearsal runs faster, and the world does not.
    pub(super) fn in_the_world(&self, cx: &Context, timeout: Option<Duration>) -> Context {
        match self.resolved.experiment.mode {
            RunMode::Rehearsal => Context::on_clock(SystemClock::shared(), timeout.unwrap_or(Duration::MAX))
                .cancelled_by(cx.cancellation().clone())
                .run(cx.run_id().clone())
                .reason(cx.reason_text()),
            _ => cx.clone(),
        }
    }
}

/// The exit code of Chaos Toolkit that asks for an end without rollbacks.
const WITHOUT_ROLLBACKS: i32 = 30;

/// That something in Python wants the run to end.
pub(super) fn exit_request(cx: &Context, code: i32) -> Request {
    let reason = format!("a function in Python asked to end the run, with exit code {code}");
    Request { cause: StopCause::Caller, reason, since: cx.now() }
}
