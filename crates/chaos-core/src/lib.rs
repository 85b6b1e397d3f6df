//! The vocabulary of chaos on virtual machines. This crate does no IO.
//!
//! * What there is: [`VMInfo`], [`VMPowerState`], and [`VMRef`] to find a VM again from another process.
//! * What can be done to it: [`Fault`] on a [`Target`], which gives an [`Outcome`] and is put back by an [`Undo`].
//! * Who does it: a [`Platform`], opened through a [`PlatformSource`], with the conveniences of [`PlatformExt`].
//! * Under which conditions: a [`Context`] with deadline, cancellation and [`Clock`].
//! * Which VMs are meant: [`TargetPattern`], [`Selector`], [`resolve`]; a whole sentence about them is a [`Filter`], and a
//!   [`Selection`] where some of them are taken.
//! * What happened in a run: [`RunEvent`]s, which an [`EventSink`] takes.
//! * What went wrong: one [`Error`].
//!
//! ```
//! use std::num::NonZeroUsize;
//! use chaos_core::{Context, Error, Platform, PlatformExt, Stop};
//!
//! async fn darken(platform: &dyn Platform, cx: &Context) -> Result<(), Error> {
//!     let parallel = NonZeroUsize::new(2).expect("2 is not 0");
//!     for report in platform.batch_power_off(cx, &["web-01", "web-02"], Stop::graceful(), parallel).await? {
//!         match report.result {
//!             Ok(outcome) => println!("{}: {} in {:?}", report.name, outcome.how, outcome.duration),
//!             Err(error) => println!("{}: {error}", report.name),
//!         }
//!     }
//!     Ok(())
//! }
//! ```

mod account;
mod clock;
mod context;
mod error;
mod fault;
mod guard;
mod halt;
mod kind;
mod lease;
mod nearest;
mod outcome;
mod platform;
mod power;
mod random;
mod rights;
mod rules;
mod run;
mod run_log;
mod seconds;
mod select;
mod source;
mod summary;
mod undo;
mod vm;
mod vm_ref;

pub use account::{RunAccount, RunState, SentFault, Standing, TargetAccount};
pub use clock::{Clock, SharedClock, SystemClock};
pub use context::{Context, Progress, ProgressSink, ProgressStep, RunId};
pub use error::{Error, ErrorKind, Retry};
pub use fault::{Fault, Operation, Stop, SuspendedMemory, Target};
pub use guard::{
    AtMost, CoolDown, Denial, Elsewhere, FaultRegister, Freeze, Guard, Keep, Known, Lasting, Member, Of, Only, Own,
    PlannedStrike, Policy, Protect, Quota, Review, Rule, Scene, Strike, Window,
};
pub use halt::{Halt, HaltFlag};
pub use kind::PlatformKind;
pub use lease::{FencingToken, Lease, LeaseStore};
pub use nearest::nearest;
pub use outcome::{How, Outcome};
pub use platform::{Capabilities, Discovery, Platform, PlatformIdentity, Problem};
pub use power::{DEFAULT_PARALLEL, PlatformExt, PowerReport};
pub use random::SeededRandom;
pub use rights::{PowerRights, Right};
pub use rules::{Need, check_power};
pub use run::{
    ActivityStatus, CallResult, EventSink, Failure, HypothesisPhase, RunEvent, RunEventKind, RunMode, RunStatus,
    Section, StopCause,
};
pub use run_log::{Damage, OpenTarget, RecordedRun, RunLog, RunSummary};
pub use select::{
    Amount, Candidate, Choice, Chosen, ChosenBy, Filter, GroupKind, GroupLimit, NamePattern, Percent, Picked,
    Selection, Selector, SelectorError, TargetPattern, resolve,
};
pub use source::{Connection, Origin, PlatformSource};
pub use summary::EnvironmentSummary;
pub use undo::{Found, Undo, UndoAction};
pub use vm::{ToolsStatus, VMInfo, VMPowerState};
pub use vm_ref::VMRef;
