//! Chaos Toolkit compatible experiment engine with native VM actions and guaranteed undo records.

mod activity;
mod configuration;
mod document;
mod engine;
mod error;
mod experiment;
mod inputs;
mod journal;
mod mask;
mod native;
mod plan;
mod python;
mod report;
mod resolve;
mod sink;
mod substitute;
mod templates;
mod tolerance;

pub use document::Document;
pub use error::{ExperimentError, Finding, Findings, LoadError, Severity};
pub use experiment::{Experiment, NamedVm, NotRehearsed};
pub use inputs::{Environment, Inputs, Overrides, ValueType};
pub use journal::{ActivityRecord, Journal, JournalFile, SteadyState, SteadyStates};
pub use plan::{Plan, PlanStep, PlanVm};
pub use report::{LeftChanged, RunOptions, RunReport, Verdict};
pub use resolve::ResolvedExperiment;
pub use sink::{FileSink, MemorySink, Sinks};
pub use templates::{Parameter, ParameterKind, Template};
