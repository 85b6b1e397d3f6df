//! The switch.

use std::fs;

use chaos_core::{Halt, HaltFlag};

use crate::support::{Place, at};

#[tokio::test]
async fn a_halt_holds_until_it_is_ended_and_the_first_word_counts() {
    let place = Place::new();
    assert_eq!(place.store.get().await.unwrap(), None);
    let (first, second) = (Halt::new("storage alarm", "ann@ops", at(1)), Halt::new("me too", "bob@ops", at(2)));
    assert_eq!(place.store.halt(&first).await.unwrap(), None);
    assert_eq!(place.store.halt(&second).await.unwrap(), Some(first.clone()));
    assert_eq!(place.store.get().await.unwrap(), Some(first.clone()));
    assert_eq!(place.store.resume().await.unwrap(), Some(first));
    assert_eq!(place.store.get().await.unwrap(), None);
    assert_eq!(place.store.resume().await.unwrap(), None);
}

#[tokio::test]
async fn a_file_that_nobody_understands_halts() {
    let place = Place::new();
    for text in ["", "{", "null", "{\"reason\":3}"] {
        fs::write(place.store.root().join("halt.json"), text).unwrap();
        let halt = place.store.get().await.unwrap().unwrap_or_else(|| panic!("`{text}` halts"));
        assert!(halt.reason.contains("halt.json cannot be understood"), "{halt}");
        // A person who makes the file by hand has halted everything too, and can end that.
        assert!(place.store.resume().await.unwrap().is_some());
        assert_eq!(place.store.get().await.unwrap(), None);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_that_leads_nowhere_halts() {
    let place = Place::new();
    std::os::unix::fs::symlink("nowhere", place.store.root().join("halt.json")).unwrap();
    assert!(place.store.get().await.unwrap().is_some());
    assert!(place.store.resume().await.unwrap().is_some());
    assert_eq!(place.store.get().await.unwrap(), None);
}

#[tokio::test]
async fn a_switch_that_cannot_be_read_is_an_error_and_not_off() {
    let place = Place::new();
    fs::create_dir(place.store.root().join("halt.json")).unwrap();
    assert!(place.store.get().await.is_err());
}
