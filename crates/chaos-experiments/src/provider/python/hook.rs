//! Calls the functions of a control's module.

use chaos_core::Context;
use serde_json::{Map, Value};

use super::protocol::{Answer, Given, Hooked};
use super::{INTERRUPTED, Place, PythonError, PythonWorkers, ask};

/// What of a control's module is called.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Hooking {
    /// `configure_control`.
    Configure,
    /// A function for a part of the run.
    Apply,
    /// `cleanup_control`.
    Cleanup,
}

impl Hooking {
    fn word(self) -> &'static str {
        match self {
            Self::Configure => "configure",
            Self::Apply => "apply",
            Self::Cleanup => "cleanup",
        }
    }
}

/// One call of a control.
#[derive(Debug)]
pub(crate) struct Hook<'a> {
    pub(crate) module: &'a str,
    pub(crate) func: &'a str,
    pub(crate) how: Hooking,
    /// A mapping.
    pub(crate) arguments: &'a Value,
    pub(crate) given: &'a Given,
}

/// What became of a call.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// The words of the `InterruptExecution` that it raised.
    pub(crate) interrupt: Option<String>,
    /// Any other exception.
    pub(crate) failed: Option<String>,
    /// What is not as it was handed over, by name.
    pub(crate) changed: Map<String, Value>,
}

impl Hook<'_> {
    /// Makes the call. A module without such a function is well.
    ///
    /// # Errors
    /// There was no call, or no end of it.
    pub(crate) async fn run(&self, cx: &Context, workers: &PythonWorkers, place: Place) -> Result<Told, PythonError> {
        let Self { module, func, how, arguments, given } = self;
        let hooked = Hooked { module, func, style: how.word(), arguments, given };
        let name = format!("{module}.{func}");
        let answer = ask(cx, workers, place, &name, |id| hooked.call(id, place == Place::Background)).await?;
        let mut told = match answer {
            Answer::Returned(Value::Object(told)) => told,
            Answer::Returned(_) => return Err(PythonError::Broken("it gave an answer that means nothing".to_owned())),
            Answer::Failed { message, lines } => return Err(PythonError::Failed { message, lines }),
            Answer::Broken(why) => return Err(PythonError::Broken(why)),
            Answer::Exit(code) => return Err(PythonError::Exit(code)),
            Answer::Interrupted => return Err(PythonError::Exit(INTERRUPTED)),
        };
        let mut text = |key: &str| match told.remove(key) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let (interrupt, failed) = (text("interrupt"), text("failed"));
        let changed = match told.remove("changed") {
            Some(Value::Object(changed)) => changed,
            _ => Map::new(),
        };
        Ok(Told { interrupt, failed, changed })
    }
}
