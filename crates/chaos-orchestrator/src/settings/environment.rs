//! The variables that settings are read from: a plain map, filled from the process and from a `.env` file.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::SettingsError;

/// Only variables with these beginnings are kept, so that nothing else of the process is ever held or shown.
const PREFIXES: [&str; 2] = ["VSPHERE_", "OLVM_"];

fn is_ours(name: &str) -> bool {
    PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// A map of variables. Every value is a secret from the moment it is read; an empty one counts as not set.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, Variable>,
}

#[derive(Debug, Clone)]
pub(super) struct Variable {
    pub(super) value: SecretString,
    pub(super) from: VariableSource,
}

/// Where a variable was set, for error messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum VariableSource {
    Process,
    File(PathBuf),
}

impl fmt::Display for VariableSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process => f.write_str("in the environment"),
            Self::File(path) => write!(f, "in {}", path.display()),
        }
    }
}

impl Environment {
    /// The variables of a process, as `std::env::vars_os()` gives them.
    ///
    /// # Errors
    /// [`SettingsError::NotUnicode`] for one of ours that is no text.
    pub fn from_process(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Self, SettingsError> {
        let mut environment = Self::default();
        for (name, value) in variables {
            let Some(name) = name.to_str().filter(|name| is_ours(name)) else { continue };
            match value.into_string() {
                Ok(value) => environment.insert(name.to_owned(), value.into(), VariableSource::Process),
                Err(_) => return Err(SettingsError::NotUnicode { name: name.to_owned() }),
            }
        }
        Ok(environment)
    }

    /// Adds what a `.env` file sets and the process does not. A file that does not exist adds nothing.
    ///
    /// The file is only read: its variables are not exported to this process or to any child.
    ///
    /// # Errors
    /// [`SettingsError::DotEnv`] if the file cannot be read, or if one of its lines that is for us cannot.
    pub fn with_dotenv(mut self, path: &Path) -> Result<Self, SettingsError> {
        for (name, value) in read_dotenv(path)? {
            if is_ours(&name) {
                self.insert(name, value, VariableSource::File(path.to_owned()));
            }
        }
        Ok(self)
    }

    /// The first to set a variable wins, also if it sets it to nothing.
    fn insert(&mut self, name: String, value: SecretString, from: VariableSource) {
        self.variables.entry(name).or_insert(Variable { value, from });
    }

    pub(super) fn get(&self, name: &str) -> Option<&Variable> {
        use secrecy::ExposeSecret;
        self.variables.get(name).filter(|variable| !variable.value.expose_secret().trim().is_empty())
    }
}

/// Everything that a `.env` file sets, in its order. Nothing is exported. A file that does not exist sets nothing, and
/// lines of others that cannot be parsed are passed over.
///
/// # Errors
/// [`SettingsError::DotEnv`] if the file cannot be read, or if one of its lines that is for us cannot.
pub fn read_dotenv(path: &Path) -> Result<Vec<(String, SecretString)>, SettingsError> {
    let unreadable = |reason: String| SettingsError::DotEnv { path: path.to_owned(), reason };
    let lines = match dotenvy::from_path_iter(path) {
        Ok(lines) => lines,
        Err(error) if error.not_found() => return Ok(Vec::new()),
        Err(dotenvy::Error::Io(error)) => return Err(unreadable(error.to_string())),
        Err(_) => return Err(unreadable("it cannot be parsed".to_owned())),
    };
    let mut variables = Vec::new();
    for line in lines {
        match line {
            Ok((name, value)) => variables.push((name, SecretString::from(value))),
            // The line itself may hold the password: only the variable's name is told.
            Err(dotenvy::Error::LineParse(text, _)) => {
                if let Some(name) = own_variable(&text) {
                    let way_out = "put the value in single quotes";
                    return Err(unreadable(format!("the line of {name} cannot be parsed: {way_out}")));
                }
            }
            Err(dotenvy::Error::Io(error)) => return Err(unreadable(error.to_string())),
            Err(_) => return Err(unreadable("it cannot be parsed".to_owned())),
        }
    }
    Ok(variables)
}

/// The name of the variable of ours that a line is about.
fn own_variable(line: &str) -> Option<&str> {
    let name = &line[PREFIXES.iter().filter_map(|prefix| line.find(prefix)).min()?..];
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(name.len());
    Some(&name[..end])
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    /// For tests and for programs that keep their settings elsewhere.
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        let mut environment = Self::default();
        for (name, value) in variables {
            environment.insert(name.into(), SecretString::from(value.into()), VariableSource::Process);
        }
        environment
    }
}
