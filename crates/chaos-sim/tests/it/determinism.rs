//! The same seed gives the same world, whatever the order in which clients come.

use std::time::Duration;

use chaos_sim::{Operation, Sim, Timing, World};

async fn sim(seed: u64) -> Sim {
    Sim::builder().seed(seed).vms(40).paused().failure_rate(0.3).timing(Timing::default()).start().await.unwrap()
}

/// Everything that was decided about the VMs and their tasks.
fn story(world: &World) -> Vec<String> {
    let vms = world
        .vms()
        .into_iter()
        .map(|vm| format!("{:?} {} {:?} {} {} {}", vm.id, vm.name, vm.host, vm.cpus, vm.bios_uuid, vm.guest_os));
    let tasks = world.tasks().into_iter().map(|task| format!("{:?} {:?} {:?}", task.id, task.state, task.finished));
    vms.chain(tasks).collect()
}

#[tokio::test]
async fn ids_durations_and_failures_do_not_depend_on_the_order_of_arrival() {
    let (forth, back) = (sim(7).await, sim(7).await);
    let ids: Vec<_> = forth.world().vms().into_iter().map(|vm| vm.id).collect();
    for id in &ids {
        forth.world().operate(*id, Operation::PowerOff, "a").unwrap();
    }
    for id in ids.iter().rev() {
        back.world().operate(*id, Operation::PowerOff, "a").unwrap();
    }
    for sim in [&forth, &back] {
        sim.world().step(Duration::from_mins(1));
    }
    assert_eq!(story(forth.world()), story(back.world()));
    let failed = story(forth.world()).iter().filter(|line| line.contains("Failed")).count();
    assert!((5..20).contains(&failed), "{failed} of 40 tasks failed at a rate of 0.3");
}

#[tokio::test]
async fn another_seed_makes_another_world() {
    assert_ne!(story(sim(7).await.world()), story(sim(8).await.world()));
}

#[tokio::test]
async fn vms_that_are_added_later_get_ids_that_depend_on_their_names_alone() {
    let (one, other) = (sim(7).await, sim(7).await);
    let add = |sim: &Sim, name: &str| sim.world().add(&chaos_sim::VmSpec::new(name)).unwrap().id;
    let forth = [add(&one, "late-a"), add(&one, "late-b")];
    let back = [add(&other, "late-b"), add(&other, "late-a")];
    assert_eq!(forth, [back[1], back[0]]);
}
