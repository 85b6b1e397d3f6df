//! Power operations against the simulated vCenter: what the client does, what it says, and what it leaves alone.

mod operations;

use std::sync::Arc;
use std::time::Duration;

use chaos_core::{Context, PlatformExt, VMPowerState};
use chaos_sim::{Builder, Sim};
use chaos_vsphere::{Config, VSphere};

/// World seconds in a real one: guests boot in milliseconds, and a call on a busy machine still takes less than a limit.
const SPEED: f64 = 20.0;

/// A simulated vCenter and a client that is connected to it.
pub(crate) struct Bench {
    pub(crate) sim: Sim,
    pub(crate) client: VSphere,
    pub(crate) cx: Context,
}

impl Bench {
    pub(crate) async fn start(sim: Builder) -> Self {
        let sim = sim.speed(SPEED).start().await.unwrap();
        let cx = Context::on_clock(Arc::new(sim.world().clock().clone()), Duration::from_mins(20));
        let client = VSphere::connect(&cx, Config::new(sim.url(), "chaos", "chaos".into())).await.unwrap();
        sim.clear_calls();
        Self { sim, client, cx }
    }

    pub(crate) fn calls(&self, method: &str) -> usize {
        self.sim.calls_of(method).len()
    }

    pub(crate) async fn state(&self, name: &str) -> VMPowerState {
        self.client.find(&self.cx, name).await.unwrap().power_state
    }
}
