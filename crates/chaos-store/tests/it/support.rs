//! A state directory of its own for each test, and runs to write into it.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use chaos_core::{
    CallResult, EventSink, Fault, How, Outcome, PlatformKind, RecordedRun, RunAccount, RunEvent, RunEventKind, RunId,
    RunLog, RunMode, RunStatus, Stop, Target, Undo, VMInfo, VMPowerState, VMRef,
};
use chaos_store::FileStore;
use jiff::Timestamp;
use serde_json::json;
use tempfile::TempDir;

/// A store in a directory that goes when this does.
pub(crate) struct Place {
    pub(crate) directory: TempDir,
    pub(crate) store: FileStore,
}

impl Place {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("there is room for a directory");
        let store = FileStore::open(directory.path().join("state")).expect("it can be made");
        Self { directory, store }
    }

    /// Writes a run as a whole, and gives the file of its only segment.
    pub(crate) async fn write(&self, run: &RunId, kinds: &[RunEventKind]) -> PathBuf {
        let log = self.store.begin(run, at(0)).await.expect("the run can begin");
        record_all(&log, run, 0, kinds).await;
        drop(log);
        self.store.directory_of(run).expect("it is there").join("0000.log")
    }

    pub(crate) async fn read(&self, run: &RunId) -> RecordedRun {
        self.store.read(run).await.expect("it can be read")
    }
}

pub(crate) async fn record_all(log: &Arc<dyn EventSink>, run: &RunId, first: u64, kinds: &[RunEventKind]) {
    for (number, kind) in kinds.iter().enumerate() {
        log.record(&event(run, first + number as u64, kind.clone())).await.expect("it can be written");
    }
}

pub(crate) fn event(run: &RunId, sequence: u64, kind: RunEventKind) -> RunEvent {
    RunEvent::new(run.clone(), sequence, at(i64::try_from(sequence).expect("a few")), kind)
}

/// So many seconds after the begin of all runs here.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).expect("a time of our days")
}

pub(crate) fn run(name: &str) -> RunId {
    RunId::new(name)
}

pub(crate) fn target(id: &str) -> Target {
    Target::from(VMRef {
        platform: PlatformKind::VSPHERE,
        entry: "vsphere".into(),
        instance: "instance-1".into(),
        id: id.to_owned(),
    })
}

/// `Prepared` of a power-off of the VM, which was on.
pub(crate) fn prepared(id: &str) -> RunEventKind {
    let vm = VMInfo::new(format!("name of {id}"), id, VMPowerState::PoweredOn, PlatformKind::VSPHERE);
    let fault = Fault::power_off(Stop::graceful());
    let undo = Undo::of_power(target(id), &vm, &fault, at(0));
    RunEventKind::Prepared { activity: 1, target: target(id), fault, undo }
}

pub(crate) fn started() -> RunEventKind {
    RunEventKind::RunStarted {
        engine: "engine".into(),
        system: "system".into(),
        node: "node".into(),
        mode: RunMode::Real,
        experiment: json!({"title": "a VM goes off", "z": 1, "a": [1.5, null, "ü"]}),
        seed: None,
        source: None,
    }
}

/// A run that was killed while it had a VM powered off.
pub(crate) fn killed(id: &str) -> Vec<RunEventKind> {
    let how = Outcome::new(
        How::HardPowerOff,
        VMPowerState::PoweredOn,
        VMPowerState::PoweredOff,
        std::time::Duration::from_secs(1),
    );
    vec![
        started(),
        RunEventKind::RollbacksStarted,
        prepared(id),
        RunEventKind::Sent { prepared: 2 },
        RunEventKind::Outcome { prepared: 2, result: CallResult::Ok(how) },
    ]
}

/// The same run, recovered.
pub(crate) fn recovered() -> Vec<RunEventKind> {
    let back = Outcome::new(
        How::PoweredOn,
        VMPowerState::PoweredOff,
        VMPowerState::PoweredOn,
        std::time::Duration::from_secs(1),
    );
    vec![
        RunEventKind::RecoveryStarted { engine: "engine".into(), node: "node".into() },
        RunEventKind::Undone { prepared: 2, outcome: back },
        RunEventKind::RunEnded { status: RunStatus::Interrupted, deviated: false },
        RunEventKind::RecoveryEnded,
    ]
}

/// The ids of the VMs that may be left changed.
pub(crate) fn open(recorded: &RecordedRun) -> Vec<String> {
    let account = RunAccount::fold(&recorded.events);
    account.open().filter_map(|open| Some(open.undo.target.vm()?.id.clone())).collect()
}

pub(crate) fn bytes(path: &PathBuf) -> Vec<u8> {
    fs::read(path).expect("it is there")
}
