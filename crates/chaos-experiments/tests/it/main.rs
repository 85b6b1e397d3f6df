//! What the engine does with whole experiments, on a platform in memory.

#![expect(clippy::unwrap_used, reason = "a test's helpers may fail the test")]

mod batch;
mod connection;
mod controls;
mod crash;
mod draws;
mod extensions;
mod files;
mod guarded;
mod interruption;
mod lab;
mod loader;
mod own_templates;
mod processes;
mod promise;
mod python_ends;
mod pythons;
mod records;
mod recovery;
mod reference;
mod repair;
mod requests;
mod rules;
mod schema;
mod secrets;
mod selects;
mod stops;
mod strict;
mod templates;
mod waiting;
mod whole_run;
