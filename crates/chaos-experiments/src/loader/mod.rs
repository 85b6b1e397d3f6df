//! From a text to a value that knows where each of its parts is written.

mod json;
mod marks;
mod notes;
mod number;
mod scalar;
mod timestamp;
mod yaml;

use serde_json::Value;

pub use marks::Position;
pub(crate) use marks::{Inner, Mark};

use crate::error::Finding;

/// How deep lists and mappings may be in each other. What a run writes down holds parts of the document some levels
/// further down, and is read again by a parser that takes 128 levels.
const MAX_DEPTH: usize = 100;

/// What was read.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) value: Value,
    pub(crate) mark: Mark,
    /// Each further occurrence of a key in one mapping. The last one counts.
    pub(crate) duplicates: Vec<Finding>,
    /// What could not be taken over as it is written.
    pub(crate) notices: Vec<Finding>,
}

/// Why a text cannot be read.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) position: Position,
    pub(crate) message: String,
}

impl Refusal {
    fn new(position: Position, message: impl Into<String>) -> Self {
        Self { position, message: message.into() }
    }

    fn too_deep(position: Position) -> Self {
        Self::new(position, format!("nested too deeply: {MAX_DEPTH} levels are the limit"))
    }
}

/// Reads a JSON text, as it is understood by Python.
pub(crate) fn json(text: &str) -> Result<Loaded, Refusal> {
    json::read(without_mark(text))
}

/// Reads a YAML text of one document, with the words of YAML 1.1.
pub(crate) fn yaml(text: &str) -> Result<Loaded, Refusal> {
    yaml::read(without_mark(text))
}

/// Editors put a byte order mark in front of a text, where it takes no column.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}
