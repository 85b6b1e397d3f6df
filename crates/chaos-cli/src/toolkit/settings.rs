//! The settings file of Chaos Toolkit: `~/.chaostoolkit/settings.yaml`.

use std::path::{Path, PathBuf};

use chaos_experiments::{Document, Environment, GlobalControls, LoadError, Notifications, Strategies};
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::ToolkitLog;
use crate::cli::ToolkitArgs;

/// What is written there. No file is the same as an empty one.
#[derive(Default)]
pub(crate) struct ToolkitSettings(Map<String, Value>);

impl ToolkitSettings {
    /// Reads the file that is named, or that of this user. One that cannot be read is told and counts as empty.
    pub(crate) fn load(args: &ToolkitArgs, log: &ToolkitLog) -> Self {
        let path = match &args.settings {
            Some(path) => Some(path.clone()),
            None => std::env::home_dir().map(|home| home.join(".chaostoolkit/settings.yaml")),
        };
        match path.as_deref().map(read) {
            None | Some(Ok(None)) => Self::default(),
            Some(Ok(Some(document))) => Self(document.root().clone()),
            Some(Err(error)) => {
                log.error(format_args!("the settings are left out: {error}"));
                Self::default()
            }
        }
    }

    /// The strategies under `runtime`.
    pub(crate) fn strategies(&self) -> Strategies {
        Strategies::of_settings(&self.0)
    }

    /// The channels under `notifications`.
    pub(crate) fn notifications(&self, environment: Environment) -> Notifications {
        Notifications::new(self.0.get("notifications").unwrap_or(&Value::Null), environment)
    }

    /// The controls under `controls`, and those in these files. A file that cannot be read is told and left out.
    pub(crate) fn controls(&self, files: &[PathBuf], log: &ToolkitLog) -> GlobalControls {
        let mut controls = GlobalControls::new(Value::Object(self.0.clone()));
        if let Some(Value::Object(declared)) = self.0.get("controls") {
            controls.add(declared);
        }
        for file in files {
            match Document::load(file) {
                Ok(document) => controls.add(document.root()),
                // Nothing is declared in it.
                Err(LoadError::NotAMapping { .. }) => {}
                Err(error) => log.error(format_args!("the controls are left out: {error}")),
            }
        }
        controls
    }

    /// What an `Authorization` header to this host and port says.
    pub(crate) fn authorization(&self, host_and_port: &str) -> Option<SecretString> {
        let auth = self.0.get("auths")?.get(host_and_port)?;
        let text = |key: &str| auth.get(key).and_then(Value::as_str);
        Some(SecretString::from(format!("{} {}", text("type")?, text("value")?)))
    }
}

fn read(path: &Path) -> Result<Option<Document>, LoadError> {
    let unreadable = |source| LoadError::Read { path: PathBuf::from(path), source };
    match std::fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(error)),
        Ok(text) => match Document::from_yaml(&path.display().to_string(), &text) {
            Ok(document) => Ok(Some(document)),
            // Nothing is set in it.
            Err(LoadError::NotAMapping { .. }) => Ok(None),
            Err(error) => Err(error),
        },
    }
}
