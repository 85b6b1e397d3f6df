//! The variables that settings are read from: those of the process, and those of a `.env` file, which is never exported.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::dotenv::{self, Broken};
use super::error::SettingsError;
use super::file::{self, Access};
use super::origin::ValueOrigin;

/// The beginnings of the variables that are ours.
const PREFIXES: [&str; 3] = ["VSPHERE_", "OLVM_", "DORA_"];

pub(crate) fn is_ours(name: &str) -> bool {
    PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// All variables, for the time of reading the settings. Every value is a secret from the moment it is read.
#[derive(Debug, Default)]
pub(crate) struct Variables {
    process: BTreeMap<String, SecretString>,
    dotenv: BTreeMap<String, (SecretString, usize)>,
    file: PathBuf,
    broken: Vec<Broken>,
    /// Who else may read the `.env` file.
    pub(crate) access: Access,
}

impl Variables {
    /// Takes the variables of a process.
    ///
    /// # Errors
    /// [`SettingsError::NotUnicode`] for one of ours that is no text; others are passed over.
    pub(crate) fn add_process(
        &mut self,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<(), SettingsError> {
        for (name, value) in variables {
            let Ok(name) = name.into_string() else { continue };
            match value.into_string() {
                Ok(value) => {
                    self.process.insert(name, SecretString::from(value));
                }
                Err(_) if is_ours(&name) => return Err(SettingsError::NotUnicode { name }),
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Takes the variables of a `.env` file. A file that does not exist has none.
    ///
    /// # Errors
    /// [`SettingsError::DotEnv`].
    pub(crate) fn add_dotenv(&mut self, path: &Path) -> Result<(), SettingsError> {
        let Some((text, access)) = text_of(path)? else { return Ok(()) };
        let (variables, broken) = dotenv::parse(&text, |name| self.process.get(name).cloned());
        path.clone_into(&mut self.file);
        self.access = access;
        self.broken = broken;
        if let Some(broken) = self.broken.iter().find(|broken| is_ours(&broken.name)) {
            return Err(self.broken_error(broken));
        }
        // As in a shell, the last line wins.
        self.dotenv.extend(variables.into_iter().map(|variable| (variable.name, (variable.value, variable.line))));
        Ok(())
    }

    /// Why a variable that somebody refers to cannot be read, if its line is broken.
    ///
    /// # Errors
    /// [`SettingsError::DotEnv`].
    pub(crate) fn check(&self, name: &str) -> Result<(), SettingsError> {
        match self.broken.iter().find(|broken| broken.name == name && !self.process.contains_key(name)) {
            Some(broken) => Err(self.broken_error(broken)),
            None => Ok(()),
        }
    }

    fn broken_error(&self, broken: &Broken) -> SettingsError {
        let reason = format!("the value of {} in line {} cannot be read: {}", broken.name, broken.line, broken.reason);
        SettingsError::DotEnv { path: self.file.clone(), reason }
    }

    /// The value of a variable for us: the process goes before the file, also if it sets the variable to nothing, and
    /// nothing counts as not set.
    pub(crate) fn get(&self, name: &str) -> Option<(SecretString, ValueOrigin)> {
        let variable = name.to_owned();
        let (value, origin) = match (self.process.get(name), self.dotenv.get(name)) {
            (Some(value), _) => (value, ValueOrigin::Environment { variable }),
            (None, Some((value, line))) => {
                (value, ValueOrigin::DotEnv { path: self.file.clone(), line: *line, variable })
            }
            (None, None) => return None,
        };
        (!value.expose_secret().trim().is_empty()).then(|| (value.clone(), origin))
    }

    /// Every variable that is set, with the place where it is.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&str, ValueOrigin)> {
        let names = self.process.keys().chain(self.dotenv.keys().filter(|name| !self.process.contains_key(*name)));
        names.filter_map(|name| Some((name.as_str(), self.get(name)?.1)))
    }
}

/// Everything that a `.env` file sets, each variable once. Nothing is exported. A file that does not exist sets nothing, and
/// lines of others that cannot be read are passed over.
///
/// # Errors
/// [`SettingsError::DotEnv`] if the file cannot be read, or if one of its lines that is for us cannot.
pub fn read_dotenv(path: &Path) -> Result<Vec<(String, SecretString)>, SettingsError> {
    let mut variables = Variables::default();
    variables.add_process(std::env::vars_os())?;
    variables.add_dotenv(path)?;
    Ok(variables.dotenv.into_iter().map(|(name, (value, _))| (name, value)).collect())
}

fn text_of(path: &Path) -> Result<Option<(String, Access)>, SettingsError> {
    match file::text_of(path) {
        Ok(read) => Ok(Some(read)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(SettingsError::DotEnv { path: path.to_owned(), reason: error.to_string() }),
    }
}
