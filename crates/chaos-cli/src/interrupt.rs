//! Ctrl-C, SIGTERM and a terminal that goes away: the first stops and puts back, a second one stops that too.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// How long after the first signal another one may be its echo.
const ECHO: Duration = Duration::from_secs(1);

/// How signals reach this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signals {
    /// One comes for each that is sent.
    Own,
    /// A terminal or a service manager may send one to this process, and the supervising process may forward the same.
    Forwarded,
    /// One comes for each that is sent, and a terminal that goes away is no reason to stop: what this puts back would stay
    /// changed.
    WithoutHangup,
    /// As in Chaos Toolkit, which knows two more: SIGUSR1 interrupts, and SIGUSR2 does so without waiting for anything and
    /// without rollbacks.
    Toolkit,
}

/// Listens for signals from [`Interrupts::listen`] until it is dropped.
///
/// SIGHUP, which comes when a terminal or a connection to one goes away, counts as the first interrupt and never as the second:
/// nobody chose it, and the shell and the kernel may both send one.
pub(crate) struct Interrupts {
    first: CancellationToken,
    second: CancellationToken,
    abandon: CancellationToken,
    listeners: Vec<JoinHandle<()>>,
}

impl Interrupts {
    /// Starts to listen. `on_first` is said when the first signal comes.
    pub(crate) fn listen(output: Output, on_first: &'static str) -> Result<Self, Failure> {
        Self::listen_as(Signals::Own, output, on_first)
    }

    /// The same for a process whose signals may come twice.
    pub(crate) fn listen_as(signals: Signals, output: Output, on_first: &'static str) -> Result<Self, Failure> {
        let cannot = |error: std::io::Error| Failure::new(Exit::Failed, format!("cannot listen for signals: {error}"));
        let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
        // Whoever starts this with nohup wants it to go on.
        let mut hangup = if ignores_hangup() { None } else { Some(signal(SignalKind::hangup()).map_err(cannot)?) };
        if signals == Signals::WithoutHangup {
            // It was listened for above, so it ends nothing any more.
            hangup = None;
        }
        let [first, second, abandon] = [(); 3].map(|()| CancellationToken::new());
        let mut listeners = Vec::new();
        let mut graceful = None;
        if signals == Signals::Toolkit {
            graceful = Some(signal(SignalKind::user_defined1()).map_err(cannot)?);
            let mut ungraceful = signal(SignalKind::user_defined2()).map_err(cannot)?;
            let tokens = (first.clone(), abandon.clone());
            listeners.push(tokio::spawn(async move {
                ungraceful.recv().await;
                tokens.1.cancel();
                tokens.0.cancel();
            }));
        }
        let tokens = (first.clone(), second.clone());
        listeners.push(tokio::spawn(async move {
            tokio::select! {
                () = either(&mut interrupt, &mut terminate) => {}
                () = come(hangup.as_mut()) => {}
                () = come(graceful.as_mut()) => {}
            }
            // First, since somebody may be writing to the terminal for long.
            tokens.0.cancel();
            output.note(on_first);
            if signals == Signals::Forwarded {
                tokio::time::sleep(ECHO).await;
                // What came in the meantime was the first one once more.
                let anew = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
                let (Ok(int), Ok(term)) = anew else { return };
                (interrupt, terminate) = (int, term);
            }
            tokio::select! {
                () = either(&mut interrupt, &mut terminate) => {}
                () = come(graceful.as_mut()) => {}
            }
            tokens.1.cancel();
        }));
        Ok(Self { first, second, abandon, listeners })
    }

    /// Cancelled by the first signal.
    pub(crate) fn first(&self) -> &CancellationToken {
        &self.first
    }

    /// Cancelled by the second signal.
    pub(crate) fn second(&self) -> &CancellationToken {
        &self.second
    }

    /// Cancelled by SIGUSR2, where that is listened for.
    pub(crate) fn abandon(&self) -> &CancellationToken {
        &self.abandon
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        for listener in &self.listeners {
            listener.abort();
        }
    }
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// Waits for a signal, if it is listened for.
pub(crate) async fn come(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Whether this process was started to ignore SIGHUP, as far as the system tells.
pub(crate) fn ignores_hangup() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores_hangup_by(&status))
}

/// `SigIgn` is a bit mask in hexadecimal; its lowest bit is signal 1, SIGHUP.
fn ignores_hangup_by(status: &str) -> bool {
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::ignores_hangup_by;

    #[test]
    fn nohup_is_recognised_by_the_mask_of_ignored_signals() {
        assert!(ignores_hangup_by("Name:\tx\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000000\n"));
        assert!(!ignores_hangup_by("Name:\tx\nSigIgn:\t0000000000001000\nSigCgt:\t0000000000000001\n"));
        assert!(!ignores_hangup_by(""));
    }
}
