//! The client of the server in memory: `impl Platform` over its sessions and calls.

use std::fmt;

use async_trait::async_trait;
use chaos_core::{
    Capabilities, Context, Discovery, Error, ErrorKind, Fault, How, Outcome, Platform, PlatformIdentity, Retry,
    Selector, Target, Undo, VMInfo, VMRef, check_power,
};
use secrecy::SecretString;
use tokio::sync::Mutex;

use crate::memory::estate::MemoryEstate;
use crate::memory::machine::Refusal;
use crate::memory::power;
use crate::memory::wire::{Reading, Wire};

/// A client that is logged in to a [`MemoryEstate`].
///
/// It logs in again, once a call, when its session died, and settles a power call whose connection broke by reading.
pub struct MemoryPlatform {
    estate: MemoryEstate,
    identity: PlatformIdentity,
    capabilities: Capabilities,
    username: String,
    password: SecretString,
    session: Mutex<Session>,
}

#[derive(Debug, Clone, Copy)]
enum Session {
    Open(u64),
    Closed,
}

impl MemoryPlatform {
    pub(super) async fn connect(
        estate: MemoryEstate,
        cx: &Context,
        entry: &str,
        username: &str,
        password: SecretString,
    ) -> Result<Self, Error> {
        let identity = PlatformIdentity {
            kind: estate.kind().clone(),
            entry: entry.to_owned(),
            instance: "in-memory".to_owned(),
            description: "an estate in memory".to_owned(),
        };
        let platform = Self {
            capabilities: estate.capabilities(),
            estate,
            identity,
            username: username.to_owned(),
            password,
            session: Mutex::new(Session::Closed),
        };
        let session = platform.login(cx).await?;
        *platform.session.lock().await = Session::Open(session);
        Ok(platform)
    }

    /// The server that it is logged in to.
    #[must_use]
    pub fn estate(&self) -> &MemoryEstate {
        &self.estate
    }

    async fn login(&self, cx: &Context) -> Result<u64, Error> {
        tracing::debug!(username = self.username, "logging in");
        match self.estate.login(cx, &self.username, &self.password) {
            Ok(session) => Ok(session),
            Err(wire) => Err(self.failed(cx, wire).await),
        }
    }

    /// Makes one call, and once more with a new session if the server says that the old one is dead: then nothing
    /// was executed.
    pub(super) async fn call<T: Send>(
        &self,
        cx: &Context,
        call: impl Fn(u64) -> Result<T, Wire> + Send + Sync,
    ) -> Result<Result<T, Wire>, Error> {
        let used = self.current_session().await?;
        // A call of a real client is on its way for a while, in which others leave with the same session.
        tokio::task::yield_now().await;
        cx.check("calling the server")?;
        match call(used) {
            Err(Wire::NotAuthenticated) => Ok(call(self.renewed_session(cx, used).await?)),
            other => Ok(other),
        }
    }

    async fn current_session(&self) -> Result<u64, Error> {
        match *self.session.lock().await {
            Session::Open(session) => Ok(session),
            Session::Closed => Err(Error::new(ErrorKind::Unavailable, "the platform was disconnected")
                .retry(Retry::Never)
                .platform(self.identity.kind.clone())),
        }
    }

    /// A session that is newer than `dead`. Concurrent callers share one login.
    async fn renewed_session(&self, cx: &Context, dead: u64) -> Result<u64, Error> {
        let mut session = self.session.lock().await;
        match *session {
            Session::Open(current) if current != dead => Ok(current),
            Session::Open(_) => {
                let new = self.login(cx).await?;
                *session = Session::Open(new);
                Ok(new)
            }
            Session::Closed => Err(Error::new(ErrorKind::Unavailable, "the platform was disconnected")),
        }
    }

    /// The error of a call that failed; for a server that never answers, after the caller's patience has ended.
    pub(super) async fn failed(&self, cx: &Context, wire: Wire) -> Error {
        let error = match wire {
            Wire::NotAuthenticated => Error::new(ErrorKind::Unauthenticated, "the server ended the new session, too"),
            Wire::Unreachable => Error::new(ErrorKind::Unavailable, "the server refuses connections"),
            Wire::Cut => {
                Error::new(ErrorKind::Unavailable, "the connection broke before the answer").retry(Retry::Unsettled)
            }
            Wire::Nonsense => Error::new(ErrorKind::Protocol, "the server's answer makes no sense"),
            Wire::Refused(kind, message) => Error::new(kind, message),
            Wire::NoSuchVm => Error::new(ErrorKind::NotFound, "the server knows no such VM"),
            Wire::Machine(Refusal::State(state)) => Error::new(ErrorKind::InvalidState, format!("the VM is {state}")),
            Wire::Machine(Refusal::NoTools) => Error::new(ErrorKind::InvalidState, "the guest's agent does not answer"),
            Wire::Machine(Refusal::Busy) => Error::new(ErrorKind::InvalidState, "another task is in progress"),
            Wire::NoAnswer => match cx.bounded("waiting for the server's answer", std::future::pending::<()>()).await {
                Ok(()) => Error::new(ErrorKind::Timeout, "the server never answered"),
                Err(error) => error,
            },
        };
        error.platform(self.identity.kind.clone())
    }

