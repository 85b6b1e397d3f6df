//! Actions on VMs: prepared and written down, sent, settled and written down again.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chaos_core::{
    CallResult, Context, Error, ErrorKind, Failure, Fault, How, Outcome, RunEventKind, Target, Undo, VMInfo,
    VMPowerState, VMRef,
};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use crate::engine::Running;
use crate::engine::activity::Failed;
use crate::engine::ledger::{AtRest, Sending};
use crate::resolve::On;

/// What a platform gets on top of a fault's own limits, to read and settle.
const SETTLE: Duration = Duration::from_mins(1);

/// Why something is done to a VM. A guard refuses to break, never to repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Break,
    Repair,
}

struct Prepared<'a> {
    vm: &'a VMInfo,
    target: Target,
    undo: Undo,
    /// The number of the `prepared` event.
    sequence: u64,
}

impl Running<'_> {
    /// Applies a fault to each VM. All are prepared and written down before the first call leaves; if one cannot be,
    /// none is touched. After a failure no further call is begun.
    pub(super) async fn apply(
        &self,
        cx: &Context,
        activity: u64,
        on: &On,
        fault: &Fault,
        parallel: NonZeroUsize,
    ) -> Result<Vec<Value>, Failed> {
        let _permit = self.admit(cx, on.refs(), fault).await?;
        self.apply_to(cx, activity, on, fault, parallel, Purpose::Break).await
    }

    /// The same for a declared rollback, about which nobody is asked where it puts back what the run has changed, and which leaves out what needs none: a VM that the run never changed, or has put
    /// back, and that is as it was found would be disturbed by it, and be put back at once.
    pub(super) async fn apply_rollback(
        &self,
        cx: &Context,
        activity: u64,
        on: &On,
        fault: &Fault,
        parallel: NonZeroUsize,
    ) -> Result<Vec<Value>, Failed> {
        let refs = on.refs();
        let mut outputs = Vec::with_capacity(refs.len());
        let mut rest = On { platform: Arc::clone(&on.platform), vms: Vec::new(), drawn: None };
        for (vm, target) in on.vms.iter().zip(refs) {
            let at_rest =
                self.ledger.at_rest(&Target::from(target.clone())).filter(|at_rest| moves(fault, at_rest.found));
            let now = match at_rest {
                Some(_) => on.platform.get(&cx.limit(SETTLE), &[target]).await.pop().and_then(Result::ok),
                None => None,
            };
            match (at_rest, now) {
                (Some(at_rest), Some(now)) if now.power_state == at_rest.found => {
                    outputs.push(skipped(vm, fault, &at_rest));
                }
                _ => rest.vms.push(vm.clone()),
            }
        }
        let mends = |vm: &VMInfo| {
            let target = Target::from(VMRef::new(rest.platform.identity(), &vm.id));
            self.ledger.found(&target).is_some_and(|found| leads_to(fault, found))
        };
        let (mended, broken): (Vec<VMInfo>, Vec<VMInfo>) = rest.vms.drain(..).partition(mends);
        for (vms, purpose) in [(mended, Purpose::Repair), (broken, Purpose::Break)] {
            if vms.is_empty() {
                continue;
            }
            let some = On { platform: Arc::clone(&on.platform), vms, drawn: None };
            // Whatever stands under the rollbacks and mends nothing is a fault like any other.
            let _permit = match purpose {
                Purpose::Break => Some(self.admit(cx, some.refs(), fault).await?),
                Purpose::Repair => None,
            };
            outputs.extend(self.apply_to(cx, activity, &some, fault, parallel, purpose).await?);
        }
        Ok(outputs)
    }

    async fn apply_to(
        &self,
        cx: &Context,
        activity: u64,
        on: &On,
        fault: &Fault,
        parallel: NonZeroUsize,
        purpose: Purpose,
    ) -> Result<Vec<Value>, Failed> {
        let prepared = self.prepare(cx, activity, on, fault).await?;
        let failed = AtomicBool::new(false);
        let mut jobs: Vec<BoxFuture<'_, (usize, Result<Outcome, Error>)>> = Vec::with_capacity(prepared.len());
        for (at, one) in prepared.iter().enumerate() {
            let failed = &failed;
            jobs.push(Box::pin(async move {
                if failed.load(Ordering::Relaxed) {
                    let error = Error::new(ErrorKind::Cancelled, "not begun, because another one failed before");
                    return (at, Err(error));
                }
                let result = self.send(cx, activity, on, fault, (parallel, purpose), one).await;
                failed.fetch_or(result.is_err(), Ordering::Relaxed);
                (at, result)
            }));
        }
        let results: BTreeMap<usize, Result<Outcome, Error>> =
            futures_util::stream::iter(jobs).buffer_unordered(parallel.get()).collect().await;

        let mut outputs = Vec::with_capacity(results.len());
        let mut lines = Vec::new();
        let mut first: Option<Error> = None;
        for (one, result) in prepared.iter().zip(results.into_values()) {
            match result {
                Ok(outcome) => outputs.push(output(one.vm, fault, &outcome)),
                Err(error) => {
                    let error = error.vm(one.vm.display_path()).operation(fault.operation().words());
                    lines.push(error.with_causes());
                    // What was cancelled is not what went wrong.
                    if first.as_ref().is_none_or(|first| first.kind() == ErrorKind::Cancelled) {
                        first = Some(error);
                    }
                }
            }
        }
        match first {
            Some(error) => Err(Failed { lines, error }),
            None => Ok(outputs),
        }
    }

    async fn prepare<'a>(
        &self,
        cx: &Context,
        activity: u64,
        on: &'a On,
        fault: &Fault,
    ) -> Result<Vec<Prepared<'a>>, Failed> {
        let targets: Vec<Target> = on.refs().into_iter().map(Target::from).collect();
        let undos = on.platform.prepare(&cx.limit(SETTLE), &targets, fault).await;
        let mut ready = Vec::with_capacity(targets.len());
        let mut refused = Vec::new();
        for ((vm, target), undo) in on.vms.iter().zip(targets).zip(undos) {
            let possible = undo.and_then(|undo| match undo.why_impossible() {
                None => Ok(undo),
                Some(why) => Err(Error::new(ErrorKind::InvalidState, format!("could not be put back: {why}"))),
            });
            match possible {
                Ok(undo) => ready.push((vm, target, undo)),
                Err(error) => refused.push(error.vm(vm.display_path()).operation(fault.operation().words())),
            }
        }
        if ready.len() + refused.len() < on.vms.len() {
            refused.push(Error::new(ErrorKind::Protocol, "the platform prepared fewer VMs than it was asked to"));
        }
        let lines = refused.iter().map(Error::with_causes).collect();
        if let Some(error) = refused.into_iter().next() {
            return Err(Failed { lines, error });
        }
        let mut prepared = Vec::with_capacity(ready.len());
        for (vm, target, undo) in ready {
            let event =
                RunEventKind::Prepared { activity, target: target.clone(), fault: fault.clone(), undo: undo.clone() };
            let sequence = self.recorder.record(event).await?;
            prepared.push(Prepared { vm, target, undo, sequence });
        }
        Ok(prepared)
    }

    async fn send(
        &self,
        cx: &Context,
        activity: u64,
        on: &On,
        fault: &Fault,
        (parallel, purpose): (NonZeroUsize, Purpose),
        one: &Prepared<'_>,
    ) -> Result<Outcome, Error> {
        cx.check("waiting for its turn")?;
        if let (Purpose::Break, Some(vm)) = (purpose, one.target.vm()) {
            self.admit_still(cx, vm, fault).await?;
        }
        self.recorder.record(RunEventKind::Sent { prepared: one.sequence }).await?;
        let (prepared, undo, platform) = (one.sequence, &one.undo, &on.platform);
        self.ledger.sending(&Sending { prepared, activity, parallel, platform, undo, breaks: fault.breaks() });
        let limited = cx.limit(fault.limit().saturating_add(SETTLE));
        let sent = cx.monotonic();
        let result = on.platform.apply(&limited, &one.target, fault).await;
        self.ledger.settled(&one.target, fault, &result, sent, cx.monotonic());
        let told = match &result {
            Ok(outcome) => CallResult::Ok(outcome.clone()),
            Err(error) => CallResult::Error(Failure::from(error)),
        };
        let recorded = self.recorder.record(RunEventKind::Outcome { prepared, result: told }).await;
        let outcome = result?;
        recorded?;
        Ok(outcome)
    }
}

