//! `--var` and `--var-file`: values from outside, as `chaos run` takes them.

use std::path::{Path, PathBuf};

use chaos_experiments::{Document, LoadError, Overrides, ValueType};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::exit::Exit;
use crate::failure::Failure;

/// What comes from outside.
#[derive(Default)]
pub(super) struct Variables {
    /// Values of the configuration, and scopes of secrets.
    pub(super) overrides: Overrides,
    /// Environment variables from .env files.
    pub(super) environment: Vec<(String, String)>,
}

/// Reads the files in order, and then the values: the later win.
///
/// # Errors
/// A value that is not written KEY=VALUE or KEY:TYPE=VALUE or is not of its type, a file that cannot be read.
pub(super) fn read(files: &[PathBuf], values: &[SecretString]) -> Result<Variables, Failure> {
    let mut variables = Variables::default();
    for file in files {
        // The arguments are right; what they name is not.
        read_file(file, &mut variables).map_err(|failure| failure.with_exit(Exit::Failed))?;
    }
    for value in values {
        read_value(value.expose_secret(), &mut variables.overrides)?;
    }
    Ok(variables)
}

/// The value is never repeated in a message: it may be a password.
fn read_value(text: &str, overrides: &mut Overrides) -> Result<(), Failure> {
    let Some((name, value)) = text.split_once('=') else {
        return Err(Failure::usage("--var is written KEY=VALUE or KEY:TYPE=VALUE, and one has no `=`"));
    };
    let (name, value) = match name.rsplit_once(':') {
        None => (name, Value::from(value)),
        Some((name, word)) => {
            let kind = ValueType::parse(word).ok_or_else(|| {
                Failure::usage(format!("--var {name}: `{word}` is no type"))
                    .hint("the types are str, int, float, bool, bytes and json")
            })?;
            let value = kind.read(value);
            (name, value.ok_or_else(|| Failure::usage(format!("--var {name}: the value is not of type {word}")))?)
        }
    };
    // Also a mapping that says where the value comes from.
    overrides.declare(name, value);
    Ok(())
}

fn read_file(path: &Path, variables: &mut Variables) -> Result<(), Failure> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("cannot read the variables in {name}: {error}")))?;
    let document = match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => Document::from_json(&name, &text),
        Some("yaml" | "yml") => Document::from_yaml(&name, &text),
        _ => return read_environment(&name, &text, variables),
    };
    let root = match document {
        Ok(document) => document.root().clone(),
        // A file in which nothing is written sets nothing.
        Err(LoadError::NotAMapping { .. }) if is_nothing(&text) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    for (key, value) in root.get("configuration").and_then(Value::as_object).into_iter().flatten() {
        variables.overrides.declare(key, value.clone());
    }
    for (scope, value) in root.get("secrets").and_then(Value::as_object).into_iter().flatten() {
        if !value.is_object() {
            return Err(Failure::usage(format!("{name}: the scope `{scope}` of the secrets is no mapping")));
        }
        variables.overrides.set_secrets(scope, value.clone());
    }
    Ok(())
}

/// Whether a file has nothing but comments in it, or an empty mapping.
fn is_nothing(text: &str) -> bool {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.collect::<Vec<_>>().iter().all(|line| ["{}", "---", "null", "~"].contains(line))
}

/// Lines of `NAME=VALUE`; what is behind the `=` is taken as it is.
fn read_environment(file: &str, text: &str, variables: &mut Variables) -> Result<(), Failure> {
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((name, value)) = line.split_once('=').filter(|(name, _)| !name.trim().is_empty()) else {
            return Err(Failure::usage(format!("{file}:{}: a line of this file is NAME=VALUE", at + 1)));
        };
        variables.environment.push((name.to_owned(), value.to_owned()));
    }
    Ok(())
}
