//! Settings: from a map of variables to what each platform needs. A pure function; nothing here looks at the process.

mod environment;
mod error;
mod server;
mod values;

pub use environment::{Environment, read_dotenv};
pub use error::SettingsError;
pub use server::ServerSettings;
pub(crate) use server::{Names, OLVM, VSPHERE};

/// The settings of every platform.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Settings {
    /// The entry `vsphere`: variables that begin with `VSPHERE_`.
    pub vsphere: ServerSettings,
    /// The entry `olvm`: variables that begin with `OLVM_`.
    pub olvm: ServerSettings,
}

impl Settings {
    /// Reads the settings. What is missing is found out when a platform is opened; what is there has to be right.
    ///
    /// ```
    /// use chaos_orchestrator::{Environment, Settings};
    ///
    /// let environment = Environment::from_iter([("VSPHERE_SERVER", "vc.example.com"), ("VSPHERE_INSECURE", "maybe")]);
    /// let error = Settings::from_environment(&environment).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "VSPHERE_INSECURE (in the environment) is not understood: use true or false (also 1/0, yes/no, on/off)"
    /// );
    /// ```
    ///
    /// # Errors
    /// The first variable that cannot be understood, and pairs that contradict each other.
    pub fn from_environment(environment: &Environment) -> Result<Self, SettingsError> {
        Ok(Self {
            vsphere: ServerSettings::from_environment(environment, &VSPHERE)?,
            olvm: ServerSettings::from_environment(environment, &OLVM)?,
        })
    }
}
