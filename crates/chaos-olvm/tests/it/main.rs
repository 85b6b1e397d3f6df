//! The client against a simulated engine and against scripted answers.

mod conformance;
mod requests;
mod traps;
