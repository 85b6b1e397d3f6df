//! The work bench of a check: a server, a client that is logged in, and short words for what checks do.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use chaos_core::{
    Context, Error, ErrorKind, Fault, How, Operation, Outcome, Platform, PlatformExt, Stop, SuspendedMemory, Target,
    Undo, VMInfo, VMPowerState, VMRef,
};

use super::harness::{Ability, Harness, Server};
use crate::estate::{EstateSpec, VmKey, VmSpec};

/// Time enough for whatever is going to succeed.
pub(super) const PLENTY: Duration = Duration::from_secs(30);
/// A patience that is meant to run out.
pub(super) const SHORT: Duration = Duration::from_millis(400);
/// What "soon" means on a machine with other things to do.
pub(super) const PROMPT: Duration = Duration::from_secs(5);

pub(super) struct Bench {
    pub(super) spec: EstateSpec,
    pub(super) server: Box<dyn Server>,
    pub(super) platform: Arc<dyn Platform>,
    pub(super) cx: Context,
}

impl Bench {
    /// A server with this estate and a client of it; none if the harness cannot do what the check needs.
    pub(super) async fn start(harness: &dyn Harness, needs: &[Ability], spec: EstateSpec) -> Option<Self> {
        if !can(harness, needs) {
            return None;
        }
        let server = harness.start(&spec).await;
        let cx = Context::on_clock(harness.clock(), PLENTY);
        let platform = server.connect(&cx, &spec.password).await.expect("the password is right");
        Some(Self { spec, server, platform, cx })
    }

    /// The same with one VM.
    pub(super) async fn of_one(harness: &dyn Harness, needs: &[Ability], vm: VmSpec) -> Option<(Self, VmKey)> {
        let mut spec = EstateSpec::new();
        let key = spec.add(vm);
        Some((Self::start(harness, needs, spec).await?, key))
    }

    /// Another client of the same server.
    pub(super) async fn second_client(&self) -> Arc<dyn Platform> {
        self.server.connect(&self.cx, &self.spec.password).await.expect("the password is right")
    }

    pub(super) async fn vm_ref(&self, vm: VmKey) -> VMRef {
        VMRef::new(self.platform.identity(), self.server.id_of(vm).await)
    }

    pub(super) async fn target(&self, vm: VmKey) -> Target {
        self.vm_ref(vm).await.into()
    }

    pub(super) async fn info(&self, vm: VmKey) -> VMInfo {
        let vm = self.vm_ref(vm).await;
        let mut found = self.platform.get(&self.cx, &[vm]).await;
        assert_eq!(found.len(), 1, "one answer for one question");
        found.remove(0).expect("the VM is there")
    }

    pub(super) async fn apply(&self, vm: VmKey, fault: &Fault) -> Result<Outcome, Error> {
        self.platform.apply(&self.cx, &self.target(vm).await, fault).await
    }

    pub(super) async fn prepare(&self, vm: VmKey, fault: &Fault) -> Result<Undo, Error> {
        let mut undos = self.platform.prepare(&self.cx, &[self.target(vm).await], fault).await;
        assert_eq!(undos.len(), 1, "one record for one target");
        undos.remove(0)
    }

    /// The record of a fault on the VM as it is now, also of one that the platform would not prepare.
    pub(super) async fn record(&self, vm: VmKey, fault: &Fault) -> Undo {
        let info = self.info(vm).await;
        Undo::of_power(self.target(vm).await, &info, fault, self.cx.now())
    }

    /// Applies `fault` in the background; what it gives comes from the handle.
    pub(super) async fn spawn_apply(
        &self,
        cx: &Context,
        vm: VmKey,
        fault: Fault,
    ) -> tokio::task::JoinHandle<Result<Outcome, Error>> {
        let (platform, cx, target) = (Arc::clone(&self.platform), cx.clone(), self.target(vm).await);
        tokio::spawn(async move { platform.apply(&cx, &target, &fault).await })
    }

    /// Waits until the server has seen a call that was to change the VM.
    pub(super) async fn until_called(&self, vm: VmKey) {
        self.until("the call has reached the server", || async { self.server.destructive_calls(vm).await > 0 }).await;
    }

    /// Waits for something that the server alone can tell.
    pub(super) async fn until<F: Future<Output = bool> + Send>(&self, what: &str, seen: impl Fn() -> F + Sync) {
        let look = async {
            while !seen().await {
                let soon = self.cx.monotonic() + Duration::from_millis(5);
                self.cx.clock().sleep_until(soon).await;
            }
        };
        assert!(self.cx.bounded(what, look).await.is_ok(), "in vain: waiting until {what}");
    }

    /// The VM is in this state by the server's word and by that of the client.
    pub(super) async fn assert_state(&self, vm: VmKey, state: VMPowerState) {
        assert_eq!(self.server.power_state(vm).await, state, "the server's word");
        assert_eq!(self.info(vm).await.power_state, state, "the client's word");
    }

    /// Applies a fault and checks the outcome and both sides' word on the state afterwards.
    pub(super) async fn assert_goes(&self, vm: VmKey, fault: &Fault, how: How, state: VMPowerState) -> Outcome {
        let before = self.server.power_state(vm).await;
        let outcome = self.apply(vm, fault).await.unwrap_or_else(|error| panic!("{fault:?}: {error:?}"));
        assert_eq!(outcome.how, how);
        assert_eq!(outcome.previous_state, before, "previous_state");
        assert_eq!(outcome.state, state, "state");
        self.assert_state(vm, state).await;
        outcome
    }

