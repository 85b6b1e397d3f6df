//! Where settings come from, in the order in which they win.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use chaos_core::{Clock, Known, SystemClock};
use jiff::Timestamp;
use secrecy::SecretString;

use super::Settings;
use super::check;
use super::environment::Variables;
use super::error::SettingsError;
use super::file;
use super::layer::{Flag, Layer};
use super::machine;
use super::merged::Merged;
use super::origin::ValueOrigin;

/// The directory of the settings of a machine.
const SYSTEM: &str = "/etc/chaosmonkey";

/// The name of the `.env` file.
const DOTENV: &str = ".env";

/// Where settings come from. What comes later wins, value by value:
///
/// 1. what is built in,
/// 2. a settings file of the machine, in `/etc/chaosmonkey`,
/// 3. one of the user, in `$XDG_CONFIG_HOME/chaosmonkey` (`~/.config/chaosmonkey`),
/// 4. one of the project, in the working directory, or the one that is [named](Self::config) instead,
/// 5. `.env` in the working directory, which is read and never exported,
/// 6. the environment of the process,
/// 7. [flags](Self::flag).
///
/// A settings file is called `chaosmonkey.yaml`, `.yml`, `.json` or `.toml`; two of them side by side are an error. A text
/// in it that is `${VARIABLE}` and nothing else is what the environment or `.env` gives that variable.
///
/// [`Sources::none`] starts from nothing, for programs that keep their settings elsewhere, and for tests.
///
/// ```
/// use chaos_orchestrator::Sources;
///
/// let settings = Sources::none().variables([("VSPHERE_SERVER", "vc.example.com"), ("VSPHERE_INSECURE", "maybe")]).load();
/// assert_eq!(
///     settings.unwrap_err().to_string(),
///     "VSPHERE_INSECURE (in the environment) is not understood: use true or false (also 1/0, yes/no, on/off)"
/// );
/// ```
#[derive(Debug, Default)]
pub struct Sources {
    system: Option<PathBuf>,
    user: Option<PathBuf>,
    project: Option<PathBuf>,
    config: Option<PathBuf>,
    dotenv: Option<PathBuf>,
    process: Vec<(OsString, OsString)>,
    flags: Vec<Flag>,
    now: Option<Timestamp>,
    is_to_repair: bool,
    machine: Option<Known>,
}

impl Sources {
    /// No source at all.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The sources of a command: the files of the machine, of the user and of the working directory, and the given
    /// variables, which are those of `std::env::vars_os()`.
    #[must_use]
    pub fn of_process(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let process: Vec<(OsString, OsString)> = variables.into_iter().collect();
        let variable = |name: &str| {
            let value = process.iter().find(|(known, _)| known == name).map(|(_, value)| PathBuf::from(value));
            value.filter(|path| path.is_absolute())
        };
        let user = variable("XDG_CONFIG_HOME").or_else(|| variable("HOME").map(|home| home.join(".config")));
        Self {
            system: Some(PathBuf::from(SYSTEM)),
            user: user.map(|directory| directory.join("chaosmonkey")),
            project: Some(PathBuf::new()),
            config: None,
            dotenv: Some(PathBuf::from(DOTENV)),
            process,
            flags: Vec::new(),
            now: None,
            is_to_repair: false,
            machine: Some(machine::known()),
        }
    }

    /// The directory with the file of the machine.
    #[must_use]
    pub fn system(mut self, directory: impl Into<PathBuf>) -> Self {
        self.system = Some(directory.into());
        self
    }

    /// The directory with the file of the user.
    #[must_use]
    pub fn user(mut self, directory: impl Into<PathBuf>) -> Self {
        self.user = Some(directory.into());
        self
    }

    /// The directory with the file of the project. What runs programs or switches checks off counts there only if the file
    /// belongs to the user and nobody else can write it.
    #[must_use]
    pub fn project(mut self, directory: impl Into<PathBuf>) -> Self {
        self.project = Some(directory.into());
        self
    }

