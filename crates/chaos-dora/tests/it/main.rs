//! Tests of the Dora client against fixed answers and against a simulated service.

#![expect(clippy::unwrap_used, reason = "a helper that cannot build its lab fails the test")]

mod conformance;
mod listings;
mod login;
mod platform;
mod secrets;
mod server;
