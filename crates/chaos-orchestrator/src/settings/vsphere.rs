//! The entry `vsphere`.

use std::path::PathBuf;

use chaos_http::{ConfigError, TlsTrust, parse_endpoint};
use secrecy::SecretString;
use url::Url;

use super::environment::Environment;
use super::error::SettingsError;

/// Where vSphere is and how to log in there.
///
/// | variable | meaning | default |
/// |---|---|---|
/// | `VSPHERE_SERVER` | vCenter or ESXi: a host or a URL. Plain `http://` only on this machine, elsewhere with `VSPHERE_INSECURE` | |
/// | `VSPHERE_PORT` | its TCP port | 443 |
/// | `VSPHERE_USERNAME`, `VSPHERE_PASSWORD` | the account | |
/// | `VSPHERE_CA_FILE` | PEM file of an authority to trust beside those of the system | |
/// | `VSPHERE_THUMBPRINT` | SHA-256 thumbprint of the server's own certificate | |
/// | `VSPHERE_INSECURE` | trust any certificate | `false` |
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct VSphereSettings {
    /// The server.
    pub server: Option<Url>,
    /// The port, for a server that comes without one.
    pub port: Option<u16>,
    /// The account's name.
    pub username: Option<String>,
    /// The account's password.
    pub password: Option<SecretString>,
    /// Which certificate is trusted.
    pub trust: TlsTrust,
}

impl VSphereSettings {
    pub(super) fn from_environment(environment: &Environment) -> Result<Self, SettingsError> {
        const SERVER: &str = "VSPHERE_SERVER";
        const PORT: &str = "VSPHERE_PORT";

        let port = environment.port(PORT)?;
        let server = match environment.get(SERVER) {
            None => None,
            Some(variable) => {
                let from = || variable.from.to_string();
                let wrong = |source: ConfigError| SettingsError::Endpoint { name: SERVER, from: from(), source };
                let url = parse_endpoint(variable.text()).map_err(wrong)?;
                if let (Some(named), Some(port)) = (url.port(), port)
                    && named != port
                {
                    return Err(SettingsError::Contradiction { first: SERVER, second: PORT });
                }
                Some(url)
            }
        };
        Ok(Self {
            server,
            port,
            username: environment.text("VSPHERE_USERNAME"),
            password: environment.secret("VSPHERE_PASSWORD"),
            trust: trust(environment)?,
        })
    }
}

fn trust(environment: &Environment) -> Result<TlsTrust, SettingsError> {
    const CA_FILE: &str = "VSPHERE_CA_FILE";
    const THUMBPRINT: &str = "VSPHERE_THUMBPRINT";
    const INSECURE: &str = "VSPHERE_INSECURE";

    let contradiction = |first, second| Err(SettingsError::Contradiction { first, second });
    let insecure = environment.boolean(INSECURE)?.unwrap_or(false);
    match (environment.get(CA_FILE), environment.get(THUMBPRINT), insecure) {
        (None, None, false) => Ok(TlsTrust::SystemRoots),
        (None, None, true) => Ok(TlsTrust::Insecure),
        (Some(file), None, false) => Ok(TlsTrust::CaFile(PathBuf::from(file.text()))),
        (None, Some(text), false) => text
            .text()
            .parse()
            .map(TlsTrust::Thumbprint)
            .map_err(|source| SettingsError::Thumbprint { name: THUMBPRINT, from: text.from.to_string(), source }),
        (Some(_), Some(_), _) => contradiction(CA_FILE, THUMBPRINT),
        (Some(_), None, true) => contradiction(INSECURE, CA_FILE),
        (None, Some(_), true) => contradiction(INSECURE, THUMBPRINT),
    }
}
