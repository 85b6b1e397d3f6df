//! Disks that are full, fail or cannot be written: what was not written down is not said to be, and nothing is lost that was.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use chaos_core::{ErrorKind, EventSink, RunEventKind, RunLog, RunStatus};
use chaos_store::{FileStore, Medium};

use crate::support::{Place, at, bytes, event, killed, run, started};

/// When a disk fails.
#[derive(Debug, Clone, Copy)]
enum Fails {
    /// It takes so many bytes in all.
    FullAfter(usize),
    /// It cannot promise what was written when it is asked for the time of this number.
    AtSync(usize),
}

/// A file on such a disk. It takes a few bytes at a time, as disks may.
struct Failing {
    file: File,
    fails: Fails,
    written: usize,
    synced: usize,
}

impl Write for Failing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = match self.fails {
            Fails::FullAfter(room) => room - self.written,
            Fails::AtSync(_) => usize::MAX,
        };
        if room == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let taken = self.file.write(&bytes[..bytes.len().min(room).min(50)])?;
        self.written += taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Medium for Failing {
    fn sync(&mut self) -> io::Result<()> {
        self.synced += 1;
        match self.fails {
            Fails::AtSync(number) if number == self.synced => Err(io::Error::other("the disk is gone")),
            _ => self.file.sync_data(),
        }
    }
}

fn on(place: &Place, fails: Fails) -> FileStore {
    place.store.clone().on_medium(move |path: &Path| {
        let file = File::create_new(path)?;
        Ok(Box::new(Failing { file, fails, written: 0, synced: 0 }))
    })
}

/// Writes what it can of a run, and gives how many events were taken. After the first that was not, none is.
async fn taken(log: &Arc<dyn EventSink>) -> u64 {
    let mut taken = 0;
    let mut failed = None;
    for (number, kind) in killed("vm-1").into_iter().enumerate() {
        match log.record(&event(&run("r"), number as u64, kind)).await {
            Ok(()) => {
                assert!(failed.is_none(), "{number} was taken after {failed:?} was not");
                taken += 1;
            }
            Err(error) => {
                assert!(error.message().contains("cannot write the run log"), "{error}");
                failed.get_or_insert(number);
            }
        }
    }
    taken
}

#[tokio::test]
async fn a_disk_that_is_full_at_any_byte_loses_nothing_that_was_taken() {
    let place = Place::new();
    let whole = bytes(&place.write(&run("r"), &killed("vm-1")).await);
    let (header, log_length) = (whole.iter().position(|byte| *byte == b'\n').unwrap() + 1, whole.len());
    for room in 0..=log_length {
        let place = Place::new();
        let store = on(&place, Fails::FullAfter(room));
        let begun = store.begin(&run("r"), at(0)).await;
        if room < header {
            let error = begun.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(error.message().contains("--state-dir"), "{error}");
            // Nothing was begun, so there is nothing to recover.
            assert!(store.list().await.unwrap().is_empty(), "room for {room}");
            continue;
        }
        let log = begun.unwrap();
        let taken = taken(&log).await;
        drop(log);
        assert_eq!(taken == 5, room == log_length, "room for {room}");
        if taken == 0 && store.list().await.unwrap().is_empty() {
            continue;
        }
        let recorded = place.read(&run("r")).await;
        assert_eq!(recorded.damage, None, "room for {room}");
        assert!(recorded.events.len() as u64 >= taken, "room for {room}: {taken} were taken");
        // Each that is there was at least offered, in its place.
        assert!(recorded.events.len() as u64 <= taken + 1, "room for {room}");
    }
}

#[tokio::test]
async fn what_the_disk_does_not_promise_is_not_taken() {
    // The first time is that of the header, the second that of `Prepared`, which is the third event. Two follow it.
    for (number, expected) in [(1, None), (2, Some(2)), (3, Some(3)), (4, Some(4)), (5, Some(5))] {
        let place = Place::new();
        let store = on(&place, Fails::AtSync(number));
        let Ok(log) = store.begin(&run("r"), at(0)).await else {
            assert_eq!(expected, None);
            assert!(store.list().await.unwrap().is_empty());
            continue;
        };
        assert_eq!(Some(taken(&log).await), expected);
        drop(log);
        let recorded = place.read(&run("r")).await;
        assert_eq!(recorded.damage, None);
        assert!(Some(recorded.events.len() as u64) >= expected);
    }
}

#[tokio::test]
async fn a_run_that_only_looks_does_not_wait_for_the_disk() {
    let place = Place::new();
    // The header is promised, and nothing else is asked for.
    let log = on(&place, Fails::AtSync(2)).begin(&run("r"), at(0)).await.unwrap();
    let ended = RunEventKind::RunEnded { status: RunStatus::Completed, deviated: false };
    for (number, kind) in [started(), RunEventKind::RollbacksStarted, ended].into_iter().enumerate() {
        log.record(&event(&run("r"), number as u64, kind)).await.unwrap();
    }
    // What acts beyond the platforms cannot be undone, and so must be known for sure.
    let acts = RunEventKind::NotUndoable { activity: 1, provider: "process".into() };
    log.record(&event(&run("r"), 3, acts)).await.unwrap_err();
}

#[tokio::test]
async fn a_recovery_that_cannot_be_written_down_leaves_the_log_as_it_was() {
    let place = Place::new();
    let path = place.write(&run("r"), &killed("vm-1")).await;
    let before = bytes(&path);
    for fails in [Fails::FullAfter(0), Fails::FullAfter(20), Fails::AtSync(1)] {
        let error = on(&place, fails).resume(&run("r")).await.unwrap_err();
        assert!(error.message().contains("0001.log"), "{error}");
        assert_eq!(bytes(&path), before);
        assert!(!path.with_file_name("0001.log").exists(), "{fails:?}");
    }
    // And the next one can.
    let (recorded, _log) = place.store.resume(&run("r")).await.unwrap();
    assert_eq!(recorded.events.len(), 5);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_real_disk_that_is_full_refuses_the_begin_of_a_run() {
    // The kernel's own full disk.
    let place = Place::new();
    let store = place.store.clone().on_medium(|_| Ok(Box::new(fs::OpenOptions::new().write(true).open("/dev/full")?)));
    let error = store.begin(&run("r"), at(0)).await.unwrap_err();
    assert!(error.with_causes().contains("No space left on device"), "{}", error.with_causes());
    assert!(store.list().await.unwrap().is_empty());
}
