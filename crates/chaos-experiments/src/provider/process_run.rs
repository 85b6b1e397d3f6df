//! Runs a process in a group of its own, so that its end is the end of everything that it started.

use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use chaos_core::{Context, Error, ErrorKind};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::{Map, Value};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Child;

use super::process::ProcessCall;

/// How many bytes are kept of each output. What comes after is read and dropped, so that the process can go on.
const KEPT: usize = 1 << 20;
/// How long a killed process may take to be gone. Longer only if the kernel itself is stuck with it.
const REAPING: Duration = Duration::from_secs(5);

/// Runs the process to its end.
///
/// # Errors
/// If it cannot be started; if its time is over or the call is cancelled, in which case it is killed with everything that
/// it started.
pub(super) async fn run(cx: &Context, call: &ProcessCall) -> Result<Value, Error> {
    let cx = cx.limit(call.limit);
    let running = format!("running `{}`", call.name());
    cx.check(&running)?;
    let mut child = call
        .command()
        .stdin(call.input())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| Error::new(ErrorKind::Failed, format!("cannot start `{}`", call.name())).caused_by(error))?;
    // Declared after the child, so that it is dropped before: whoever drops this call ends the group.
    let mut group = Group::led_by(&child);
    match cx.bounded(&running, to_its_end(&mut child)).await {
        Ok(ended) => {
            group.leader = None;
            let (status, stdout, stderr) = ended.map_err(|error| {
                Error::new(ErrorKind::Failed, format!("lost sight of `{}`", call.name())).caused_by(error)
            })?;
            Ok(output(status, &stdout, &stderr))
        }
        Err(error) => {
            group.kill();
            // Nothing else reads how it ended, and a dead process should not stay on the list.
            let _ = cx.detached(REAPING).bounded(&running, child.wait()).await;
            let message = format!("{}; it was killed with everything that it started", error.message());
            Err(Error::new(error.kind(), message))
        }
    }
}

/// Reads both outputs to their ends, and only then how the process ended: until that is read its number belongs to no
/// other process, so that killing the group cannot hit a stranger.
async fn to_its_end(child: &mut Child) -> std::io::Result<(ExitStatus, Kept, Kept)> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (stdout, stderr) = tokio::try_join!(keep(stdout), keep(stderr))?;
    Ok((child.wait().await?, stdout, stderr))
}

/// The group of a process, which is killed as a whole unless the process has ended.
struct Group {
    leader: Option<Pid>,
}

impl Group {
    fn led_by(child: &Child) -> Self {
        Self { leader: child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw) }
    }

    fn kill(&mut self) {
        if let Some(leader) = self.leader.take() {
            // It fails only if nobody is left in it.
            let _ = killpg(leader, Signal::SIGKILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The beginning of an output, and how many bytes came after it.
#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    left_out: u64,
}

async fn keep(from: Option<impl AsyncRead + Unpin>) -> std::io::Result<Kept> {
    let mut kept = Kept::default();
    let Some(mut from) = from else { return Ok(kept) };
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return Ok(kept);
        }
        let room = read.min(KEPT - kept.bytes.len());
        kept.bytes.extend_from_slice(&buffer[..room]);
        kept.left_out += (read - room) as u64;
        // A process that never stops talking must not keep the time limit from being looked at.
        tokio::task::yield_now().await;
    }
}

/// The output as Chaos Toolkit gives it. Where some of it was left out, that is said in a field of its own.
fn output(status: ExitStatus, stdout: &Kept, stderr: &Kept) -> Value {
    // What was killed by a signal has its negative number.
    let status = status.code().or_else(|| status.signal().map(|signal| -signal));
    let mut output = Map::new();
    output.insert("status".to_owned(), status.into());
    for (name, kept) in [("stdout", stdout), ("stderr", stderr)] {
        output.insert(name.to_owned(), String::from_utf8_lossy(&kept.bytes).into());
    }
    for (name, kept) in [("stdout_bytes_left_out", stdout), ("stderr_bytes_left_out", stderr)] {
        if kept.left_out > 0 {
            output.insert(name.to_owned(), kept.left_out.into());
        }
    }
    Value::Object(output)
}
