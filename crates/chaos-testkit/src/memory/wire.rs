//! The wire between the server in memory and its clients: what is asked, and what comes back.

use std::time::Duration;

use chaos_core::{Capabilities, Context, ErrorKind, Problem, VMInfo};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;

use crate::memory::call::{Call, CallKind, Mishap};
use crate::memory::estate::{AskGuests, Line, MemoryEstate, State};
use crate::memory::machine::Refusal;

/// What a client sees of a call that did not succeed.
#[derive(Debug)]
pub(super) enum Wire {
    NotAuthenticated,
    Unreachable,
    /// The server took the call and never answers.
    NoAnswer,
    /// The connection broke: the call may have been executed.
    Cut,
    Nonsense,
    Refused(ErrorKind, String),
    NoSuchVm,
    Machine(Refusal),
}

/// A VM as it was read, with what a waiting client has to know beside it.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) vm: VMInfo,
    pub(super) guest_listens: bool,
    pub(super) guest_up: bool,
    pub(super) boots: u64,
    pub(super) busy: bool,
    pub(super) next_event: Option<Duration>,
}

impl MemoryEstate {
    /// What a client of this server can do.
    pub(super) fn capabilities(&self) -> Capabilities {
        let state = self.state();
        let mut capabilities = Capabilities::new(state.operations.iter().copied());
        capabilities.guest_operations = state.asking != AskGuests::Never;
        capabilities.records_reason = true;
        capabilities
    }

    pub(super) fn login(&self, cx: &Context, username: &str, password: &SecretString) -> Result<u64, Wire> {
        self.change(|state| {
            state.take(self, cx, CallKind::Login, None, |state| {
                let same = state.password.expose_secret() == password.expose_secret();
                if username != state.username || !same {
                    let message = format!("the server refused the login of `{username}`");
                    return Err(Wire::Refused(ErrorKind::Unauthenticated, message));
                }
                state.logins += 1;
                state.sessions.insert(state.logins);
                Ok(state.logins)
            })
        })
    }

    pub(super) fn logout(&self, cx: &Context, session: u64) -> Result<(), Wire> {
        self.change(|state| {
            state.take(self, cx, CallKind::Logout, None, |state| {
                state.sessions.remove(&session);
                Ok(())
            })
        })
    }

    pub(super) fn list(&self, cx: &Context, session: u64) -> Result<(Vec<VMInfo>, Vec<Problem>), Wire> {
        self.in_session(cx, session, CallKind::List, None, |state| {
            let vms = state.machines.iter().map(|machine| machine.info(&self.0.kind)).collect();
            Ok((vms, state.problems.clone()))
        })
    }

    pub(super) fn read(&self, cx: &Context, session: u64, id: &str) -> Result<Reading, Wire> {
        let now = self.0.clock.monotonic();
        self.in_session(cx, session, CallKind::Read, Some(id), |state| {
            let machine = state.machine(id).ok_or(Wire::NoSuchVm)?;
            Ok(Reading {
                vm: machine.info(&self.0.kind),
                guest_listens: machine.guest_listens(state.asking),
                guest_up: machine.guest_up,
                boots: machine.boots,
                busy: machine.is_busy(now),
                next_event: machine.next_event(),
            })
        })
    }

    pub(super) fn power(&self, cx: &Context, session: u64, kind: CallKind, id: &str) -> Result<(), Wire> {
        let now = self.0.clock.monotonic();
        self.in_session(cx, session, kind, Some(id), |state| {
            let asking = state.asking;
            let machine = state.machines.iter_mut().find(|machine| machine.id == id).ok_or(Wire::NoSuchVm)?;
            machine.start(kind, now, asking).map_err(Wire::Machine)
        })
    }

    fn in_session<T>(
        &self,
        cx: &Context,
        session: u64,
        kind: CallKind,
        vm: Option<&str>,
        serve: impl FnOnce(&mut State) -> Result<T, Wire>,
    ) -> Result<T, Wire> {
        let serve = |state: &mut State| {
            let known = state.sessions.contains(&session);
            if known { serve(state) } else { Err(Wire::NotAuthenticated) }
        };
        let mut state = self.state();
        let result = state.take(self, cx, kind, vm, serve);
        drop(state);
        if kind.is_destructive() {
            self.0.revision.send_modify(|revision| *revision += 1);
        }
        result
    }

    /// Follows the server's changes from here on.
    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.0.revision.subscribe()
    }

    /// Waits until something changes that a client could wait for, or until `at` on the server's clock.
    pub(super) async fn changed(&self, watch: &mut watch::Receiver<u64>, at: Option<Duration>) {
        let due = async {
            match at {
                Some(at) => self.0.clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // The sender lives as long as the estate.
            _ = watch.changed() => {}
            () = due => {}
        }
    }
}

impl State {
    /// One call on the wire: reaches the server or not, is written down, meets with mishaps, and is served.
    fn take<T>(
        &mut self,
        estate: &MemoryEstate,
        cx: &Context,
        kind: CallKind,
        vm: Option<&str>,
        serve: impl FnOnce(&mut Self) -> Result<T, Wire>,
    ) -> Result<T, Wire> {
        if self.line == Line::Refuses {
            return Err(Wire::Unreachable);
        }
        self.calls.push(Call {
            kind,
            vm: vm.map(str::to_owned),
            run_id: cx.run_id().clone(),
            reason: cx.reason_text().to_owned(),
            at: estate.0.clock.now(),
        });
        if self.line == Line::Stalls {
            return Err(Wire::NoAnswer);
        }
        let failure = self.failures.iter().position(|failure| failure.fits(kind, vm));
        match failure.map(|at| self.failures.remove(at).mishap) {
            None => serve(self),
            Some(Mishap::Refused(kind, message)) => Err(Wire::Refused(kind, message)),
            Some(Mishap::Nonsense) => Err(Wire::Nonsense),
            Some(Mishap::Cut { executed: false }) => Err(Wire::Cut),
            Some(Mishap::Cut { executed: true }) => serve(self).and(Err(Wire::Cut)),
        }
    }
}
