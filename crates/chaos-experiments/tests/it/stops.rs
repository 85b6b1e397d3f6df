//! What stops a run before its end: a halt, a stop condition, a lost lease. Each undoes, and each tells how long it took.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chaos_core::{
    Error, ErrorKind, FencingToken, Halt, HaltFlag, Lease, LeaseStore, RunEventKind, RunId, StopCause, Target,
    VMPowerState,
};
use chaos_experiments::{MemorySink, RollbackStrategy, Rules, RunOptions, RunReport, Strategies, Verdict};
use chaos_testkit::memory::{CallKind, Failure};
use chaos_testkit::{EstateSpec, VmSpec};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::lab::{Lab, action, count, document, inputs, kinds, options, probe, read, read_with, with_hypothesis};

/// A switch in memory, which breaks when the test says so.
#[derive(Debug, Clone)]
struct Switch(Arc<Mutex<Result<Option<Halt>, ErrorKind>>>);

impl Switch {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Ok(None))))
    }

    fn breaks(&self) {
        *self.0.lock().unwrap() = Err(ErrorKind::Unavailable);
    }
}

#[async_trait]
impl HaltFlag for Switch {
    async fn get(&self) -> Result<Option<Halt>, Error> {
        self.0.lock().unwrap().clone().map_err(|kind| Error::new(kind, "the disk is gone"))
    }

    async fn halt(&self, halt: &Halt) -> Result<Option<Halt>, Error> {
        *self.0.lock().unwrap() = Ok(Some(halt.clone()));
        Ok(None)
    }

    async fn resume(&self) -> Result<Option<Halt>, Error> {
        *self.0.lock().unwrap() = Ok(None);
        Ok(None)
    }
}

/// Leases that are lost when the test says so.
#[derive(Debug, Default)]
struct Leases(Mutex<Option<ErrorKind>>);

#[async_trait]
impl LeaseStore for Leases {
    async fn acquire(&self, holder: &RunId, targets: &[(Target, String)], _: Duration) -> Result<Vec<Lease>, Error> {
        let lease = |(number, (target, name)): (usize, &(Target, String))| {
            let token = FencingToken::new(number as u64);
            Lease::new(target.clone(), name, holder.clone(), token, Timestamp::UNIX_EPOCH)
        };
        Ok(targets.iter().enumerate().map(lease).collect())
    }

    async fn renew(&self, _: &[Lease], _: Duration) -> Result<(), Error> {
        self.0.lock().unwrap().map_or(Ok(()), |kind| Err(Error::new(kind, "a is held by run run-2 now")))
    }

    async fn release(&self, _: &[Lease]) -> Result<(), Error> {
        Ok(())
    }
}

/// VMs that take 20 s to go down and up.
fn lab() -> Lab {
    let slow = |name: &str| VmSpec::new(name).slow(Duration::from_secs(20));
    Lab::new(&EstateSpec::new().with([slow("a"), slow("b"), slow("watched")]))
}

fn off_both() -> Value {
    let off = |vm: &str| action(vm, "vm_power_off", json!({"vm_name": vm}));
    let mut hold = action("hold", "vm_power_off", json!({"vm_name": "b"}));
    hold["pauses"] = json!({"before": 600});
    document(&[off("a"), hold], &[])
}

fn watching(mut document: Value, frequency: f64) -> Value {
    let mut watched = probe("the database is up", "vm_power_state", json!({"vm_name": "watched"}), json!("powered_on"));
    watched["frequency"] = frequency.into();
    document["stop-conditions"] = json!([watched]);
    document
}

/// Runs the experiment while `meanwhile` goes on, and checks what every stop has in common.
async fn stopped(
    lab: &Lab,
    document: Value,
    options: &RunOptions,
    meanwhile: impl Future<Output = ()>,
) -> (RunReport, MemorySink) {
    let sink = MemorySink::default();
    let resolved = lab.resolve(read(document).unwrap()).await.unwrap();
    let (report, ()) = tokio::join!(resolved.run(&lab.cx, &sink, options), meanwhile);
    (report, sink)
}

