//! What a guard is told of other runs: what they hold, what they have left changed, and what they have hit.

use std::fs;
use std::time::Duration;

use chaos_core::{ErrorKind, FaultRegister, LeaseStore, RunId, RunLog, VMRef};

use crate::support::{Place, at, killed, prepared, record_all, recovered, run, started, target};

const TTL: Duration = Duration::from_mins(1);

fn ids(vms: &[VMRef]) -> Vec<&str> {
    vms.iter().map(|vm| vm.id.as_str()).collect()
}

async fn elsewhere(place: &Place, mine: &RunId) -> Vec<String> {
    let vms = place.store.elsewhere(mine).await.expect("it can be told");
    ids(&vms).into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn what_others_hold_or_have_left_changed_counts_each_once_and_what_is_back_does_not() {
    let place = Place::new();
    let lives = place.store.begin(&run("lives"), at(0)).await.unwrap();
    record_all(&lives, &run("lives"), 0, &[started()]).await;
    let wanted = |id: &str| vec![(target(id), id.to_owned())];
    place.store.acquire(&run("lives"), &wanted("vm-1"), TTL).await.unwrap();
    place.write(&run("killed"), &killed("vm-2")).await;
    let whole: Vec<_> = killed("vm-3").into_iter().chain(recovered()).collect();
    place.write(&run("recovered"), &whole).await;
    assert_eq!(elsewhere(&place, &run("mine")).await, ["vm-1", "vm-2"]);
    // One's own are none of others.
    assert_eq!(elsewhere(&place, &run("lives")).await, ["vm-2"]);
    drop(lives);
    assert_eq!(elsewhere(&place, &run("mine")).await, ["vm-2"]);
}

#[tokio::test]
async fn what_nobody_knows_is_an_error() {
    let place = Place::new();
    let _lives = place.store.begin(&run("lives"), at(0)).await.unwrap();
    fs::write(place.store.root().join("leases.json"), "no JSON").unwrap();
    let error = place.store.elsewhere(&run("mine")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("run lives"), "{error}");
}

#[tokio::test]
async fn hits_are_what_was_sent_since_a_time_whatever_became_of_it() {
    let place = Place::new();
    let whole: Vec<_> = killed("vm-1").into_iter().chain(recovered()).collect();
    place.write(&run("first"), &whole).await;
    // Prepared, and not sent.
    place.write(&run("second"), &[started(), prepared("vm-2")]).await;
    let lives = place.store.begin(&run("third"), at(0)).await.unwrap();
    record_all(&lives, &run("third"), 0, &killed("vm-3")).await;
    // Of each run the fourth event, of three seconds after its begin.
    let hits = |since: i64| {
        let store = place.store.clone();
        async move {
            let mut hits = store.hits(&run("mine"), at(since)).await.unwrap();
            hits.sort();
            hits.into_iter().map(|(vm, at)| (vm.id, at)).collect::<Vec<_>>()
        }
    };
    assert_eq!(hits(0).await, [("vm-1".to_owned(), at(3)), ("vm-3".to_owned(), at(3))]);
    assert_eq!(hits(3).await.len(), 2);
    assert_eq!(hits(4).await, []);
    assert_eq!(place.store.hits(&run("third"), at(0)).await.unwrap().len(), 1);
}
