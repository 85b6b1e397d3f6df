//! Calls controls at the begin and the end of each part of a run.

use std::sync::PoisonError;
use std::time::Duration;

use chaos_core::{Context, StopCause};
use serde_json::{Map, Value};

use crate::controls::{Control, ControlProvider, Level, Point, When, hand_over};
use crate::engine::Running;
use crate::engine::activity::Stopped;
use crate::engine::beyond::exit_request;
use crate::engine::stops::Request;
use crate::provider::{Given, Hook, Hooking, Place, PythonError};

/// Which part of a run controls are told of.
pub(super) struct Part<'a> {
    pub(super) level: Level,
    /// The controls that it declares itself.
    pub(super) own: &'a [Control],
    /// Where it is in the experiment.
    pub(super) at: &'a str,
    pub(super) place: Place,
}

impl Part<'_> {
    /// A part whose context is the experiment.
    pub(super) fn of_experiment(level: Level) -> Self {
        Self { level, own: &[], at: "", place: Place::Foreground }
    }
}

/// How a call of a control ended.
enum Called {
    Well(Map<String, Value>),
    Failed(String, Map<String, Value>),
    /// It wants the run to be interrupted, for this reason.
    Interrupts(String),
    /// It was cut, or has asked for the end itself.
    Stops,
}

/// How long the controls after a part may take by strict rules.
const AFTER: Duration = Duration::from_mins(1);

