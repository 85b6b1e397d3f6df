//! What reaches beyond the VMs: processes on this machine, HTTP requests, and functions in Python.

mod custom;
mod http;
mod http_body;
mod native;
mod netrc;
mod process;
mod process_run;
mod python;

use std::time::Duration;

use chaos_core::{Context, Error, ErrorKind};
use serde_json::{Map, Value};

use crate::error::Finding;
use crate::native::Reading;

use custom::CustomCall;
pub use custom::{Provider, Providers};
use http::HttpCall;
pub(crate) use http::HttpClients;
pub(crate) use native::MODULE as NATIVE_PROBES;
use native::NativeProbe;
use process::ProcessCall;
pub(crate) use process::is_program;
pub(crate) use python::{Given, Hook, Hooking, Place, PythonCall, PythonError, PythonWorkers, check_control, validate};

/// The types of providers that are read here.
pub(crate) const TYPES: [&str; 3] = ["python", "process", "http"];

/// A call of a provider with all its values.
#[derive(Debug, Clone)]
pub(crate) enum ProviderCall {
    Process(ProcessCall),
    Http(Box<HttpCall>),
    Python(Box<PythonCall>),
    Custom(CustomCall),
    Native(NativeProbe),
}

impl ProviderCall {
    /// Reads a declared provider of one of [`TYPES`], or of those that were brought along. What is wrong with it goes to the findings.
    pub(crate) fn read(
        kind: &str,
        provider: &Map<String, Value>,
        place: &str,
        reading: &mut Reading<'_>,
    ) -> Option<Self> {
        let mut fields = Fields { provider, place, reading };
        match kind {
            "python" if NativeProbe::is_named(provider) => NativeProbe::read(&mut fields).map(Self::Native),
            "python" => PythonCall::read(&mut fields).map(Box::new).map(Self::Python),
            "http" => HttpCall::read(&mut fields).map(Box::new).map(Self::Http),
            "process" => ProcessCall::read(&mut fields).map(Self::Process),
            other => CustomCall::read(other, fields.reading.providers.get(other)?, &mut fields).map(Self::Custom),
        }
    }

    /// The type of the provider.
    pub(crate) fn provider(&self) -> &str {
        match self {
            Self::Process(_) => "process",
            Self::Http(_) => "http",
            Self::Python(_) => "python",
            Self::Native(_) => "native",
            Self::Custom(call) => call.kind(),
        }
    }

    /// The same with what it tells: the body of a request. A process has a file for it, and nothing else to read.
    pub(crate) fn telling(self, what: &Value) -> Self {
        match self {
            Self::Http(call) => Self::Http(Box::new(call.telling(what))),
            Self::Process(call) => Self::Process(call.without_input()),
            other => other,
        }
    }

    /// What it does, in words. May hold secrets.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Process(call) => format!("runs `{}`", call.command_line()),
            Self::Http(call) => format!("sends {} {}", call.method(), call.url()),
            Self::Native(call) => call.words(),
            Self::Python(call) => format!("calls `{}` in Python", call.name()),
            Self::Custom(call) => format!("asks for `{}`", call.kind()),
        }
    }

    /// Carries it out, within its own time limit.
    ///
    /// # Errors
    /// If the process could not be started or did not end in time, or if the request has no answer. How a process ends,
    /// and the status of an answer, are no errors. Errors of both are [`PythonError::Other`].
    pub(crate) async fn run(
        &self,
        cx: &Context,
        clients: &HttpClients,
        workers: &PythonWorkers,
        place: Place,
    ) -> Result<Value, PythonError> {
        match self {
            Self::Process(call) => Ok(process_run::run(cx, call).await.map_err(|error| match error.kind() {
                ErrorKind::Timeout => in_front("process activity took too long to complete", &error),
                _ => error,
            })?),
            Self::Http(call) => Ok(call.send(cx, clients).await?),
            Self::Native(call) => Ok(call.run(cx).await?),
            Self::Python(call) => call.run(cx, workers, place).await,
            Self::Custom(call) => Ok(call.run(cx).await?),
        }
    }
}

/// How long a call may take that has no limit.
pub(crate) const FOR_EVER: Duration = Duration::from_hours(24 * 365);

/// The same error with the words in front that people look for in a journal of Chaos Toolkit.
fn in_front(words: &str, error: &Error) -> Error {
    Error::new(error.kind(), format!("{words}: {}", error.with_causes()))
}

/// The fields of a declared provider.
struct Fields<'a, 'r> {
    provider: &'a Map<String, Value>,
    place: &'a str,
    reading: &'a mut Reading<'r>,
}

impl<'a> Fields<'a, '_> {
    /// A field as it is written. Null is the same as absent.
    fn get(&self, name: &str) -> Option<&'a Value> {
        self.provider.get(name).filter(|value| !value.is_null())
    }

    /// A text that has to be there, as it is written.
    fn required_text(&mut self, name: &str) -> Option<&'a str> {
        let text = self.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        if text.is_none() {
            self.refuse(name, format!("a provider of this type needs `{name}`, which is a text"));
        }
        text
    }

    /// A field with names substituted, if anything is declared that they could stand for.
    fn substituted(&mut self, name: &str) -> Option<Value> {
        let declared = self.get(name)?;
        let substituted = self.reading.variables.substitute(declared);
        self.unresolved(name, &substituted.unresolved);
        Some(substituted.value).filter(|value| !value.is_null())
    }

    /// The same where `$$` is a dollar sign also if nothing is declared.
    fn always_substituted(&mut self, name: &str) -> Option<Value> {
        let declared = self.get(name)?;
        let substituted = self.reading.variables.substitute_always(declared);
        self.unresolved(name, &substituted.unresolved);
        Some(substituted.value).filter(|value| !value.is_null())
    }

    /// Names that stand for nothing stay as they are written, since a script may be full of them. What an action would do with
    /// one is not guessed, where the rules say so.
    fn unresolved<'n>(&mut self, field: &str, names: impl IntoIterator<Item = &'n String>) {
        for name in names {
            let hint = format!("declare `{name}` under `configuration`, or write `$${{{name}}}`");
            if self.reading.refuses_unresolved {
                let place = format!("{}/{field}", self.place);
                let finding = Finding::error(place, format!("`${{{name}}}` stands for nothing"));
                self.reading.findings.push(finding.hint(hint));
            } else {
                self.warn(field, format!("`${{{name}}}` stands for nothing and stays as it is written"), &hint);
            }
        }
    }

    fn warn(&mut self, field: &str, message: impl Into<String>, hint: &str) {
        let place = format!("{}/{field}", self.place);
        self.reading.findings.push(Finding::warning(place, message).hint(hint));
    }

    fn refuse(&mut self, field: &str, message: impl Into<String>) {
        self.reading.findings.push(Finding::error(format!("{}/{field}", self.place), message));
    }
}
