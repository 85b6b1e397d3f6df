//! Actions on VMs: prepared and written down, sent, settled and written down again.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chaos_core::{CallResult, Context, Error, ErrorKind, Failure, Fault, Outcome, RunEventKind, Target, Undo, VMInfo};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use crate::engine::Running;
use crate::engine::activity::Failed;
use crate::engine::ledger::Sending;
use crate::resolve::On;

/// What a platform gets on top of a fault's own limits, to read and settle.
const SETTLE: Duration = Duration::from_mins(1);

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
    ) -> Result<Value, Failed> {
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
                let result = self.send(cx, activity, on, fault, parallel, one).await;
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
            None if outputs.len() == 1 => Ok(outputs.remove(0)),
            None => Ok(outputs.into()),
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
        parallel: NonZeroUsize,
        one: &Prepared<'_>,
    ) -> Result<Outcome, Error> {
        cx.check("waiting for its turn")?;
        self.recorder.record(RunEventKind::Sent { prepared: one.sequence }).await?;
        let (prepared, undo, platform) = (one.sequence, &one.undo, &on.platform);
        self.ledger.sending(&Sending { prepared, activity, parallel, platform, undo });
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

fn output(vm: &VMInfo, fault: &Fault, outcome: &Outcome) -> Value {
    let mut output = json!({
        "vm": vm.name,
        "id": vm.id,
        "path": vm.path,
        "operation": fault.operation(),
        "outcome": outcome.how,
        "previous_state": outcome.previous_state,
        "state": outcome.state,
        "duration_seconds": outcome.duration.as_secs_f64(),
    });
    if let (Some(note), Value::Object(output)) = (&outcome.note, &mut output) {
        output.insert("note".to_owned(), note.as_str().into());
    }
    output
}