impl Running<'_> {
    /// Calls the controls before a part.
    ///
    /// # Errors
    /// [`Stopped::Interrupted`] if one of them has interrupted the run.
    pub(super) async fn before(&self, cx: &Context, part: &Part<'_>) -> Result<(), Stopped> {
        self.tell(cx, When::Before, part, Value::Null).await.map(drop)
    }

    /// Calls the controls after a part, also where the run was told to stop. Gives the state if one of them has changed it.
    ///
    /// # Errors
    /// As [`Running::before`].
    pub(super) async fn after(&self, cx: &Context, part: &Part<'_>, state: Value) -> Result<Option<Value>, Stopped> {
        // What comes after a part must not keep VMs as they are for ever.
        let limit = if self.rules.limits_providers() { AFTER } else { Duration::MAX };
        // The next signal cuts them: the first one, if it did not come before.
        let token = if cx.cancellation().is_cancelled() { &self.hurry } else { cx.cancellation() };
        let cx = cx.detached(limit).cancelled_by(token.clone());
        self.tell(&cx, When::After, part, state).await
    }

    async fn tell(
        &self,
        cx: &Context,
        when: When,
        part: &Part<'_>,
        mut state: Value,
    ) -> Result<Option<Value>, Stopped> {
        let point = Point { when, level: part.level };
        let mut is_changed = false;
        for control in self.resolved.experiment.controls.at(point, part.own, self.rules) {
            if self.is_dropped(control) {
                continue;
            }
            let (changed, why) = match Box::pin(self.call_control(cx, control, point, part, &state)).await {
                Called::Well(changed) => (changed, None),
                Called::Failed(why, changed) => (changed, Some(why)),
                Called::Stops
                    if self.rules.puts_back()
                        && self.stops.is_closed()
                        && part.level != Level::Experiment
                        && !cx.cancellation().is_cancelled() =>
                {
                    self.warn(control, &point.name(), "it cannot end the way back");
                    continue;
                }
                Called::Stops => return Err(Stopped::Interrupted),
                Called::Interrupts(why) => {
                    // Nothing keeps a run by strict rules from putting everything back.
                    if self.rules.puts_back() && self.stops.is_closed() && part.level != Level::Experiment {
                        self.warn(control, &point.name(), &format!("it cannot interrupt the way back: {why}"));
                        continue;
                    }
                    let reason =
                        self.recorder.mask(&format!("the control `{}` has interrupted the run: {why}", control.name));
                    self.stops.request(Request { cause: StopCause::Caller, reason, since: cx.now() });
                    return Err(Stopped::Interrupted);
                }
            };
            self.take(control, &changed);
            if let Some(changed) = changed.get("state") {
                (state, is_changed) = (changed.clone(), true);
            }
            if let Some(why) = why {
                self.warn(control, &point.name(), &why);
            }
        }
        Ok(is_changed.then_some(state))
    }

    async fn call_control(
        &self,
        cx: &Context,
        control: &Control,
        point: Point,
        part: &Part<'_>,
        state: &Value,
    ) -> Called {
        let now = self.live.now();
        let called = match &control.provider {
            ControlProvider::Python { module, arguments } => {
                let arguments = now.variables.substitute(arguments).value;
                let given = Given { at: Some(part.at.to_owned()), state: state.clone(), ..self.given() };
                let func = format!("{}_control", point.name());
                let hook = Hook { module, func: &func, how: Hooking::Apply, arguments: &arguments, given: &given };
                self.call_python(cx, &hook, part.place).await
            }
            ControlProvider::Native(_) => {
                let experiment = Value::Object(now.experiment);
                let context = experiment.pointer(part.at).unwrap_or(&Value::Null);
                let (late, masker) = (&self.resolved.experiment.late, &self.resolved.experiment.masker);
                let values = (&**late, &*now.variables);
                let about = (context, state);
                let told = hand_over(cx, (control, point), about, values, masker, &self.clients, &self.workers).await;
                told.map_or_else(|why| Called::Failed(why, Map::new()), |()| Called::Well(Map::new()))
            }
        };
        match called {
            Called::Failed(..) if point.when == When::Before && cx.cancellation().is_cancelled() => Called::Stops,
            Called::Failed(why, _) if point.when == When::Before && control.interrupts => Called::Interrupts(why),
            called => called,
        }
    }

    async fn call_python(&self, cx: &Context, hook: &Hook<'_>, place: Place) -> Called {
        match hook.run(cx, &self.workers, place).await {
            Ok(told) => match (told.interrupt, told.failed) {
                (Some(why), _) => {
                    self.live.take(&told.changed);
                    Called::Interrupts(why)
                }
                (None, Some(why)) => Called::Failed(why, told.changed),
                (None, None) => Called::Well(told.changed),
            },
            Err(PythonError::Exit(code)) => {
                self.leave(code, exit_request(cx, code));
                Called::Stops
            }
            Err(error) => Called::Failed(error.words(), Map::new()),
        }
    }

    fn given(&self) -> Given {
        let now = self.live.now();
        Given {
            experiment: Value::Object(now.experiment),
            configuration: Value::Object(now.variables.configuration.clone().into_iter().collect()),
            secrets: Value::Object(now.variables.secrets.clone().into_iter().collect()),
            settings: self.resolved.experiment.late.inputs.controls.settings().clone(),
            ..Given::default()
        }
    }

    /// Takes over what a control has changed.
    fn take(&self, control: &Control, changed: &Map<String, Value>) {
        for refused in self.live.take(changed) {
            self.warn(control, "what it changes", &refused);
        }
        if changed.contains_key("secrets") || changed.contains_key("configuration") {
            self.resolved.experiment.masker.learn(&self.live.now().variables, []);
        }
    }

    /// Says what is wrong with a control, once.
    fn warn(&self, control: &Control, doing: &str, why: &str) {
        let text = self.recorder.mask(&format!("the control `{}` failed in {doing}: {why}", control.name));
        let key = format!("{}: {why}", control.name);
        let is_new = self.warned.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
        if is_new {
            tracing::warn!("{text}");
        } else {
            tracing::debug!("{text}");
        }
    }

    fn is_dropped(&self, control: &Control) -> bool {
        self.dropped.lock().unwrap_or_else(PoisonError::into_inner).contains(&control.name)
    }

    /// Sets up the controls in Python, each name once. A global one that fails is not called again.
    pub(super) async fn configure_controls(&self, cx: &Context) {
        for (control, is_global) in self.each_control() {
            let ControlProvider::Python { module, arguments } = &control.provider else { continue };
            let given = self.given();
            let func = "configure_control";
            let hook = Hook { module, func, how: Hooking::Configure, arguments, given: &given };
            let why = match self.call_python(cx, &hook, Place::Foreground).await {
                Called::Well(changed) => {
                    self.take(control, &changed);
                    continue;
                }
                Called::Failed(why, changed) => {
                    self.take(control, &changed);
                    why
                }
                Called::Interrupts(why) => why,
                Called::Stops => return,
            };
            self.warn(control, func, &why);
            if is_global {
                self.dropped.lock().unwrap_or_else(PoisonError::into_inner).insert(control.name.clone());
            }
        }
    }

    /// Lets the controls in Python clean up, each name once.
    pub(super) async fn clean_up_controls(&self, cx: &Context) {
        let cx = cx.detached(Duration::MAX).cancelled_by(self.hurry.clone());
        let (global, own): (Vec<_>, Vec<_>) = self.each_control().into_iter().partition(|(_, is_global)| *is_global);
        for (control, _) in own.into_iter().chain(global).filter(|(control, _)| !self.is_dropped(control)) {
            let ControlProvider::Python { module, .. } = &control.provider else { continue };
            let (arguments, given) = (Value::Null, Given::default());
            let func = "cleanup_control";
            let hook = Hook { module, func, how: Hooking::Cleanup, arguments: &arguments, given: &given };
            if let Called::Failed(why, _) | Called::Interrupts(why) =
                self.call_python(&cx, &hook, Place::Foreground).await
            {
                self.warn(control, func, &why);
            }
        }
    }

    /// All controls, those from outside first; of those of the experiment each name once.
    fn each_control(&self) -> Vec<(&Control, bool)> {
        let experiment = &self.resolved.experiment;
        let controls = &experiment.controls;
        let steps = experiment.activities().flat_map(|activity| &activity.controls);
        let mut all: Vec<(&Control, bool)> = controls.global.iter().map(|control| (control, true)).collect();
        for control in controls.top.iter().chain(&controls.hypothesis).chain(steps) {
            if all.iter().all(|(known, is_global)| *is_global || known.name != control.name) {
                all.push((control, false));
            }
        }
        all
    }
}
