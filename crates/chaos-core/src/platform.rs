//! The trait that every platform implements: small, object-safe, without default bodies.

use std::collections::BTreeSet;
use std::fmt::Debug;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::Error;
use crate::fault::{Fault, Operation, Target};
use crate::kind::PlatformKind;
use crate::outcome::Outcome;
use crate::select::Selector;
use crate::undo::Undo;
use crate::vm::VMInfo;
use crate::vm_ref::VMRef;

/// Which server a platform object speaks to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PlatformIdentity {
    /// The kind of platform.
    pub kind: PlatformKind,
    /// The entry in the settings, such as `vsphere`.
    pub entry: String,
    /// The server's own instance id.
    pub instance: String,
    /// The server for people: host, product and version.
    pub description: String,
}

/// What a platform can do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// The operations that it supports.
    pub operations: BTreeSet<Operation>,
    /// Whether guests can be asked to shut down and to restart.
    pub guest_operations: bool,
    /// Whether the reason of a [`Context`] shows in the server's own log.
    pub records_reason: bool,
}

impl Capabilities {
    /// A platform that can do the given operations.
    #[must_use]
    pub fn new(operations: impl IntoIterator<Item = Operation>) -> Self {
        Self { operations: operations.into_iter().collect(), guest_operations: false, records_reason: false }
    }

    /// Whether `operation` is supported.
    #[must_use]
    pub fn supports(&self, operation: Operation) -> bool {
        self.operations.contains(&operation)
    }
}

/// Something that could not be read while the rest could.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Problem {
    /// What it concerns: a VM, a host, a property.
    pub subject: String,
    /// What is wrong.
    pub message: String,
}

impl Problem {
    /// A problem with `subject`.
    #[must_use]
    pub fn new(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self { subject: subject.into(), message: message.into() }
    }
}

/// The answer to a discovery. Partial answers are normal: what could not be read is in `problems`.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Discovery {
    /// The VMs that match, ordered by inventory path and id.
    pub vms: Vec<VMInfo>,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

impl Discovery {
    /// Keeps what `selector` selects and puts it in order. Every platform ends its discovery with this: a selector is
    /// only a hint to the server.
    #[must_use]
    pub fn new(vms: Vec<VMInfo>, problems: Vec<Problem>, selector: &Selector) -> Self {
        let mut vms = selector.filter(vms);
        vms.sort_by(|a, b| (a.display_path(), &a.id).cmp(&(b.display_path(), &b.id)));
        Self { vms, problems }
    }
}

/// A virtualisation platform that is connected and logged in.
///
/// The trait is small on purpose and has no default bodies. New faults come as values of [`Fault`] and
/// [`Target`], not as methods. Conveniences are in [`PlatformExt`](crate::PlatformExt), which nobody implements.
///
/// Contract, checked by the conformance suite in `chaos-testkit`:
///
/// * `discover`, `get` and `prepare` only read.
/// * Every call ends by the deadline of its [`Context`] and soon after its cancellation.
/// * `apply` succeeds only if the goal was reached and the state was read back. A VM that is in the wanted state
///   already is a success that says so ([`How::AlreadyThere`](crate::How::AlreadyThere)).
/// * An error of `apply` after something was sent that may still take effect has the retry class
///   [`Retry::Unsettled`](crate::Retry::Unsettled), also when the call was cancelled. One without it promises, for a
///   call that was cancelled, that nothing was sent.
/// * What may be done in which state is decided by [`check_power`](crate::check_power). Before that, an operation that is
///   not among [`Platform::capabilities`] is refused as [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported), by
///   `prepare` and by `apply`.
/// * `undo` is idempotent, is verified by reading, and needs nothing but the [`Undo`].
/// * A reference to a VM of another server is refused as [`ErrorKind::NotFound`](crate::ErrorKind::NotFound).
#[async_trait]
pub trait Platform: Debug + Send + Sync + 'static {
    /// Which server this is.
    fn identity(&self) -> &PlatformIdentity;

    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// The VMs that `selector` selects.
    ///
    /// # Errors
    /// Only if nothing can be said at all; else what is missing is in [`Discovery::problems`].
    async fn discover(&self, cx: &Context, selector: &Selector) -> Result<Discovery, Error>;

    /// The present state of some VMs, in the order asked for.
    async fn get(&self, cx: &Context, vms: &[VMRef]) -> Vec<Result<VMInfo, Error>>;

    /// Reads what has to be known to undo `fault` on each target, in the order given, and checks that it can be
    /// applied. Changes nothing.
    ///
    /// All targets of a batch are given at once, so that a platform can read them in one request and keep an eye on
    /// them for the [`Platform::apply`] that follows.
    async fn prepare(&self, cx: &Context, targets: &[Target], fault: &Fault) -> Vec<Result<Undo, Error>>;

    /// Applies `fault` to `target` and waits until its goal is reached.
    async fn apply(&self, cx: &Context, target: &Target, fault: &Fault) -> Result<Outcome, Error>;

    /// Puts a target back to what was found before, and reads that it is there.
    async fn undo(&self, cx: &Context, undo: &Undo) -> Result<Outcome, Error>;

    /// Logs out and gives back what the server holds for us. The platform cannot be used afterwards.
    async fn disconnect(&self, cx: &Context) -> Result<(), Error>;
}
