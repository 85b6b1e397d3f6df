//! Chaos Toolkit compatible experiment engine with native VM actions and guaranteed undo records.

mod activity;
mod configuration;
mod document;
mod error;
mod experiment;
mod inputs;
mod mask;
mod native;
mod python;
mod substitute;
mod tolerance;

pub use document::Document;
pub use error::{ExperimentError, Finding, Findings, LoadError, Severity};
pub use experiment::{Experiment, NamedVm, NotRehearsed};
pub use inputs::{Environment, Inputs, Overrides, ValueType};