    /// Applies a fault that has to be refused, and sees that the VM was left alone.
    pub(super) async fn assert_refused(&self, vm: VmKey, fault: &Fault) -> Error {
        let before = self.server.power_state(vm).await;
        let error = self.apply(vm, fault).await.expect_err("has to be refused");
        assert_eq!(error.kind(), ErrorKind::InvalidState, "{error:?}");
        assert_eq!(self.server.destructive_calls(vm).await, 0, "calls that reached the VM");
        assert_eq!(self.server.power_state(vm).await, before);
        error
    }

    /// Runs a call that may take up to `limit` on the clock of the calls, and "soon" beyond.
    pub(super) async fn assert_within<T>(&self, limit: Duration, call: impl Future<Output = T>) -> T {
        let start = self.cx.monotonic();
        let value = call.await;
        let took = self.cx.monotonic().saturating_sub(start);
        assert!(took <= limit + PROMPT, "took {took:?}, where {limit:?} were allowed");
        value
    }
}

/// Whether the harness can do all that a check needs; if not, that is said.
pub(super) fn can(harness: &dyn Harness, needs: &[Ability]) -> bool {
    let missing = missing(harness, needs);
    if let Some((ability, why)) = missing {
        skipped(format_args!("the harness cannot do {ability:?}: {why}"));
    }
    missing.is_none()
}

/// Whether the harness can do what a part of a check needs beside the rest; if not, that is said.
pub(super) fn can_also(harness: &dyn Harness, needs: &[Ability]) -> bool {
    let missing = missing(harness, needs);
    if let Some((ability, why)) = missing {
        say(format_args!("SKIPPED IN PART {}: the harness cannot do {ability:?}: {why}", this_check()));
    }
    missing.is_none()
}

fn missing(harness: &dyn Harness, needs: &[Ability]) -> Option<(Ability, &'static str)> {
    harness.cannot().into_iter().find(|(ability, _)| needs.contains(ability))
}

/// Whether the harness declares this as missing, for checks of what has to be true then.
pub(super) fn lacks(harness: &dyn Harness, ability: Ability) -> bool {
    harness.cannot().iter().any(|(missing, _)| *missing == ability)
}

/// Says that a check has not run.
pub(super) fn skipped(why: fmt::Arguments<'_>) {
    say(format_args!("SKIPPED {}: {why}", this_check()));
}

fn this_check() -> String {
    std::thread::current().name().unwrap_or("a check").to_owned()
}

#[expect(clippy::print_stderr, reason = "a skipped check has to be seen in the output of the test")]
fn say(what: fmt::Arguments<'_>) {
    eprintln!("{what}");
}

/// The ability that an operation is.
///
/// # Panics
/// On an operation that came after this suite: it needs an ability and checks.
pub(super) fn ability(operation: Operation) -> Ability {
    match operation {
        Operation::PowerOn => Ability::PowerOn,
        Operation::PowerOff => Ability::PowerOff,
        Operation::Reboot => Ability::Reboot,
        Operation::Suspend => Ability::Suspend,
        _ => panic!("the suite has no checks of {operation} yet"),
    }
}

/// Those of the faults whose operation the harness can do; that there is none is said.
pub(super) fn offered(harness: &dyn Harness, faults: impl IntoIterator<Item = Fault>) -> Vec<Fault> {
    let can = |fault: &Fault| !lacks(harness, ability(fault.operation()));
    let offered: Vec<Fault> = faults.into_iter().filter(can).collect();
    if offered.is_empty() {
        say(format_args!("SKIPPED the operations of {}: the harness can do none of them", this_check()));
    }
    offered
}

/// Guest first, then hard: with all the time in the world for either.
pub(super) fn graceful() -> Stop {
    Stop::GuestThenHard { grace: PLENTY, hard: PLENTY }
}

/// Guest first for a short time, then hard.
pub(super) fn impatient() -> Stop {
    Stop::GuestThenHard { grace: SHORT, hard: PLENTY }
}

/// Hard at once.
pub(super) fn hard() -> Stop {
    Stop::Hard { limit: PLENTY }
}

/// Power off hard, also what is suspended.
pub(super) fn discard() -> Fault {
    Fault::PowerOff { stop: hard(), suspended: SuspendedMemory::Discard }
}

/// One fault of each operation that there is.
pub(super) fn all_faults() -> [Fault; 4] {
    [Fault::power_on(), Fault::power_off(hard()), Fault::reboot(hard()), Fault::suspend()]
}

/// One fault of each operation that the harness can do.
pub(super) fn every_fault(harness: &dyn Harness) -> Vec<Fault> {
    offered(harness, all_faults())
}

/// VMs of one name, `web`: in two datacenters, and where there are folders in two folders of one of them.
pub(super) fn namesakes(harness: &dyn Harness) -> EstateSpec {
    let place = |datacenter: &str, folder: &str| {
        let cluster = format!("{datacenter}-C0");
        let host = format!("{datacenter}-host");
        VmSpec::new("web").datacenter(datacenter).cluster(Some(&cluster)).host(&host).folder(folder)
    };
    let mut spec = EstateSpec::new().with([place("DC0", "blue"), place("DC1", "green")]);
    if can_also(harness, &[Ability::Folders]) {
        spec.add(place("DC0", "green"));
    }
    spec
}

/// The names of VMs, in their order.
pub(super) fn names(vms: &[VMInfo]) -> Vec<&str> {
    vms.iter().map(|vm| vm.name.as_str()).collect()
}

/// Finds a VM by the target notation, and gives its object id.
pub(super) async fn id_by(bench: &Bench, target: &str) -> Result<String, Error> {
    bench.platform.find(&bench.cx, target).await.map(|vm| vm.id)
}
