//! Provider `python`: a function of any Python module, called in the one Python process of a run, as Chaos Toolkit calls it.

mod check;
mod hook;
mod protocol;
mod worker;
mod workers;

use std::time::Duration;

use chaos_core::{Context, Error};
use serde_json::{Map, Value};
use tokio::sync::oneshot;

use super::{Fields, http};
use protocol::{Answer, Called};
use worker::Worker;

pub(crate) use check::{check_control, validate};
pub(crate) use hook::{Hook, Hooking};
pub(crate) use protocol::Given;
pub(crate) use workers::PythonWorkers;

/// How long a call that is interrupted may take to clean up. Python's own `subprocess.run` needs a quarter of a second.
const GRACE: Duration = Duration::from_millis(500);
/// What a shell says of a program that Ctrl-C has ended.
const INTERRUPTED: i32 = 130;

/// A function to call, with all its values.
#[derive(Debug, Clone)]
pub(crate) struct PythonCall {
    /// Where the provider is declared.
    place: String,
    module: String,
    func: String,
    arguments: Map<String, Value>,
    /// Arguments without names, before the others.
    unnamed: Vec<Value>,
    /// The configuration, for a function that takes it.
    configuration: Map<String, Value>,
    /// The listed scopes of the secrets as one mapping, for a function that takes it.
    secrets: Option<Map<String, Value>>,
}

/// Where in Python a function runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the main thread, one after the other.
    Foreground,
    /// In a thread of its own, at once.
    Background,
}

/// Why a call gave nothing.
#[derive(Debug)]
pub(crate) enum PythonError {
    /// The function raised an exception: the activity failed.
    Failed {
        /// The type and the text of the exception.
        message: String,
        /// The traceback, for the record.
        lines: Vec<String>,
    },
    /// There was no call, or no end of it: no Python, no such function, a process that died.
    Broken(String),
    /// The function asked to end the run with this code; 30 means without rollbacks.
    Exit(i32),
    /// Everything else: the time is over, or the call was cancelled.
    Other(Error),
}

impl PythonError {
    /// Why, in words.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Failed { message: why, .. } | Self::Broken(why) => why.clone(),
            Self::Exit(code) => format!("it asked to end the run, with exit code {code}"),
            Self::Other(error) => error.with_causes(),
        }
    }
}

impl From<Error> for PythonError {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl PythonCall {
    pub(super) fn read(fields: &mut Fields<'_, '_>) -> Option<Self> {
        let (module, func) = (fields.required_text("module"), fields.required_text("func"));
        let arguments = match fields.substituted("arguments") {
            None => Some(Map::new()),
            Some(Value::Object(arguments)) => Some(arguments),
            Some(_) => {
                fields.refuse("arguments", "arguments are a mapping of names to values");
                None
            }
        };
        if let Some(arguments) = &arguments {
            http::note_secrets(arguments, fields);
        }
        let secrets = read_secrets(fields);
        let configuration = fields.reading.variables.configuration.clone().into_iter().collect();
        Some(Self {
            place: fields.place.to_owned(),
            module: module?.to_owned(),
            func: func?.to_owned(),
            arguments: arguments?,
            unnamed: Vec::new(),
            configuration,
            secrets: secrets?,
        })
    }

    /// A notification: what it is told are its only two arguments, which have no names.
    pub(crate) fn of_plugin(module: &str, func: &str, channel: &Map<String, Value>, event: &Value) -> Self {
        Self {
            place: String::new(),
            module: module.to_owned(),
            func: func.to_owned(),
            arguments: Map::new(),
            unnamed: vec![Value::Object(channel.clone()), event.clone()],
            configuration: Map::new(),
            secrets: None,
        }
    }

    /// The function, for messages.
    pub(super) fn name(&self) -> String {
        format!("{}.{}", self.module, self.func)
    }

    fn called(&self) -> Called<'_> {
        Called {
            module: &self.module,
            func: &self.func,
            arguments: &self.arguments,
            unnamed: &self.unnamed,
            configuration: &self.configuration,
            secrets: self.secrets.as_ref(),
        }
    }

