//! Whether a run lives goes by its process alone: it is told from the outside, at once, however the process ended.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use chaos_core::{ErrorKind, RunLog, RunState};
use chaos_store::FileStore;

use crate::support::{Place, at, killed, record_all, recovered, run};

/// What the parent reads when the child has written its run.
const READY: &str = "the run is written";

/// The other process: it writes a run, and waits for its end.
#[tokio::test]
#[ignore = "a part of the other tests, which run it in a process of its own"]
async fn holder() {
    let Some(root) = std::env::var_os("CHAOS_STORE") else { return };
    let store = FileStore::open(root).expect("it is there");
    let log = store.begin(&run("r"), at(0)).await.expect("it can be written");
    record_all(&log, &run("r"), 0, &killed("vm-1")).await;
    println!("{READY}");
    // Until the parent kills this, or goes away itself.
    let _ = std::io::stdin().read_line(&mut String::new());
}

fn hold(root: &Path) -> Child {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["liveness::holder", "--exact", "--ignored", "--nocapture"])
        .env("CHAOS_STORE", root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let mut said = lines.map_while(Result::ok);
    assert!(said.any(|line| line.contains(READY)), "the child says when it is ready");
    child
}

#[tokio::test]
async fn a_run_is_alive_until_its_process_is_killed_and_not_a_moment_longer() {
    let place = Place::new();
    let mut child = hold(place.store.root());
    let recorded = place.read(&run("r")).await;
    assert!(recorded.is_alive && recorded.events.len() == 5);
    assert_eq!(place.store.list().await.unwrap()[0].state, RunState::Running);
    let refused = place.store.resume(&run("r")).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused);
    assert_eq!(place.store.remove(&run("r")).await.unwrap_err().kind(), ErrorKind::Refused);

    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!place.read(&run("r")).await.is_alive);
    assert_eq!(place.store.list().await.unwrap()[0].state, RunState::Unrecovered);
    let (recorded, _log) = place.store.resume(&run("r")).await.unwrap();
    assert_eq!(recorded.events.len(), 5);
}

#[tokio::test]
async fn a_run_is_recovered_by_one_process_at_a_time() {
    let place = Place::new();
    place.write(&run("r"), &killed("vm-1")).await;
    let (_, log) = place.store.resume(&run("r")).await.unwrap();
    assert_eq!(place.store.list().await.unwrap()[0].state, RunState::Running);
    assert_eq!(place.store.resume(&run("r")).await.unwrap_err().kind(), ErrorKind::Refused);
    record_all(&log, &run("r"), 5, &recovered()).await;
    drop(log);
    assert_eq!(place.store.list().await.unwrap()[0].state, RunState::Recovered);
}

/// Someone who only looks never keeps a run from being written, nor makes it look alive.
#[tokio::test(flavor = "multi_thread")]
async fn looking_disturbs_nobody() {
    let place = Place::new();
    let lookers: Vec<_> = (0..4)
        .map(|_| {
            let store = place.store.clone();
            tokio::spawn(async move {
                for _ in 0..50 {
                    store.list().await.unwrap();
                }
            })
        })
        .collect();
    for number in 0..20 {
        let name = format!("r{number}");
        place.write(&run(&name), &killed("vm-1")).await;
        let (_, log) = place.store.resume(&run(&name)).await.unwrap();
        drop(log);
    }
    for looker in lookers {
        looker.await.unwrap();
    }
    assert_eq!(place.store.list().await.unwrap().len(), 20);
}