    pub(super) async fn read(&self, cx: &Context, vm: &VMRef) -> Result<Reading, Error> {
        if !vm.is_on(&self.identity) {
            return Err(Error::new(ErrorKind::NotFound, format!("`{vm}` is a VM of another server"))
                .platform(self.identity.kind.clone()));
        }
        match self.call(cx, |session| self.estate.read(cx, session, &vm.id)).await? {
            Ok(reading) => Ok(reading),
            Err(wire) => Err(self.failed(cx, wire).await.vm(vm.to_string())),
        }
    }

    fn vm_of<'a>(&self, target: &'a Target) -> Result<&'a VMRef, Error> {
        target.vm().ok_or_else(|| Error::unsupported(&self.identity.kind, "faults on anything but VMs"))
    }

    /// Refuses what is no capability, before the server is asked for anything.
    pub(super) fn check_supported(&self, fault: &Fault) -> Result<(), Error> {
        let operation = fault.operation();
        if self.capabilities.supports(operation) {
            Ok(())
        } else {
            Err(Error::unsupported(&self.identity.kind, operation.words()))
        }
    }

    async fn prepare_one(&self, cx: &Context, target: &Target, fault: &Fault) -> Result<Undo, Error> {
        self.check_supported(fault)?;
        let vm = self.read(cx, self.vm_of(target)?).await?.vm;
        check_power(&vm, fault)?;
        Ok(Undo::of_power(target.clone(), &vm, fault, cx.now()))
    }
}

#[async_trait]
impl Platform for MemoryPlatform {
    fn identity(&self) -> &PlatformIdentity {
        &self.identity
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities.clone()
    }

    async fn discover(&self, cx: &Context, selector: &Selector) -> Result<Discovery, Error> {
        match self.call(cx, |session| self.estate.list(cx, session)).await? {
            Ok((vms, problems)) => Ok(Discovery::new(vms, problems, selector)),
            Err(wire) => Err(self.failed(cx, wire).await.operation("discover")),
        }
    }

    async fn get(&self, cx: &Context, vms: &[VMRef]) -> Vec<Result<VMInfo, Error>> {
        let mut found = Vec::with_capacity(vms.len());
        for vm in vms {
            found.push(self.read(cx, vm).await.map(|reading| reading.vm));
        }
        found
    }

    async fn prepare(&self, cx: &Context, targets: &[Target], fault: &Fault) -> Vec<Result<Undo, Error>> {
        let mut prepared = Vec::with_capacity(targets.len());
        for target in targets {
            prepared.push(self.prepare_one(cx, target, fault).await);
        }
        prepared
    }

    async fn apply(&self, cx: &Context, target: &Target, fault: &Fault) -> Result<Outcome, Error> {
        power::apply(self, cx, self.vm_of(target)?, fault).await
    }

    async fn undo(&self, cx: &Context, undo: &Undo) -> Result<Outcome, Error> {
        let start = cx.monotonic();
        let target = self.vm_of(&undo.target)?;
        let before = self.read(cx, target).await?.vm;
        let how = match undo.next_step(before.power_state)? {
            None => How::AlreadyThere,
            Some(fault) => power::apply(self, cx, target, &fault).await?.how,
        };
        let read = self.read(cx, target).await?.vm;
        let after = read.power_state;
        // What was just done may have been overtaken by someone else: then there is a next step again.
        if undo.next_step(after)?.is_some() {
            return Err(Error::new(ErrorKind::Failed, format!("was put back and is {after} all the same"))
                .vm(before.display_path()));
        }
        Ok(Outcome::new(how, before.power_state, after, cx.monotonic().saturating_sub(start)).booted(read.boot_time))
    }

    async fn disconnect(&self, cx: &Context) -> Result<(), Error> {
        let session = std::mem::replace(&mut *self.session.lock().await, Session::Closed);
        match session {
            Session::Closed => Ok(()),
            Session::Open(session) => match self.estate.logout(cx, session) {
                Ok(()) => Ok(()),
                Err(wire) => Err(self.failed(cx, wire).await.operation("log out")),
            },
        }
    }
}

impl fmt::Debug for MemoryPlatform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryPlatform").field("identity", &self.identity).finish_non_exhaustive()
    }
}
