//! Power operations as an extension of every platform: by name, alone or many at a time.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::context::Context;
use crate::error::{Error, ErrorKind};
use crate::fault::{Fault, Operation, Stop, Target};
use crate::outcome::Outcome;
use crate::platform::{Platform, Problem};
use crate::select::{Selector, TargetPattern, resolve};
use crate::undo::Undo;
use crate::vm::{VMInfo, VMPowerState};
use crate::vm_ref::VMRef;

/// How many VMs may be in transition at the same time where nothing else was said.
pub const DEFAULT_PARALLEL: NonZeroUsize = NonZeroUsize::new(5).expect("5 is not 0");

/// How long reading the VMs may take whose operation failed: the operation is over, and people wait for the report.
const READING_FAILED: Duration = Duration::from_secs(30);

/// What became of one VM of a power operation.
///
/// Serialised as `vm` (its name), `id`, `path`, `platform`, `operation`, `outcome`, `previous_state`, `state`,
/// `duration_seconds` and `error`; what does not apply is null.
#[derive(Debug)]
#[non_exhaustive]
pub struct PowerReport {
    /// The VM.
    pub vm: VMRef,
    /// Its name.
    pub name: String,
    /// Its inventory path.
    pub path: Option<String>,
    /// What was to be done.
    pub operation: Operation,
    /// The state found before, where it could be read.
    pub previous_state: Option<VMPowerState>,
    /// The state afterwards; after a failure as it was read once more, where that was possible.
    pub state: Option<VMPowerState>,
    /// How to put it back, where that much was read. Made before anything was done.
    pub undo: Option<Undo>,
    /// What happened.
    pub result: Result<Outcome, Error>,
    /// How long it took, on the clock of the call.
    pub duration: Duration,
}

impl Serialize for PowerReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut record = serializer.serialize_struct("PowerReport", 10)?;
        record.serialize_field("vm", &self.name)?;
        record.serialize_field("id", &self.vm.id)?;
        record.serialize_field("path", &self.path)?;
        record.serialize_field("platform", &self.vm.platform)?;
        record.serialize_field("operation", &self.operation)?;
        record.serialize_field("outcome", &self.result.as_ref().ok().map(|outcome| outcome.how))?;
        record.serialize_field("previous_state", &self.previous_state)?;
        record.serialize_field("state", &self.state)?;
        record.serialize_field("duration_seconds", &self.duration.as_secs_f64())?;
        record.serialize_field("error", &self.result.as_ref().err().map(Error::with_causes))?;
        record.end()
    }
}

/// Conveniences over every [`Platform`]. Implemented for all of them; not to be implemented again.
///
/// Names are in the target notation of [`TargetPattern`], and each has to fit exactly one VM.
#[async_trait]
pub trait PlatformExt: Platform {
    /// A reference to a VM of this platform that another process can use.
    fn vm_ref(&self, vm: &VMInfo) -> VMRef {
        VMRef::new(self.identity(), &vm.id)
    }

    /// The one VM that `target` means.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`], [`ErrorKind::Ambiguous`], and what a discovery can give.
    async fn find(&self, cx: &Context, target: &str) -> Result<VMInfo, Error> {
        let mut vms = self.find_each(cx, &[target]).await?;
        vms.pop().ok_or_else(|| Error::not_found(target))
    }

    /// The VMs that `targets` mean, one each, in one discovery.
    ///
    /// # Errors
    /// As [`PlatformExt::find`], for the first target that does not mean exactly one VM.
    async fn find_each(&self, cx: &Context, targets: &[&str]) -> Result<Vec<VMInfo>, Error> {
        let patterns = targets.iter().map(|text| text.parse()).collect::<Result<Vec<TargetPattern>, Error>>()?;
        let discovery = self.discover(cx, &Selector::targets(patterns.clone())).await?;
        let mut found = Vec::with_capacity(patterns.len());
        for pattern in patterns {
            let target = pattern.to_string();
            let mut chosen = resolve(&Selector::targets([pattern]), &discovery.vms)
                .map_err(|error| with_problems(error, &discovery.problems))?;
            match (chosen.pop(), chosen.is_empty()) {
                (Some(only), true) => found.push(only.vm),
                (last, _) => {
                    let all = chosen.iter().chain(&last).map(|chosen| chosen.vm.display_path().to_owned()).collect();
                    return Err(Error::ambiguous(target, all));
                }
            }
        }
        Ok(found)
    }

