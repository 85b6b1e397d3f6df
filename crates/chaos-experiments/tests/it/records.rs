//! The journal is a total, pure fold over the events of a run.

use std::sync::OnceLock;

use chaos_core::{RunEvent, RunStatus};
use chaos_experiments::Journal;
use proptest::prelude::*;

use crate::lab::{Lab, rendered};

fn events() -> &'static [RunEvent] {
    static EVENTS: OnceLock<Vec<RunEvent>> = OnceLock::new();
    EVENTS.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let lab = Lab::with(&["web-01", "web-02"]);
            lab.run(rendered("vsphere-vm-poweroff", &["vm_name=web-01", "group=web-*"])).await.1
        })
    })
}

#[test]
fn any_beginning_of_a_run_has_a_journal_that_says_interrupted() {
    let events = events();
    for end in 0..=events.len() {
        let journal = Journal::fold(&events[..end]);
        let keys: Vec<String> = serde_json::to_value(&journal).unwrap().as_object().unwrap().keys().cloned().collect();
        assert_eq!(
            keys,
            [
                "chaoslib-version",
                "platform",
                "node",
                "experiment",
                "start",
                "status",
                "deviated",
                "steady_states",
                "run",
                "rollbacks",
                "end",
                "duration"
            ]
        );
        let expected = if end == events.len() { RunStatus::Completed } else { RunStatus::Interrupted };
        assert_eq!(journal.status, expected);
    }
}

#[test]
fn the_journal_comes_from_the_written_events_alone() {
    let written: Vec<String> = events().iter().map(|event| serde_json::to_string(event).unwrap()).collect();
    let read: Vec<RunEvent> = written.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(Journal::fold(&read).to_text(), Journal::fold(events()).to_text());
}

#[test]
fn times_are_utc_with_microseconds_that_are_left_out_when_0() {
    let mut event = events()[0].clone();
    for (at, expected) in [
        ("2026-11-23T04:25:15.855304999+01:00", "2026-11-23T03:25:15.855304+00:00"),
        ("2026-11-23T03:25:15.000010Z", "2026-11-23T03:25:15.000010+00:00"),
        ("2026-11-23T03:25:15Z", "2026-11-23T03:25:15+00:00"),
    ] {
        event.at = at.parse().unwrap();
        assert_eq!(Journal::fold([&event]).start, expected);
    }
}

proptest! {
    /// Events in any order, some missing, some twice: a damaged log has a journal too.
    #[test]
    fn any_events_have_a_journal(picks in prop::collection::vec(any::<prop::sample::Index>(), 0..60)) {
        let events = events();
        let journal = Journal::fold(picks.iter().map(|pick| pick.get(events)));
        prop_assert!(!journal.to_text().is_empty());
    }
}
