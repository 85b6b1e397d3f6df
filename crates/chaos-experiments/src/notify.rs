//! Notifications: what becomes of a run or a validation, told to servers and to functions in Python.

use std::fmt;
use std::time::Duration;

use chaos_core::Context;
use chaos_http::{Client, Config, HeaderName, HeaderValue, Method, PlainHttp, Request, SafeUrl, TlsTrust, Url};
use serde_json::{Map, Value, json};

use crate::configuration;
use crate::document::Document;
use crate::inputs::{Environment, Inputs};
use crate::journal::Journal;
use crate::mask::{Masker, is_secret_name};
use crate::provider::{Place, PythonCall, PythonWorkers};
use crate::python;

/// How long a server may take to be reached, and to say nothing.
const CONNECT: Duration = Duration::from_secs(2);
const SILENCE: Duration = Duration::from_secs(5);
/// How long a server may take as a whole.
const WHOLE: Duration = Duration::from_secs(10);
/// How long a function in Python may take. Nothing else goes on meanwhile.
const PLUGIN: Duration = Duration::from_secs(30);

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// An experiment was loaded and is about to run.
    RunStarted,
    /// It has completed.
    RunCompleted,
    /// It has ended in another way.
    RunFailed,
    /// The steady state was lost; told beside one of the two.
    RunDeviated,
    /// An experiment was loaded and is about to be checked.
    ValidateStarted,
    /// It is valid.
    ValidateCompleted,
    /// It is not valid.
    ValidateFailed,
}

impl Notice {
    /// The word in the settings and in what is sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RunStarted => "run-started",
            Self::RunCompleted => "run-completed",
            Self::RunFailed => "run-failed",
            Self::RunDeviated => "run-deviated",
            Self::ValidateStarted => "validate-started",
            Self::ValidateCompleted => "validate-completed",
            Self::ValidateFailed => "validate-failed",
        }
    }

    fn phase(self) -> &'static str {
        match self {
            Self::RunStarted | Self::RunCompleted | Self::RunFailed | Self::RunDeviated => "run",
            Self::ValidateStarted | Self::ValidateCompleted | Self::ValidateFailed => "validate",
        }
    }
}

/// The channels that are declared under `notifications` in the settings of Chaos Toolkit. `Debug` shows their number only.
#[derive(Clone, Default)]
pub struct Notifications {
    channels: Vec<Value>,
    environment: Environment,
}

impl Notifications {
    /// The channels in `declared`, a list. Functions in Python are called in this environment.
    #[must_use]
    pub fn new(declared: &Value, environment: Environment) -> Self {
        Self { channels: declared.as_array().cloned().unwrap_or_default(), environment }
    }

    /// Tells of an experiment, without its secrets. `error` says why it is not valid.
    pub async fn tell(&self, cx: &Context, notice: Notice, document: &Document, inputs: &Inputs, error: Option<&str>) {
        if self.channels.is_empty() {
            return;
        }
        let variables = configuration::resolve(document.root(), inputs, &mut Vec::new());
        let secrets = inputs.environment.secrets().map(str::to_owned);
        let masker = Masker::new(&variables, secrets);
        let error = error.map(|error| masker.text(error));
        self.send(cx, notice, masker.document(document.root()), error.as_deref()).await;
    }

    /// Tells of a run that has ended.
    pub async fn tell_end(&self, cx: &Context, journal: &Journal) {
        if self.channels.is_empty() {
            return;
        }
        let shown = serde_json::to_value(journal).unwrap_or_default();
        let completed = journal.status == chaos_core::RunStatus::Completed;
        let notice = if completed { Notice::RunCompleted } else { Notice::RunFailed };
        self.send(cx, notice, shown.clone(), None).await;
        if journal.deviated {
            self.send(cx, Notice::RunDeviated, shown, None).await;
        }
    }

