//! How the text of one variable becomes a value.

use secrecy::{ExposeSecret, SecretString};

use super::environment::{Environment, Variable};
use super::error::SettingsError;

impl Environment {
    pub(super) fn secret(&self, name: &str) -> Option<SecretString> {
        self.get(name).map(|variable| variable.value.clone())
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(|variable| variable.text().to_owned())
    }

    pub(super) fn boolean(&self, name: &'static str) -> Result<Option<bool>, SettingsError> {
        self.parsed(name, "use true or false (also 1/0, yes/no, on/off)", |text| {
            match text.to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => Some(true),
                "false" | "0" | "no" | "off" => Some(false),
                _ => None,
            }
        })
    }

    pub(super) fn port(&self, name: &'static str) -> Result<Option<u16>, SettingsError> {
        self.parsed(name, "give a TCP port, a number from 1 to 65535", |text| {
            text.parse().ok().filter(|port| *port != 0)
        })
    }

    fn parsed<T>(
        &self,
        name: &'static str,
        expected: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, SettingsError> {
        let Some(variable) = self.get(name) else { return Ok(None) };
        match parse(variable.text()) {
            Some(value) => Ok(Some(value)),
            None => Err(SettingsError::Value { name, from: variable.from.to_string(), expected }),
        }
    }
}

impl Variable {
    /// The value of a variable that is no secret, without the blanks around it.
    pub(super) fn text(&self) -> &str {
        self.value.expose_secret().trim()
    }
}
