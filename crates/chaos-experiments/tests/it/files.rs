//! The journal on disk.

use chaos_core::ErrorKind;
use chaos_experiments::{Journal, JournalFile};

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