    /// What goes wrong is logged and changes nothing.
    async fn send(&self, cx: &Context, notice: Notice, payload: Value, error: Option<&str>) {
        #[expect(clippy::cast_precision_loss, reason = "exact to the microsecond for the next two centuries")]
        let at = cx.now().as_microsecond() as f64 / 1e6;
        let mut event = json!({"name": notice.as_str(), "payload": payload, "phase": notice.phase(), "ts": at});
        if let Some(error) = error {
            event["error"] = error.into();
        }
        for channel in &self.channels {
            let Some(channel) = channel.as_object() else {
                tracing::warn!("a notification is a mapping with a type, and one is not");
                continue;
            };
            if !wants(channel, notice) {
                continue;
            }
            let text = |key: &str| channel.get(key).and_then(Value::as_str).unwrap_or_default();
            let told = match text("type") {
                "http" => over_http(cx, channel, &event).await,
                "plugin" => self.in_python(cx, channel, &event).await,
                other => Err(format!("`{other}` is no type of a notification: there are http and plugin")),
            };
            if let Err(why) = told {
                let masker = Masker::new(&crate::substitute::Variables::default(), secrets(channel));
                tracing::warn!("the notification of {} was not sent: {}", notice.as_str(), masker.text(&why));
            }
        }
    }

    async fn in_python(&self, cx: &Context, channel: &Map<String, Value>, event: &Value) -> Result<(), String> {
        let text = |key: &str| channel.get(key).and_then(Value::as_str);
        let module = text("module").ok_or("a plugin needs a `module`")?;
        let call = PythonCall::of_plugin(module, text("func").unwrap_or("notify"), channel, event);
        let workers = PythonWorkers::new(self.environment.clone(), Masker::default());
        let cx = cx.detached(PLUGIN);
        let called = call.run(&cx, &workers, Place::Foreground).await;
        workers.close().await;
        called.map(drop).map_err(|error| error.words())
    }
}

impl fmt::Debug for Notifications {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Notifications({} channels)", self.channels.len())
    }
}

/// No events, or an empty list of them, are all.
fn wants(channel: &Map<String, Value>, notice: Notice) -> bool {
    let events = channel.get("events").filter(|events| python::truthy(events));
    match events {
        None => true,
        Some(Value::Array(events)) => events.iter().any(|event| event == notice.as_str()),
        Some(Value::String(events)) => events.contains(notice.as_str()),
        Some(_) => false,
    }
}

/// The values of headers that a message must not repeat.
fn secrets(channel: &Map<String, Value>) -> Vec<String> {
    let headers = channel.get("headers").and_then(Value::as_object).into_iter().flatten();
    headers.filter(|(name, _)| is_secret_name(name)).map(|(_, value)| python::text(value)).collect()
}

async fn over_http(cx: &Context, channel: &Map<String, Value>, event: &Value) -> Result<(), String> {
    let url = channel.get("url").and_then(Value::as_str).ok_or("it needs a `url`")?;
    let url = Url::parse(url).map_err(|error| format!("its `url` is none: {error}"))?;
    let flag = |key: &str| channel.get(key).is_none_or(python::truthy);
    let mut config = Config::probe();
    config.limits.connect = CONNECT;
    config.retry.attempts = 1;
    config.plain_http = PlainHttp::Anywhere;
    if !flag("verify_tls") {
        config.trust = TlsTrust::Insecure;
    }
    let client = Client::new(config).map_err(|error| chaos_core::Error::from(error).with_causes())?;
    let posts = flag("forward_event_payload");
    let method = if posts { Method::POST } else { Method::GET };
    let mut request = Request::new(method, SafeUrl::from(url), "notification").read_limit(SILENCE).total_limit(WHOLE);
    if posts {
        request = request.body("application/json", event.to_string());
    }
    for (name, value) in channel.get("headers").and_then(Value::as_object).into_iter().flatten() {
        let header = HeaderName::from_bytes(name.as_bytes()).ok();
        let value = HeaderValue::from_bytes(python::text(value).as_bytes()).ok();
        let (header, mut value) = header.zip(value).ok_or_else(|| format!("its header `{name}` cannot be sent"))?;
        value.set_sensitive(true);
        request = request.header(header, value);
    }
    let answer = client.fetch(&cx.detached(WHOLE), &request).await;
    let status = answer.map_err(|error| chaos_core::Error::from(error).with_causes())?.status();
    if status.is_client_error() || status.is_server_error() {
        return Err(format!("the server answered with status {}", status.as_u16()));
    }
    Ok(())
}
