//! Runs and recoveries whose process dies. Only for tests with paused time: what sleeps here waits for nothing real.

use std::time::Duration;

use async_trait::async_trait;
use chaos_core::{Error, EventSink, RecordedRun, RunEvent, RunId};
use chaos_experiments::{Experiment, MemorySink, RecoverOptions, Recovery, RecoveryReport};
use tokio::sync::Notify;

use crate::lab::{Lab, options};

/// How long recoveries have here.
pub(crate) const LIMIT: Duration = Duration::from_mins(20);

/// When a process dies.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Crash {
    /// When it is about to write the event of this number, which is therefore not there.
    Before(u64),
    /// When it has written the event of this number.
    Behind(u64),
    /// So long after its begin.
    After(Duration),
    Never,
}

/// Takes events until its process dies.
#[derive(Debug)]
pub(crate) struct Mortal {
    crash: Crash,
    sink: MemorySink,
    died: Notify,
}

impl Mortal {
    pub(crate) fn new(crash: Crash) -> Self {
        Self { crash, sink: MemorySink::default(), died: Notify::new() }
    }

    /// Lets `work` go on until the process dies, which ends it wherever it is. What it had sent goes on at the server.
    pub(crate) async fn during<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let time = async {
            match self.crash {
                Crash::After(time) => tokio::time::sleep(time).await,
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.died.notified() => None,
            () = time => None,
            done = work => Some(done),
        }
    }

    async fn die(&self) {
        self.died.notify_one();
        std::future::pending::<()>().await;
    }
}

#[async_trait]
impl EventSink for Mortal {
    async fn record(&self, event: &RunEvent) -> Result<(), Error> {
        if matches!(self.crash, Crash::Before(number) if number == event.sequence) {
            self.die().await;
        }
        self.sink.record(event).await?;
        if matches!(self.crash, Crash::Behind(number) if number == event.sequence) {
            self.die().await;
        }
        Ok(())
    }
}

/// What is written down about a run that dies like this.
pub(crate) async fn run(lab: &Lab, experiment: Experiment, crash: Crash) -> Vec<RunEvent> {
    let mortal = Mortal::new(crash);
    let resolved = lab.resolve(experiment).await.expect("every VM is there");
    mortal.during(resolved.run(&lab.cx.detached(Duration::from_hours(2)), &mortal, &options())).await;
    mortal.sink.events()
}

pub(crate) fn recovery(events: &[RunEvent]) -> Recovery {
    Recovery::new(RecordedRun::new(RunId::new("run-1"), events.to_vec()))
}

/// Recovers, and adds to what is written down. None if the recovery died too.
pub(crate) async fn recover(lab: &Lab, events: &mut Vec<RunEvent>, crash: Crash) -> Option<RecoveryReport> {
    let mortal = Mortal::new(crash);
    let cx = lab.cx.detached(LIMIT);
    let options = RecoverOptions::default();
    let report = mortal.during(recovery(events).run(&cx, &lab.source, &mortal, &options)).await;
    events.extend(mortal.sink.events());
    report
}

/// Whatever is still under way has its effect.
pub(crate) async fn everything_comes_to_rest() {
    tokio::time::sleep(Duration::from_hours(1)).await;
}
