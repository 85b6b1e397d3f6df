//! How the engine gets platforms without knowing any.

use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;

use crate::context::Context;
use crate::error::Error;
use crate::platform::Platform;

/// Who named the connection values, which decides whom the credentials of the settings may be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// The person who started the run, by an override: as trusted as the settings.
    #[default]
    Override,
    /// An experiment file: its endpoint never gets credentials that come from the settings.
    ExperimentFile,
}

/// Connection values that come beside the settings, as overrides and old experiment files give them.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Connection {
    /// Host or URL.
    pub endpoint: Option<String>,
    /// TCP port.
    pub port: Option<u16>,
    /// Account name.
    pub username: Option<String>,
    /// The account's secret.
    pub password: Option<SecretString>,
    /// A PEM file with the CA to trust.
    pub ca_file: Option<PathBuf>,
    /// Whether certificates go unchecked.
    pub insecure: Option<bool>,
    /// Who named these values.
    pub origin: Origin,
}

impl Connection {
    /// Whether nothing is given, so that the settings alone decide.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.endpoint.is_none()
            && self.port.is_none()
            && self.username.is_none()
            && self.password.is_none()
            && self.ca_file.is_none()
            && self.insecure.is_none()
    }
}

/// Opens platforms by the name of their settings entry or by their type.
#[async_trait]
pub trait PlatformSource: Debug + Send + Sync + 'static {
    /// The platform `name` (an entry of the settings, or a platform kind), connected and logged in. Asking twice for
    /// the same gives the same platform.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if the settings do not suffice; else what
    /// connecting and logging in can give.
    async fn open(&self, cx: &Context, name: &str, connection: &Connection) -> Result<Arc<dyn Platform>, Error>;

    /// Disconnects every platform that was opened.
    ///
    /// # Errors
    /// The first failure; the others are tried all the same.
    async fn close(&self, cx: &Context) -> Result<(), Error>;
}
