//! Few requests: what a hundred VMs cost.

use std::num::NonZeroUsize;
use std::time::Duration;

use chaos_core::{Fault, Platform, PlatformExt, ProgressStep, Selector, Stop};
use chaos_sim::Sim;

use super::{Bench, wait_for_step};

#[tokio::test]
async fn a_hundred_vms_cost_a_hundred_calls_and_a_dozen_more() {
    // Time stands still in the world until all tasks of a wave are accepted, so that a wave ends as one.
    let mut bench = Bench::start_still(Sim::builder().vms(100).page_cap(1000)).await;
    let vms = bench.client.discover(&bench.cx, &Selector::all()).await.unwrap().vms;
    assert_eq!(vms.len(), 100);
    let Bench { sim, client, cx, steps } = &mut bench;
    let clock = async {
        for wave in [16, 16, 16, 16, 16, 16, 4] {
            for _ in 0..wave {
                wait_for_step(steps, |step| *step == ProgressStep::Accepted).await;
            }
            sim.world().step(Duration::from_secs(10));
        }
    };
    let (fault, parallel) = (Fault::power_off(Stop::hard()), NonZeroUsize::new(16).unwrap());
    let (reports, ()) = tokio::join!(client.apply_each(cx, &vms, &fault, parallel), clock);
    client.disconnect(cx).await.unwrap();
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
    // One for the VMs and one for each wave; two where a machine is so busy that sixteen calls take more than a second.
    assert!((8..=15).contains(&lists), "{lists}");
    assert!(polls <= 60, "{polls}");
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
