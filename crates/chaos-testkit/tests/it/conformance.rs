//! The conformance suite on the platform in memory, in tokio's paused time: as it is, through a wrapper, and as
//! platforms that can do less.

use std::sync::Arc;

use async_trait::async_trait;
use chaos_core::{Context, Error, ErrorKind, Operation, Platform, SharedClock, VMPowerState};
use chaos_testkit::conformance::{Ability, Break, Harness, Outage, Server, Watched, Wrapped};
use chaos_testkit::memory::{AskGuests, CallKind, Failure};
use chaos_testkit::{EstateSpec, MemoryEstate, TestClock, VmKey};
use secrecy::SecretString;

/// Memory has all abilities; what a variant lacks is what was taken from it.
struct InMemory {
    clock: TestClock,
    cannot: Vec<(Ability, &'static str)>,
    operations: Vec<Operation>,
    asking: AskGuests,
}

fn in_memory() -> InMemory {
    let operations = vec![Operation::PowerOn, Operation::PowerOff, Operation::Reboot, Operation::Suspend];
    InMemory { clock: TestClock::auto(), cannot: Vec::new(), operations, asking: AskGuests::ThroughAgent }
}

fn watched() -> Wrapped<InMemory> {
    Wrapped::new(in_memory(), |platform| Arc::new(Watched::new(platform)))
}

fn that_only_stops_and_starts() -> InMemory {
    let operations = vec![Operation::PowerOn, Operation::PowerOff];
    let cannot = vec![
        (Ability::Reboot, "not among its operations"),
        (Ability::Suspend, "not among its operations"),
        (Ability::Guests, "it has no calls that ask a guest"),
        (Ability::GuestAgentNeeded, "it has no calls that ask a guest"),
    ];
    InMemory { operations, cannot, asking: AskGuests::Never, ..in_memory() }
}

fn that_can_only_be_read() -> InMemory {
    let cannot = [Ability::PowerOn, Ability::PowerOff, Ability::Reboot, Ability::Suspend, Ability::Guests]
        .map(|ability| (ability, "it can only be read"));
    InMemory { operations: Vec::new(), cannot: cannot.into(), asking: AskGuests::Never, ..in_memory() }
}

fn that_needs_no_agent() -> InMemory {
    let cannot = vec![(Ability::GuestAgentNeeded, "every guest hears its power button")];
    InMemory { cannot, asking: AskGuests::Always, ..in_memory() }
}

#[async_trait]
impl Harness for InMemory {
    fn cannot(&self) -> Vec<(Ability, &'static str)> {
        self.cannot.clone()
    }

    fn clock(&self) -> SharedClock {
        self.clock.shared()
    }

    async fn start(&self, estate: &EstateSpec) -> Box<dyn Server> {
        let server = MemoryEstate::new(estate, self.clock.shared());
        server.support_only(self.operations.iter().copied());
        server.ask_guests(self.asking);
        Box::new(InMemoryServer { server, username: estate.username.clone() })
    }
}

struct InMemoryServer {
    server: MemoryEstate,
    username: String,
}

#[async_trait]
impl Server for InMemoryServer {
    async fn connect(&self, cx: &Context, password: &SecretString) -> Result<Arc<dyn Platform>, Error> {
        let platform = self.server.connect_with(cx, "memory", &self.username, password.clone()).await?;
        Ok(Arc::new(platform))
    }

    async fn id_of(&self, vm: VmKey) -> String {
        self.server.id_of(vm)
    }

    async fn power_state(&self, vm: VmKey) -> VMPowerState {
        self.server.power_state_by_id(&self.server.id_of(vm)).expect("a VM of the estate")
    }

    async fn destructive_calls(&self, vm: VmKey) -> usize {
        self.server.destructive_calls(&self.server.id_of(vm)).len()
    }

    async fn hard_calls(&self, vm: VmKey) -> usize {
        self.server.destructive_calls(&self.server.id_of(vm)).iter().filter(|call| call.is_hard()).count()
    }

    async fn login_attempts(&self) -> usize {
        self.server.login_attempts()
    }

    async fn open_sessions(&self) -> usize {
        self.server.open_sessions()
    }

    async fn kill_sessions(&self) {
        self.server.kill_sessions();
    }

    async fn break_next(&self, what: Break) {
        let both = |failure: Failure| {
            self.server.fail_next(failure.clone().of(CallKind::List));
            self.server.fail_next(failure.of(CallKind::Read));
        };
        match what {
            Break::PowerBeforeEffect => self.server.fail_next(Failure::cut_before_effect()),
            Break::PowerAfterEffect => self.server.fail_next(Failure::cut_after_effect()),
            Break::ReadCut => both(Failure::cut_before_effect()),
            Break::ReadBusy => both(Failure::refuse(ErrorKind::Unavailable, "the server is busy")),
            Break::ReadNonsense => both(Failure::nonsense()),
        }
    }

    async fn set_outage(&self, outage: Option<Outage>) {
        match outage {
            None => self.server.come_back(),
            Some(Outage::Refuses) => self.server.go_away(),
            Some(Outage::Stalls) => self.server.stall(),
        }
    }

    async fn set_power_state(&self, vm: VmKey, state: VMPowerState) {
        self.server.set_power_state(&self.server.id_of(vm), state);
    }

    async fn delete(&self, vm: VmKey) {
        self.server.delete(&self.server.id_of(vm));
    }
}

chaos_testkit::conformance!(in_memory(), #[tokio::test(start_paused = true)]);

mod through_a_wrapper {
    use super::watched;

    chaos_testkit::conformance!(watched(), #[tokio::test(start_paused = true)]);
}

mod stop_and_start_alone {
    use super::that_only_stops_and_starts;

    chaos_testkit::conformance!(that_only_stops_and_starts(), #[tokio::test(start_paused = true)]);
}

mod read_only {
    use super::that_can_only_be_read;

    chaos_testkit::conformance!(that_can_only_be_read(), #[tokio::test(start_paused = true)]);
}

mod guests_without_agents {
    use super::that_needs_no_agent;

    chaos_testkit::conformance!(that_needs_no_agent(), #[tokio::test(start_paused = true)]);
}
