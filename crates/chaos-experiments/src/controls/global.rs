//! Controls from outside of an experiment: of the settings, and of files of their own.

use std::fmt;

use chaos_core::Context;
use serde_json::{Map, Value};

use super::{Control, ControlProvider, read};
use crate::document::Document;
use crate::error::LoadError;
use crate::inputs::Inputs;
use crate::mask::Masker;
use crate::provider::{Given, Hook, Hooking, Place, PythonError, PythonWorkers};

/// Controls from outside of an experiment, in order. `Debug` shows the names only.
#[derive(Clone, Default)]
pub struct GlobalControls {
    declared: Vec<(String, Value)>,
    settings: Value,
}

impl GlobalControls {
    /// None yet. `settings` is what controls get that ask for the settings.
    #[must_use]
    pub fn new(settings: Value) -> Self {
        Self { declared: Vec::new(), settings }
    }

    /// Adds controls by name, as the key `controls` of the settings of Chaos Toolkit and its control files declare them.
    pub fn add(&mut self, controls: &Map<String, Value>) {
        self.declared.extend(controls.iter().map(|(name, control)| (name.clone(), control.clone())));
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.declared.is_empty()
    }

    pub(super) fn declared(&self) -> &[(String, Value)] {
        &self.declared
    }

    /// What controls get that ask for the settings.
    pub(crate) fn settings(&self) -> &Value {
        &self.settings
    }
}

impl fmt::Debug for GlobalControls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.declared.iter().map(|(name, _)| name)).finish()
    }
}

impl Inputs {
    /// Loads an experiment between the loading functions of the controls in Python. The second one may change it. What
    /// goes wrong with a control is logged and changes nothing. `source` is what the controls are told.
    ///
    /// # Errors
    /// What `load` gives; or why a control wants the experiment not to be loaded, in words.
    pub async fn load_controlled(
        &self,
        cx: &Context,
        source: &str,
        load: impl Future<Output = Result<Document, LoadError>>,
    ) -> Result<Result<Document, LoadError>, String> {
        let mut nothing = Vec::new();
        let controls = read::globals(self, &mut nothing);
        if controls.iter().all(|control| control.provider.module().is_none()) {
            return Ok(load.await);
        }
        let workers = PythonWorkers::new(self.environment.clone(), Masker::default());
        let loaded = self.around_loading(cx, source, &controls, &workers, load).await;
        workers.close().await;
        loaded
    }

    async fn around_loading(
        &self,
        cx: &Context,
        source: &str,
        controls: &[Control],
        workers: &PythonWorkers,
        load: impl Future<Output = Result<Document, LoadError>>,
    ) -> Result<Result<Document, LoadError>, String> {
        let told = self.tell_loading(cx, "before", source, Value::Null, controls, workers).await;
        let loaded = if told.is_ok() { Some(load.await) } else { None };
        let document = loaded.as_ref().and_then(|loaded| loaded.as_ref().ok());
        let state = document.map_or(Value::Null, |document| Value::Object(document.root().clone()));
        // As everything else that comes after a part, this is called whatever has happened.
        let after = self.tell_loading(cx, "after", source, state, controls, workers).await?;
        told?;
        match (loaded, after) {
            (Some(Ok(document)), Some(changed)) => Ok(Document::from_value(document.name(), changed)),
            (Some(loaded), _) => Ok(loaded),
            (None, _) => Err("it was not loaded".to_owned()),
        }
    }

    /// Gives what became of the experiment, if a control has changed it.
    async fn tell_loading(
        &self,
        cx: &Context,
        when: &str,
        source: &str,
        state: Value,
        controls: &[Control],
        workers: &PythonWorkers,
    ) -> Result<Option<Value>, String> {
        let mut given =
            Given { context: source.into(), state, settings: self.controls.settings().clone(), ..Given::default() };
        let func = format!("{when}_loading_experiment_control");
        let mut is_changed = false;
        for control in controls.iter().filter(|control| control.scope.is_none_or(|scope| scope.word() == when)) {
            let ControlProvider::Python { module, arguments } = &control.provider else { continue };
            let hook = Hook { module, func: &func, how: Hooking::Apply, arguments, given: &given };
            let why = match hook.run(cx, workers, Place::Foreground).await {
                Ok(told) => {
                    if let Some(why) = told.interrupt {
                        return Err(format!("the control `{}` has interrupted the loading: {why}", control.name));
                    }
                    if let Some(state) = told.changed.get("state") {
                        (given.state, is_changed) = (state.clone(), true);
                    }
                    told.failed
                }
                Err(PythonError::Exit(code)) => {
                    return Err(format!("the control `{}` asked to end, with exit code {code}", control.name));
                }
                Err(error) => Some(error.words()),
            };
            if let Some(why) = why {
                tracing::warn!("the control `{}` failed in `{func}`: {why}", control.name);
            }
        }
        Ok(is_changed.then_some(given.state))
    }
}
