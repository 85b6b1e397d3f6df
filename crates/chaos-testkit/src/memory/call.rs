//! What the server in memory writes down about each call, and how a test makes a call fail.

use chaos_core::{ErrorKind, RunId};
use jiff::Timestamp;

/// What a client asked of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallKind {
    /// To log in.
    Login,
    /// To log out.
    Logout,
    /// To list the VMs.
    List,
    /// To read one VM.
    Read,
    /// To power a VM on or resume it.
    PowerOn,
    /// To have the guest shut down.
    GuestShutdown,
    /// To have the guest restart.
    GuestReboot,
    /// To power a VM off without asking its guest.
    PowerOff,
    /// To reset a VM.
    Reset,
    /// To suspend a VM.
    Suspend,
}

impl CallKind {
    /// Whether it changes a VM.
    #[must_use]
    pub fn is_destructive(self) -> bool {
        match self {
            Self::Login | Self::Logout | Self::List | Self::Read => false,
            Self::PowerOn | Self::GuestShutdown | Self::GuestReboot | Self::PowerOff | Self::Reset | Self::Suspend => {
                true
            }
        }
    }

    /// Whether it takes a VM from its guest without asking.
    #[must_use]
    pub fn is_hard(self) -> bool {
        matches!(self, Self::PowerOff | Self::Reset)
    }
}

/// A call that reached the server, whether or not it succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// What was asked.
    pub kind: CallKind,
    /// The object id of the VM, if it concerned one.
    pub vm: Option<String>,
    /// The run that asked.
    pub run_id: RunId,
    /// The reason it gave.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// How the next call of some kind fails. Used up by the first call that it fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub(super) kind: Option<CallKind>,
    pub(super) vm: Option<String>,
    pub(super) mishap: Mishap,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mishap {
    Refused(ErrorKind, String),
    Cut { executed: bool },
    Nonsense,
}

impl Failure {
    /// The server understands the call and refuses or fails to do it. Nothing was done.
    #[must_use]
    pub fn refuse(kind: ErrorKind, message: &str) -> Self {
        Self { kind: None, vm: None, mishap: Mishap::Refused(kind, message.to_owned()) }
    }

    /// The connection breaks after the call was sent, and before it was executed.
    #[must_use]
    pub fn cut_before_effect() -> Self {
        Self { kind: None, vm: None, mishap: Mishap::Cut { executed: false } }
    }

    /// The connection breaks after the call was executed, and before the answer arrived.
    #[must_use]
    pub fn cut_after_effect() -> Self {
        Self { kind: None, vm: None, mishap: Mishap::Cut { executed: true } }
    }

    /// The answer is none that the protocol allows. Nothing was done.
    #[must_use]
    pub fn nonsense() -> Self {
        Self { kind: None, vm: None, mishap: Mishap::Nonsense }
    }

    /// Only for calls of this kind; otherwise for those that change a VM.
    #[must_use]
    pub fn of(mut self, kind: CallKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Only for calls that concern the VM with this object id.
    #[must_use]
    pub fn on(mut self, id: &str) -> Self {
        self.vm = Some(id.to_owned());
        self
    }

    pub(super) fn fits(&self, kind: CallKind, vm: Option<&str>) -> bool {
        self.kind.map_or_else(|| kind.is_destructive(), |wanted| wanted == kind)
            && self.vm.as_deref().is_none_or(|wanted| Some(wanted) == vm)
    }
}
