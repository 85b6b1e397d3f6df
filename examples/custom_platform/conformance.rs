//! What is left to do once a platform is written: a harness of its world, and the line that runs the suite.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chaos_core::{Context, Error, ErrorKind, Fault, Platform, Retry, SharedClock, Stop, VMPowerState, VMRef};
use chaos_testkit::conformance::{Ability, Break, Harness, Outage, Server};
use chaos_testkit::{EstateSpec, TestClock, VmKey, VmSpec};
use secrecy::SecretString;

use crate::{Lab, LabPlatform, Machine, Order};

struct LabHarness {
    clock: TestClock,
}

fn lab() -> LabHarness {
    LabHarness { clock: TestClock::auto() }
}

#[async_trait]
impl Harness for LabHarness {
    fn cannot(&self) -> Vec<(Ability, &'static str)> {
        vec![
            (Ability::Suspend, "a power strip can switch on and off"),
            (Ability::SuspendedVms, "a machine is on or off"),
            (Ability::Templates, "a machine is a machine"),
            (Ability::Folders, "the lab has rooms and no folders"),
            (Ability::Guests, "a power strip asks no guest"),
            (Ability::GuestAgentNeeded, "a power strip asks no guest"),
            (Ability::Logins, "whoever is in this process is let in"),
            (Ability::KillSessions, "there are no sessions"),
            (Ability::CountSessions, "there are no sessions"),
            (Ability::BreakCalls, "a table in this process has no line that could break"),
            (Ability::Outages, "a table in this process is always there"),
        ]
    }

    fn clock(&self) -> SharedClock {
        self.clock.shared()
    }

    async fn start(&self, estate: &EstateSpec) -> Box<dyn Server> {
        let lab = Lab::new(self.clock.shared());
        let ids = estate.vms.iter().map(|vm| lab.add(machine(vm))).collect();
        Box::new(RunningLab { lab, ids })
    }
}

fn machine(vm: &VmSpec) -> Machine {
    Machine {
        row: vm.cluster.clone(),
        rack: vm.host.clone(),
        cpus: vm.cpu_count,
        memory_mb: vm.memory_mb,
        is_on: vm.power_state == VMPowerState::PoweredOn,
        ..Machine::new(&vm.name, &vm.datacenter)
    }
}

struct RunningLab {
    lab: Lab,
    ids: Vec<String>,
}

impl RunningLab {
    fn machine(&self, vm: VmKey) -> Machine {
        self.lab.machine(&self.ids[vm.0]).expect("a machine of the estate")
    }
}

#[async_trait]
impl Server for RunningLab {
    async fn connect(&self, _: &Context, _: &SecretString) -> Result<Arc<dyn Platform>, Error> {
        Ok(Arc::new(LabPlatform::connect(&self.lab, "lab")?))
    }

    async fn id_of(&self, vm: VmKey) -> String {
        self.ids[vm.0].clone()
    }

    async fn power_state(&self, vm: VmKey) -> VMPowerState {
        super::state(&self.machine(vm))
    }

    async fn destructive_calls(&self, vm: VmKey) -> usize {
        self.machine(vm).orders.len()
    }

    async fn hard_calls(&self, vm: VmKey) -> usize {
        self.machine(vm).orders.iter().filter(|order| **order != Order::On).count()
    }

    async fn set_power_state(&self, vm: VmKey, state: VMPowerState) {
        let is_on = state == VMPowerState::PoweredOn;
        self.lab
            .with(|machines| machines.iter_mut().filter(|it| it.id == self.ids[vm.0]).for_each(|it| it.is_on = is_on));
    }

    async fn delete(&self, vm: VmKey) {
        self.lab.with(|machines| machines.retain(|machine| machine.id != self.ids[vm.0]));
    }

    // What no check calls, because the harness says above that it cannot be done.

    async fn login_attempts(&self) -> usize {
        unreachable!("there are no logins")
    }

    async fn open_sessions(&self) -> usize {
        unreachable!("there are no sessions")
    }

    async fn kill_sessions(&self) {
        unreachable!("there are no sessions")
    }

    async fn break_next(&self, _: Break) {
        unreachable!("there is no line that could break")
    }

    async fn set_outage(&self, _: Option<Outage>) {
        unreachable!("a table is always there")
    }
}

chaos_testkit::conformance!(lab(), #[tokio::test(start_paused = true)]);

/// The suite lets guests hang to see that a wait ends. A platform without guests shows it on its own.
#[tokio::test(start_paused = true)]
async fn a_switch_that_is_not_waited_for_is_unsettled() {
    let clock = TestClock::auto();
    let lab = Lab::new(clock.shared());
    let id = lab.add(Machine::new("web-01", "north"));
    let platform = LabPlatform::connect(&lab, "lab").expect("a valid kind");
    let vm = VMRef::new(platform.identity(), &id);
    let cx = Context::on_clock(clock.shared(), Duration::from_millis(50));
    let error = platform.apply(&cx, &vm.into(), &Fault::power_off(Stop::hard())).await.expect_err("it takes longer");
    assert_eq!((error.kind(), error.retry_class()), (ErrorKind::Timeout, Retry::Unsettled));

    clock.shared().sleep_until(Duration::from_secs(1)).await;
    let machine = lab.machine(&id).expect("still there");
    assert_eq!((machine.is_on, machine.orders), (false, vec![Order::Off]), "it was switched all the same");
}
