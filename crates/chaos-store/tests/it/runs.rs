//! Runs are begun, gone on with, listed, found and removed.

use std::fs;

use chaos_core::{ErrorKind, RunEventKind, RunLog, RunState, RunStatus};
use chaos_store::FileStore;

use crate::support::{Place, at, bytes, event, killed, record_all, recovered, run, started};

fn completed() -> Vec<RunEventKind> {
    vec![started(), RunEventKind::RunEnded { status: RunStatus::Completed, deviated: false }]
}

#[tokio::test]
async fn a_run_that_nothing_was_written_about_is_forgotten() {
    let place = Place::new();
    let log = place.store.begin(&run("r"), at(0)).await.unwrap();
    assert_eq!(place.store.list().await.unwrap()[0].state, RunState::Running);
    drop(log);
    assert!(place.store.list().await.unwrap().is_empty());
    assert_eq!(fs::read_dir(place.store.root().join("runs")).unwrap().count(), 0);
}

#[tokio::test]
async fn no_id_is_used_twice() {
    let place = Place::new();
    place.write(&run("r"), &completed()).await;
    // Also at another time, which gives the directory another name.
    let error = place.store.begin(&run("r"), at(99)).await.unwrap_err();
    assert!(error.message().contains("there is a run `r` already"), "{error}");
}

#[tokio::test]
async fn a_recovery_goes_on_behind_what_is_there_and_changes_none_of_it() {
    let place = Place::new();
    let path = place.write(&run("r"), &killed("vm-1")).await;
    let before = bytes(&path);
    // One that writes nothing leaves nothing.
    drop(place.store.resume(&run("r")).await.unwrap());
    assert!(!path.with_file_name("0001.log").exists());
    let (recorded, log) = place.store.resume(&run("r")).await.unwrap();
    record_all(&log, &run("r"), recorded.events.len() as u64, &recovered()).await;
    drop(log);
    assert_eq!(bytes(&path), before);
    let recorded = place.read(&run("r")).await;
    assert_eq!(recorded.events.iter().map(|event| event.sequence).collect::<Vec<_>>(), (0..9).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_event_out_of_its_place_is_not_written() {
    let place = Place::new();
    let log = place.store.begin(&run("r"), at(0)).await.unwrap();
    log.record(&event(&run("r"), 0, started())).await.unwrap();
    assert!(log.record(&event(&run("r"), 2, RunEventKind::RollbacksStarted)).await.is_err());
    drop(log);
    let recorded = place.read(&run("r")).await;
    assert_eq!((recorded.events.len(), recorded.damage), (1, None));
}

#[tokio::test]
async fn runs_are_listed_with_the_latest_first_and_what_they_left_changed() {
    let place = Place::new();
    for (number, kinds) in [(1, completed()), (3, killed("vm-1")), (2, completed())] {
        let run = run(&format!("r{number}"));
        let log = place.store.begin(&run, at(number)).await.unwrap();
        let shifted = kinds.into_iter().enumerate().map(|(at_number, kind)| {
            let mut event = event(&run, at_number as u64, kind);
            event.at = at(number);
            event
        });
        for event in shifted {
            log.record(&event).await.unwrap();
        }
    }
    let listed = place.store.list().await.unwrap();
    let told: Vec<_> = listed.iter().map(|run| (run.run.as_str(), run.state, run.touched, run.open.len())).collect();
    assert_eq!(
        told,
        [("r3", RunState::Unrecovered, 1, 1), ("r2", RunState::Completed, 0, 0), ("r1", RunState::Completed, 0, 0)]
    );
    assert_eq!((listed[0].title.as_str(), listed[0].open[0].name.as_str()), ("a VM goes off", "name of vm-1"));
}

#[tokio::test]
async fn the_list_comes_from_the_logs_whatever_the_index_says() {
    let place = Place::new();
    place.write(&run("a"), &completed()).await;
    place.write(&run("b"), &killed("vm-1")).await;
    let listed = place.store.list().await.unwrap();
    let index = place.store.root().join("runs.index");
    let good = bytes(&index);
    for text in [&b""[..], b"{}", b"not JSON", &good[..good.len() / 2], &[0; 100]] {
        fs::write(&index, text).unwrap();
        assert_eq!(place.store.list().await.unwrap(), listed);
        assert_eq!(bytes(&index), good, "it is made anew");
    }
    fs::remove_file(&index).unwrap();
    assert_eq!(place.store.list().await.unwrap(), listed);
    assert_eq!(bytes(&index), good);
    // A log that has grown since is read again.
    let (recorded, log) = place.store.resume(&run("b")).await.unwrap();
    record_all(&log, &run("b"), recorded.events.len() as u64, &recovered()).await;
    drop(log);
    let states: Vec<RunState> = place.store.list().await.unwrap().iter().map(|run| run.state).collect();
    assert_eq!(states, [RunState::Recovered, RunState::Completed]);
}

#[tokio::test]
async fn only_what_is_settled_can_be_removed() {
    let place = Place::new();
    place.write(&run("a"), &completed()).await;
    place.write(&run("b"), &killed("vm-1")).await;
    let refused = place.store.remove(&run("b")).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused);
    assert!(refused.message().contains("`chaosmonkey recover b` puts back"), "{refused}");
    place.store.remove(&run("a")).await.unwrap();
    assert_eq!(place.store.remove(&run("a")).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(place.store.list().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_run_is_found_by_a_beginning_that_fits_no_other() {
    let place = Place::new();
    for name in ["abc1", "abd2", "x"] {
        place.write(&run(name), &completed()).await;
    }
    assert_eq!(place.store.find("abc1").await.unwrap().as_str(), "abc1");
    assert_eq!(place.store.find("abc").await.unwrap().as_str(), "abc1");
    let ambiguous = place.store.find("ab").await.unwrap_err();
    assert_eq!(ambiguous.kind(), ErrorKind::Ambiguous);
    assert!(ambiguous.message().contains("abc1") && ambiguous.message().contains("abd2"), "{ambiguous}");
    for nobody in ["", "zz", "abc1x", "../x"] {
        assert_eq!(place.store.find(nobody).await.unwrap_err().kind(), ErrorKind::NotFound, "`{nobody}`");
    }
}

#[tokio::test]
async fn where_there_is_no_directory_there_is_nothing_and_nothing_is_made() {
    let place = Place::new();
    let root = place.directory.path().join("elsewhere");
    let store = FileStore::existing(&root);
    assert!(store.list().await.unwrap().is_empty());
    assert_eq!(store.read(&run("r")).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert!(!root.exists());
    fs::write(&root, "a file").unwrap();
    let error = FileStore::open(&root).unwrap_err();
    assert!(error.message().contains("--state-dir"), "{error}");
}
