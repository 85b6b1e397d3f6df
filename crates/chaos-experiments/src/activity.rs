//! Activities: what hypothesis, method and rollbacks come down to.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::again::{Retry, Until};
use crate::controls::Control;
use crate::native::{Kind, VmCall};
use crate::parallel::Group;
use crate::provider::ProviderCall;
use crate::strategy::Dry;
use crate::tolerance::Tolerance;

/// One thing to do or to look at.
#[derive(Debug, Clone)]
pub(crate) struct Activity {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// As it is declared, for records. Holds what is written in it, secrets included.
    pub(crate) declaration: Value,
    /// Where it is declared; nothing where it is not.
    pub(crate) place: String,
    pub(crate) controls: Vec<Control>,
    pub(crate) tolerance: Option<Judge>,
    /// What is only taken as done, whatever the run says.
    pub(crate) dry: Option<Dry>,
    /// Whether the next one does not wait for it.
    pub(crate) background: bool,
    pub(crate) pause_before: Option<Duration>,
    pub(crate) pause_after: Option<Duration>,
    /// Why whoever has carried it out cannot go on: the pause behind it is none.
    pub(crate) breaks_behind: Option<String>,
    /// The longest that it may take as a whole.
    pub(crate) timeout: Option<Duration>,
    pub(crate) call: Call,
    pub(crate) more: More,
}

/// What Chaos Toolkit does not know of an activity.
#[derive(Debug, Clone, Default)]
pub(crate) struct More {
    /// With which others it goes on at once.
    pub(crate) group: Option<Arc<Group>>,
    /// How often it is tried again.
    pub(crate) retry: Option<Retry>,
    /// What it waits for.
    pub(crate) until: Option<Arc<Until>>,
    /// Its provider as it is declared, if it takes the output of an earlier step.
    pub(crate) provider: Option<Arc<Map<String, Value>>>,
}

/// What has to hold while an experiment runs.
#[derive(Debug, Clone)]
pub(crate) struct StopCondition {
    pub(crate) probe: Activity,
    /// How long is waited between two looks.
    pub(crate) every: Duration,
}

/// Who declares an activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Declared {
    Hypothesis,
    StopConditions,
    /// Method or rollbacks.
    Steps,
}

impl Declared {
    /// What an activity is there, if it has to be judged.
    pub(crate) fn judged(self) -> Option<&'static str> {
        match self {
            Self::Hypothesis => Some("a probe of the steady-state hypothesis"),
            Self::StopConditions => Some("a stop condition"),
            Self::Steps => None,
        }
    }

    pub(crate) fn only_looks(self) -> &'static str {
        match self {
            Self::StopConditions => "a stop condition only looks",
            Self::Hypothesis | Self::Steps => "a hypothesis only looks",
        }
    }
}

/// How an activity is carried out.
#[derive(Debug, Clone)]
pub(crate) enum Call {
    /// A function of ours.
    Vm(VmCall),
    /// A process, a request or a function in Python.
    Provider(ProviderCall),
    /// Left out, because this is a rehearsal and the provider of this type is not native.
    NotRehearsed(String),
    /// Cannot be carried out: whoever comes there cannot go on.
    Broken(Broken),
}

/// Why an activity cannot be carried out, and what becomes of it.
#[derive(Debug, Clone)]
pub(crate) struct Broken {
    pub(crate) why: String,
    pub(crate) how: Breaks,
}

/// What becomes of an activity that cannot be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Breaks {
    /// It does not even begin, and the run is aborted.
    Before,
    /// It begins, and the run is aborted.
    Run,
    /// It fails, and the run goes on.
    Itself,
}

/// What the output of an activity is held against.
#[derive(Debug, Clone)]
pub(crate) enum Judge {
    /// A value, or what a value has to be like.
    Tolerance(Tolerance),
    /// A probe that gets the output as its argument `value`, and whose own output has to count as true.
    Probe { name: String, provider: Map<String, Value>, place: String },
    /// What depends on the output of an earlier step, and is read when that is there.
    Later { declared: Value, place: String },
    /// Nothing meets it, for this reason.
    Never(String),
}

impl Activity {
    pub(crate) fn vm_call(&self) -> Option<&VmCall> {
        match &self.call {
            Call::Vm(call) => Some(call),
            Call::Provider(_) | Call::NotRehearsed(_) | Call::Broken(_) => None,
        }
    }

    /// The call beyond the VMs by which it acts: what that does cannot be undone.
    pub(crate) fn acts_without_undo(&self) -> Option<&ProviderCall> {
        match &self.call {
            Call::Provider(call) if self.kind == Kind::Action => Some(call),
            Call::Provider(_) | Call::Vm(_) | Call::NotRehearsed(_) | Call::Broken(_) => None,
        }
    }
}