    /// Powers one VM on.
    async fn power_on(&self, cx: &Context, vm: &str) -> Result<Outcome, Error> {
        apply_by_name(self, cx, vm, &Fault::power_on()).await
    }

    /// Powers one VM off. A suspended VM is refused.
    async fn power_off(&self, cx: &Context, vm: &str, stop: Stop) -> Result<Outcome, Error> {
        apply_by_name(self, cx, vm, &Fault::power_off(stop)).await
    }

    /// Restarts one VM.
    async fn reboot(&self, cx: &Context, vm: &str, stop: Stop) -> Result<Outcome, Error> {
        apply_by_name(self, cx, vm, &Fault::reboot(stop)).await
    }

    /// Suspends one VM.
    async fn suspend(&self, cx: &Context, vm: &str) -> Result<Outcome, Error> {
        apply_by_name(self, cx, vm, &Fault::suspend()).await
    }

    /// Powers many VMs on, at most `parallel` at the same time.
    ///
    /// # Errors
    /// As [`PlatformExt::find_each`], before anything was done; what happens to each VM afterwards is in its report.
    async fn batch_power_on(
        &self,
        cx: &Context,
        vms: &[&str],
        parallel: NonZeroUsize,
    ) -> Result<Vec<PowerReport>, Error> {
        apply_each_by_name(self, cx, vms, &Fault::power_on(), parallel).await
    }

    /// Powers many VMs off, at most `parallel` at the same time.
    ///
    /// # Errors
    /// As [`PlatformExt::batch_power_on`].
    async fn batch_power_off(
        &self,
        cx: &Context,
        vms: &[&str],
        stop: Stop,
        parallel: NonZeroUsize,
    ) -> Result<Vec<PowerReport>, Error> {
        apply_each_by_name(self, cx, vms, &Fault::power_off(stop), parallel).await
    }

    /// Restarts many VMs, at most `parallel` at the same time.
    ///
    /// # Errors
    /// As [`PlatformExt::batch_power_on`].
    async fn batch_reboot(
        &self,
        cx: &Context,
        vms: &[&str],
        stop: Stop,
        parallel: NonZeroUsize,
    ) -> Result<Vec<PowerReport>, Error> {
        apply_each_by_name(self, cx, vms, &Fault::reboot(stop), parallel).await
    }

    /// Suspends many VMs, at most `parallel` at the same time.
    ///
    /// # Errors
    /// As [`PlatformExt::batch_power_on`].
    async fn batch_suspend(
        &self,
        cx: &Context,
        vms: &[&str],
        parallel: NonZeroUsize,
    ) -> Result<Vec<PowerReport>, Error> {
        apply_each_by_name(self, cx, vms, &Fault::suspend(), parallel).await
    }

    /// Applies `fault` to VMs that were found before, at most `parallel` in transition at the same time. One report
    /// each, in the order given. All are read first, in one request where the platform can; a VM that cannot take the
    /// fault is reported and left alone, and so is every VM that was not started when the call was cancelled.
    async fn apply_each(
        &self,
        cx: &Context,
        vms: &[VMInfo],
        fault: &Fault,
        parallel: NonZeroUsize,
    ) -> Vec<PowerReport> {
        let targets: Vec<Target> = vms.iter().map(|vm| Target::from(self.vm_ref(vm))).collect();
        let undos = self.prepare(cx, &targets, fault).await;
        // Boxed: the compiler cannot yet prove a stream of borrowing closures to be `Send`.
        let mut jobs: Vec<BoxFuture<'_, (usize, PowerReport)>> = Vec::with_capacity(vms.len());
        for (at, ((vm, target), undo)) in vms.iter().zip(targets).zip(undos).enumerate() {
            jobs.push(Box::pin(async move { (at, apply_prepared(self, cx, vm, target, undo, fault).await) }));
        }
        // Unordered, so that one slow VM does not hold up those behind it.
        let reports: BTreeMap<usize, PowerReport> =
            futures_util::stream::iter(jobs).buffer_unordered(parallel.get()).collect().await;
        let mut reports: Vec<PowerReport> = reports.into_values().collect();
        read_failed(self, cx, &mut reports).await;
        reports
    }
}

