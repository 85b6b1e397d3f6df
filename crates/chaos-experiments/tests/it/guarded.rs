//! A guard between a run and the platforms: asked before anything is touched and before each call, and never by what repairs.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chaos_core::{
    ActivityStatus, Error, ErrorKind, EventSink, FaultRegister, Guard, Policy, RunEvent, RunEventKind, RunId,
    VMPowerState, VMRef,
};
use chaos_experiments::{ActivityRecord, MemorySink, Rules, RunOptions, Verdict};
use chaos_testkit::{MemoryEstate, MemorySource};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::extensions::together;
use crate::lab::{Lab, action, count, document, inputs, options, probe, read, read_with};

/// What other runs do.
#[derive(Debug)]
struct Others {
    faulted: Mutex<Result<Vec<VMRef>, ErrorKind>>,
    hits: Vec<(VMRef, Timestamp)>,
}

impl Default for Others {
    fn default() -> Self {
        Self { faulted: Mutex::new(Ok(Vec::new())), hits: Vec::new() }
    }
}

#[async_trait]
impl FaultRegister for Others {
    async fn elsewhere(&self, _: &RunId) -> Result<Vec<VMRef>, Error> {
        self.faulted.lock().expect("no test has panicked").clone().map_err(|kind| Error::new(kind, "nobody knows"))
    }

    async fn hits(&self, _: &RunId, since: Timestamp) -> Result<Vec<(VMRef, Timestamp)>, Error> {
        Ok(self.hits.iter().filter(|(_, at)| *at >= since).cloned().collect())
    }
}

fn guard(rules: &[&str], others: Others) -> Guard {
    Guard::new(Policy::read(rules.iter().copied()).expect("they are rules"), Arc::new(others))
}

fn guarded(rules: &[&str]) -> RunOptions {
    let mut options = options();
    options.guard = Some(Arc::new(guard(rules, Others::default())));
    options
}

fn off(vm: &str) -> Value {
    action(&format!("off-{vm}"), "vm_power_off", json!({"vm_name": vm}))
}

fn waiting(mut activity: Value, seconds: u32) -> Value {
    activity["pauses"] = json!({"after": seconds});
    activity
}

fn reboot(vm: &str) -> Value {
    action(&format!("again-{vm}"), "vm_reboot", json!({"vm_name": vm}))
}

/// Why an activity failed.
fn words(record: &ActivityRecord) -> String {
    record.exception.clone().unwrap_or_default().concat()
}

