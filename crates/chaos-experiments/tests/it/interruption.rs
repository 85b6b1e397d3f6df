//! Being told to stop, once and twice, and sinks that fail: what is sent, what is put back, what is written.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chaos_core::{Error, ErrorKind, EventSink, RunEvent, RunEventKind, RunStatus, VMPowerState};
use chaos_experiments::{Experiment, MemorySink, Verdict};
use chaos_testkit::memory::CallKind;
use chaos_testkit::{EstateSpec, VmSpec};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::lab::{Lab, action, count, document, options, probe, read, rendered, with_hypothesis};

fn slow_lab() -> Lab {
    let slow = |name: &str| VmSpec::new(name).slow(Duration::from_secs(20));
    Lab::new(&EstateSpec::new().with([slow("a"), slow("b")]))
}

fn off_both() -> Experiment {
    let off = |vm: &str| action(vm, "vm_power_off", json!({"vm_name": vm}));
    let look = probe("there", "vm_exists", json!({"vm_name": "a"}), json!(true));
    read(with_hypothesis(
        document(&[off("a"), off("b")], &[action("on", "vm_power_on", json!({"vm_name": "a"}))]),
        &[look],
    ))
    .unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_interruption_in_the_method_puts_everything_back() {
    let lab = slow_lab();
    let cancel = lab.cx.cancellation().clone();
    let interrupt = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        cancel.cancel();
    };
    let ((report, events), ()) = tokio::join!(lab.run(off_both()), interrupt);
    assert_eq!(report.verdict, Verdict::Interrupted);
    // The guest had been asked to shut down, did so though nobody waited for it any more, and was powered on again.
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!((lab.state("a"), lab.state("b")), (VMPowerState::PoweredOn, VMPowerState::PoweredOn));
    assert_eq!(lab.estate.destructive_calls("vm-1"), [CallKind::GuestShutdown, CallKind::PowerOn]);
    assert!(report.left_changed.is_empty());
    assert!(lab.estate.destructive_calls("vm-2").is_empty());
    // The activity that was cut short has an end and no status; the rollbacks were played.
    let [cut] = report.journal.run.as_slice() else { panic!("{:?}", report.journal.run) };
    assert!(cut.status.is_none() && cut.exception.is_none() && cut.end.is_some() && cut.output.is_null());
    assert_eq!(report.journal.rollbacks.len(), 1);
    assert_eq!(report.journal.status, RunStatus::Interrupted);
    assert_eq!(report.journal.steady_states.after, None);
    assert_eq!(count(&events, |event| matches!(event, RunEventKind::Interrupted { .. })), 1);
}

