//! What the tests of these crates share: a platform in memory, a clock, capturing helpers, and the conformance suite.
//!
//! * [`conformance!`] makes one ordinary test of each check of the suite for a platform's
//!   [`Harness`](conformance::Harness).
//! * [`MemoryPlatform`] is a whole platform in memory over a [`MemoryEstate`]; [`MemorySource`] hands it out as the
//!   engine gets platforms.
//! * [`TestClock`] is moved by hand, or by itself when everything waits.
//! * [`RecordingProgress`], [`CapturedLogs`] and [`find_secret`] look at what a call says while it works.

mod clock;
pub mod conformance;
mod estate;
mod logs;
pub mod memory;
mod progress;
mod secret;

pub use clock::TestClock;
pub use estate::{EstateSpec, Guest, VmKey, VmSpec};
pub use logs::CapturedLogs;
pub use memory::{MemoryEstate, MemoryPlatform, MemorySource};
pub use progress::RecordingProgress;
pub use secret::{contains_secret, find_secret};
