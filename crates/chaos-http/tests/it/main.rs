//! The client against servers that answer, stall, break off and lie.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod exchange;
mod retries;
mod size;
mod support;
mod wire;
