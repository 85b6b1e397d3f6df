//! The run log and the journal on disk.

use std::sync::Arc;

use chaos_core::{ErrorKind, RunEvent};
use chaos_experiments::{FileSink, Journal, JournalFile, MemorySink, Sinks};

use crate::lab::{Lab, rendered};

#[tokio::test(start_paused = true)]
async fn the_run_log_holds_every_event_as_a_line() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run.jsonl");
    let memory = Arc::new(MemorySink::default());
    let sinks = Sinks(vec![Arc::new(FileSink::create(&path).unwrap()), memory.clone()]);
    let lab = Lab::with(&["web-01"]);
    let report = lab.run_with(rendered("vsphere-vm-poweroff", &["vm_name=web-01"]), &sinks).await;
    let text = std::fs::read_to_string(&path).unwrap();
    let events: Vec<RunEvent> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events, memory.events());
    assert_eq!(Journal::fold(&events), report.journal);
}

#[test]
fn an_existing_run_log_is_never_written_to() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run.jsonl");
    std::fs::write(&path, "precious").unwrap();
    let error = FileSink::create(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("run.jsonl"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    assert!(FileSink::create(&directory.path().join("none/run.jsonl")).is_err());
}

#[cfg(unix)]
#[test]
fn only_its_owner_can_read_the_run_log() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let sink = FileSink::create(&directory.path().join("run.jsonl")).unwrap();
    assert_eq!(std::fs::metadata(sink.path()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_journal_that_cannot_be_written_is_found_out_before_the_run() {
    let directory = tempfile::tempdir().unwrap();
    assert!(JournalFile::create(directory.path()).unwrap_err().with_causes().to_lowercase().contains("is a directory"));
    let missing = directory.path().join("none/journal.json");
    assert_eq!(JournalFile::create(&missing).unwrap_err().kind(), ErrorKind::Configuration);

    let path = directory.path().join("journal.json");
    std::fs::write(&path, "the last one").unwrap();
    drop(JournalFile::create(&path).unwrap());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "the last one");
    JournalFile::create(&path).unwrap().write(&Journal::fold([])).unwrap();
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("{\n  \"chaoslib-version\""));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_device_is_written_to_and_a_link_stays_a_link() {
    use std::os::unix::fs::FileTypeExt;

    let directory = tempfile::tempdir().unwrap();
    let (device, link) = (directory.path().join("null"), directory.path().join("latest.json"));
    std::os::unix::fs::symlink("/dev/null", &device).unwrap();
    JournalFile::create(&device).unwrap().write(&Journal::fold([])).unwrap();
    assert!(std::fs::metadata("/dev/null").unwrap().file_type().is_char_device());

    std::fs::write(directory.path().join("run-1.json"), "").unwrap();
    std::os::unix::fs::symlink("run-1.json", &link).unwrap();
    JournalFile::create(&link).unwrap().write(&Journal::fold([])).unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(std::fs::read_to_string(directory.path().join("run-1.json")).unwrap().starts_with('{'));
}
