//! One Python process: started, spoken to in lines, and ended with everything that it started.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chaos_core::{Error, ErrorKind};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, Command};
use tokio::sync::{mpsc, oneshot, watch};

use super::protocol::{self, Answer, Line, READY};
use crate::inputs::Environment;
use crate::mask::Masker;

/// What runs in the process.
const RUNNER: &str = concat!(include_str!("runner.py"), "\n\n", include_str!("hooks.py"), "\n\nmain()\n");
/// How long a line of the error output may be to be masked as a whole, and how much of it is shown.
const LONGEST_LINE: u64 = 64 << 10;
const SHOWN: usize = 2 << 10;
/// How long what is left of the error output may take to arrive when the process has ended.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// How long the process may take to end by itself when nothing is asked of it any more.
const FAREWELL: Duration = Duration::from_secs(1);

/// A Python process. Dropping it kills it with everything that it started.
#[derive(Debug)]
pub(super) struct Worker(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    python: PathBuf,
    /// The process and its group, as long as its number cannot belong to another.
    leader: Mutex<Option<Pid>>,
    /// Where requests go. Without it the process is told that there are no more.
    requests: Mutex<Option<mpsc::UnboundedSender<String>>>,
    waiting: Mutex<Waiting>,
    next: AtomicU64,
    has_ended: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Waiting {
    answers: HashMap<u64, oneshot::Sender<Answer>>,
    /// Why the process was killed, where it was.
    killed: Option<String>,
    /// How the process ended, once it has.
    ended: Option<String>,
    /// What it wrote last to its error output.
    last_line: String,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Worker {
    /// Starts a process. The answer with which it says that it is there comes later.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(super) fn start(
        python: &Path,
        environment: &Environment,
        masker: &Masker,
        leave: watch::Sender<Option<i32>>,
    ) -> Result<(Self, oneshot::Receiver<Answer>), Error> {
        let cannot = || Error::new(ErrorKind::Failed, format!("cannot start Python, `{}`", python.display()));
        let mut child = Command::new(python)
            .arg("-c")
            .arg(RUNNER)
            .env_clear()
            .envs(environment.iter())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| cannot().caused_by(error))?;
        let leader = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
        let (Some(stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(cannot());
        };
        let (requests, lines) = mpsc::unbounded_channel();
        let (tell, ready) = oneshot::channel();
        let waiting = Waiting { answers: HashMap::from([(READY, tell)]), ..Waiting::default() };
        let shared = Arc::new(Shared {
            python: python.to_owned(),
            leader: Mutex::new(leader),
            requests: Mutex::new(Some(requests)),
            waiting: Mutex::new(waiting),
            next: AtomicU64::new(READY + 1),
            has_ended: watch::Sender::new(false),
        });
        tokio::spawn(write(stdin, lines));
        let log = tokio::spawn(log(stderr, Arc::clone(&shared), masker.line_by_line()));
        let attended = Arc::clone(&shared);
        tokio::spawn(async move {
            let broken = attended.hear(BufReader::new(stdout), &leave).await.err();
            let status = attended.end(&mut child).await;
            // What it said last may be why. Who has left the group can keep the output open.
            let _ = tokio::time::timeout(LAST_WORDS, log).await;
            attended.tell_end(broken, status);
        });
        Ok((Self(shared), ready))
    }

    /// Sends a request, which `make` makes with its number.
    pub(super) fn ask(&self, make: impl FnOnce(u64) -> String) -> (u64, oneshot::Receiver<Answer>) {
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let (tell, answer) = oneshot::channel();
        let mut waiting = lock(&self.0.waiting);
        // An answer that nobody can give any more is dropped here, which is an answer as well.
        if waiting.ended.is_none() {
            waiting.answers.insert(id, tell);
        }
        drop(waiting);
        self.0.send(make(id));
        (id, answer)
    }

    /// Interrupts a request, whose answer tells when it has ended.
    pub(super) fn interrupt(&self, id: u64) {
        self.0.send(protocol::cancel(id));
    }

    /// Nobody waits for this answer any more.
    pub(super) fn forget(&self, id: u64) {
        lock(&self.0.waiting).answers.remove(&id);
    }

    /// Whether it can be asked.
    pub(super) fn is_there(&self) -> bool {
        let waiting = lock(&self.0.waiting);
        waiting.ended.is_none() && waiting.killed.is_none()
    }

    /// Ends it and everything that it started, for this reason.
    pub(super) fn kill(&self, why: String) {
        lock(&self.0.waiting).killed.get_or_insert(why);
        self.0.kill();
    }

    /// How it ended, in words, once it has.
    pub(super) fn how_it_ended(&self) -> String {
        let waiting = lock(&self.0.waiting);
        waiting.killed.clone().or_else(|| waiting.ended.clone()).unwrap_or_else(|| "Python has ended".to_owned())
    }

    /// Lets it end by itself, as a program that has nothing more to do; and what does not end is killed.
    pub(super) async fn close(&self) {
        lock(&self.0.requests).take();
        let mut ended = self.0.has_ended.subscribe();
        let _ = tokio::time::timeout(FAREWELL, ended.wait_for(|ended| *ended)).await;
        self.0.kill();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        lock(&self.0.requests).take();
        self.0.kill();
    }
}

impl Shared {
    fn send(&self, line: String) {
        if let Some(requests) = &*lock(&self.requests) {
            // It fails only if the process has ended, of which everybody who waits is told.
            let _ = requests.send(line);
        }
    }

    fn kill(&self) {
        if let Some(leader) = *lock(&self.leader) {
            // It fails only if nobody is left in it.
            let _ = killpg(leader, Signal::SIGKILL);
        }
    }

    /// Hands out answers until there are no more.
    async fn hear(
        &self,
        mut from: impl tokio::io::AsyncBufRead + Unpin + Send,
        leave: &watch::Sender<Option<i32>>,
    ) -> Result<(), Error> {
        while let Some(line) = protocol::read(&mut from).await? {
            match line {
                Line::Answer(id, answer) => {
                    let waits = lock(&self.waiting).answers.remove(&id);
                    // Whoever does not wait any more does not want it.
                    let _ = waits.map(|waits| waits.send(answer));
                }
                Line::Leave(code) => {
                    leave.send_if_modified(|known| known.replace(code).is_none_or(|known| known != code));
                }
            }
        }
        Ok(())
    }

    /// Ends whoever is left, and only then reads how the process ended: until that is read its number belongs to no
    /// other, so that killing the group cannot hit a stranger.
    async fn end(&self, child: &mut Child) -> Option<ExitStatus> {
        // It may be about to end by itself, and then it should be known how.
        tokio::time::sleep(Duration::from_millis(20)).await;
        self.kill();
        lock(&self.leader).take();
        child.wait().await.ok()
    }

    fn tell_end(&self, broken: Option<Error>, status: Option<ExitStatus>) {
        let mut waiting = lock(&self.waiting);
        let mut how = match (broken, status) {
            (Some(error), _) => format!("{error}; it was killed with everything that it started"),
            (None, Some(status)) => format!("Python, `{}`, ended in between: {status}", self.python.display()),
            (None, None) => format!("Python, `{}`, ended in between", self.python.display()),
        };
        if !waiting.last_line.is_empty() {
            how = format!("{how}; its last words: {}", waiting.last_line);
        }
        waiting.ended = Some(how);
        waiting.answers.clear();
        drop(waiting);
        self.has_ended.send_replace(true);
    }
}

/// Writes requests until there are no more, and then closes the pipe.
async fn write(mut to: ChildStdin, mut lines: mpsc::UnboundedReceiver<String>) {
    while let Some(mut line) = lines.recv().await {
        line.push('\n');
        if to.write_all(line.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Logs what the process writes to its error output, line by line and without secrets.
async fn log(from: ChildStderr, shared: Arc<Shared>, masker: Masker) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    let mut goes_on = false;
    loop {
        line.clear();
        match (&mut from).take(LONGEST_LINE).read_until(b'\n', &mut line).await {
            Ok(read) if read > 0 => {}
            _ => return,
        }
        // The rest of a line that is too long could begin with half of a secret.
        if std::mem::replace(&mut goes_on, !line.ends_with(b"\n")) {
            continue;
        }
        let text = masker.text(String::from_utf8_lossy(&line).trim_end());
        let shown = &text[..text.floor_char_boundary(SHOWN)];
        tracing::info!(target: "python", "{shown}");
        if !shown.is_empty() {
            shown.clone_into(&mut lock(&shared.waiting).last_line);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    use super::*;
    use crate::substitute::Variables;
    use serde_json::json;

    /// Keeps what is logged of Python.
    #[derive(Clone, Default)]
    struct Logged(Arc<Mutex<Vec<String>>>);

    impl Subscriber for Logged {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            metadata.target() == "python"
        }
        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }
        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, event: &Event<'_>) {
            event.record(&mut self.clone());
        }
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    impl Visit for Logged {
        fn record_debug(&mut self, _: &Field, value: &dyn Debug) {
            lock(&self.0).push(format!("{value:?}"));
        }
    }

    #[tokio::test]
    async fn what_python_writes_is_logged_line_by_line_without_secrets() {
        let mut variables = Variables::default();
        variables.secrets.insert("s".into(), json!({"a": "hunter2-long"}));
        let masker = Masker::new(&variables, []);
        let environment: Environment = Environment::of_process();
        let directory = tempfile::tempdir().unwrap();
        let python = directory.path().join("python");
        let script = "#!/bin/sh\necho it is hunter2-long >&2\nhead -c 200000 /dev/zero | tr '\\0' x >&2\necho >&2\necho end >&2\n";
        std::fs::write(&python, script).unwrap();
        std::fs::set_permissions(&python, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();

        let logged = Logged::default();
        let _guard = tracing::subscriber::set_default(logged.clone());
        let (worker, ready) =
            Worker::start(&python, &environment, &masker, watch::Sender::new(None)).expect("it can be started");
        assert!(ready.await.is_err(), "it says nothing and ends");
        let lines = lock(&logged.0).clone();
        assert_eq!(lines, ["it is ********", &"x".repeat(SHOWN), "end"], "a long line is cut");
        assert!(worker.how_it_ended().contains("exit status: 0; its last words: end"), "{}", worker.how_it_ended());
    }
}
