//! How late a simulated Dora service learns of a change of power.

use std::collections::BTreeSet;
use std::time::Duration;

use chaos_sim::{Estate, Operation, Power, Sim, VmSpec};

use crate::dora::{dora, list, token};

const SECOND: Duration = Duration::from_secs(1);
const HALF_A_MINUTE: Duration = Duration::from_secs(30);

/// A service that is that late, and of how many VMs.
async fn late(vms: usize, least: Duration, most: Duration) -> (Sim, String) {
    let builder = dora().paused().estate(Estate::of_size(vms)).dora_staleness(least, most);
    let sim = builder.dora_token_life(Duration::from_hours(24)).start().await.unwrap();
    let token = token(&sim).await;
    (sim, token)
}

/// What it shows of a VM's power.
async fn shown(sim: &Sim, token: &str, name: &str) -> String {
    let items = list(sim, token, "VirtualMachines ORA-DEV").await;
    let item = items.iter().find(|item| item["name"] == name).unwrap();
    item["state"].as_str().unwrap().to_owned()
}

/// The VMs that it shows as off.
async fn off(sim: &Sim, token: &str) -> BTreeSet<String> {
    let items = list(sim, token, "VirtualMachines ORA-DEV").await;
    let off = items.iter().filter(|item| item["state"] == "poweredOff");
    off.map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_old_state_is_shown_up_to_the_moment_and_no_longer() {
    let (sim, token) = late(0, HALF_A_MINUTE, HALF_A_MINUTE).await;
    // The service has never seen this VM before.
    sim.world().add(&VmSpec::new("new")).unwrap();
    assert_eq!(shown(&sim, &token, "new").await, "poweredOn");
    sim.world().set_power("new", Power::Suspended).unwrap();
    sim.world().step(Duration::from_millis(29_999));
    assert_eq!(shown(&sim, &token, "new").await, "poweredOn");
    sim.world().step(Duration::from_millis(1));
    assert_eq!(shown(&sim, &token, "new").await, "suspended");
}

#[tokio::test]
async fn changes_are_seen_one_after_the_other_as_they_happened() {
    let (sim, token) = late(0, HALF_A_MINUTE, HALF_A_MINUTE).await;
    sim.world().add(&VmSpec::new("busy")).unwrap();
    for power in [Power::Off, Power::On, Power::Suspended] {
        sim.world().set_power("busy", power).unwrap();
        sim.world().step(SECOND * 5);
    }
    let mut seen = Vec::new();
    for _ in 0..10 {
        let state = shown(&sim, &token, "busy").await;
        if seen.last() != Some(&state) {
            seen.push(state);
        }
        sim.world().step(SECOND * 5);
    }
    assert_eq!(seen, ["poweredOn", "poweredOff", "poweredOn", "suspended"]);
}

/// At which second the service knows that a VM of each name is off.
async fn known_at(sim: &Sim, token: &str) -> Vec<(String, u64)> {
    for vm in sim.world().vms() {
        sim.world().set_power(&vm.name, Power::On).unwrap();
    }
    sim.world().step(Duration::from_mins(2));
    assert!(off(sim, token).await.is_empty());
    for vm in sim.world().vms() {
        sim.world().set_power(&vm.name, Power::Off).unwrap();
    }
    let mut known = Vec::new();
    let mut before = BTreeSet::new();
    for second in 0..=60 {
        let now = off(sim, token).await;
        known.extend(now.difference(&before).map(|name| (name.clone(), second)));
        before = now;
        sim.world().step(SECOND);
    }
    known.sort();
    known
}

#[tokio::test]
async fn the_delay_is_within_its_bounds_and_drawn_from_seed_vm_and_count() {
    let (sim, first_token) = late(20, HALF_A_MINUTE, Duration::from_mins(1)).await;
    let first = known_at(&sim, &first_token).await;
    assert_eq!(first.len(), 20, "after a minute it knows of all: {first:?}");
    assert!(first.iter().all(|(_, second)| (30..=60).contains(second)), "{first:?}");
    assert!(first.iter().map(|(_, second)| second).collect::<BTreeSet<_>>().len() > 5, "they differ: {first:?}");

    let (again, token) = late(20, HALF_A_MINUTE, Duration::from_mins(1)).await;
    assert_eq!(known_at(&again, &token).await, first, "the same seed, the same delays");

    for vm in sim.world().vms() {
        sim.world().operate(vm.id, Operation::PowerOn, "test").unwrap();
    }
    sim.world().settle();
    assert_ne!(known_at(&sim, &first_token).await, first, "another operation, another delay");
}

#[tokio::test]
async fn nothing_is_late_unless_asked_for() {
    let sim = dora().paused().estate(Estate::of_size(1)).start().await.unwrap();
    let token = token(&sim).await;
    let name = sim.world().vms()[0].name.clone();
    for (power, word) in [(Power::Off, "poweredOff"), (Power::On, "poweredOn")] {
        sim.world().set_power(&name, power).unwrap();
        assert_eq!(shown(&sim, &token, &name).await, word);
    }
}