#[tokio::test(start_paused = true)]
async fn an_interruption_before_the_method_touches_nothing() {
    let lab = slow_lab();
    let resolved = lab.resolve(off_both()).await.unwrap();
    lab.cx.cancellation().cancel();
    let report = resolved.run(&lab.cx, &MemorySink::default(), &options()).await;
    assert_eq!(report.verdict, Verdict::Interrupted);
    assert!(!report.touched);
    assert_eq!(lab.destructive_calls(), 0);
    assert!(report.journal.rollbacks.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_second_interruption_stops_the_repair_and_names_what_is_left() {
    let lab = slow_lab();
    let resolved = lab.resolve(off_both()).await.unwrap();
    let options = options();
    let (first, second) = (lab.cx.cancellation().clone(), options.stop_repair.clone());
    let interrupt = async {
        // In the second power-off, then while its guest, which cannot be called back, is watched.
        tokio::time::sleep(Duration::from_secs(30)).await;
        first.cancel();
        tokio::time::sleep(Duration::from_secs(5)).await;
        second.cancel();
    };
    let sink = MemorySink::default();
    let (report, ()) = tokio::join!(resolved.run(&lab.cx, &sink, &options), interrupt);
    assert_eq!(report.verdict, Verdict::Interrupted);
    let names: Vec<&str> = report.left_changed.iter().map(|left| left.name.as_str()).collect();
    assert_eq!(names, ["b"]);
    let events = sink.events();
    assert_eq!(count(&events, |event| matches!(event, RunEventKind::UndoFailed { .. })), 1);
    assert!(matches!(events.last().unwrap().event, RunEventKind::RunEnded { status: RunStatus::Interrupted, .. }));
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_may_yet_go_down_is_named_though_a_rollback_found_it_on() {
    let lab = slow_lab();
    let experiment = document(
        &[action("off", "vm_power_off", json!({"vm_name": "a"}))],
        &[action("on", "vm_power_on", json!({"vm_name": "a"}))],
    );
    let resolved = lab.resolve(read(experiment).unwrap()).await.unwrap();
    let options = options();
    let (first, second) = (lab.cx.cancellation().clone(), options.stop_repair.clone());
    let interrupt = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        first.cancel();
        tokio::time::sleep(Duration::from_secs(5)).await;
        second.cancel();
    };
    let sink = MemorySink::default();
    let (report, ()) = tokio::join!(resolved.run(&lab.cx, &sink, &options), interrupt);
    assert_eq!(report.journal.rollbacks[0].output["outcome"], "already_there");
    assert_eq!(report.left_changed.len(), 1);
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(lab.state("a"), VMPowerState::PoweredOff);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_runs_time_is_a_failure_and_puts_everything_back() {
    let lab = slow_lab();
    let resolved = lab.resolve(off_both()).await.unwrap();
    let report = resolved.run(&lab.cx.limit(Duration::from_secs(5)), &MemorySink::default(), &options()).await;
    assert_eq!(report.verdict, Verdict::Failed);
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!((lab.state("a"), lab.state("b")), (VMPowerState::PoweredOn, VMPowerState::PoweredOn));
}

/// Interrupts the run when a fault is about to be sent.
#[derive(Debug)]
struct InterruptAtSent {
    cancel: CancellationToken,
    taken: MemorySink,
}

#[async_trait]
impl EventSink for InterruptAtSent {
    async fn record(&self, event: &RunEvent) -> Result<(), Error> {
        if matches!(event.event, RunEventKind::Sent { .. }) {
            self.cancel.cancel();
        }
        self.taken.record(event).await
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_watches_for_a_call_that_never_left() {
    let lab = slow_lab();
    let sink = InterruptAtSent { cancel: lab.cx.cancellation().clone(), taken: MemorySink::default() };
    let began = lab.cx.monotonic();
    let report = lab.run_with(off_both(), &sink).await;
    let took = lab.cx.monotonic().saturating_sub(began);
    assert_eq!(report.verdict, Verdict::Interrupted);
    assert_eq!(lab.destructive_calls(), 0);
    assert!(report.left_changed.is_empty());
    assert!(took < Duration::from_secs(10), "{took:?}");
}

/// Takes a number of events and fails from then on.
#[derive(Debug)]
pub(crate) struct FullDisk {
    left: AtomicU64,
    pub(crate) taken: MemorySink,
}

impl FullDisk {
    pub(crate) fn after(events: usize) -> Self {
        Self { left: AtomicU64::new(events as u64), taken: MemorySink::default() }
    }
}

#[async_trait]
impl EventSink for FullDisk {
    async fn record(&self, event: &RunEvent) -> Result<(), Error> {
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        left.map_err(|_| Error::new(ErrorKind::Failed, "no space left on device"))?;
        self.taken.record(event).await
    }
}

#[tokio::test(start_paused = true)]
async fn no_call_leaves_without_its_record_and_everything_is_put_back_wherever_the_sink_fails() {
    let all = {
        let lab = Lab::with(&["web-01"]);
        lab.run(rendered("vsphere-vm-poweroff", &["vm_name=web-01"])).await.1.len()
    };
    for taken in 0..all {
        let lab = Lab::with(&["web-01"]);
        let sink = FullDisk::after(taken);
        let report = lab.run_with(rendered("vsphere-vm-poweroff", &["vm_name=web-01"]), &sink).await;
        assert_eq!(report.verdict, Verdict::Failed, "{taken} events");
        assert!(report.reason.as_ref().unwrap().contains("no space left on device"), "{taken}: {:?}", report.reason);
        assert_eq!(lab.state("web-01"), VMPowerState::PoweredOn, "{taken} events");
        let sent = count(&sink.taken.events(), |event| matches!(event, RunEventKind::Sent { .. }));
        let stops =
            lab.estate.destructive_calls("vm-1").iter().filter(|call| **call == CallKind::GuestShutdown).count();
        assert_eq!(stops, sent.min(1), "{taken} events");
        assert_eq!(report.touched, sent > 0);
        // The journal is whole even so.
        assert_eq!(report.journal.status, RunStatus::Failed);
        assert_eq!(report.journal.experiment["title"], "VM web-01 is powered off and comes back");
    }
}

/// Never answers.
#[derive(Debug)]
struct Stuck;

#[async_trait]
impl EventSink for Stuck {
    async fn record(&self, _: &RunEvent) -> Result<(), Error> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_never_answers_does_not_hold_the_run() {
    let lab = Lab::with(&["web-01"]);
    let report = lab.run_with(rendered("vsphere-vm-poweroff", &["vm_name=web-01"]), &Stuck).await;
    assert_eq!(report.verdict, Verdict::Failed);
    assert_eq!(lab.destructive_calls(), 0);
}
