//! Settings: from a map of variables to what each platform needs. A pure function; nothing here looks at the process.

mod environment;
mod error;
mod values;
mod vsphere;

pub use environment::{Environment, read_dotenv};
pub use error::SettingsError;
pub use vsphere::VSphereSettings;

/// The settings of every platform.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Settings {
    /// The entry `vsphere`: variables that begin with `VSPHERE_`.
    pub vsphere: VSphereSettings,
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
        Ok(Self { vsphere: VSphereSettings::from_environment(environment)? })
    }
}
