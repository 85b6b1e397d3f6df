//! The Python process of a run: which Python it is, and that there is never more than one.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chaos_core::Context;
use tokio::sync::{Mutex, MutexGuard, watch};

use super::PythonError;
use super::protocol::Answer;
use super::worker::Worker;
use crate::inputs::Environment;
use crate::mask::Masker;
use crate::provider::process;

/// The environment variable that names the Python to use.
const VARIABLE: &str = "CHAOSMONKEY_PYTHON";
const PROGRAM: &str = "python3";
/// How long Python may take to start.
const START: Duration = Duration::from_secs(30);

/// The Python process of a run, started when it is first needed: a run without such activities needs no Python. There is one
/// for all activities, because modules keep what one leaves for the next. Dropping it ends the process.
pub(crate) struct PythonWorkers {
    environment: Environment,
    masker: Masker,
    worker: Mutex<Option<Arc<Worker>>>,
    foreground: Mutex<()>,
    exit: watch::Sender<Option<i32>>,
}

impl PythonWorkers {
    /// A process that will have this environment, and whose error output is logged without the secrets of `masker`.
    pub(crate) fn new(environment: Environment, masker: Masker) -> Self {
        Self {
            environment,
            masker,
            worker: Mutex::default(),
            foreground: Mutex::default(),
            exit: watch::Sender::new(None),
        }
    }

    /// Waits until something in Python wants the run to end, and gives its exit code: 20 for gracefully, 30 for without
    /// rollbacks. That is how `SIGUSR1` and `SIGUSR2` are taken, which `chaoslib.exit` sends to its own process; a `SIGTERM`
    /// gives 143.
    pub(crate) async fn exit_asked(&self) -> i32 {
        let mut asked = self.exit.subscribe();
        let code = asked.wait_for(Option::is_some).await.ok().and_then(|code| *code);
        match code {
            Some(code) => code,
            None => std::future::pending().await,
        }
    }

    /// Lets Python end by itself, now that nothing more is asked of it; it is killed if it does not.
    pub(crate) async fn close(&self) {
        let worker = self.worker.lock().await.take();
        if let Some(worker) = worker {
            worker.close().await;
        }
    }

    /// The right to be the one in the foreground.
    pub(super) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.foreground.lock().await
    }

    /// Starts the process ahead of the first call. What keeps it from starting is told by that call.
    pub(crate) async fn warm_up(&self, cx: &Context) {
        if let Err(error) = self.worker(cx).await {
            tracing::debug!("Python is not there: {}", error.words());
        }
    }

    /// The process; a new one where there is none any more.
    pub(super) async fn worker(&self, cx: &Context) -> Result<Arc<Worker>, PythonError> {
        let mut current = cx.bounded("waiting for Python", self.worker.lock()).await?;
        if let Some(worker) = current.as_ref().filter(|worker| worker.is_there()) {
            return Ok(Arc::clone(worker));
        }
        *current = None;
        let python = self.python()?;
        let (worker, ready) = Worker::start(&python, &self.environment, &self.masker, self.exit.clone())
            .map_err(|error| PythonError::Broken(error.with_causes()))?;
        let starting = format!("starting Python, `{}`", python.display());
        match cx.limit(START).bounded(&starting, ready).await? {
            Ok(Answer::Returned(which)) => tracing::debug!(target: "python", %which, "Python is there"),
            _ => return Err(PythonError::Broken(format!("cannot start Python: {}", worker.how_it_ended()))),
        }
        Ok(Arc::clone(current.insert(Arc::new(worker))))
    }

    /// Whether there is a Python at all.
    pub(super) fn can_start(&self) -> bool {
        self.python().is_ok()
    }

    /// The Python to use.
    fn python(&self) -> Result<PathBuf, PythonError> {
        let named = self.environment.get(VARIABLE).filter(|named| !named.is_empty());
        let places = self.environment.get("PATH").map(OsStr::new);
        let found = process::find_in(Path::new(named.unwrap_or(PROGRAM)), places);
        found.ok_or_else(|| {
            PythonError::Broken(match named {
                Some(named) => format!("there is no program `{named}`, which {VARIABLE} names as the Python to use"),
                None => format!(
                    "there is no Python: `{PROGRAM}` is not in {}; install Python 3.8 or newer, or name one in {VARIABLE}",
                    places.unwrap_or(OsStr::new(process::DEFAULT_PATH)).display()
                ),
            })
        })
    }
}
