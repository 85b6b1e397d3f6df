//! What the engine does with whole experiments, on a platform in memory.

#![expect(clippy::unwrap_used, reason = "a test's helpers may fail the test")]

mod batch;
mod connection;
mod files;
mod interruption;
mod lab;
mod processes;
mod records;
mod repair;
mod requests;
mod rules;
mod secrets;
mod strict;
mod templates;
mod whole_run;
