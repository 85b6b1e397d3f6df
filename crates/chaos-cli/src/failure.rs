//! Why a command did not do what was asked for: what to say, what to try, and the exit code.

use chaos_core::{Error, ErrorKind, PlatformKind};
use chaos_experiments::{Findings, LoadError};
use chaos_orchestrator::SettingsError;

use crate::exit::Exit;

/// A command that ends early.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
    pub(crate) hints: Vec<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hints: Vec::new() }
    }

    /// The same with another exit code.
    pub(crate) fn with_exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// Arguments or settings that cannot work.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Takes back the ways out, where others are right.
    pub(crate) fn without_hints(mut self) -> Self {
        self.hints.clear();
        self
    }

    /// Adds a way out.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<Findings> for Failure {
    fn from(findings: Findings) -> Self {
        Self::usage(findings.to_string())
    }
}

impl From<Error> for Failure {
    /// For errors that came before anything was touched.
    fn from(error: Error) -> Self {
        let kind = error.platform_kind().cloned();
        let failure = Self::new(Exit::untouched(error.kind()), error.with_causes());
        match error.kind() {
            ErrorKind::Unauthenticated if kind == Some(PlatformKind::OLVM) => {
                failure.hint("check the user name, with its profile as in `admin@internal`, and the password")
            }
            ErrorKind::Unauthenticated if kind == Some(PlatformKind::DORA) => failure,
            ErrorKind::Unauthenticated => failure.hint(
                "check the user name, with its domain as in `administrator@vsphere.local`, and the password; \
                 in .env a password with `${` or ` #` in it needs single quotes",
            ),
            ErrorKind::NotFound => {
                failure.hint("names are case-sensitive; `chaosmonkey platforms discover-vms` lists what is there")
            }
            ErrorKind::InvalidState => failure.hint("nothing was touched"),
            _ => failure,
        }
    }
}
