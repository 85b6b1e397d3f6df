//! Power operations against the simulated vCenter: what the client does, what it says, and what it leaves alone.

mod guests;
mod lifetime;
mod operations;
mod requests;
mod undo;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use chaos_core::{Context, PlatformExt, Progress, ProgressSink, ProgressStep, Target};
use chaos_sim::{Builder, Power, Sim};
use chaos_vsphere::{Config, VSphere};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// World seconds in a real one: guests boot in milliseconds, and a call on a busy machine still takes less than a limit.
const SPEED: f64 = 20.0;

/// The methods that change the power of a VM or ask its guest to.
const POWER_CALLS: [&str; 6] =
    ["PowerOnVM_Task", "PowerOffVM_Task", "ResetVM_Task", "SuspendVM_Task", "ShutdownGuest", "RebootGuest"];

/// A simulated vCenter and a client that is connected to it.
struct Bench {
    sim: Sim,
    client: VSphere,
    cx: Context,
    steps: UnboundedReceiver<Progress>,
}

#[derive(Debug)]
struct Steps(UnboundedSender<Progress>);

impl ProgressSink for Steps {
    fn report(&self, progress: Progress) {
        // A test that has seen enough has dropped the other end.
        let _ = self.0.send(progress);
    }
}

impl Bench {
    /// In a world in which time runs fast, for the client as well.
    async fn start(sim: Builder) -> Self {
        let sim = sim.speed(SPEED).start().await.unwrap();
        let clock = Arc::new(sim.world().clock().clone());
        Self::connect(sim, Context::on_clock(clock, Duration::from_hours(1))).await
    }

    /// In a world in which time stands still unless it is moved; the client's own time runs.
    async fn start_still(sim: Builder) -> Self {
        let sim = sim.paused().start().await.unwrap();
        Self::connect(sim, Context::with_timeout(Duration::from_mins(5))).await
    }

    async fn connect(sim: Sim, cx: Context) -> Self {
        let (steps, seen) = unbounded_channel();
        let cx = cx.progress_to(Arc::new(Steps(steps)));
        let client = VSphere::connect(&cx, Config::new(sim.url(), "chaos", "chaos".into())).await.unwrap();
        Self { sim, client, cx, steps: seen }
    }

    async fn target(&self, name: &str) -> Target {
        let vm = self.client.find(&self.cx, name).await.unwrap();
        Target::from(self.client.vm_ref(&vm))
    }

    fn calls(&self, method: &str) -> usize {
        self.sim.calls_of(method).len()
    }

    /// The power calls that reached the server, in order.
    fn power_calls(&self) -> Vec<String> {
        let calls = self.sim.calls().into_iter().map(|call| call.method);
        calls.filter(|method| POWER_CALLS.contains(&method.as_str())).collect()
    }

    fn power(&self, name: &str) -> Power {
        self.sim.world().vm(name).unwrap().power
    }

    /// Waits until a step is reported that fits.
    async fn step(&mut self, fits: impl Fn(&ProgressStep) -> bool) -> ProgressStep {
        wait_for_step(&mut self.steps, fits).await
    }

    /// The steps that were reported and not looked at yet.
    fn told(&mut self) -> Vec<ProgressStep> {
        std::iter::from_fn(|| self.steps.try_recv().ok()).map(|progress| progress.step).collect()
    }
}

async fn wait_for_step(steps: &mut UnboundedReceiver<Progress>, fits: impl Fn(&ProgressStep) -> bool) -> ProgressStep {
    loop {
        let step = steps.recv().await.unwrap().step;
        if fits(&step) {
            return step;
        }
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
