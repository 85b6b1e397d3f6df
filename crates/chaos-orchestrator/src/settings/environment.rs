//! The variables that settings are read from: those of the process, and those of a `.env` file, which is never exported.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::error::SettingsError;
use super::file::Access;
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
        for (name, value) in variables_of(path, &text)? {
            let line = line_of(&text, &name);
            // Within the file the first line wins.
            self.dotenv.entry(name).or_insert((value, line));
        }
        path.clone_into(&mut self.file);
        self.access = access;
        Ok(())
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

/// Everything that a `.env` file sets, in its order. Nothing is exported. A file that does not exist sets nothing, and
/// lines of others that cannot be parsed are passed over.
///
/// # Errors
/// [`SettingsError::DotEnv`] if the file cannot be read, or if one of its lines that is for us cannot.
pub fn read_dotenv(path: &Path) -> Result<Vec<(String, SecretString)>, SettingsError> {
    match text_of(path)? {
        Some((text, _)) => variables_of(path, &text),
        None => Ok(Vec::new()),
    }
}

fn text_of(path: &Path) -> Result<Option<(String, Access)>, SettingsError> {
    let read = || Ok::<_, std::io::Error>((fs::read_to_string(path)?, Access::of(&fs::metadata(path)?)));
    match read() {
        Ok(read) => Ok(Some(read)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(SettingsError::DotEnv { path: path.to_owned(), reason: error.to_string() }),
    }
}

fn variables_of(path: &Path, text: &str) -> Result<Vec<(String, SecretString)>, SettingsError> {
    let unreadable = |reason: String| SettingsError::DotEnv { path: path.to_owned(), reason };
    let mut variables = Vec::new();
    for line in dotenvy::from_read_iter(text.as_bytes()) {
        match line {
            Ok((name, value)) => variables.push((name, SecretString::from(value))),
            // The line itself may hold the password: only the variable's name is told.
            Err(dotenvy::Error::LineParse(line, _)) => {
                if let Some(name) = own_variable(&line) {
                    let way_out = "put the value in single quotes";
                    return Err(unreadable(format!("the line of {name} cannot be parsed: {way_out}")));
                }
            }
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

/// The line that sets a variable, from 1.
fn line_of(text: &str, name: &str) -> usize {
    let sets = |line: &str| {
        let line = line.trim_start();
        let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
        line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('='))
    };
    text.lines().position(sets).map_or(1, |at| at + 1)
}
