//! How many requests it takes, counted on a simulated engine.

use std::num::NonZeroUsize;
use std::time::Duration;

use chaos_core::{Context, How, Platform, PlatformExt, Selector, Stop, VMPowerState};
use chaos_olvm::{Config, Olvm};
use chaos_sim::{Estate, Guest, OnShutdown, Sim, Timing, VmSpec};

async fn connect(sim: &Sim, cx: &Context) -> Olvm {
    Olvm::connect(cx, Config::new(sim.url(), "chaos@internal", "chaos".into())).await.unwrap()
}

fn methods(sim: &Sim) -> Vec<String> {
    let mut methods: Vec<String> = sim.calls().into_iter().map(|call| call.method).collect();
    methods.sort();
    methods
}

#[tokio::test]
async fn a_discovery_is_one_token_and_four_reads_whatever_the_number_of_vms() {
    let sim = Sim::builder().olvm().estate(Estate::of_size(5000)).start().await.unwrap();
    let cx = Context::with_timeout(Duration::from_mins(1));
    let olvm = connect(&sim, &cx).await;
    let found = olvm.discover(&cx, &Selector::all()).await.unwrap();
    olvm.disconnect(&cx).await.unwrap();
    assert_eq!((found.vms.len(), found.problems), (5000, vec![]));
    assert_eq!(methods(&sim), ["clusters", "datacenters", "hosts", "logout", "token", "vms"]);
    let placed = found.vms.iter().filter(|vm| vm.datacenter.is_some() && vm.cluster.is_some()).count();
    assert_eq!(placed, 5000);
}

#[tokio::test]
async fn a_hundred_vms_of_which_five_hang_take_a_call_each_and_one_look_a_tick_for_all() {
    let hang = Guest { on_shutdown: OnShutdown::Hangs, ..Guest::default() };
    let mut sim = Sim::builder()
        .olvm()
        .estate(Estate::of_size(0))
        .timing(Timing { shutdown: Duration::from_secs(2), ..Timing::fast() });
    for n in 0..100 {
        let vm = VmSpec::new(format!("web-{n:03}"));
        sim = sim.vm(if n % 20 == 7 { vm.guest(hang.clone()) } else { vm });
    }
    let sim = sim.start().await.unwrap();
    let cx = Context::with_timeout(Duration::from_mins(1));
    let olvm = connect(&sim, &cx).await;
    let vms = olvm.discover(&cx, &Selector::all()).await.unwrap().vms;
    let stop = Stop::GuestThenHard { grace: Duration::from_secs(5), hard: Duration::from_secs(20) };
    let parallel = NonZeroUsize::new(100).unwrap();
    let reports = olvm.apply_each(&cx, &vms, &chaos_core::Fault::power_off(stop), parallel).await;
    olvm.disconnect(&cx).await.unwrap();

    let hows: Vec<How> = reports.iter().map(|report| report.result.as_ref().unwrap().how).collect();
    assert_eq!(hows.iter().filter(|how| **how == How::GuestShutdown).count(), 95);
    assert_eq!(hows.iter().filter(|how| **how == How::HardAfterGuestTimeout).count(), 5);
    assert!(reports.iter().all(|report| report.state == Some(VMPowerState::PoweredOff)));
    let count = |method: &str| sim.calls_of(method).len();
    assert_eq!((count("token"), count("hosts"), count("clusters"), count("datacenters")), (1, 1, 1, 1));
    assert_eq!((count("shutdown"), count("stop"), count("logout")), (100, 5, 1));
    assert_eq!(count("events"), 0, "powering_down was seen: the log has nothing to add");
    // Discovery is one list; every other one is a tick, and no VM is looked at by itself while several are waited for.
    let ticks = count("vms") - 1 + count("vm");
    assert!(ticks <= 20, "{ticks} ticks in about seven seconds");
    assert_eq!(sim.calls().len(), 1 + 4 + 100 + 5 + 1 + ticks);
}