impl<P: Platform + ?Sized> PlatformExt for P {}

/// A VM that was not found may be in a part of the inventory that could not be read.
fn with_problems(error: Error, problems: &[Problem]) -> Error {
    match problems {
        [first, rest @ ..] if error.kind() == ErrorKind::NotFound => Error::new(
            ErrorKind::NotFound,
            format!(
                "{error} in what could be read of the inventory; {}: {}{}",
                first.subject,
                first.message,
                if rest.is_empty() { String::new() } else { format!(", and {} more problems", rest.len()) }
            ),
        ),
        _ => error,
    }
}

/// Reads how the VMs are left whose operation failed: in one request, and only while the call lasts.
async fn read_failed<P: Platform + ?Sized>(platform: &P, cx: &Context, reports: &mut [PowerReport]) {
    let failed: Vec<&mut PowerReport> = reports.iter_mut().filter(|report| report.result.is_err()).collect();
    if failed.is_empty() || cx.check("reading what failed").is_err() {
        return;
    }
    let vms: Vec<VMRef> = failed.iter().map(|report| report.vm.clone()).collect();
    let read = platform.get(&cx.limit(READING_FAILED), &vms).await;
    for (report, read) in failed.into_iter().zip(read) {
        report.state = read.ok().map(|vm| vm.power_state);
    }
}

async fn apply_by_name<P: Platform + ?Sized>(
    platform: &P,
    cx: &Context,
    vm: &str,
    fault: &Fault,
) -> Result<Outcome, Error> {
    let found = platform.find(cx, vm).await?;
    let target = Target::from(platform.vm_ref(&found));
    platform.apply(cx, &target, fault).await
}

async fn apply_each_by_name<P: Platform + ?Sized>(
    platform: &P,
    cx: &Context,
    vms: &[&str],
    fault: &Fault,
    parallel: NonZeroUsize,
) -> Result<Vec<PowerReport>, Error> {
    let vms = platform.find_each(cx, vms).await?;
    Ok(platform.apply_each(cx, &vms, fault, parallel).await)
}

async fn apply_prepared<P: Platform + ?Sized>(
    platform: &P,
    cx: &Context,
    vm: &VMInfo,
    target: Target,
    undo: Result<Undo, Error>,
    fault: &Fault,
) -> PowerReport {
    let start = cx.monotonic();
    let (undo, result) = match undo {
        Err(error) => (None, Err(error)),
        Ok(undo) => {
            let result = match cx.check("waiting for its turn") {
                Ok(()) => platform.apply(cx, &target, fault).await,
                Err(error) => Err(error),
            };
            (Some(undo), result)
        }
    };
    let previous_state = result
        .as_ref()
        .ok()
        .map(|outcome| outcome.previous_state)
        .or_else(|| undo.as_ref().map(|undo| undo.found.power_state))
        .or(Some(vm.power_state));
    PowerReport {
        vm: platform.vm_ref(vm),
        name: vm.name.clone(),
        path: vm.path.clone(),
        operation: fault.operation(),
        previous_state,
        state: result.as_ref().ok().map(|outcome| outcome.state),
        undo,
        result: result.map_err(|error| error.vm(vm.display_path()).operation(fault.operation().words())),
        duration: cx.monotonic().saturating_sub(start),
    }
}
