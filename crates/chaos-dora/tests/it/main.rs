//! Tests of the Dora client against fixed answers.

mod conformance;
mod listings;
mod login;
mod platform;
mod secrets;
mod server;
