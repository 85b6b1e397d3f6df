//! The client against a simulated engine.

#![expect(clippy::unwrap_used, reason = "a helper that cannot build its lab fails the test")]

mod adversary;
mod conformance;
mod requests;
mod rights;
mod secrets;
mod traps;