fn assert_stopped(lab: &Lab, report: &RunReport, sink: &MemorySink, cause: &str, reason: &str) {
    assert_eq!(report.verdict, Verdict::Interrupted, "{report:?}");
    for vm in ["a", "b"] {
        assert_eq!(lab.state(vm), VMPowerState::PoweredOn, "{vm} is back");
    }
    assert!(report.left_changed.is_empty());
    let stop = serde_json::to_value(report.journal.stop.as_ref().expect("the journal tells it")).unwrap();
    assert_eq!(stop["cause"], cause);
    assert!(stop["reason"].as_str().unwrap().contains(reason), "{stop}");
    let reaction = stop["reaction"].as_f64().unwrap();
    assert!((0.0..=2.0).contains(&reaction), "{stop}");
    let events = sink.events();
    assert_eq!(count(&events, |event| matches!(event, RunEventKind::StopRequested { .. })), 1, "{:?}", kinds(&events));
}

#[tokio::test(start_paused = true)]
async fn a_halt_stops_the_run_at_once_and_undoes_it() {
    // In the middle of a call, and between two, at moments that no pause between two looks fits.
    for seconds in [5, 6, 7, 100, 101, 102, 103] {
        let (lab, switch) = (lab(), Switch::new());
        let mut options = options();
        options.halt = Some(Arc::new(switch.clone()));
        let halt = async {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            let halt = Halt::new("storage alarm", "ann@ops", lab.cx.now());
            switch.halt(&halt).await.unwrap();
        };
        let (report, sink) = stopped(&lab, off_both(), &options, halt).await;
        assert_stopped(&lab, &report, &sink, "halt", "by ann@ops: storage alarm");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_begins_in_spite_of_a_halt_sends_nothing() {
    let (lab, switch) = (lab(), Switch::new());
    switch.halt(&Halt::new("storage alarm", "ann@ops", lab.cx.now())).await.unwrap();
    let mut options = options();
    options.halt = Some(Arc::new(switch));
    let (report, sink) = stopped(&lab, off_both(), &options, std::future::ready(())).await;
    assert_stopped(&lab, &report, &sink, "halt", "storage alarm");
    assert_eq!(lab.destructive_calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_halt_that_nobody_can_look_up_counts_as_one() {
    let (lab, switch) = (lab(), Switch::new());
    let mut options = options();
    options.halt = Some(Arc::new(switch.clone()));
    let breaks = async {
        tokio::time::sleep(Duration::from_mins(1)).await;
        switch.breaks();
    };
    let (report, sink) = stopped(&lab, off_both(), &options, breaks).await;
    assert_stopped(&lab, &report, &sink, "halt", "whether everything is halted cannot be told: the disk is gone");
}

#[tokio::test(start_paused = true)]
async fn a_halt_never_stops_a_repair() {
    let (lab, switch) = (lab(), Switch::new());
    let mut options = options();
    options.halt = Some(Arc::new(switch.clone()));
    let off = action("a", "vm_power_off", json!({"vm_name": "a"}));
    // The VM is off after some 20 s, and back some seconds later, when the server has room for it.
    for _ in 0..2 {
        lab.estate.fail_next(Failure::refuse(ErrorKind::Unavailable, "not now").of(CallKind::PowerOn));
    }
    let halt = async {
        tokio::time::sleep(Duration::from_secs(22)).await;
        assert_eq!(lab.state("a"), VMPowerState::PoweredOff);
        switch.halt(&Halt::new("too late", "ann@ops", lab.cx.now())).await.unwrap();
    };
    let (report, _) = stopped(&lab, document(&[off], &[]), &options, halt).await;
    assert_eq!((report.verdict, lab.state("a")), (Verdict::Completed, VMPowerState::PoweredOn), "{report:?}");
    assert!(report.journal.stop.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_stop_condition_is_looked_at_all_along() {
    let lab = lab();
    let breaks = async {
        tokio::time::sleep(Duration::from_secs(200)).await;
        lab.estate.set_power_state("vm-3", VMPowerState::PoweredOff);
    };
    let (report, sink) = stopped(&lab, watching(off_both(), 1.0), &options(), breaks).await;
    assert_stopped(&lab, &report, &sink, "stop_condition", "the stop condition `the database is up`: ");
    // And what it stands for was not put back, since this run has not changed it.
    assert_eq!(lab.state("watched"), VMPowerState::PoweredOff);
}

#[tokio::test(start_paused = true)]
async fn a_stop_condition_that_cannot_be_told_stops_the_run() {
    let lab = lab();
    let breaks = async {
        tokio::time::sleep(Duration::from_secs(200)).await;
        lab.estate.delete("vm-3");
    };
    let (report, sink) = stopped(&lab, watching(off_both(), 0.5), &options(), breaks).await;
    assert_stopped(&lab, &report, &sink, "stop_condition", "it cannot be told: ");
}

#[tokio::test(start_paused = true)]
async fn a_stop_condition_that_does_not_hold_to_begin_with_leaves_nothing_changed() {
    let lab = lab();
    lab.estate.set_power_state("vm-3", VMPowerState::PoweredOff);
    let (report, sink) = stopped(&lab, watching(off_both(), 1.0), &options(), std::future::ready(())).await;
    assert_stopped(&lab, &report, &sink, "stop_condition", "the database is up");
}

#[tokio::test(start_paused = true)]
async fn mistakes_in_stop_conditions_are_found_before_the_run() {
    let power = action("off", "vm_power_off", json!({"vm_name": "a"}));
    let mut fast = probe("p", "vm_exists", json!({"vm_name": "a"}), json!(true));
    fast["frequency"] = json!(-1);
    for (conditions, says) in [
        (json!({}), "stop-conditions"),
        (json!([power]), "stop-conditions"),
        (json!([fast]), "frequency"),
        (json!([{"type": "probe", "name": "p"}]), "provider"),
    ] {
        let mut experiment = off_both();
        experiment["stop-conditions"] = conditions.clone();
        let findings = read(experiment).unwrap_err().to_string();
        assert!(findings.contains(says), "{conditions}: {findings}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_somebody_else_has_stops_the_run() {
    let (lab, leases) = (lab(), Arc::new(Leases::default()));
    let resolved = lab.resolve(read(off_both()).unwrap()).await.unwrap();
    let mut options = options();
    let claim = resolved.claim(&RunId::new("run-1"), leases.clone()).await.unwrap();
    let names: Vec<&str> = claim.leases().iter().map(|lease| lease.name.as_str()).collect();
    assert_eq!(names, ["/DC0/vm/a", "/DC0/vm/b"], "each once, and not what is only looked at");
    options.claim = Some(claim);
    let lost = async {
        tokio::time::sleep(Duration::from_secs(100)).await;
        *leases.0.lock().unwrap() = Some(ErrorKind::Refused);
    };
    let (report, sink) = stopped(&lab, off_both(), &options, lost).await;
    assert_stopped(&lab, &report, &sink, "lease", "a is held by run run-2 now");
    // At the next renewal, and not when the lease would be over.
    let requested = sink.events().into_iter().find(|event| matches!(event.event, RunEventKind::StopRequested { .. }));
    let since_start = requested.unwrap().at.duration_since(sink.events()[0].at);
    assert!(since_start.as_secs() <= 116, "{since_start:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_hypothesis_does_by_compatible_rules_is_leased_too() {
    let lab = lab();
    let mut acts = action("off", "vm_power_off", json!({"vm_name": "a"}));
    acts["tolerance"] = json!(true);
    let experiment = with_hypothesis(document(&[], &[]), &[acts]);
    let experiment = read_with(experiment, &inputs(&[]).rules(Rules::Compat)).unwrap();
    let resolved = lab.resolve(experiment).await.unwrap();
    let names: Vec<String> = resolved.targets().into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["/DC0/vm/a"]);
}

#[tokio::test(start_paused = true)]
async fn leases_that_cannot_be_renewed_for_a_moment_stop_nothing_and_for_a_minute_stop_the_run() {
    for (seconds, verdict) in [(40, Verdict::Completed), (400, Verdict::Interrupted)] {
        let (lab, leases) = (lab(), Arc::new(Leases::default()));
        let resolved = lab.resolve(read(off_both()).unwrap()).await.unwrap();
        let mut options = options();
        options.claim = Some(resolved.claim(&RunId::new("run-1"), leases.clone()).await.unwrap());
        let away = async {
            tokio::time::sleep(Duration::from_secs(100)).await;
            *leases.0.lock().unwrap() = Some(ErrorKind::Unavailable);
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            *leases.0.lock().unwrap() = None;
        };
        let (report, _) = stopped(&lab, off_both(), &options, away).await;
        assert_eq!(report.verdict, verdict, "away for {seconds} s");
        assert_eq!(lab.state("a"), VMPowerState::PoweredOn);
    }
}

/// Runs an experiment by compatible rules while it is halted `after` some seconds, and interrupted before that if so wished.
async fn halted_by_compatible_rules(document: Value, after: u64, interrupted: Option<u64>) -> (Lab, RunReport) {
    let mut lab = lab();
    let token = tokio_util::sync::CancellationToken::new();
    lab.cx = lab.cx.clone().cancelled_by(token.clone());
    let (switch, sink) = (Switch::new(), MemorySink::default());
    let experiment = read_with(document, &inputs(&[]).rules(Rules::Compat)).unwrap();
    let resolved = lab.resolve(experiment).await.unwrap();
    let mut options = options();
    options.halt = Some(Arc::new(switch.clone()));
    options.strategies = Some(Strategies { rollbacks: RollbackStrategy::Always, ..Strategies::default() });
    // Time that no step of the run shortens.
    let waiting = lab.cx.detached(Duration::from_hours(1));
    let meanwhile = async {
        if let Some(interrupted) = interrupted {
            waiting.pause("waiting", Duration::from_secs(interrupted)).await.unwrap();
            token.cancel();
        }
        waiting.pause("waiting", Duration::from_secs(after)).await.unwrap();
        switch.halt(&Halt::new("storage alarm", "ann@ops", waiting.now())).await.unwrap();
    };
    let (report, ()) = tokio::join!(resolved.run(&lab.cx, &sink, &options), meanwhile);
    (lab, report)
}

fn later(name: &str, vm: &str, seconds: u64) -> Value {
    let mut later = action(name, "vm_power_off", json!({"vm_name": vm}));
    later["pauses"] = json!({"before": seconds});
    later
}

#[tokio::test(start_paused = true)]
async fn by_compatible_rules_a_halt_ends_what_goes_on_in_the_background_and_undoes_all() {
    for interrupted in [None, Some(60)] {
        let mut beside = later("beside", "b", 600);
        beside["background"] = true.into();
        let (lab, report) =
            halted_by_compatible_rules(document(&[later("off", "a", 0), beside], &[]), 100, interrupted).await;
        assert_eq!((report.verdict, report.stopped_by), (Verdict::Interrupted, Some(StopCause::Halt)));
        assert_eq!(lab.state("a"), VMPowerState::PoweredOn, "it was put back");
        assert_eq!(lab.state("b"), VMPowerState::PoweredOn, "it was never begun");
        assert!(report.left_changed.is_empty(), "{:?}", report.left_changed);
        let names: Vec<&Value> = report.journal.run.iter().map(|record| &record.activity["name"]).collect();
        assert_eq!(names, ["off"]);
    }
}

#[tokio::test(start_paused = true)]
async fn by_compatible_rules_a_halt_counts_during_the_rollbacks_too() {
    let rollbacks = [later("first", "a", 0), later("second", "b", 600)];
    let (lab, report) = halted_by_compatible_rules(document(&[], &rollbacks), 100, None).await;
    assert_eq!((report.verdict, report.stopped_by), (Verdict::Interrupted, Some(StopCause::Halt)));
    assert_eq!(report.journal.rollbacks.len(), 1, "the second one was not begun");
    for vm in ["a", "b"] {
        assert_eq!(lab.state(vm), VMPowerState::PoweredOn);
    }
}
