//! Where a value of the settings was given.

use std::fmt;
use std::path::PathBuf;

/// Where a value of the settings was given. Prints as a place, such as `chaosmonkey.yaml:3`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueOrigin {
    /// Nowhere: it is built in.
    Default,
    /// A settings file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// A `.env` file.
    DotEnv {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The variable.
        variable: String,
    },
    /// The environment of the process.
    Environment {
        /// The variable.
        variable: String,
    },
    /// A flag of the command line, or its counterpart in another program.
    Flag {
        /// The flag.
        flag: String,
    },
}

impl ValueOrigin {
    /// The value's name where it was given, and that place: `VSPHERE_PORT (in the environment)`.
    pub(crate) fn name(&self, path: &[String]) -> String {
        match self {
            Self::DotEnv { path, line, variable } => format!("{variable} (in {}:{line})", path.display()),
            Self::Environment { variable } => format!("{variable} (in the environment)"),
            Self::File { .. } => format!("{} (in {self})", path.join(".")),
            Self::Flag { .. } | Self::Default => format!("{} ({self})", path.join(".")),
        }
    }
}

impl fmt::Display for ValueOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::DotEnv { path, line, variable } => write!(f, "{}:{line} {variable}", path.display()),
            Self::Environment { variable } => write!(f, "environment {variable}"),
            Self::Flag { flag } => f.write_str(flag),
        }
    }
}
