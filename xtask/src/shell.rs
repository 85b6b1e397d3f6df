//! Child processes: passing their output on line by line, counting it, and ending those that hang.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::say;
use crate::tally::{Runner, Tally};

/// The cargo that runs us, so that the toolchain stays the same.
pub(crate) fn cargo() -> Command {
    let name = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(name);
    // These describe xtask itself; a build script or a test that reads them would see the wrong package.
    command.env_remove("CARGO_MANIFEST_DIR").env_remove("CARGO_PKG_NAME").env_remove("CARGO_PKG_VERSION");
    command
}

/// Runs a command to its end, shows its output and returns its count.
///
/// A command that cannot be started, or is ended because it took longer than `limit`, is a failure of that count.
pub(crate) fn count(command: &mut Command, runner: Runner, limit: Duration) -> Tally {
    let mut tally = Tally::default();
    match stream(command, limit, |line| tally.read(runner, line)) {
        Ok(status) => {
            if !status.success() {
                say::line(format_args!("`{}` failed: {status}", shown(command)));
            }
            tally.close(runner, status.success())
        }
        Err(error) => {
            say::line(format_args!("{error:#}"));
            tally.close(runner, false)
        }
    }
}

/// Runs a command quietly and returns what it wrote to stdout; a failure carries what it wrote to stderr.
pub(crate) fn capture(command: &mut Command, limit: Duration) -> Result<String> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (status, (out, err)) = guarded(child, limit, || {
        thread::scope(|scope| {
            let errors = scope.spawn(|| all(stderr));
            let out = all(stdout);
            (out, errors.join().unwrap_or_default())
        })
    })?;
    ensure!(status.success(), "`{}` failed ({status}): {}", shown(command), err.trim());
    Ok(out)
}

/// The command as a person would type it.
pub(crate) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let text = words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(160) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

/// Whether the command can be started and succeeds; its output is dropped.
pub(crate) fn works(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs a command, passes each line of both its streams on to stdout and to `seen`.
pub(crate) fn stream(command: &mut Command, limit: Duration, mut seen: impl FnMut(&str)) -> Result<ExitStatus> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (status, ()) = guarded(child, limit, || {
        let (sender, lines) = mpsc::channel::<String>();
        thread::scope(|scope| {
            let other = sender.clone();
            scope.spawn(move || forward(stdout, &sender));
            scope.spawn(move || forward(stderr, &other));
            for line in lines {
                say::line(&line);
                seen(&line);
            }
        });
    })?;
    Ok(status)
}

/// Does `work` (which reads the child's pipes to their end) and waits for the child, which is killed after `limit`.
fn guarded<T>(child: std::process::Child, limit: Duration, work: impl FnOnce() -> T) -> Result<(ExitStatus, T)> {
    let child = Arc::new(Mutex::new(child));
    let (done, finished) = mpsc::channel::<()>();
    let watched = Arc::clone(&child);
    let watchdog = thread::spawn(move || {
        let expired = finished.recv_timeout(limit) == Err(RecvTimeoutError::Timeout);
        if expired {
            // A child that has just ended cannot be killed, and need not be.
            let _ = watched.lock().unwrap_or_else(PoisonError::into_inner).kill();
        }
        expired
    });
    let result = work();
    drop(done);
    let expired = watchdog.join().unwrap_or(false);
    let status =
        child.lock().unwrap_or_else(PoisonError::into_inner).wait().context("cannot wait for a child process")?;
    ensure!(!expired, "ended after {} s without a result", limit.as_secs());
    Ok((status, result))
}

fn forward(pipe: Option<impl Read>, lines: &mpsc::Sender<String>) {
    let Some(pipe) = pipe else { return };
    let mut reader = BufReader::new(pipe);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&line);
        if lines.send(text.trim_end_matches(['\n', '\r']).to_owned()).is_err() {
            return;
        }
        line.clear();
    }
}

fn all(pipe: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        // What was read before an error is still worth showing.
        let _ = pipe.read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::{capture, count};
    use crate::tally::{Runner, Tally};

    const LIMIT: Duration = Duration::from_secs(30);

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn both_streams_are_counted() {
        let tally = count(&mut sh("echo ok one; echo skip two >&2; echo not ok three"), Runner::Lines, LIMIT);
        assert_eq!(tally, Tally { passed: 1, failed: 1, skipped: 1 });
    }

    #[test]
    fn a_command_that_hangs_is_ended_and_counts_as_failed() {
        let tally = count(&mut sh("echo ok early; exec sleep 600"), Runner::Lines, Duration::from_millis(200));
        assert_eq!(tally, Tally { passed: 1, failed: 1, skipped: 0 });
    }

    #[test]
    fn a_command_that_does_not_exist_counts_as_failed() {
        assert_eq!(count(&mut Command::new("no-such-command-here"), Runner::Check, LIMIT), Tally::check(false));
    }

    #[test]
    fn captured_failures_carry_the_reason() {
        let error = capture(&mut sh("echo reason >&2; exit 3"), LIMIT).unwrap_err().to_string();
        assert!(error.contains("reason") && error.contains('3'), "{error}");
    }
}
