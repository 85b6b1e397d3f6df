//! What can be wrong with settings: always named by variable, never with the value, which may be a secret.

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
    /// A variable that has to be one of a few words, or a number.
    #[error("{name} ({from}) is not understood: {expected}")]
    Value {
        /// The variable.
        name: &'static str,
        /// Where it was set.
        from: String,
        /// What is expected.
        expected: &'static str,
    },
    /// The server cannot be an endpoint.
    #[error("{name} ({from}): {source}")]
    Endpoint {
        /// The variable.
        name: &'static str,
        /// Where it was set.
        from: String,
        /// Why not.
        source: ConfigError,
    },
    /// The thumbprint is none.
    #[error("{name} ({from}): {source}")]
    Thumbprint {
        /// The variable.
        name: &'static str,
        /// Where it was set.
        from: String,
        /// Why not.
        source: ThumbprintError,
    },
    /// Two variables that contradict each other.
    #[error("{first} and {second} contradict each other: unset one of them (an empty value counts as not set)")]
    Contradiction {
        /// One.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
}

impl From<SettingsError> for Error {
    fn from(error: SettingsError) -> Self {
        Self::new(ErrorKind::Configuration, error.to_string()).caused_by(error)
    }
}
