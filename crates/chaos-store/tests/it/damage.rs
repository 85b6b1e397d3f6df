//! Logs that were cut short or changed: what is known stays known, what is not known is told with its place, and nothing
//! is ever taken for another thing.

use std::fs;

use chaos_core::{Damage, ErrorKind, RecordedRun, RunEvent, RunLog, RunState};
use chaos_store::FileStore;

use crate::support::{Place, bytes, killed, open, record_all, recovered, run};

/// The events of the run, and its log as it was written.
async fn whole(place: &Place) -> (Vec<RunEvent>, Vec<u8>, std::path::PathBuf) {
    let path = place.write(&run("r"), &killed("vm-1")).await;
    let events = place.read(&run("r")).await.events;
    assert_eq!(events.len(), 5);
    (events, bytes(&path), path)
}

/// Where the lines of a log begin.
fn begins(log: &[u8]) -> Vec<usize> {
    let ends = log.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(ends).take_while(|begin| *begin < log.len()).collect()
}

fn damage(recorded: &RecordedRun) -> &Damage {
    recorded.damage.as_ref().unwrap_or_else(|| panic!("no damage in {recorded:?}"))
}

#[tokio::test]
async fn a_log_that_is_cut_anywhere_holds_what_was_written_before_that() {
    let place = Place::new();
    let (events, log, path) = whole(&place).await;
    let begins = begins(&log);
    for length in 0..log.len() {
        fs::write(&path, &log[..length]).unwrap();
        let recorded = place.read(&run("r")).await;
        // A record whose checksum fits is there, whether or not its line has an end. The header is none.
        let whole = begins[1..].iter().chain([&log.len()]).filter(|end| **end <= length + 1).count();
        assert_eq!(recorded.events, events[..whole.saturating_sub(1)], "cut at {length}");
        assert_eq!(recorded.damage, None, "cut at {length}");
        let begun = begins.iter().filter(|begin| **begin < length).count();
        assert_eq!(recorded.torn_bytes > 0, begun > whole, "cut at {length}");
        // What was cut off was not acknowledged, so that what it announces was not done.
        let expected: &[&str] = if recorded.events.len() > 3 { &["vm-1"] } else { &[] };
        assert_eq!(open(&recorded), expected, "cut at {length}");
        place.store.list().await.unwrap();
    }
}

#[tokio::test]
async fn a_byte_that_changed_anywhere_is_damage_at_its_record() {
    let place = Place::new();
    let (events, log, path) = whole(&place).await;
    let begins = begins(&log);
    for at in 0..log.len() {
        for flip in [0x01, 0x20, 0x80] {
            let mut changed = log.clone();
            changed[at] ^= flip;
            fs::write(&path, &changed).unwrap();
            let recorded = place.read(&run("r")).await;
            let line = begins.iter().rposition(|begin| *begin <= at).unwrap();
            assert_eq!(recorded.events, events[..line.saturating_sub(1)], "byte {at} ^ {flip}");
            let damage = damage(&recorded);
            assert_eq!(
                (damage.offset, &*damage.place),
                (begins[line] as u64, &*path.display().to_string()),
                "byte {at}"
            );
            assert!(!damage.why.is_empty());
        }
    }
    let listed = place.store.list().await.unwrap();
    assert_eq!((listed[0].state, listed[0].damage.is_some()), (RunState::Damaged, true));
    assert_eq!(place.store.remove(&run("r")).await.unwrap_err().kind(), ErrorKind::Refused);
}

#[tokio::test]
async fn records_that_are_missing_doubled_or_moved_are_damage() {
    let place = Place::new();
    let (_, log, path) = whole(&place).await;
    let lines: Vec<&[u8]> = log.split_inclusive(|byte| *byte == b'\n').collect();
    // The last one may be missing: it was never written.
    for line in 0..lines.len() - 1 {
        let mut missing = lines.clone();
        missing.remove(line);
        let mut doubled = lines.clone();
        doubled.insert(line, lines[line]);
        let mut moved = lines.clone();
        moved.swap(line, line + 1);
        for (what, lines) in [("missing", missing), ("doubled", doubled), ("moved", moved)] {
            fs::write(&path, lines.concat()).unwrap();
            let recorded = place.read(&run("r")).await;
            assert!(recorded.damage.is_some(), "line {line} {what}: {recorded:?}");
            assert!(recorded.events.len() <= line + 1, "line {line} {what}");
        }
    }
}

#[tokio::test]
async fn the_log_of_another_run_is_no_log_of_this_one() {
    let place = Place::new();
    let (_, log, _) = whole(&place).await;
    let path = place.write(&run("other"), &killed("vm-2")).await;
    fs::write(path, &log).unwrap();
    let recorded = place.read(&run("other")).await;
    assert!(recorded.events.is_empty());
    assert!(damage(&recorded).why.contains("segment 0 of run r"), "{recorded:?}");
}

/// A log of two segments: the run, and its recovery.
async fn recovered_run(place: &Place) -> std::path::PathBuf {
    let path = place.write(&run("r"), &killed("vm-1")).await;
    let (recorded, log) = place.store.resume(&run("r")).await.expect("the log is there");
    record_all(&log, &run("r"), recorded.events.len() as u64, &recovered()).await;
    path.parent().expect("the log is there").to_owned()
}

