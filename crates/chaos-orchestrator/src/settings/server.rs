//! An entry of the settings: where a server is and how to log in there.

use std::path::PathBuf;

use chaos_http::{ConfigError, TlsTrust, parse_endpoint};
use secrecy::SecretString;
use url::Url;

use super::environment::Environment;
use super::error::SettingsError;

/// Where a server is and how to log in there.
///
/// | variable | meaning | default |
/// |---|---|---|
/// | `VSPHERE_SERVER` | vCenter or ESXi: a host or a URL. Plain `http://` only on this machine, elsewhere with `VSPHERE_INSECURE` | |
/// | `VSPHERE_PORT` | its TCP port | 443 |
/// | `VSPHERE_USERNAME`, `VSPHERE_PASSWORD` | the account | |
/// | `VSPHERE_CA_FILE` | PEM file of an authority to trust beside those of the system | |
/// | `VSPHERE_THUMBPRINT` | SHA-256 thumbprint of the server's own certificate | |
/// | `VSPHERE_INSECURE` | trust any certificate | `false` |
///
/// For an engine of OLVM the same begin with `OLVM_`, but that its address is `OLVM_URL`, and that there is no variable for
/// the port.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ServerSettings {
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

/// The names by which the values of one entry are given.
#[derive(Debug)]
pub(crate) struct Names {
    /// The variable of the address.
    pub(crate) server: &'static str,
    /// The override of the address.
    pub(crate) server_override: &'static str,
    /// The variable of the port, where there is one.
    pub(crate) port: Option<&'static str>,
    pub(crate) username: &'static str,
    pub(crate) username_override: &'static str,
    pub(crate) password: &'static str,
    pub(crate) password_override: &'static str,
    pub(crate) ca_file: &'static str,
    pub(crate) thumbprint: &'static str,
    pub(crate) insecure: &'static str,
}

pub(crate) static VSPHERE: Names = Names {
    server: "VSPHERE_SERVER",
    server_override: "vsphere_server",
    port: Some("VSPHERE_PORT"),
    username: "VSPHERE_USERNAME",
    username_override: "vsphere_username",
    password: "VSPHERE_PASSWORD",
    password_override: "vsphere_password",
    ca_file: "VSPHERE_CA_FILE",
    thumbprint: "VSPHERE_THUMBPRINT",
    insecure: "VSPHERE_INSECURE",
};

pub(crate) static OLVM: Names = Names {
    server: "OLVM_URL",
    server_override: "olvm_url",
    port: None,
    username: "OLVM_USERNAME",
    username_override: "olvm_username",
    password: "OLVM_PASSWORD",
    password_override: "olvm_password",
    ca_file: "OLVM_CA_FILE",
    thumbprint: "OLVM_THUMBPRINT",
    insecure: "OLVM_INSECURE",
};

impl ServerSettings {
    pub(super) fn from_environment(environment: &Environment, names: &Names) -> Result<Self, SettingsError> {
        let port = names.port.map(|name| environment.port(name)).transpose()?.flatten();
        let server = match environment.get(names.server) {
            None => None,
            Some(variable) => {
                let from = || variable.from.to_string();
                let wrong = |source: ConfigError| SettingsError::Endpoint { name: names.server, from: from(), source };
                let url = parse_endpoint(variable.text()).map_err(wrong)?;
                if let (Some(named), Some(port), Some(second)) = (url.port(), port, names.port)
                    && named != port
                {
                    return Err(SettingsError::Contradiction { first: names.server, second });
                }
                Some(url)
            }
        };
        Ok(Self {
            server,
            port,
            username: environment.text(names.username),
            password: environment.secret(names.password),
            trust: trust(environment, names)?,
        })
    }
}

fn trust(environment: &Environment, names: &Names) -> Result<TlsTrust, SettingsError> {
    let Names { ca_file, thumbprint, insecure, .. } = *names;
    let contradiction = |first, second| Err(SettingsError::Contradiction { first, second });
    let is_insecure = environment.boolean(insecure)?.unwrap_or(false);
    match (environment.get(ca_file), environment.get(thumbprint), is_insecure) {
        (None, None, false) => Ok(TlsTrust::SystemRoots),
        (None, None, true) => Ok(TlsTrust::Insecure),
        (Some(file), None, false) => Ok(TlsTrust::CaFile(PathBuf::from(file.text()))),
        (None, Some(text), false) => text
            .text()
            .parse()
            .map(TlsTrust::Thumbprint)
            .map_err(|source| SettingsError::Thumbprint { name: thumbprint, from: text.from.to_string(), source }),
        (Some(_), Some(_), _) => contradiction(ca_file, thumbprint),
        (Some(_), None, true) => contradiction(insecure, ca_file),
        (None, Some(_), true) => contradiction(insecure, thumbprint),
    }
}
