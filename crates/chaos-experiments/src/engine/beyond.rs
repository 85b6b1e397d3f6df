//! Activities beyond the VMs: a process or a request, in the time of the real world and without an undo.

use std::sync::PoisonError;
use std::time::Duration;

use chaos_core::{Context, Error, RunEventKind, RunMode, Section, SystemClock};
use serde_json::Value;

use crate::activity::Activity;
use crate::engine::Running;
use crate::provider::ProviderCall;
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
    ) -> Result<Value, Error> {
        if activity.acts_without_undo().is_some() {
            let provider = call.provider().to_owned();
            self.recorder.record(RunEventKind::NotUndoable { activity: started, provider: provider.clone() }).await?;
            if section == Section::Method {
                let name = self.recorder.mask(&activity.name);
                let mut begun = self.without_undo.lock().unwrap_or_else(PoisonError::into_inner);
                begun.push(WithoutUndo { name, provider });
            }
        }
        call.run(&self.in_the_world(cx, activity.timeout), &self.clients).await
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
