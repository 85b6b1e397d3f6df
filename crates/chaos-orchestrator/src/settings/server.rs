//! An entry for a vCenter, an ESXi host or an engine: where it is and how to log in there.

use chaos_http::{ConfigError, TlsTrust, parse_endpoint};
use url::Url;

use super::convert::explicit_port;
use super::error::SettingsError;
use super::merged::Reader;
use crate::secret::SecretSource;

/// Where a vCenter, an ESXi host or an engine is and how to log in there.
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
    pub password: Option<SecretSource>,
    /// Which certificate is trusted.
    pub trust: TlsTrust,
}

impl ServerSettings {
    /// Reads an entry whose server is given by `server`, a key.
    pub(super) fn read(reader: &mut Reader<'_>, server: &'static str) -> Self {
        let port = reader.port("port");
        let mut url = endpoint(reader, server);
        let named = reader.text(server).as_deref().and_then(explicit_port);
        if let (Some(endpoint), Some(beside), Some(named)) = (&mut url, port, named)
            && named != beside
        {
            // One of a lower layer was left out already.
            match reader.higher(server, "port") {
                Some("port") => drop(endpoint.set_port(None)),
                Some(_) => {}
                None => contradict(reader, server, "port"),
            }
        }
        Self { server: url, port, username: reader.text("username"), password: password(reader), trust: trust(reader) }
    }
}

fn contradict(reader: &mut Reader<'_>, first: &str, second: &str) {
    let name = |key| reader.given(key).map(super::layer::Given::name).unwrap_or_default();
    let (first, second) = (name(first), name(second));
    reader.fail(SettingsError::Contradiction { first, second, hint: "" });
}

fn endpoint(reader: &mut Reader<'_>, key: &'static str) -> Option<Url> {
    let text = reader.text(key)?;
    let wrong = |name, source: ConfigError| SettingsError::Endpoint { name, source };
    match parse_endpoint(&text) {
        Ok(url) => Some(url),
        Err(source) => {
            let name = reader.given(key).map(super::layer::Given::name).unwrap_or_default();
            reader.fail(wrong(name, source));
            None
        }
    }
}

/// The password of an entry, wherever it is.
pub(super) fn password(reader: &mut Reader<'_>) -> Option<SecretSource> {
    if let Some(secret) = reader.secret("password") {
        return Some(SecretSource::Inline(secret));
    }
    if let Some(path) = reader.path("password_file") {
        return Some(SecretSource::File(path));
    }
    reader.command("password_command").map(SecretSource::Command)
}

/// Which certificates an entry trusts.
pub(super) fn trust(reader: &mut Reader<'_>) -> TlsTrust {
    if reader.boolean("insecure") == Some(true) {
        return TlsTrust::Insecure;
    }
    if let Some(path) = reader.path("ca_file") {
        return TlsTrust::CaFile(path);
    }
    let Some(text) = reader.text("thumbprint") else { return TlsTrust::SystemRoots };
    match text.parse() {
        Ok(thumbprint) => TlsTrust::Thumbprint(thumbprint),
        Err(source) => {
            let name = reader.given("thumbprint").map(super::layer::Given::name).unwrap_or_default();
            reader.fail(SettingsError::Thumbprint { name, source });
            TlsTrust::SystemRoots
        }
    }
}
