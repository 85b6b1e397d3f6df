//! What can be wrong with settings: always named by key and place, never with the value, which may be a secret.

use std::fmt;
use std::path::PathBuf;

use chaos_core::{Error, ErrorKind};
use chaos_http::{ConfigError, ThumbprintError};

/// Settings that cannot work. Nothing was sent anywhere.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A variable's value is no text.
    #[error("{name} is not valid Unicode: set it again")]
    NotUnicode {
        /// The variable.
        name: String,
    },
    /// The `.env` file cannot be used.
    #[error("{}: {reason}", path.display())]
    DotEnv {
        /// The file.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// A settings file cannot be read.
    #[error("cannot read the settings {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A settings file is not written in its language.
    #[error("{}:{line}:{column}: {reason}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
    /// Two settings files side by side.
    #[error("there are two settings files, {} and {}: keep one of them", first.display(), second.display())]
    Several {
        /// One.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// A key that nobody knows.
    #[error("{name} is not known{hint}")]
    Unknown {
        /// The key and its place.
        name: String,
        /// What was probably meant, or what there is.
        hint: String,
    },
    /// A value that is not what its key needs.
    #[error("{name} is not understood: {expected}")]
    Value {
        /// The key or variable and its place.
        name: String,
        /// What is expected.
        expected: String,
    },
    /// The server cannot be an endpoint.
    #[error("{name}: {source}")]
    Endpoint {
        /// The key or variable and its place.
        name: String,
        /// Why not.
        source: ConfigError,
    },
    /// The thumbprint is none.
    #[error("{name}: {source}")]
    Thumbprint {
        /// The key or variable and its place.
        name: String,
        /// Why not.
        source: ThumbprintError,
    },
    /// Two values of one place that contradict each other.
    #[error("{first} and {second} contradict each other: remove one of them{hint}")]
    Contradiction {
        /// One, with its place.
        first: String,
        /// The other.
        second: String,
        /// More that helps.
        hint: &'static str,
    },
    /// A value that runs a program, switches a check off or says where a password goes, in a file that others may have
    /// written.
    #[error(
        "{name} does not count, because the file {reason}: let only yourself own and write it (`chmod go-w FILE`), or name a \
         settings file with `--config`"
    )]
    Untrusted {
        /// The key and its place.
        name: String,
        /// Why the file is not trusted.
        reason: &'static str,
    },
    /// Several of these.
    #[error("{}", Lines(.0))]
    Many(Vec<SettingsError>),
}

struct Lines<'e>(&'e [SettingsError]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl SettingsError {
    /// Each single thing that is wrong.
    #[must_use]
    pub fn all(&self) -> Vec<&Self> {
        match self {
            Self::Many(errors) => errors.iter().flat_map(Self::all).collect(),
            one => vec![one],
        }
    }

    /// Fails if anything is wrong.
    pub(crate) fn unless_empty(mut errors: Vec<Self>) -> Result<(), Self> {
        match errors.len() {
            0 => Ok(()),
            1 => Err(errors.remove(0)),
            _ => Err(Self::Many(errors)),
        }
    }
}

impl From<SettingsError> for Error {
    fn from(error: SettingsError) -> Self {
        Self::new(ErrorKind::Configuration, error.to_string()).caused_by(error)
    }
}
