//! Two runs never hold one VM, whoever dies and whatever the clock says.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use chaos_core::{ErrorKind, EventSink, FencingToken, Lease, LeaseStore, RunId, RunLog, Target};
use chaos_testkit::TestClock;
use proptest::prelude::*;

use crate::support::{Place, at, event, killed, record_all, recovered, run, started, target};

const TTL: Duration = Duration::from_mins(1);

fn wanted(ids: &[&str]) -> Vec<(Target, String)> {
    ids.iter().map(|id| (target(id), format!("name of {id}"))).collect()
}

/// A run that lives as long as what is returned.
async fn alive(place: &Place, name: &str) -> Arc<dyn EventSink> {
    let log = place.store.begin(&run(name), at(0)).await.expect("the store works");
    log.record(&event(&run(name), 0, started())).await.expect("the store works");
    log
}

async fn acquire(place: &Place, name: &str, ids: &[&str]) -> Result<Vec<Lease>, chaos_core::Error> {
    place.store.acquire(&run(name), &wanted(ids), TTL).await
}

#[tokio::test]
async fn a_vm_is_held_by_one_run_and_all_or_none_are_given() {
    let place = Place::new();
    let (_a, _b) = (alive(&place, "a").await, alive(&place, "b").await);
    let held = acquire(&place, "a", &["vm-1", "vm-2"]).await.unwrap();
    let refused = acquire(&place, "b", &["vm-3", "vm-2"]).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused);
    assert!(refused.message().starts_with("name of vm-2 is held by run a, which goes on since"), "{refused}");
    // None were given.
    let other = acquire(&place, "b", &["vm-3"]).await.unwrap();
    assert!(other[0].token > held[1].token);
    place.store.release(&held).await.unwrap();
    let now = acquire(&place, "b", &["vm-2"]).await.unwrap();
    assert!(now[0].token > other[0].token, "tokens only grow");
    // To give back what is not held takes nothing from anybody.
    place.store.release(&held).await.unwrap();
    assert_eq!(place.store.renew(&now, TTL).await.err().map(|error| error.to_string()), None);
}

#[tokio::test]
async fn a_run_may_ask_for_what_it_has() {
    let place = Place::new();
    let _a = alive(&place, "a").await;
    let first = acquire(&place, "a", &["vm-1"]).await.unwrap();
    let second = acquire(&place, "a", &["vm-1"]).await.unwrap();
    assert_eq!(place.store.renew(&first, TTL).await.unwrap_err().kind(), ErrorKind::Refused);
    place.store.renew(&second, TTL).await.unwrap();
}

#[tokio::test]
async fn what_a_dead_run_left_changed_is_held_until_it_is_recovered() {
    let place = Place::new();
    let log = alive(&place, "dead").await;
    acquire(&place, "dead", &["vm-1", "vm-2"]).await.unwrap();
    record_all(&log, &run("dead"), 1, &killed("vm-1")[1..]).await;
    drop(log);
    let refused = acquire(&place, "b", &["vm-1"]).await.unwrap_err();
    assert_eq!(refused.message(), "run dead has left name of vm-1 changed: `chaosmonkey recover dead` puts it back");
    // What it held and did not touch is free at once.
    acquire(&place, "b", &["vm-2"]).await.unwrap();
    // Even if the leases are lost: the log tells it too.
    for text in [None, Some("{}"), Some("no JSON")] {
        let path = place.store.root().join("leases.json");
        fs::remove_file(&path).unwrap();
        if let Some(text) = text {
            fs::write(&path, text).unwrap();
        }
        assert_eq!(acquire(&place, "b", &["vm-1"]).await.unwrap_err().kind(), ErrorKind::Refused, "{text:?}");
        acquire(&place, "b", &["vm-2"]).await.unwrap();
    }
    let (recorded, log) = place.store.resume(&run("dead")).await.unwrap();
    let during = acquire(&place, "b", &["vm-1"]).await.unwrap_err();
    assert!(during.message().contains("goes on since"), "{during}");
    record_all(&log, &run("dead"), recorded.events.len() as u64, &recovered()).await;
    drop(log);
    acquire(&place, "b", &["vm-1"]).await.unwrap();
}

#[tokio::test]
async fn a_run_whose_log_is_damaged_holds_what_it_held() {
    let place = Place::new();
    let log = alive(&place, "r").await;
    acquire(&place, "r", &["vm-1"]).await.unwrap();
    drop(log);
    let path = place.store.directory_of(&run("r")).unwrap().join("0000.log");
    let mut log = fs::read(&path).unwrap();
    log[100] ^= 1;
    fs::write(&path, log).unwrap();
    let refused = acquire(&place, "b", &["vm-1"]).await.unwrap_err();
    assert!(refused.message().contains("`chaosmonkey recover r --abandon REASON`"), "{refused}");
    acquire(&place, "b", &["vm-2"]).await.unwrap();
    place.store.set_aside(&run("r")).await.unwrap();
    acquire(&place, "b", &["vm-1"]).await.unwrap();
}

