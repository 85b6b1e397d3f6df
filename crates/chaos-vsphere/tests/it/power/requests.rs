//! Few requests: what a hundred VMs cost.

use std::num::NonZeroUsize;
use std::time::Duration;

use chaos_core::{Fault, Platform, PlatformExt, Selector, Stop};
use chaos_sim::{Sim, Timing};

use super::Bench;

#[tokio::test]
async fn a_hundred_vms_cost_a_hundred_calls_and_a_dozen_more() {
    let timing = Timing { jitter: 0.0, power_off: Duration::from_secs(2), ..Timing::default() };
    let bench = Bench::start_at(5.0, Sim::builder().vms(100).page_cap(1000).timing(timing)).await;
    let vms = bench.client.discover(&bench.cx, &Selector::all()).await.unwrap().vms;
    assert_eq!(vms.len(), 100);
    let parallel = NonZeroUsize::new(16).unwrap();
    let reports = bench.client.apply_each(&bench.cx, &vms, &Fault::power_off(Stop::hard()), parallel).await;
    bench.client.disconnect(&bench.cx).await.unwrap();
    for report in &reports {
        assert!(report.result.is_ok(), "{report:?}");
    }
    let calls = bench.sim.calls();
    let count = |method: &str| calls.iter().filter(|call| call.method == method).count();
    let (polls, lists) = (count("WaitForUpdatesEx"), count("ModifyListView"));
    println!("{} calls: {polls} polls, {lists} list changes", calls.len());
    assert_eq!(count("PowerOffVM_Task"), 100);
    // Versions, content, login, walk, logout; collector, 2 views, 2 filters, destroy.
    assert_eq!(calls.len() - polls - lists, 100 + 11);
    // One for the VMs, and one for each wave of tasks that began together: on a busy machine waves fall apart.
    assert!(lists <= 1 + 100 / 4, "{lists}");
    assert!(polls < 100, "{polls} polls for {lists} list changes");
}

#[tokio::test]
async fn a_batch_is_prepared_in_one_list_change_and_its_vms_are_found_watched() {
    let bench = Bench::start(Sim::builder().vms(40)).await;
    let vms = bench.client.discover(&bench.cx, &Selector::all()).await.unwrap().vms;
    let targets: Vec<_> = vms.iter().map(|vm| bench.client.vm_ref(vm).into()).collect();
    let fault = Fault::suspend();
    let undos = bench.client.prepare(&bench.cx, &targets, &fault).await;
    assert!(undos.iter().all(Result::is_ok));
    assert_eq!((bench.calls("ModifyListView"), bench.calls("WaitForUpdatesEx")), (1, 1));
    bench.client.apply(&bench.cx, &targets[7], &fault).await.unwrap();
    assert_eq!(bench.calls("ModifyListView"), 2, "one more, for the task");
}
