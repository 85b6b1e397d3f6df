//! What is wrong with an experiment, told all at once, and the one error of everything before a run begins.

use std::fmt;
use std::path::PathBuf;

use chaos_core::{Error, ErrorKind};
use serde::Serialize;

use crate::loader::Position;

/// How bad a [`Finding`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The experiment runs, though perhaps not as meant.
    Warning,
    /// The experiment does not run.
    Error,
}

/// One thing that is wrong with an experiment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Where it is, as a JSON pointer into the document such as `/method/0/provider/func`.
    pub place: String,
    /// Where its text holds that place, or what is nearest to it, if the document was read from a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// What is wrong.
    pub message: String,
    /// The way out, where it is known.
    pub hint: Option<String>,
}

impl Finding {
    /// A finding that keeps the experiment from running.
    #[must_use]
    pub fn error(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, place: place.into(), position: None, message: message.into(), hint: None }
    }

    /// A finding that lets the experiment run.
    #[must_use]
    pub fn warning(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(place, message) }
    }

    /// Adds the way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says where the text of the document holds it.
    #[must_use]
    pub(crate) fn at(mut self, position: Option<Position>) -> Self {
        self.position = position;
        self
    }

    /// The finding as it is shown to whoever has the document at hand: where the position is known, it stands in front
    /// as `experiment.yaml:12:5`.
    #[must_use]
    pub fn within(&self, document: &str) -> impl fmt::Display {
        fmt::from_fn(move |f| match self.position {
            Some(Position { line, column }) => write!(f, "{document}:{line}:{column}: {self}"),
            None => write!(f, "{self}"),
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.place.is_empty() { "/" } else { &self.place };
        write!(f, "{place}: {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// Everything that was found in one experiment, in the order of the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// The file or template that they are about.
    pub document: String,
    /// The findings. At least one of them is an error.
    pub list: Vec<Finding>,
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors = self.list.iter().filter(|finding| finding.severity == Severity::Error).count();
        write!(f, "{}: {errors} {}", self.document, if errors == 1 { "error" } else { "errors" })?;
        for finding in &self.list {
            let mark = if finding.severity == Severity::Warning { "warning: " } else { "" };
            write!(f, "\n  {mark}{}", finding.within(&self.document))?;
        }
        Ok(())
    }
}

impl std::error::Error for Findings {}

/// A text that is no experiment.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file's name does not say what is in it.
    #[error("{}: an experiment is a .json, .yaml or .yml file", path.display())]
    Extension {
        /// The file.
        path: PathBuf,
    },
    /// The file is larger than any experiment.
    #[error("{}: {size} bytes are too many for an experiment, the limit is {limit}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
        /// The largest size that is read, in bytes.
        limit: u64,
    },
    /// The URL gives no experiment.
    #[error("cannot load {url}: {why}")]
    Fetch {
        /// The URL, without secrets.
        url: String,
        /// Why not.
        why: String,
    },
    /// The text cannot be parsed.
    #[error("{document}{}: {message}", at(*line, *column))]
    Syntax {
        /// The file or other name of the text.
        document: String,
        /// The line, from 1, where the parser knows it.
        line: Option<u64>,
        /// The column, from 1, where the parser knows it.
        column: Option<u64>,
        /// What is wrong there.
        message: String,
    },
    /// The text is something else than a mapping.
    #[error("{document}: an experiment is a mapping with title, description and method; this is {found}")]
    NotAMapping {
        /// The file or other name of the text.
        document: String,
        /// What it is instead.
        found: &'static str,
    },
}

fn at(line: Option<u64>, column: Option<u64>) -> String {
    match (line, column) {
        (Some(line), Some(column)) => format!(":{line}:{column}"),
        (Some(line), None) => format!(":{line}"),
        _ => String::new(),
    }
}

/// Why an experiment was refused before anything was touched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExperimentError {
    /// It cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// It is not valid.
    #[error(transparent)]
    Invalid(#[from] Findings),
    /// A platform cannot be opened, or a VM that it names is not there or cannot take what it asks for.
    #[error(transparent)]
    Platform(#[from] Error),
}

impl ExperimentError {
    /// The kind of the refusal; what is wrong with the document itself is [`ErrorKind::Configuration`].
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Load(_) | Self::Invalid(_) => ErrorKind::Configuration,
            Self::Platform(error) => error.kind(),
        }
    }
}
