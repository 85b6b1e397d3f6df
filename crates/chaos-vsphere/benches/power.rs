//! Power operations on 1,000 VMs of a simulated vCenter: VMs a second, and requests a VM.
//!
//! World time runs fast and tasks are short, so that what is measured is the client: its calls, its list changes and its polls. The
//! pauses that it makes between polls are world time too.

#![expect(clippy::print_stderr, reason = "the requests a VM are a figure of the bench")]

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chaos_core::{Context, Fault, Platform, PlatformExt, PowerReport, Selector, Stop, VMInfo};
use chaos_sim::{Sim, Timing};
use chaos_vsphere::{Config, VSphere};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tokio::runtime::Runtime;

const VMS: u32 = 1000;
const SPEED: f64 = 20.0;

struct Estate {
    sim: Sim,
    cx: Context,
    client: VSphere,
    vms: Vec<VMInfo>,
    parallel: NonZeroUsize,
}

impl Estate {
    async fn start(parallel: NonZeroUsize) -> Self {
        let sim = Sim::builder().vms(VMS as usize).page_cap(VMS as usize).timing(Timing::fast()).speed(SPEED);
        let sim = sim.start().await.expect("a free port");
        let clock = Arc::new(sim.world().clock().clone());
        let cx = Context::on_clock(clock, Duration::from_hours(24 * 365));
        let config = Config::new(sim.url(), "chaos", "chaos".into());
        let client = VSphere::connect(&cx, config).await.expect("the simulator lets everybody in");
        let vms = client.discover(&cx, &Selector::all()).await.expect("an inventory").vms;
        Self { sim, cx, client, vms, parallel }
    }

    async fn apply(&self, fault: Fault) -> Vec<PowerReport> {
        let reports = self.client.apply_each(&self.cx, &self.vms, &fault, self.parallel).await;
        assert!(reports.iter().all(|report| report.result.is_ok()), "an operation failed");
        reports
    }

    /// Off and on again, as often as asked for.
    async fn cycle(&self, times: u64) -> Duration {
        let mut taken = Duration::ZERO;
        for _ in 0..times {
            let start = Instant::now();
            black_box(self.apply(Fault::power_off(Stop::hard())).await);
            black_box(self.apply(Fault::power_on()).await);
            taken += start.elapsed();
        }
        taken
    }

    /// What one cycle costs, in words.
    async fn requests(&self) -> String {
        self.sim.clear_calls();
        self.cycle(1).await;
        let calls = self.sim.calls();
        let count = |method: &str| calls.iter().filter(|call| call.method == method).count();
        let operations = 2 * VMS as usize;
        let (polls, lists) = (count("WaitForUpdatesEx"), count("ModifyListView"));
        let per_operation = f64::from(u32::try_from(calls.len()).unwrap_or(u32::MAX)) / f64::from(2 * VMS);
        format!(
            "{operations} operations, {} at a time: {} requests ({per_operation:.3} an operation), \
             of these {polls} long polls and {lists} list changes",
            self.parallel,
            calls.len()
        )
    }
}

fn power(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let mut group = criterion.benchmark_group("power");
    group.sample_size(10).throughput(Throughput::Elements(u64::from(2 * VMS)));
    for parallel in [16, 128] {
        let parallel = NonZeroUsize::new(parallel).expect("not zero");
        let estate = runtime.block_on(Estate::start(parallel));
        eprintln!("{}", runtime.block_on(estate.requests()));
        group.bench_function(BenchmarkId::new("off and on", parallel), |bencher| {
            bencher.iter_custom(|times| runtime.block_on(estate.cycle(times)));
        });
        runtime.block_on(async {
            estate.client.disconnect(&estate.cx).await.expect("a logout");
            estate.sim.shutdown().await;
        });
    }
    group.finish();
}

criterion_group!(benches, power);
criterion_main!(benches);
