//! Where an experiment came from and with which values, so that it can be run again. Without secrets.

use std::path::{Path, PathBuf};

use chaos_experiments::{Experiment, Rules};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::cli::{Again, RulesArgs, TemplatesArg, What};
use crate::exit::Exit;
use crate::failure::Failure;

/// Where an experiment came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Source {
    /// A ready-made experiment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    template: Option<String>,
    /// The directory of one's own ready-made experiments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    templates: Option<PathBuf>,
    /// A file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    /// `strict` or `compat`.
    rules: String,
    /// The values that were given, as `KEY=VALUE`.
    overrides: Vec<String>,
    /// The names of those that are secret, which have to be given again.
    withheld: Vec<String>,
}

impl Source {
    /// Where `experiment` came from, which was read from `file` if it was a file.
    pub(super) fn of(what: &What, file: Option<&Path>, experiment: &Experiment) -> Self {
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let (mut overrides, mut withheld) = (Vec::new(), Vec::new());
        for given in &what.overrides {
            let (name, value) = given.expose_secret().split_once('=').unwrap_or((given.expose_secret(), ""));
            let plain = name.rsplit_once(':').map_or(name, |(name, _)| name);
            if experiment.hides(plain, value) {
                withheld.push(plain.to_owned());
            } else {
                overrides.push(given.expose_secret().to_owned());
            }
        }
        Self {
            template: what.chaos_type.clone(),
            templates: what.templates.directory.as_deref().map(absolute),
            file: file.map(absolute),
            rules: experiment.rules().as_str().to_owned(),
            overrides,
            withheld,
        }
    }

    /// The arguments that read it again.
    ///
    /// # Errors
    /// A secret that was not given again.
    pub(super) fn what(self, again: &Again, seed: Option<u64>) -> Result<What, Failure> {
        let given = |name: &String| {
            let names = again.overrides.iter().filter_map(|given| given.expose_secret().split_once('='));
            names.map(|(name, _)| name.rsplit_once(':').map_or(name, |(name, _)| name)).any(|given| given == name)
        };
        let missing: Vec<&str> = self.withheld.iter().filter(|name| !given(name)).map(String::as_str).collect();
        if !missing.is_empty() {
            let message = format!("{} was given then and is not written down: it is secret", missing.join(", "));
            return Err(Failure::new(Exit::Usage, message).hint("give it again with `--override NAME=VALUE`"));
        }
        let mut overrides: Vec<SecretString> = self.overrides.into_iter().map(SecretString::from).collect();
        overrides.extend(again.overrides.iter().cloned());
        let is_compat = self.rules == Rules::Compat.as_str();
        Ok(What {
            chaos_type: self.template,
            templates: TemplatesArg { directory: self.templates },
            experiment: self.file,
            overrides,
            seed,
            rehearse: false,
            rehearse_probes: false,
            rules: RulesArgs { strict: !is_compat, compat: is_compat },
            state: again.state.clone(),
            format: again.format,
        })
    }
}
