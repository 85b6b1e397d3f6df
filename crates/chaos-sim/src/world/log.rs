//! The log of a world: what happened, in the order in which it happened.

use std::collections::VecDeque;
use std::time::Duration;

use super::model::{Condition, HostId, VmId};
use super::state::State;
use super::task::{Failure, Operation};

/// The oldest entries are forgotten beyond this many.
const KEPT: usize = 200_000;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Happening {
    /// A VM was powered on, or resumed from its saved memory.
    Started,
    /// A VM went off.
    WentDown {
        /// Whether its guest shut down by itself.
        clean: bool,
    },
    /// A VM's memory was saved.
    Suspended,
    /// An operation that was accepted failed.
    Failed(Operation, Failure),
    /// A guest did not shut down although it was asked to.
    RefusedShutdown,
    /// A VM is off because it takes over a changed configuration, and is going to be started again.
    WentDownToRestart,
    /// A VM went off to be started again, and was not.
    RestartFailed,
    /// A running VM is from now on also this.
    Became {
        /// What it was until now.
        before: Condition,
        /// What it is.
        after: Condition,
    },
    /// A VM's host was lost.
    Lost,
    /// A VM's host is back.
    Found,
    /// What a door noted in the words of its platform.
    Note(Note),
}

/// An entry of a door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The platform's number for what it is.
    pub code: u32,
    /// Whether something went wrong.
    pub is_error: bool,
    /// In words.
    pub text: String,
    /// Who did it.
    pub user: Option<String>,
    /// What the client called its request.
    pub correlation: Option<String>,
}

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Counts entries from one.
    pub number: u64,
    /// World time.
    pub at: Duration,
    /// The VM that it is about, with its name at that time.
    pub vm: Option<(VmId, String)>,
    /// The host that the VM was on.
    pub host: Option<HostId>,
    /// What happened.
    pub what: Happening,
}

/// The entries that are remembered.
#[derive(Debug, Default)]
pub(crate) struct Log {
    kept: VecDeque<LogEntry>,
    count: u64,
}

impl Log {
    /// The entries after that number, newest first.
    pub(crate) fn after(&self, number: u64) -> impl Iterator<Item = &LogEntry> {
        self.kept.iter().rev().take_while(move |entry| entry.number > number)
    }

    /// The entry of that number, if it is remembered.
    pub(crate) fn get(&self, number: u64) -> Option<&LogEntry> {
        let first = self.kept.front()?.number;
        self.kept.get(usize::try_from(number.checked_sub(first)?).ok()?)
    }
}

impl State {
    /// Adds an entry.
    pub(crate) fn log(&mut self, vm: Option<VmId>, what: Happening) {
        let vm = vm.and_then(|id| self.inventory.vms.get(&id));
        let host = vm.map(|vm| vm.host);
        let vm = vm.map(|vm| (vm.id, vm.name.clone()));
        self.log.count += 1;
        if self.log.kept.len() == KEPT {
            self.log.kept.pop_front();
        }
        self.log.kept.push_back(LogEntry { number: self.log.count, at: self.now, vm, host, what });
    }
}