/// What a review says of a method.
async fn said(lab: &Lab, method: &[Value], guard: &Guard) -> Vec<String> {
    let experiment = read(document(method, &[])).expect("it is one");
    let resolved = lab.resolve(experiment).await.expect("every VM is there");
    let review = resolved.review(&lab.cx, guard).await.expect("it can be told");
    review.denials.iter().map(|denial| format!("{}: {}", denial.rule, denial.why)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_review_sees_the_whole_method_and_touches_nothing() {
    let lab = Lab::with(&["a", "b", "c"]);
    let rules = guard(&["protect c", "at most 1", "keep 2 of all"], Others::default());
    let reboot = action("again", "vm_reboot", json!({"vm_name": "a"}));
    assert_eq!(said(&lab, &[reboot.clone(), reboot.clone()], &rules).await, [""; 0]);
    assert_eq!(
        said(&lab, &[off("a"), off("c")], &rules).await,
        [
            "protect c: /DC0/vm/c is protected",
            "at most 1: 2 VMs in all would be in a fault at the same time, of which 1 may be",
            "keep 2 of all: 1 VM of `all` would be up, where 2 must be",
        ]
    );
    // What goes on in the background may still go on when the next one begins.
    let mut beside = reboot;
    beside["background"] = true.into();
    let other = action("other", "vm_reboot", json!({"vm_name": "b"}));
    assert_eq!(said(&lab, &[beside, other], &rules).await.len(), 2);
    assert_eq!(lab.destructive_calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_other_runs_do_counts_and_what_nobody_knows_refuses() {
    let lab = Lab::with(&["a", "b"]);
    let there = lab.resolve(read(document(&[off("b")], &[])).unwrap()).await.unwrap().targets();
    let b = there[0].0.vm().unwrap().clone();
    let others = Others { faulted: Mutex::new(Ok(vec![b.clone()])), hits: Vec::new() };
    assert_eq!(said(&lab, &[off("a")], &guard(&["at most 1"], others)).await.len(), 1);
    let hit = lab.cx.now() - SignedDuration::from_mins(20);
    let cool = |rule: &str| guard(&[rule], Others { hits: vec![(b.clone(), hit)], ..Others::default() });
    assert_eq!(said(&lab, &[off("b")], &cool("cool-down 30m")).await.len(), 1);
    assert_eq!(said(&lab, &[off("b")], &cool("cool-down 20m")).await.len(), 0);
    let unknown = Others { faulted: Mutex::new(Err(ErrorKind::Unavailable)), hits: Vec::new() };
    let resolved = lab.resolve(read(document(&[off("a")], &[])).unwrap()).await.unwrap();
    assert!(resolved.review(&lab.cx, &guard(&["at most 1"], unknown)).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_freeze_that_begins_in_mid_run_stops_further_faults_and_lets_everything_be_put_back() {
    for rules in [Rules::Strict, Rules::Compat] {
        let lab = Lab::with(&["a", "b"]);
        let begins = lab.cx.now() + SignedDuration::from_secs(100);
        let form = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%S").to_string();
        let freeze = format!("freeze {}..{} UTC", form(begins), form(begins + SignedDuration::from_hours(9)));
        let rollback = action("on", "vm_power_on", json!({"vm_name": "a"}));
        let experiment = document(&[waiting(off("a"), 300), off("b")], &[rollback]);
        let experiment = read_with(experiment, &inputs(&[]).rules(rules)).unwrap();
        let resolved = lab.resolve(experiment).await.unwrap();
        let options = guarded(&[&freeze]);
        assert!(resolved.review(&lab.cx, options.guard.as_ref().unwrap()).await.unwrap().denials.is_empty());
        let sink = MemorySink::default();
        let report = resolved.run(&lab.cx, &sink, &options).await;
        let refused = &report.journal.run[1];
        assert_eq!(refused.status, Some(ActivityStatus::Failed), "{rules:?}");
        assert!(words(refused).contains("there is a freeze from"), "{}", words(refused));
        assert_eq!(count(&sink.events(), |event| matches!(event, RunEventKind::Prepared { .. })), 2, "{rules:?}");
        assert_eq!((lab.state("a"), lab.state("b")), (VMPowerState::PoweredOn, VMPowerState::PoweredOn));
        assert_eq!(report.left_changed.len(), 0);
    }
}

/// Sees each event, and counts VMs that are in a fault.
#[derive(Debug, Default)]
struct Counting {
    sink: MemorySink,
    lab: Mutex<Vec<usize>>,
}

#[async_trait]
impl EventSink for Counting {
    async fn record(&self, event: &RunEvent) -> Result<(), Error> {
        let sent = self.sink.events();
        let begun = count(&sent, |event| matches!(event, RunEventKind::Sent { .. }));
        let ended = count(&sent, |event| matches!(event, RunEventKind::Outcome { .. }));
        self.lab.lock().expect("no test has panicked").push(begun - ended);
        self.sink.record(event).await
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_faults_at_once_one_is_refused_where_one_is_allowed() {
    // Nobody has reviewed it: the guard holds in the run too.
    let lab = Lab::with(&["a", "b"]);
    let again = |vm: &str| action(&format!("again-{vm}"), "vm_reboot", json!({"vm_name": vm}));
    let group = together("both", &[again("a"), again("b")]);
    let resolved = lab.resolve(read(document(&[group], &[])).unwrap()).await.unwrap();
    let sink = Counting::default();
    let report = resolved.run(&lab.cx, &sink, &guarded(&["at most 1"])).await;
    assert_eq!(report.verdict, Verdict::Failed);
    assert_eq!(sink.lab.lock().unwrap().iter().max(), Some(&1));
    let failed = report.journal.run.iter().filter(|record| record.exception.is_some()).count();
    assert_eq!(failed, 1);
}

/// Powers a VM off, as somebody else may, when the first fault is over.
#[derive(Debug)]
struct Meddling {
    estate: MemoryEstate,
    id: String,
}

#[async_trait]
impl EventSink for Meddling {
    async fn record(&self, event: &RunEvent) -> Result<(), Error> {
        if matches!(event.event, RunEventKind::Outcome { .. }) {
            self.estate.set_power_state(&self.id, VMPowerState::PoweredOff);
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_vm_is_seen_as_it_is_right_before_the_call() {
    // One after the other, with pauses: in the meantime somebody else has powered off what should have stayed up.
    let lab = Lab::with(&["web-1", "web-2", "web-3"]);
    let again = |vm: &str| action(&format!("again-{vm}"), "vm_reboot", json!({"vm_name": vm}));
    let resolved =
        lab.resolve(read(document(&[waiting(again("web-1"), 60), again("web-2")], &[])).unwrap()).await.unwrap();
    let options = guarded(&["keep 2 of web-*"]);
    assert!(resolved.review(&lab.cx, options.guard.as_ref().unwrap()).await.unwrap().denials.is_empty());
    let third = lab.resolve(read(document(&[off("web-3")], &[])).unwrap()).await.unwrap().targets();
    let sink = Meddling { estate: lab.estate.clone(), id: third[0].0.vm().unwrap().id.clone() };
    let report = resolved.run(&lab.cx, &sink, &options).await;
    assert_eq!(report.verdict, Verdict::Failed);
    let exception = words(&report.journal.run[1]);
    assert!(exception.contains("1 VM of `web-*` would be up, where 2 must be"), "{exception}");
}

#[tokio::test(start_paused = true)]
async fn an_experiment_has_rules_of_its_own_by_either_rules_and_only_narrows() {
    let mut experiment = document(&[off("a")], &[]);
    experiment["policy"] = json!(["protect a"]);
    for rules in [Rules::Strict, Rules::Compat] {
        let lab = Lab::with(&["a", "b"]);
        let experiment = read_with(experiment.clone(), &inputs(&[]).rules(rules)).unwrap();
        let resolved = lab.resolve(experiment).await.unwrap();
        let review = resolved.review(&lab.cx, &Guard::alone(Policy::default())).await.unwrap();
        assert_eq!(review.denials.len(), 1);
        let both = resolved.review(&lab.cx, &guard(&["at most 0"], Others::default())).await.unwrap();
        assert_eq!(both.denials.len(), 2);
        // Also for who brings no guard and has reviewed nothing.
        let report = resolved.run(&lab.cx, &MemorySink::default(), &options()).await;
        assert!(words(&report.journal.run[0]).contains("a is protected"), "{rules:?}");
        assert_eq!(lab.destructive_calls(), 0);
    }
    for (policy, place) in [
        (json!("protect a"), "/policy"),
        (json!(["at most"]), "/policy/0"),
        (json!([7]), "/policy/0"),
        (json!(["protect ${x}"]), "/policy/0"),
    ] {
        experiment["policy"] = policy;
        assert_eq!(read(experiment.clone()).unwrap_err().list[0].place, place);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollback_that_mends_nothing_is_a_fault_like_any_other() {
    let lab = Lab::with(&["a", "b"]);
    let on = action("on", "vm_power_on", json!({"vm_name": "a"}));
    let rules = ["protect b", "freeze 2000-01-01..2001-01-01 UTC"];
    for (method, rollbacks, denials) in [
        (vec![off("a")], vec![on.clone()], 0),
        // What the run has not touched, and what is not brought back to where it was.
        (vec![off("a")], vec![on.clone(), off("b")], 1),
        (vec![], vec![off("b")], 1),
        // A restart brings it nowhere.
        (vec![action("on", "vm_power_on", json!({"vm_name": "b"}))], vec![reboot("b")], 1),
    ] {
        let resolved = lab.resolve(read(document(&method, &rollbacks)).unwrap()).await.unwrap();
        let review = resolved.review(&lab.cx, &guard(&rules, Others::default())).await.unwrap();
        assert_eq!(review.denials.len(), denials);
        let report = resolved.run(&lab.cx, &MemorySink::default(), &guarded(&rules)).await;
        let failed = report.journal.rollbacks.iter().filter(|record| record.exception.is_some()).count();
        assert_eq!(failed, denials);
        assert_eq!((lab.state("a"), lab.state("b")), (VMPowerState::PoweredOn, VMPowerState::PoweredOn));
    }
    let b = lab.resolve(read(document(&[off("b")], &[])).unwrap()).await.unwrap().targets();
    assert!(lab.estate.destructive_calls(&b[0].0.vm().unwrap().id).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_rollback_puts_back_whatever_the_rules_are() {
    // The VM was off, is powered on, and goes off again: nobody is asked about the last.
    let lab = Lab::with(&["a"]);
    let id = lab.resolve(read(document(&[off("a")], &[])).unwrap()).await.unwrap().targets();
    lab.estate.set_power_state(&id[0].0.vm().unwrap().id, VMPowerState::PoweredOff);
    let on = action("on", "vm_power_on", json!({"vm_name": "a"}));
    let source = MemorySource::of("vsphere", &lab.estate).with("east", &lab.estate);
    let mut elsewhere = off("a");
    elsewhere["provider"]["arguments"]["platform_type"] = "east".into();
    // By whichever entry.
    for back in [off("a"), elsewhere] {
        let experiment = read(document(std::slice::from_ref(&on), &[back])).unwrap();
        let resolved = experiment.resolve(&lab.cx, &source).await.unwrap();
        let options = guarded(&["protect all", "at most 0"]);
        assert!(resolved.review(&lab.cx, options.guard.as_ref().unwrap()).await.unwrap().denials.is_empty());
        let report = resolved.run(&lab.cx, &MemorySink::default(), &options).await;
        assert_eq!(report.verdict, Verdict::Completed);
        assert_eq!(lab.state("a"), VMPowerState::PoweredOff);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_two_entries_lead_to_is_one() {
    let lab = Lab::with(&["a", "b", "c"]);
    let source = MemorySource::of("vsphere", &lab.estate).with("east", &lab.estate);
    let mut look = probe("look", "vm_exists", json!({"vm_name": "b"}), json!(true));
    look["provider"]["arguments"]["platform_type"] = "east".into();
    // Whichever entry is asked first.
    for method in [[look.clone(), off("a")], [off("a"), look]] {
        let resolved = read(document(&method, &[])).unwrap().resolve(&lab.cx, &source).await.unwrap();
        for rule in ["keep 3 of all", "at most 10% of each cluster", "protect endpoint:vsphere", "protect a"] {
            let review = resolved.review(&lab.cx, &guard(&[rule], Others::default())).await.unwrap();
            assert_eq!(review.denials.len(), 1, "{rule}");
            let report = resolved.run(&lab.cx, &MemorySink::default(), &guarded(&[rule])).await;
            assert_eq!(report.verdict, Verdict::Failed, "{rule}");
        }
        let allowed = guard(&["keep 2 of all", "protect endpoint:east"], Others::default());
        assert!(resolved.review(&lab.cx, &allowed).await.unwrap().denials.is_empty());
    }
    assert_eq!(lab.destructive_calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn rules_on_the_time_and_on_what_a_vm_is_cost_no_request() {
    let lab = Lab::with(&["a", "b"]);
    let calls = async |rules: &[&str]| {
        let resolved = lab.resolve(read(document(&[off("a")], &[off("b")])).unwrap()).await.unwrap();
        let before = lab.estate.calls().len();
        let guard = guard(rules, Others::default());
        let review = resolved.review(&lab.cx, &guard).await.unwrap();
        assert!(review.denials.is_empty(), "{review:?}");
        let report = resolved.run(&lab.cx, &MemorySink::default(), &guarded(rules)).await;
        assert!(report.journal.rollbacks.iter().all(|record| record.exception.is_none()), "{report:?}");
        lab.estate.calls().len() - before
    };
    let none = calls(&[]).await;
    assert_eq!(calls(&["protect own", "freeze 2000-01-01..2001-01-01 UTC"]).await, none);
    assert!(calls(&["protect other"]).await > none);
}

#[tokio::test(start_paused = true)]
async fn what_powers_on_is_no_fault_beside_others() {
    let lab = Lab::with(&["a", "b"]);
    let on = action("on", "vm_power_on", json!({"vm_name": "b"}));
    let resolved = lab.resolve(read(document(&[together("both", &[on, off("a")])], &[])).unwrap()).await.unwrap();
    let options = guarded(&["at most 1"]);
    assert!(resolved.review(&lab.cx, options.guard.as_ref().unwrap()).await.unwrap().denials.is_empty());
    let report = resolved.run(&lab.cx, &MemorySink::default(), &options).await;
    assert_eq!((report.verdict, report.reason), (Verdict::Completed, None));
}

#[tokio::test(start_paused = true)]
async fn a_vm_is_put_back_once_by_whichever_entry_it_was_changed() {
    let lab = Lab::with(&["a"]);
    let source = MemorySource::of("vsphere", &lab.estate).with("east", &lab.estate);
    let mut on = action("on", "vm_power_on", json!({"vm_name": "a"}));
    on["provider"]["arguments"]["platform_type"] = "east".into();
    let mut restore = action("restore", "vm_restore", json!({"vm_names": "a"}));
    restore["provider"]["arguments"]["platform_type"] = "east".into();
    for (method, rollbacks) in
        [(vec![off("a"), on.clone()], vec![]), (vec![off("a")], vec![on]), (vec![off("a")], vec![restore])]
    {
        let resolved = read(document(&method, &rollbacks)).unwrap().resolve(&lab.cx, &source).await.unwrap();
        let report = resolved.run(&lab.cx, &MemorySink::default(), &options()).await;
        assert_eq!((report.verdict, report.reason), (Verdict::Completed, None));
        assert_eq!((report.left_changed.len(), lab.state("a")), (0, VMPowerState::PoweredOn));
    }
    // Off and on three times, and nothing more.
    assert_eq!(lab.destructive_calls(), 6);
}
