//! A whole platform in memory: a server with guests that take their time, a client for it, and a source of clients.
//!
//! ```
//! use std::time::Duration;
//! use chaos_core::{Context, How, PlatformExt, Stop, VMPowerState};
//! use chaos_testkit::{EstateSpec, MemoryEstate, TestClock};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), chaos_core::Error> {
//! let clock = TestClock::auto();
//! let estate = MemoryEstate::new(&EstateSpec::of(["web-01"]), clock.shared());
//! let cx = Context::on_clock(clock.shared(), Duration::from_secs(600));
//! let platform = estate.connect(&cx, "memory").await?;
//!
//! let outcome = platform.power_off(&cx, "web-01", Stop::graceful()).await?;
//! assert_eq!(outcome.how, How::GuestShutdown);
//! assert_eq!(estate.power_state("web-01"), Some(VMPowerState::PoweredOff));
//! # Ok(())
//! # }
//! ```

mod call;
mod estate;
mod machine;
mod platform;
mod power;
mod source;
mod wire;

pub use call::{Call, CallKind, Failure};
pub use estate::{AskGuests, MemoryEstate};
pub use platform::MemoryPlatform;
pub use source::{MemorySource, Opened};
