//! Asks the guard before a fault leaves, on what the platforms say at that time.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chaos_core::{Context, Denial, Elsewhere, Error, Fault, Guard, Member, Strike, VMRef};

use crate::engine::Running;
use crate::guarded::{Places, members, places, refusal};

/// How long ago what is known may have been read when a fault leaves.
const FRESH: Duration = Duration::from_secs(10);
/// How long reading it may take.
const READING: Duration = Duration::from_mins(5);

/// When the guard is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// Before an activity begins, for all of its targets.
    Before,
    /// Right before a call leaves, for its target.
    Again,
}

/// The guard of a run, and what it knows.
#[derive(Debug)]
pub(super) struct Sentry {
    guard: Guard,
    /// One fault is checked at a time, so that none is allowed which another one rules out.
    turn: tokio::sync::Mutex<Option<Seen>>,
    /// The targets of the activities that are under way. What these have left, the ledger knows.
    under_way: Mutex<Vec<VMRef>>,
}

/// What was read last.
#[derive(Debug)]
struct Seen {
    at: Duration,
    estate: Vec<Member>,
    places: Places,
    elsewhere: Elsewhere,
    /// What was allowed by this. Whatever is allowed after it has counted it, so that only the time can rule it out.
    allowed: HashSet<VMRef>,
}

/// That a fault may be sent to some VMs. As long as it is there, they count as in a fault.
#[must_use]
#[derive(Debug)]
pub(super) struct Permit<'a> {
    sentry: &'a Sentry,
    targets: Vec<VMRef>,
}

impl Sentry {
    pub(super) fn new(guard: Guard) -> Self {
        Self { guard, turn: tokio::sync::Mutex::default(), under_way: Mutex::default() }
    }

    fn under_way(&self) -> MutexGuard<'_, Vec<VMRef>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut under_way = self.sentry.under_way();
        for target in &self.targets {
            if let Some(at) = under_way.iter().position(|known| known == target) {
                under_way.swap_remove(at);
            }
        }
    }
}

impl Running<'_> {
    /// Asks for a fault on all of its targets, which is what it may come to.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`](chaos_core::ErrorKind::Refused) if a rule does not allow it; what the platforms cannot be asked.
    pub(super) async fn admit(&self, cx: &Context, targets: Vec<VMRef>, fault: &Fault) -> Result<Permit<'_>, Error> {
        self.ask(cx, &targets, fault, Asked::Before).await?;
        let targets = if fault.breaks() { targets } else { Vec::new() };
        Ok(Permit { sentry: &self.sentry, targets })
    }

    /// Asks once more for one of them, right before its call leaves.
    ///
    /// # Errors
    /// As [`admit`](Self::admit).
    pub(super) async fn admit_still(&self, cx: &Context, target: &VMRef, fault: &Fault) -> Result<(), Error> {
        self.ask(cx, std::slice::from_ref(target), fault, Asked::Again).await
    }

    /// Whether a fault is allowed by what is known, which is read anew if it is not fresh. Allowed before
    /// it begins, its targets are under way.
    async fn ask(&self, cx: &Context, targets: &[VMRef], fault: &Fault, asked: Asked) -> Result<(), Error> {
        let cx = &cx.limit(READING);
        let guard = &self.sentry.guard;
        if guard.policy().is_empty() || !fault.breaks() {
            return Ok(());
        }
        let mut turn = cx.bounded("asking the guard", self.sentry.turn.lock()).await?;
        let seen = match turn.take() {
            Some(seen) if cx.monotonic().saturating_sub(seen.at) < FRESH => turn.insert(seen),
            _ => {
                let now = cx.now();
                let estate = self.resolved.estate(cx, guard).await?;
                let places = places(&estate);
                let elsewhere = guard.elsewhere(cx.run_id(), now).await?;
                let at = cx.monotonic();
                turn.insert(Seen { at, estate, places, elsewhere, allowed: HashSet::new() })
            }
        };
        if asked == Asked::Again && targets.iter().all(|target| seen.allowed.contains(target)) {
            let denials: Vec<Denial> =
                guard.policy().rules().iter().filter_map(|rule| rule.check_time(cx.now()).err()).collect();
            return if denials.is_empty() { Ok(()) } else { Err(refusal(&denials)) };
        }
        let mut here = self.ledger.in_fault();
        here.extend(self.sentry.under_way().iter().cloned());
        let scene = seen.elsewhere.scene(cx.now(), &seen.estate).faulted(&here);
        let hit = members(&seen.estate, &seen.places, targets)?;
        let strike = Strike { fault, targets: hit.iter().collect() };
        guard.policy().check(&strike, &scene).map_err(|denials| refusal(&denials))?;
        seen.allowed.extend(targets.iter().cloned());
        if asked == Asked::Before {
            self.sentry.under_way().extend(targets.iter().cloned());
        }
        Ok(())
    }
}