    /// A settings file in place of the project's. Whoever names it trusts it.
    #[must_use]
    pub fn config(mut self, file: impl Into<PathBuf>) -> Self {
        self.config = Some(file.into());
        self
    }

    /// A `.env` file, which need not exist.
    #[must_use]
    pub fn dotenv(mut self, file: impl Into<PathBuf>) -> Self {
        self.dotenv = Some(file.into());
        self
    }

    /// Variables, as if they were in the environment of the process.
    #[must_use]
    pub fn variables<N: Into<OsString>, V: Into<OsString>>(
        mut self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.process.extend(variables.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// A value that wins over all others, such as `platforms.vsphere.port`; `flag` is how it was given, for messages.
    #[must_use]
    pub fn flag(mut self, key: impl Into<String>, value: SecretString, flag: impl Into<String>) -> Self {
        self.flags.push(Flag { key: key.into(), value, spelling: flag.into(), is_private: false });
        self
    }

    /// The same for a value that does not stand on the command line itself, such as a password from standard input.
    #[must_use]
    pub fn private_flag(mut self, key: impl Into<String>, value: SecretString, flag: impl Into<String>) -> Self {
        self.flags.push(Flag { key: key.into(), value, spelling: flag.into(), is_private: true });
        self
    }

    /// When they are read, by which calendars are unrolled; the machine's time if it is not given.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        self.now = Some(now);
        self
    }

    /// What is known of the machine that this runs on, which is protected unless `chaos.protect_own` says otherwise, and with it
    /// the servers of the platforms. [`of_process`](Self::of_process) finds that out.
    #[must_use]
    pub fn machine(mut self, known: Known) -> Self {
        self.machine = Some(known);
        self
    }

    /// Leaves `chaos.policy` out, for what only reads or puts back: a rule that is wrong and a calendar that is gone refuse to
    /// break and never to repair.
    #[must_use]
    pub fn to_repair(mut self) -> Self {
        self.is_to_repair = true;
        self
    }

    /// Reads all of them. What is missing is found out when a platform is opened; what is there has to be right.
    ///
    /// # Errors
    /// Everything that cannot be read, is not known, or is not understood; see [`SettingsError::all`].
    pub fn load(self) -> Result<Settings, SettingsError> {
        let mut variables = Variables::default();
        variables.add_process(self.process)?;
        if let Some(file) = &self.dotenv {
            variables.add_dotenv(file)?;
        }
        let mut layers = Vec::new();
        for directory in self.system.iter().chain(&self.user) {
            layers.extend(file_in(directory, &variables)?);
        }
        match (&self.config, &self.project) {
            (Some(file), _) => layers.push(Layer::of_file(file::read(file)?, &variables)?),
            (None, Some(directory)) => {
                let layer = file_in(directory, &variables)?;
                layers.extend(layer.map(|layer| Layer { is_found: true, ..layer }));
            }
            (None, None) => {}
        }
        let is_dotenv = |origin: &ValueOrigin| matches!(origin, ValueOrigin::DotEnv { .. });
        layers.push(Layer::of_variables(&variables, is_dotenv).found(variables.access));
        layers.push(Layer::of_variables(&variables, |origin| !is_dotenv(origin)));
        layers.push(Layer::of_flags(self.flags));

        let now = self.now.unwrap_or_else(|| SystemClock::new().now());
        let rules = (!self.is_to_repair).then_some(now);
        let mut errors = Vec::new();
        let kinds = check::kinds(&layers, &mut errors);
        for layer in &layers {
            check::layer(layer, &variables, &kinds, &mut errors);
        }
        let warnings = check::warnings(&layers, &variables, &kinds);
        let merged = Merged::of(layers, &kinds, &mut errors);
        Settings::read(&merged, &kinds, rules, self.machine, warnings, errors)
    }
}

fn file_in(directory: &Path, variables: &Variables) -> Result<Option<Layer>, SettingsError> {
    let Some(path) = file::find(directory)? else { return Ok(None) };
    Layer::of_file(file::read(&path)?, variables).map(Some)
}
