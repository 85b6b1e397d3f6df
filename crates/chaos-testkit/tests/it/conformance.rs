//! The conformance suite on the platform in memory, in tokio's paused time.

use std::sync::Arc;

use async_trait::async_trait;
use chaos_core::{Context, Error, ErrorKind, Platform, SharedClock, VMPowerState};
use chaos_testkit::conformance::{Ability, Break, Harness, Outage, Server};
use chaos_testkit::memory::{CallKind, Failure};
use chaos_testkit::{EstateSpec, MemoryEstate, TestClock, VmKey};
use secrecy::SecretString;

struct InMemory {
    clock: TestClock,
}

fn in_memory() -> InMemory {
    InMemory { clock: TestClock::auto() }
}

#[async_trait]
impl Harness for InMemory {
    fn cannot(&self) -> Vec<(Ability, &'static str)> {
        Vec::new()
    }

    fn clock(&self) -> SharedClock {
        self.clock.shared()
    }

    async fn start(&self, estate: &EstateSpec) -> Box<dyn Server> {
        let server = MemoryEstate::new(estate, self.clock.shared());
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