    /// Calls the function and gives what it returned. What JSON cannot hold has become a text.
    ///
    /// # Errors
    /// [`PythonError`]. If the time is over or the call is cancelled, Python is interrupted; and it is killed, with
    /// everything that it started, if that does not end the call.
    pub(crate) async fn run(&self, cx: &Context, workers: &PythonWorkers, place: Place) -> Result<Value, PythonError> {
        match self.ask(cx, workers, place, |id| self.called().call(id, place == Place::Background)).await? {
            Answer::Returned(value) => Ok(value),
            Answer::Failed { message, lines } => Err(PythonError::Failed { message, lines }),
            Answer::Broken(why) => Err(PythonError::Broken(why)),
            Answer::Exit(code) => Err(PythonError::Exit(code)),
            Answer::Interrupted => Err(PythonError::Exit(INTERRUPTED)),
        }
    }

    async fn ask(
        &self,
        cx: &Context,
        workers: &PythonWorkers,
        place: Place,
        request: impl FnOnce(u64) -> String + Send,
    ) -> Result<Answer, PythonError> {
        ask(cx, workers, place, &self.name(), request).await
    }
}

/// Has Python do what is asked; `name` is the function that it is about.
async fn ask(
    cx: &Context,
    workers: &PythonWorkers,
    place: Place,
    name: &str,
    request: impl FnOnce(u64) -> String + Send,
) -> Result<Answer, PythonError> {
    let doing = format!("running `{name}`");
    cx.check(&doing)?;
    let _turn = match place {
        Place::Foreground => Some(cx.bounded(&doing, workers.turn()).await?),
        Place::Background => None,
    };
    let worker = workers.worker(cx).await?;
    let (id, mut answer) = worker.ask(request);
    let mut asked = Asked { worker: &worker, id, place, over: false };
    match cx.bounded(&doing, &mut answer).await {
        Ok(answer) => {
            asked.over = true;
            answer.map_err(|_| PythonError::Broken(worker.how_it_ended()))
        }
        Err(error) => {
            let how = asked.give_up(answer, name).await;
            Err(PythonError::Other(Error::new(error.kind(), format!("{}; {how}", error.message()))))
        }
    }
}

/// The secrets of the listed scopes, a later one over an earlier one; none where no scopes are listed.
#[expect(clippy::option_option, reason = "the outer one is whether they can be read, as everywhere")]
fn read_secrets(fields: &mut Fields<'_, '_>) -> Option<Option<Map<String, Value>>> {
    let scopes = match fields.get("secrets") {
        None => return Some(None),
        Some(one @ Value::String(_)) => std::slice::from_ref(one),
        Some(Value::Array(scopes)) => scopes.as_slice(),
        Some(_) => &[Value::Null],
    };
    let mut secrets = Map::new();
    for scope in scopes {
        let Value::String(scope) = scope else {
            fields.refuse("secrets", "this has to be a list of scopes, which are keys under `secrets`");
            return None;
        };
        match fields.reading.variables.secrets.get(scope) {
            Some(Value::Object(values)) => secrets.extend(values.clone()),
            Some(_) => fields.refuse("secrets", format!("the scope `{scope}` is no mapping")),
            None => {
                let message = format!("there is no scope `{scope}`, so that nothing of it is handed over");
                fields.warn("secrets", message, "declare it under `secrets` of the experiment");
            }
        }
    }
    Some(Some(secrets))
}

/// A request under way.
struct Asked<'a> {
    worker: &'a Worker,
    id: u64,
    place: Place,
    /// Whether nothing is left to be ended.
    over: bool,
}

