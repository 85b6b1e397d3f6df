//! What outlives a run, in files: its log, the leases of its VMs, and the switch that halts everything.
//!
//! A [`FileStore`] is a directory. It implements the seams of `chaos-core`: [`RunLog`](chaos_core::RunLog),
//! [`LeaseStore`](chaos_core::LeaseStore) and [`HaltFlag`](chaos_core::HaltFlag). All processes that share the directory share
//! what is in it.
//!
//! ```
//! use chaos_core::{HaltFlag, RunAccount, RunEvent, RunEventKind, RunId, RunLog, RunState};
//! use chaos_store::FileStore;
//! use jiff::Timestamp;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), chaos_core::Error> {
//! # let directory = tempfile::tempdir().unwrap();
//! let store = FileStore::open(directory.path().join("state"))?;
//! let run = RunId::new("run-1");
//! let log = store.begin(&run, Timestamp::now()).await?;
//! log.record(&RunEvent::new(run.clone(), 0, Timestamp::now(), RunEventKind::RollbacksStarted)).await?;
//! assert_eq!(store.list().await?[0].state, RunState::Running);
//!
//! drop(log); // or the process is killed
//! let recorded = store.read(&run).await?;
//! assert!(!recorded.is_alive && recorded.events.len() == 1);
//! assert_eq!(RunAccount::fold(&recorded.events).state(), RunState::Died);
//! # Ok(())
//! # }
//! ```
//!
//! # The directory
//!
//! | path | holds |
//! | --- | --- |
//! | `runs/<time>-<run>/0000.log`, `0001.log`, … | the log of a run: one segment for each process that wrote it, the run itself first and then each recovery |
//! | `runs/<time>-<run>/lock` | is locked (`flock`) by the process that writes, for as long as it lives |
//! | `runs.index` | what the logs say, so that a list need not read them all; made anew where it does not fit them |
//! | `leases.json`, `leases.lock` | who holds which VM |
//! | `halt.json` | that everything is halted, if it is there |
//! | `damaged/` | runs whose logs were damaged and that a person has set aside |
//!
//! # A segment
//!
//! Lines of text, of which each is a checksum (CRC-32 of the rest, eight hexadecimal digits), a blank and one JSON value. The
//! first is a header with the version of the format, the run, the number of the segment and that of its first event; each
//! other one is a [`RunEvent`](chaos_core::RunEvent). A segment is written once, from its begin to its end, and each line is on
//! the disk before the next step of the run. A last line that ends early was cut short while it was written and counts as not
//! there; if only the end of the line is missing and the checksum fits, it counts. Any other line that does not fit its checksum or its place is damage, which is told with its offset; nothing after
//! it counts.

mod faults;
mod files;
mod halt;
mod index;
mod lease_file;
mod leases;
mod medium;
mod reading;
mod runs;
mod segment;
mod store;
mod writer;

pub use medium::Medium;
pub use store::FileStore;
