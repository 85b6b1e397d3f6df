//! The client against servers that answer, stall, break off and lie.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod exchange;
mod inspect;
mod retries;
mod secrets;
mod size;
mod support;
mod tls_server;
mod trust;
mod wire;