impl Asked<'_> {
    /// Interrupts what was asked, and kills the process if that is in vain. Says which of both it was.
    async fn give_up(&mut self, answer: oneshot::Receiver<Answer>, name: &str) -> &'static str {
        self.worker.interrupt(self.id);
        let ended = tokio::time::timeout(GRACE, answer).await;
        self.over = true;
        if ended.is_ok() {
            return "it was interrupted";
        }
        self.worker.kill(format!("Python was killed, because `{name}` had to end and did not"));
        "it did not heed the interruption, and Python was killed with everything that it started"
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.worker.forget(self.id);
            if self.place == Place::Foreground {
                // The next one in the foreground waits for it.
                self.worker.interrupt(self.id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::Environment;
    use crate::mask::Masker;
    use serde_json::json;
    use std::time::Instant;

    const MODULE: &str = "
import threading, time
barrier = threading.Barrier(3, timeout=20)
ended = []

def meet():
    return barrier.wait() in (0, 1, 2)

def spin():
    try:
        while True:
            time.sleep(0.01)
    finally:
        ended.append('spin')

def sleep():
    time.sleep(60)

def get_ended():
    return ended
";

    fn lab() -> (tempfile::TempDir, PythonWorkers, Context) {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("meeting.py"), MODULE).unwrap();
        let environment = Environment::of_process();
        let path = ("PYTHONPATH".to_owned(), directory.path().display().to_string());
        let all = environment.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).chain([path]);
        let workers = PythonWorkers::new(all.collect(), Masker::default());
        (directory, workers, Context::with_timeout(Duration::from_mins(1)))
    }

    fn call(func: &str) -> PythonCall {
        PythonCall {
            place: "/p".to_owned(),
            module: "meeting".to_owned(),
            func: func.to_owned(),
            arguments: Map::new(),
            unnamed: Vec::new(),
            configuration: Map::new(),
            secrets: None,
        }
    }

    #[tokio::test]
    async fn calls_in_the_background_run_at_once_and_beside_one_in_the_foreground() {
        let (_directory, workers, cx) = lab();
        let meet = call("meet");
        let (one, two, three) = tokio::join!(
            meet.run(&cx, &workers, Place::Background),
            meet.run(&cx, &workers, Place::Foreground),
            meet.run(&cx, &workers, Place::Background),
        );
        assert_eq!([one.unwrap(), two.unwrap(), three.unwrap()], [json!(true), json!(true), json!(true)]);
    }

    #[tokio::test]
    async fn a_call_in_the_background_is_interrupted_where_python_can_and_else_python_is_killed() {
        let (_directory, workers, cx) = lab();
        let began = Instant::now();
        call("get_ended").run(&cx, &workers, Place::Foreground).await.unwrap();
        let short = cx.limit(Duration::from_millis(500));
        let error = call("spin").run(&short, &workers, Place::Background).await.unwrap_err();
        assert!(matches!(error, PythonError::Other(error) if error.message().ends_with("; it was interrupted")));
        let ended = call("get_ended").run(&cx, &workers, Place::Foreground).await.unwrap();
        assert_eq!(ended, json!(["spin"]), "it is the same Python");

        let short = cx.limit(Duration::from_millis(500));
        let (asleep, beside) = (call("sleep"), call("sleep"));
        let (error, beside) =
            tokio::join!(asleep.run(&short, &workers, Place::Background), beside.run(&cx, &workers, Place::Foreground));
        assert!(matches!(error, Err(PythonError::Other(error)) if error.message().contains("Python was killed")));
        let expected = "Python was killed, because `meeting.sleep` had to end and did not";
        assert!(matches!(beside, Err(PythonError::Broken(why)) if why == expected));
        let ended = call("get_ended").run(&cx, &workers, Place::Foreground).await.unwrap();
        assert_eq!(ended, json!([]), "it is a new Python");
        assert!(began.elapsed() < Duration::from_secs(20));
    }

    #[tokio::test]
    async fn a_call_whose_caller_has_gone_does_not_keep_the_next_one_waiting() {
        let (_directory, workers, cx) = lab();
        assert_eq!(call("get_ended").run(&cx, &workers, Place::Foreground).await.unwrap(), json!([]));
        for place in [Place::Foreground, Place::Background] {
            let sleep = call("sleep");
            tokio::select! {
                _ = sleep.run(&cx, &workers, place) => panic!("it sleeps"),
                () = tokio::time::sleep(Duration::from_millis(200)) => {}
            }
        }
        let began = Instant::now();
        assert_eq!(call("get_ended").run(&cx, &workers, Place::Foreground).await.unwrap(), json!([]));
        assert!(began.elapsed() < Duration::from_secs(10));
    }
}
