//! What fuzz targets need of the parts that are private: thin functions, which hold no rule of their own.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value};

use crate::jsonpath::JsonPath;
use crate::substitute::{Substituted, Variables, mentions};
use crate::tolerance::{self, Tolerance};

/// What names stand for.
#[derive(Default)]
pub struct Names(Variables);

/// Shows nothing: they may be secrets.
impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names").finish_non_exhaustive()
    }
}

/// A value in which names were replaced.
#[derive(Debug, PartialEq)]
pub struct Replaced {
    /// The value.
    pub value: Value,
    /// The names that were replaced.
    pub used: BTreeSet<String>,
    /// The names that stand for nothing.
    pub unresolved: BTreeSet<String>,
}

impl Names {
    /// Resolved configuration, and resolved secrets by scope.
    #[must_use]
    pub fn new(configuration: Map<String, Value>, secrets: Map<String, Value>) -> Self {
        Self(Variables {
            configuration: configuration.into_iter().collect(),
            secrets: secrets.into_iter().collect(),
            ..Variables::default()
        })
    }

    /// Whether a name stands for something.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some()
    }

    /// Replaces names, where anything is declared.
    #[must_use]
    pub fn replace(&self, value: &Value) -> Replaced {
        self.0.substitute(value).into()
    }

    /// Replaces names also where nothing is declared.
    #[must_use]
    pub fn replace_always(&self, value: &Value) -> Replaced {
        self.0.substitute_always(value).into()
    }
}

impl From<Substituted> for Replaced {
    fn from(Substituted { value, used, unresolved }: Substituted) -> Self {
        Self { value, used, unresolved }
    }
}

/// Whether any text in a value refers to a name.
#[must_use]
pub fn refers_to(value: &Value, name: &str) -> bool {
    mentions(value, name)
}

/// A path that was parsed.
#[derive(Debug, PartialEq)]
pub struct Path(JsonPath);

impl Path {
    /// Parses a path.
    ///
    /// # Errors
    /// Why the text is none.
    pub fn parse(text: &str) -> Result<Self, impl fmt::Display> {
        JsonPath::parse(text).map(Self)
    }

    /// What it finds, with the keys of the value itself in any case if that is asked for.
    ///
    /// # Errors
    /// It asks for what there is not, or finds too much.
    pub fn find(&self, value: &Value, without_case: bool) -> Result<Vec<Value>, String> {
        let without_case = value.as_object().filter(|_| without_case);
        Ok(self.0.matches(value, without_case)?.into_iter().map(Cow::into_owned).collect())
    }
}

/// A tolerance that was read.
#[derive(Debug)]
pub struct Limits(Tolerance);

impl Limits {
    /// Reads a tolerance, with the names in it replaced.
    #[must_use]
    pub fn read(declared: &Value, names: &Names) -> Option<Self> {
        Tolerance::parse(declared, &names.0, "", &mut Vec::new()).map(Self)
    }

    /// Whether a tolerance is valid as it is written.
    #[must_use]
    pub fn are_valid(declared: &Value) -> bool {
        let mut findings = Vec::new();
        tolerance::validate(declared, "", &mut findings);
        findings.is_empty()
    }

    /// Whether an output is within it.
    ///
    /// # Errors
    /// Why it is not.
    pub fn check(&self, output: &Value) -> Result<(), String> {
        self.0.check(output)
    }
}
