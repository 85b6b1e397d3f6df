//! What is known when a fault is about to be sent: the VMs that there are, and which of them are in a fault.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use crate::fault::Fault;
use crate::kind::PlatformKind;
use crate::select::Candidate;
use crate::vm::VMInfo;
use crate::vm_ref::VMRef;

/// A VM of the estate, as it was read last.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Which one.
    pub at: VMRef,
    /// What it is like.
    pub vm: VMInfo,
}

impl Member {
    /// The VM as a selector sees it.
    pub(super) fn candidate(&self) -> Candidate<'_> {
        Candidate::new(&self.vm, &self.at.entry)
    }

    pub(super) fn key(&self) -> Key<'_> {
        key(&self.at)
    }
}

/// What tells VMs apart, whichever entry of the settings they are reached by.
pub(super) type Key<'a> = (&'a PlatformKind, &'a str, &'a str);

pub(super) fn key(vm: &VMRef) -> Key<'_> {
    (&vm.platform, &vm.instance, &vm.id)
}

/// A fault on some VMs, which are hit at the same time or one after the other.
#[derive(Debug, Clone)]
pub struct Strike<'a> {
    /// What is done.
    pub fault: &'a Fault,
    /// To what.
    pub targets: Vec<&'a Member>,
}

/// What is known when a fault is about to be sent.
#[derive(Debug, Clone)]
pub struct Scene<'a> {
    pub(super) now: Timestamp,
    pub(super) estate: &'a [Member],
    pub(super) faulted: HashSet<Key<'a>>,
    pub(super) hits: HashMap<Key<'a>, Timestamp>,
}

impl<'a> Scene<'a> {
    /// All VMs of the platforms that are concerned, as they are at `now`. None of them is in a fault.
    #[must_use]
    pub fn new(now: Timestamp, estate: &'a [Member]) -> Self {
        Self { now, estate, faulted: HashSet::new(), hits: HashMap::new() }
    }

    /// These VMs are in a fault, or may be: of this run or of another one.
    #[must_use]
    pub fn faulted(mut self, vms: impl IntoIterator<Item = &'a VMRef>) -> Self {
        self.faulted.extend(vms.into_iter().map(key));
        self
    }

    /// These VMs were hit before, at these times. The latest of each counts.
    #[must_use]
    pub fn hits(mut self, hits: impl IntoIterator<Item = (&'a VMRef, Timestamp)>) -> Self {
        for (vm, at) in hits {
            let last = self.hits.entry(key(vm)).or_insert(at);
            *last = at.max(*last);
        }
        self
    }

    /// Whether a VM would be in a fault together with all that are.
    pub(super) fn is_hit(&self, strike: &HashSet<Key<'_>>, vm: &Member) -> bool {
        let key = vm.key();
        self.faulted.contains(&key) || strike.contains(&key)
    }
}

impl Strike<'_> {
    pub(super) fn keys(&self) -> HashSet<Key<'_>> {
        self.targets.iter().map(|member| member.key()).collect()
    }
}
