//! The record of every call that came in.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use crate::world::seconds;

/// The oldest calls are forgotten beyond this many.
const KEPT: usize = 200_000;

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Still at work.
    Pending,
    /// Answered.
    Done,
    /// Refused with a fault of this type.
    Fault(String),
    /// Broken by an injected fault of this kind.
    Broken(&'static str),
    /// The client hung up before the answer was there.
    Abandoned,
}

/// What a call is about, for the record and for faults on the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) method: String,
    /// The id of the object that it is called on.
    pub(crate) object: String,
    /// The name of that object, if it has one.
    pub(crate) object_name: Option<String>,
    /// The key of the session, if there is one.
    pub(crate) session: Option<String>,
    /// What the client calls the operation.
    pub(crate) operation_id: Option<String>,
    /// The query of the URL, decoded.
    pub(crate) query: Option<String>,
    /// What is searched for.
    pub(crate) search: Option<String>,
    /// Why the client wants it.
    pub(crate) reason: Option<String>,
}

/// One call.
#[derive(Debug, Clone, Serialize)]
pub struct Call {
    /// Counts calls from one.
    pub number: u64,
    /// Its method, for example `PowerOffVM_Task`. For an engine one word: `token`, `vms` for the list, `vm` for one,
    /// `stop` for that action. For a Dora service `GetLoginToken`, `GetHypervisors`, `GetVirtualMachines`.
    pub method: String,
    /// The id of the object that it was made on, or an empty text.
    pub object: String,
    /// The name of that object, if it has one.
    pub object_name: Option<String>,
    /// The key of the session, if it came with a live one.
    pub session: Option<String>,
    /// The `operationID` or the `Correlation-Id` that the client gave.
    pub operation_id: Option<String>,
    /// The query of the URL, decoded: `search=status=up&max=10`. Never of a login.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The parameter `search`, from wherever it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// The `reason` that an action was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// World time when it came, in seconds since the world began.
    #[serde(with = "seconds")]
    pub at: Duration,
    /// Real seconds that it took; zero while it is pending.
    #[serde(with = "seconds")]
    pub took: Duration,
    /// The HTTP status of its answer; none if there was none.
    pub status: Option<u16>,
    /// How it ended.
    pub outcome: Outcome,
}

/// All calls that are remembered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record(Arc<Mutex<Calls>>);

#[derive(Debug, Default)]
struct Calls {
    kept: VecDeque<Call>,
    count: u64,
}

impl Record {
    fn lock(&self) -> MutexGuard<'_, Calls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a call came in.
    pub(crate) fn open(&self, subject: Subject, at: Duration) -> Entry {
        let mut calls = self.lock();
        calls.count += 1;
        let number = calls.count;
        if calls.kept.len() == KEPT {
            calls.kept.pop_front();
        }
        calls.kept.push_back(Call {
            number,
            method: subject.method,
            object: subject.object,
            object_name: subject.object_name,
            session: subject.session,
            operation_id: subject.operation_id,
            query: subject.query,
            search: subject.search,
            reason: subject.reason,
            at,
            took: Duration::ZERO,
            status: None,
            outcome: Outcome::Pending,
        });
        Entry { record: self.clone(), number, begun: Instant::now(), is_closed: false }
    }

    pub(crate) fn all(&self) -> Vec<Call> {
        self.lock().kept.iter().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        self.lock().kept.clear();
    }
}

/// A call at work. Dropping it means that the client has gone.
#[derive(Debug)]
pub(crate) struct Entry {
    record: Record,
    number: u64,
    begun: Instant,
    is_closed: bool,
}

impl Entry {
    /// Notes how the call ended.
    pub(crate) fn close(mut self, status: Option<u16>, outcome: Outcome) {
        self.set(status, outcome);
    }

    fn set(&mut self, status: Option<u16>, outcome: Outcome) {
        self.is_closed = true;
        let took = self.begun.elapsed();
        let mut calls = self.record.lock();
        let from_end = usize::try_from(calls.count.saturating_sub(self.number)).unwrap_or(usize::MAX);
        let position = calls.kept.len().checked_sub(from_end.saturating_add(1));
        if let Some(call) = position.and_then(|position| calls.kept.get_mut(position)) {
            call.took = took;
            call.status = status;
            call.outcome = outcome;
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if !self.is_closed {
            self.set(None, Outcome::Abandoned);
        }
    }
}