#[tokio::test]
async fn a_segment_that_is_missing_or_doubled_is_damage() {
    let place = Place::new();
    let directory = recovered_run(&place).await;
    assert_eq!(place.read(&run("r")).await.damage, None);
    fs::copy(directory.join("0001.log"), directory.join("0002.log")).unwrap();
    let recorded = place.read(&run("r")).await;
    assert!(damage(&recorded).place.ends_with("0002.log"), "{recorded:?}");
    fs::remove_file(directory.join("0002.log")).unwrap();
    fs::remove_file(directory.join("0000.log")).unwrap();
    let recorded = place.read(&run("r")).await;
    assert!(recorded.events.is_empty());
    assert_eq!(damage(&recorded).why, "a segment before it is missing");
}

#[tokio::test]
async fn a_torn_end_of_the_first_segment_does_not_hide_the_second() {
    let place = Place::new();
    let path = place.write(&run("r"), &killed("vm-1")).await;
    let log = bytes(&path);
    fs::write(&path, &log[..log.len() - 7]).unwrap();
    let (recorded, log) = place.store.resume(&run("r")).await.unwrap();
    assert_eq!((recorded.events.len(), recorded.torn_bytes > 0), (4, true));
    record_all(&log, &run("r"), 4, &recovered()).await;
    drop(log);
    let recorded = place.read(&run("r")).await;
    assert_eq!((recorded.events.len(), recorded.damage.clone(), open(&recorded).len()), (8, None, 0));
}

/// Puts a line into a log in place of line `number`, with a checksum that fits.
fn replace_line(path: &std::path::Path, number: usize, change: impl Fn(&str) -> String) {
    let log = fs::read_to_string(path).expect("the log is there");
    let mut lines: Vec<String> = log.lines().map(str::to_owned).collect();
    let json = change(&lines[number][9..]);
    lines[number] = format!("{:08x} {json}", crc32fast::hash(json.as_bytes()));
    fs::write(path, lines.join("\n") + "\n").expect("the log is there");
}

#[tokio::test]
async fn what_a_newer_version_wrote_is_refused_and_not_guessed() {
    type Change = fn(&str) -> String;
    let newer: [(usize, &str, Change); 4] = [
        (0, "format 2", |json| json.replace("\"version\":1", "\"version\":2")),
        (2, "format 2", |json| json.replacen("\"version\":1", "\"version\":2", 1)),
        (3, "format 7", |json| {
            let (before, undo) = json.split_once("\"undo\":").unwrap();
            format!("{before}\"undo\":{}", undo.replacen("\"version\":1", "\"version\":7", 1))
        }),
        (2, "an event that this version does not know", |json| json.replace("rollbacks_started", "moon_landing")),
    ];
    for (line, says, change) in newer {
        let place = Place::new();
        let path = place.write(&run("r"), &killed("vm-1")).await;
        replace_line(&path, line, change);
        let error = place.store.read(&run("r")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(error.message().contains(says), "{error}");
        assert_eq!(place.store.resume(&run("r")).await.unwrap_err().kind(), ErrorKind::Unsupported);
        // It is in the list, as something that nobody here understands, and holds on to its place.
        let listed = place.store.list().await.unwrap();
        assert_eq!(listed[0].state, RunState::Damaged);
        assert!(place.store.remove(&run("r")).await.is_err());
    }
}

#[tokio::test]
async fn a_damaged_run_is_set_aside_as_a_whole_and_holds_nothing_any_more() {
    let place = Place::new();
    let (_, log, path) = whole(&place).await;
    assert_eq!(place.store.set_aside(&run("r")).await.unwrap_err().kind(), ErrorKind::Refused, "it is whole");
    fs::write(&path, [&log[..], b"garbage\n"].concat()).unwrap();
    let to = place.store.set_aside(&run("r")).await.unwrap();
    assert!(fs::read(to.join("0000.log")).unwrap().ends_with(b"garbage\n"));
    assert!(place.store.list().await.unwrap().is_empty());
    assert_eq!(place.store.read(&run("r")).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn no_record_makes_reading_take_all_memory() {
    let place = Place::new();
    let path = place.write(&run("r"), &killed("vm-1")).await;
    fs::write(&path, vec![b'a'; 9 * 1024 * 1024]).unwrap();
    let recorded = place.read(&run("r")).await;
    assert!(damage(&recorded).why.contains("longer than"), "{recorded:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn all_that_is_written_is_for_the_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let place = Place::new();
    recovered_run(&place).await;
    place.store.list().await.unwrap();
    let mut looked_at = 0;
    let mut directories = vec![place.store.root().to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).unwrap().map(Result::unwrap) {
            let found = entry.metadata().unwrap();
            let expected = if found.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(found.permissions().mode() & 0o777, expected, "{}", entry.path().display());
            directories.extend(found.is_dir().then(|| entry.path()));
            looked_at += 1;
        }
    }
    assert!(looked_at >= 5, "runs, the run, its lock, two segments, the index");
    let store = FileStore::existing(place.directory.path().join("state"));
    assert_eq!(store.list().await.unwrap().len(), 1);
}
