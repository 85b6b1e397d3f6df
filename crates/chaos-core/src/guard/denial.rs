//! Why a fault may not be sent.

use std::fmt;

use serde::Serialize;

use crate::error::{Error, ErrorKind};

/// A rule that does not allow a fault: what it says, about what, and what would have to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Denial {
    /// The rule, as it is written.
    pub rule: String,
    /// The path of the VM that it is about; none where it is about the fault as a whole.
    pub target: Option<String>,
    /// What is wrong, in words.
    pub why: String,
    /// What would have to change, in words.
    pub way_out: String,
}

impl Denial {
    pub(super) fn new(target: Option<&str>, why: String, way_out: impl Into<String>) -> Self {
        Self { rule: String::new(), target: target.map(str::to_owned), why, way_out: way_out.into() }
    }

    pub(super) fn by(mut self, rule: impl fmt::Display) -> Self {
        self.rule = rule.to_string();
        self
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, why, way_out, .. } = self;
        write!(f, "{why}: refused by the rule `{rule}`; {way_out}")
    }
}

impl From<&Denial> for Error {
    fn from(denial: &Denial) -> Self {
        Self::new(ErrorKind::Refused, denial.to_string())
    }
}