/// Whether a fault brings a VM to `state`. A restart brings it nowhere.
pub(crate) fn leads_to(fault: &Fault, state: VMPowerState) -> bool {
    !matches!(fault, Fault::Reboot { .. }) && !moves(fault, state)
}

/// Whether a fault would move a VM out of `state` for good. A restart moves nothing and mends what is inside.
fn moves(fault: &Fault, state: VMPowerState) -> bool {
    match fault {
        Fault::PowerOn { .. } => state != VMPowerState::PoweredOn,
        Fault::PowerOff { .. } => state != VMPowerState::PoweredOff,
        Fault::Suspend { .. } => state != VMPowerState::Suspended,
        _ => false,
    }
}

fn skipped(vm: &VMInfo, fault: &Fault, AtRest { found, why }: &AtRest) -> Value {
    json!({
        "vm": vm.name,
        "id": vm.id,
        "path": vm.path,
        "operation": fault.operation(),
        "outcome": "skipped",
        "previous_state": found,
        "state": found,
        "duration_seconds": 0.0,
        "note": format!("nothing was done: {why}, and it is {found} as it was found"),
    })
}

fn output(vm: &VMInfo, fault: &Fault, outcome: &Outcome) -> Value {
    let idle = format!("nothing was done: it was {} already", outcome.previous_state);
    described(vm, fault.operation().as_str(), outcome, idle)
}

/// What became of a VM, for the journal; `idle` is noted if nothing had to be done.
pub(super) fn described(vm: &VMInfo, operation: &str, outcome: &Outcome, idle: String) -> Value {
    let mut output = json!({
        "vm": vm.name,
        "id": vm.id,
        "path": vm.path,
        "operation": operation,
        "outcome": outcome.how,
        "previous_state": outcome.previous_state,
        "state": outcome.state,
        "duration_seconds": outcome.duration.as_secs_f64(),
    });
    let idle = (outcome.how == How::AlreadyThere).then_some(idle);
    if let (Some(note), Value::Object(output)) = (outcome.note.clone().or(idle), &mut output) {
        output.insert("note".to_owned(), note.into());
    }
    output
}
