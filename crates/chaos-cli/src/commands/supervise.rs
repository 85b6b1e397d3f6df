//! `execute --supervise`: the run is a process of its own, and this one puts everything back if that dies.

use std::ffi::OsString;
use std::process::ExitStatus;

use chaos_core::{Context, Error, ErrorKind, RunAccount, RunId, RunLog};
use chaos_experiments::RecoverOptions;
use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::stage::Journal;
use super::{execute, recover};
use crate::cli::{Execute, SettingsArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt::{come, ignores_hangup};
use crate::output::{Output, write_recoveries};
use crate::session;
use crate::state::State;

/// Runs the experiment in a child, and recovers its run if the child dies.
pub(super) async fn run(args: &Execute, settings: &SettingsArgs, output: &Output) -> Result<Exit, Failure> {
    let state = State::real(&args.what.state)?;
    let run = RunId::random();
    // All that a recovery needs is there before anything can need it.
    let source = session::platforms_to_repair(settings, output)?;
    let looking = Context::with_timeout(super::LONGEST);
    let (experiment, _) = execute::read(&args.what, args.dry_run, &source.settings().chaos, &looking).await?;
    let mut options = RecoverOptions::default();
    options.connections = experiment.connections();
    let mut signals = Signals::listen()?;
    let mut child = Command::new(program()?)
        .args(arguments(std::env::args_os().skip(1), &run))
        .spawn()
        .map_err(|error| Failure::new(Exit::Failed, format!("cannot start the run: {error}")))?;
    let status = signals.forward_until_end(&mut child).await?;

    match has_died(&state, &run).await {
        Ok(false) => return Ok(exit(status)),
        Ok(true) => {}
        Err(error) => return Err(unrecovered(&run, &error)),
    }
    output.warning(format_args!("the process of run {run} died ({status}): putting everything back"));
    let stop = CancellationToken::new();
    let cx = Context::with_timeout(super::LONGEST).cancelled_by(stop.clone()).reason("recovery of a chaos experiment");
    let recovery = recover::one(&state, &run, &cx, &source, &options, output);
    tokio::pin!(recovery);
    let report = loop {
        tokio::select! {
            report = &mut recovery => break report,
            // A terminal that goes away is no reason to leave anything changed.
            signal = signals.next() => if signal != nix::sys::signal::Signal::SIGHUP {
                output.note("interrupted: stopping; what is not back is named");
                stop.cancel();
            },
        }
    };
    session::close(&source, &cx, output).await;
    let report = report.map_err(|error| unrecovered(&run, &error))?;
    let shown = output.data(|to| write_recoveries(args.what.format, std::slice::from_ref(&report), to));
    recover::tell(&state, &report, output).await;
    // From here on it is only about what is written.
    let journal = execute::journal_path(args, &source.settings().chaos, &run)
        .and_then(Journal::create)
        .and_then(|journal| journal.write(&report.journal, output));
    journal.map_err(|failure| failure.with_exit(Exit::Failed))?;
    shown?;
    Ok(Exit::Failed)
}

/// Whether the run did not come to its end.
async fn has_died(state: &State, run: &RunId) -> Result<bool, Error> {
    match state.store.read(run).await {
        Ok(recorded) => Ok(RunAccount::fold(&recorded.events).ended.is_none() || recorded.damage.is_some()),
        // It did not come so far that anything was written down.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The run has ended, and what it has left changed could not be looked at.
fn unrecovered(run: &RunId, error: &Error) -> Failure {
    Failure::new(Exit::Failed, format!("run {run} may have left something changed: {}", error.with_causes()))
        .hint(format!("`chaosmonkey recover {run}` puts it back"))
}

/// This program, as it was started.
fn program() -> Result<OsString, Failure> {
    std::env::current_exe()
        .map(OsString::from)
        .map_err(|error| Failure::new(Exit::Failed, format!("cannot find this program: {error}")))
}

/// The arguments of the child: those of this process, without the supervision and with the run.
fn arguments(own: impl Iterator<Item = OsString>, run: &RunId) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = own.filter(|argument| argument != "--supervise").collect();
    arguments.extend(["--supervised-as".into(), run.as_str().into()]);
    arguments
}

/// The exit code of the child; one that was killed has failed.
fn exit(status: ExitStatus) -> Exit {
    status.code().and_then(Exit::of_code).unwrap_or(Exit::Failed)
}

/// The signals that this process passes on.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// None where this was started to go on without a terminal, and so is the child.
    hangup: Option<Signal>,
}

impl Signals {
    fn listen() -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind).map_err(|error| Failure::new(Exit::Failed, format!("cannot listen for signals: {error}")))
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: if ignores_hangup() { None } else { Some(listen(SignalKind::hangup())?) },
        })
    }

    async fn next(&mut self) -> nix::sys::signal::Signal {
        tokio::select! {
            _ = self.interrupt.recv() => nix::sys::signal::Signal::SIGINT,
            _ = self.terminate.recv() => nix::sys::signal::Signal::SIGTERM,
            () = come(self.hangup.as_mut()) => nix::sys::signal::Signal::SIGHUP,
        }
    }

    /// Waits for the child, which gets each signal that comes. A terminal sends it the same: it takes both for one.
    async fn forward_until_end(&mut self, child: &mut Child) -> Result<ExitStatus, Failure> {
        loop {
            tokio::select! {
                status = child.wait() => {
                    return status.map_err(|error| Failure::new(Exit::Failed, format!("lost sight of the run: {error}")));
                }
                signal = self.next() => {
                    let id = child.id().and_then(|id| i32::try_from(id).ok());
                    if let Some(id) = id {
                        // A child that is gone already is seen at the next turn.
                        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), signal);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_child_runs_the_same_without_supervision() {
        let own = ["execute", "--supervise", "-t", "vsphere-vm-poweroff"].map(OsString::from);
        let run = RunId::new("r1");
        let child = arguments(own.into_iter(), &run);
        assert_eq!(child, ["execute", "-t", "vsphere-vm-poweroff", "--supervised-as", "r1"]);
    }
}