#[tokio::test]
async fn with_the_leases_lost_nobody_takes_what_a_living_run_may_hold() {
    let place = Place::new();
    let _a = alive(&place, "a").await;
    let held = acquire(&place, "a", &["vm-1"]).await.unwrap();
    fs::write(place.store.root().join("leases.json"), "no JSON").unwrap();
    let refused = acquire(&place, "b", &["vm-2"]).await.unwrap_err();
    assert!(refused.message().contains("which VMs it holds is not known any more"), "{refused}");
    // That they are lost stays known, whoever gives back what he held.
    place.store.release(&held).await.unwrap();
    assert_eq!(acquire(&place, "b", &["vm-2"]).await.unwrap_err().kind(), ErrorKind::Refused);
    // Nor does a run that touches no VM make it known.
    let _c = alive(&place, "c").await;
    acquire(&place, "c", &[]).await.unwrap();
    assert_eq!(acquire(&place, "b", &["vm-2"]).await.unwrap_err().kind(), ErrorKind::Refused);
    // The run that holds them is not told that somebody else does, so that it goes on.
    assert_eq!(place.store.renew(&held, TTL).await.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_run_that_touches_no_vm_mends_leases_that_nobody_can_have() {
    let place = Place::new();
    drop(alive(&place, "a").await);
    fs::write(place.store.root().join("leases.json"), "no JSON").unwrap();
    // It asks for no leases, but lives when the next one does.
    let _looks = alive(&place, "looks").await;
    acquire(&place, "b", &["vm-1"]).await.unwrap();
}

#[tokio::test]
async fn a_file_of_leases_that_is_gone_is_lost_too() {
    let place = Place::new();
    let (_a, _b) = (alive(&place, "a").await, alive(&place, "b").await);
    acquire(&place, "a", &["vm-1"]).await.unwrap();
    fs::remove_file(place.store.root().join("leases.json")).unwrap();
    // Nor does a run that begins now make it look as if nothing had been held.
    let _c = alive(&place, "c").await;
    assert_eq!(acquire(&place, "c", &["vm-1"]).await.unwrap_err().kind(), ErrorKind::Refused);
}

#[tokio::test]
async fn a_log_that_was_emptied_or_removed_does_not_let_go_of_what_the_run_held() {
    for removed in [false, true] {
        let place = Place::new();
        let log = alive(&place, "r").await;
        acquire(&place, "r", &["vm-1"]).await.unwrap();
        drop(log);
        let path = place.store.directory_of(&run("r")).unwrap().join("0000.log");
        if removed {
            fs::remove_file(&path).unwrap();
        } else {
            fs::write(&path, "").unwrap();
        }
        let listed = place.store.list().await.unwrap();
        assert_eq!(listed[0].state, chaos_core::RunState::Damaged);
        assert_eq!(acquire(&place, "b", &["vm-1"]).await.unwrap_err().kind(), ErrorKind::Refused);
        assert_eq!(place.store.held_by(&run("r")).await.unwrap()[0].name, "name of vm-1");
    }
}

#[tokio::test]
async fn no_clock_decides() {
    let place = Place::new();
    let clock = TestClock::manual();
    let store = place.store.clone().on_clock(clock.shared());
    let _a = alive(&place, "a").await;
    let held = store.acquire(&run("a"), &wanted(&["vm-1"]), TTL).await.unwrap();
    clock.advance(Duration::from_hours(24 * 365));
    let refused = store.acquire(&run("b"), &wanted(&["vm-1"]), TTL).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused);
    // Nor is it lost on the way back, for one whose clock is a year behind.
    place.store.renew(&held, TTL).await.unwrap();
    store.renew(&held, TTL).await.unwrap();
}

/// What happens to a few runs and VMs.
#[derive(Debug, Clone)]
enum Step {
    Begin(usize),
    Acquire(usize, Vec<usize>),
    /// Powers off the first VM that it holds.
    Change(usize),
    Release(usize),
    Die(usize),
    Recover(usize),
    ClockJumps(i64),
    LoseTheLeases,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..4_usize).prop_map(Step::Begin),
        6 => ((0..4_usize), prop::collection::vec(0..5_usize, 1..4)).prop_map(|(run, vms)| Step::Acquire(run, vms)),
        3 => (0..4_usize).prop_map(Step::Change),
        1 => (0..4_usize).prop_map(Step::Release),
        2 => (0..4_usize).prop_map(Step::Die),
        1 => (0..4_usize).prop_map(Step::Recover),
        1 => (-1_000_000..1_000_000_i64).prop_map(Step::ClockJumps),
        1 => Just(Step::LoseTheLeases),
    ]
}

