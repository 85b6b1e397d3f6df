//! Activities and tolerances that take what earlier steps gave.

use chaos_core::{ActivityStatus, Context, Error, ErrorKind};
use serde_json::Value;

use crate::activity::{Activity, Call, Judge};
use crate::engine::Running;
use crate::engine::activity::Unwell;
use crate::provider::ProviderCall;
use crate::steps::{Gap, Step};
use crate::substitute::step_references;

/// What an activity does, now that what it takes is there.
pub(super) enum Now {
    /// What it was read as.
    AsRead,
    Call(ProviderCall),
    /// Nothing, because the step whose output it takes was left out.
    LeftOut,
}

impl Running<'_> {
    /// Puts what earlier steps gave into the call of an activity.
    pub(super) fn call_now(&self, activity: &Activity) -> Result<Now, Unwell> {
        let Some(provider) = &activity.more.provider else { return Ok(Now::AsRead) };
        let failed = |why: String| Unwell::from(Error::new(ErrorKind::Failed, why));
        let references = provider.values().flat_map(step_references).collect();
        let steps = match self.steps.values(&references) {
            Ok(steps) => steps,
            Err(Gap::LeftOut) => return Ok(Now::LeftOut),
            Err(Gap::Missing(why)) => return Err(failed(why)),
        };
        let late = &self.resolved.experiment.late;
        match late.provider_with(activity.kind, provider, "", steps) {
            Ok(Call::Provider(call)) => Ok(Now::Call(call)),
            Ok(_) => Ok(Now::LeftOut),
            Err(why) => Err(failed(why)),
        }
    }

    /// A tolerance that takes what earlier steps gave; none if there is nothing to hold an output against, because a step
    /// was left out.
    pub(super) fn judge_now(&self, declared: &Value, place: &str) -> Result<Option<Judge>, String> {
        match self.steps.values(&step_references(declared)) {
            Ok(steps) => self.resolved.experiment.late.judge(declared, place, steps).map(Some),
            Err(Gap::LeftOut) => Ok(None),
            Err(Gap::Missing(why)) => Err(why),
        }
    }

    /// Keeps what a step gave for later ones.
    pub(super) fn keep(&self, activity: &Activity, status: Option<ActivityStatus>, output: &Value, is_dry: bool) {
        let status = match status {
            Some(ActivityStatus::Succeeded) => "succeeded",
            Some(_) => "failed",
            None => return,
        };
        let left_out = is_dry || matches!(activity.call, Call::NotRehearsed(_));
        self.steps.note(&activity.name, Step { output: output.clone(), status, left_out });
    }

    /// Whether `output` is what it should be, by a tolerance that takes what earlier steps gave.
    pub(super) async fn judge_later(
        &self,
        cx: &Context,
        declared: &Value,
        place: &str,
        output: &Value,
    ) -> Result<(), String> {
        match self.judge_now(declared, place)? {
            None => Ok(()),
            Some(Judge::Later { .. }) => Err("it refers to a step in what a step gave".to_owned()),
            Some(judge) => Box::pin(self.judge(cx, &judge, output)).await,
        }
    }
}
