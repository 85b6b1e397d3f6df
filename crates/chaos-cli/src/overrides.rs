//! `--override KEY=VALUE`: a value that may be a secret, so that it is treated as one.

use std::ffi::OsStr;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Command, Error};
use secrecy::SecretString;

/// One value that the person who starts the run sets.
#[derive(Debug, Clone)]
#[expect(dead_code, reason = "read by `execute`, which follows")]
pub(crate) struct Override {
    pub(crate) key: String,
    pub(crate) value: SecretString,
}

/// Reads `KEY=VALUE`. Unlike clap's own errors, this one's never repeat the text, which may hold a password.
#[derive(Clone)]
pub(crate) struct OverrideParser;

impl TypedValueParser for OverrideParser {
    type Value = Override;

    fn parse_ref(&self, command: &Command, _: Option<&Arg>, text: &OsStr) -> Result<Override, Error> {
        let refuse =
            |why: &str| Error::raw(ErrorKind::ValueValidation, format!("--override: {why}\n")).with_cmd(command);
        let text = text.to_str().ok_or_else(|| refuse("the value is not valid Unicode"))?;
        let (key, value) = text.split_once('=').ok_or_else(|| refuse("give KEY=VALUE, such as vm_name=web-01"))?;
        let key = key.trim();
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if key.is_empty() || !key.chars().all(allowed) {
            return Err(refuse("the key before `=` is made of letters, digits, `_`, `-` and `.`"));
        }
        Ok(Override { key: key.to_owned(), value: SecretString::from(value.to_owned()) })
    }
}