/// A run as the test knows it.
#[derive(Default)]
struct Known {
    log: Option<Arc<dyn EventSink>>,
    id: Option<RunId>,
    next: u64,
    leases: Vec<Lease>,
    changed: Vec<Target>,
}

impl Known {
    fn holds(&self, target: &Target) -> bool {
        let leased = self.log.is_some() && self.leases.iter().any(|lease| lease.target == *target);
        leased || self.changed.contains(target)
    }
}

async fn play(steps: Vec<Step>) {
    let place = Place::new();
    let mut runs: BTreeMap<usize, Known> = BTreeMap::new();
    let mut store = place.store.clone();
    let mut last = FencingToken::new(0);
    for (number, step) in steps.into_iter().enumerate() {
        match step {
            Step::Begin(run_number) => {
                let known = runs.entry(run_number).or_default();
                if known.log.is_none() && known.changed.is_empty() {
                    let id = run(&format!("r{run_number}-{number}"));
                    let log = store.begin(&id, at(0)).await.expect("the store works");
                    log.record(&event(&id, 0, started())).await.expect("the store works");
                    *known = Known { log: Some(log), id: Some(id), next: 1, ..Known::default() };
                }
            }
            Step::Acquire(run_number, vms) => {
                let Some(id) = runs.get(&run_number).filter(|known| known.log.is_some()).and_then(|k| k.id.clone())
                else {
                    continue;
                };
                let mut names: Vec<String> = vms.iter().map(|vm| format!("vm-{vm}")).collect();
                names.sort();
                names.dedup();
                let wanted: Vec<_> = names.iter().map(|name| (target(name), name.clone())).collect();
                let held_elsewhere = runs
                    .iter()
                    .any(|(other, known)| *other != run_number && wanted.iter().any(|(target, _)| known.holds(target)));
                match store.acquire(&id, &wanted, TTL).await {
                    Ok(leases) => {
                        assert!(!held_elsewhere, "{wanted:?} were given to {id} and are held");
                        assert!(leases.iter().all(|lease| lease.token > last), "tokens grow");
                        last = leases.iter().map(|lease| lease.token).max().expect("some");
                        let known = runs.get_mut(&run_number).expect("there");
                        known.leases.retain(|old| leases.iter().all(|new| new.target != old.target));
                        known.leases.extend(leases);
                    }
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Refused),
                }
            }
            Step::Change(run_number) => {
                let Some(known) = runs.get_mut(&run_number) else { continue };
                let (Some(log), Some(id)) = (&known.log, &known.id) else { continue };
                let Some(lease) = known.leases.iter().find(|lease| !known.changed.contains(&lease.target)) else {
                    continue;
                };
                let vm = lease.target.vm().expect("a VM").id.clone();
                let sent = chaos_core::RunEventKind::Sent { prepared: known.next };
                record_all(log, id, known.next, &[crate::support::prepared(&vm), sent]).await;
                known.next += 2;
                known.changed.push(lease.target.clone());
            }
            Step::Release(run_number) => {
                let Some(known) = runs.get_mut(&run_number).filter(|known| known.changed.is_empty()) else { continue };
                store.release(&std::mem::take(&mut known.leases)).await.expect("the store works");
            }
            Step::Die(run_number) => {
                if let Some(known) = runs.get_mut(&run_number) {
                    known.log = None;
                }
            }
            Step::Recover(run_number) => {
                let Some(known) = runs.get_mut(&run_number).filter(|known| known.log.is_none()) else { continue };
                if let Some(id) = known.id.take() {
                    let (recorded, log) = store.resume(&id).await.expect("the store works");
                    let reason = "a person took over".to_owned();
                    let kind = chaos_core::RunEventKind::Abandoned { reason };
                    log.record(&event(&id, recorded.events.len() as u64, kind)).await.expect("the store works");
                    *known = Known::default();
                }
            }
            Step::ClockJumps(seconds) => {
                let clock = TestClock::manual();
                clock.advance(Duration::from_secs(seconds.unsigned_abs()));
                store = store.on_clock(clock.shared());
            }
            // Only where no run lives that has them: a living one is asked to stop first.
            Step::LoseTheLeases => {
                if runs.values().all(|known| known.log.is_none()) {
                    let _ = fs::remove_file(store.root().join("leases.json"));
                }
            }
        }
        for known in runs.values().filter(|known| known.log.is_some()) {
            store.renew(&known.leases, TTL).await.expect("what is held can be renewed");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_two_runs_ever_hold_one_vm(steps in prop::collection::vec(step(), 1..24)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("the store works");
        runtime.block_on(play(steps));
    }
}
