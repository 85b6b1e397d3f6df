//! An entry for a Dora inventory service.

use std::collections::BTreeMap;
use std::time::Duration;

use chaos_http::TlsTrust;

use super::convert::{HOST, host};
use super::error::SettingsError;
use super::layer::{Given, Raw};
use super::merged::{Merged, Reader};
use super::server::{password, trust};
use crate::secret::SecretSource;

/// Where a Dora inventory service is, how to log in there, and what the site calls its environments.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct DoraSettings {
    /// The host.
    pub host: Option<String>,
    /// Whether a front adds TLS. The service itself speaks plain HTTP.
    pub tls: bool,
    /// The TCP port of the inventory, if it is not the usual one.
    pub api_port: Option<u16>,
    /// The TCP port of the login, if it is not the usual one.
    pub auth_port: Option<u16>,
    /// The account's name.
    pub username: Option<String>,
    /// The account's password.
    pub password: Option<SecretSource>,
    /// Which certificate of the front is trusted.
    pub trust: TlsTrust,
    /// How long each answer may take, if not as long as usual.
    pub timeout: Option<Duration>,
    /// The environment that the entry means as a platform.
    pub environment: Option<String>,
    /// The filter for hosts: a regular expression, `empty` or `omit`; the environment's if none is given.
    pub host_filter: Option<String>,
    /// Environments of the site, and what it changes about the built-in ones.
    pub environments: BTreeMap<String, EnvironmentSettings>,
    /// The entries of `platforms` that are the vCenters of these names in Dora.
    pub vcenters: BTreeMap<String, String>,
}

/// What the settings say of one Dora environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnvironmentSettings {
    /// Its vCenter, by the name in Dora.
    pub vcenter: Option<String>,
    /// Its path for hypervisors.
    pub pattern_path: Option<String>,
    /// Its path for VMs.
    pub vm_path: Option<String>,
    /// Its filter for hosts.
    pub host_filter: Option<String>,
}

impl DoraSettings {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let scheme = reader.word("scheme", "give http or https", |word| match word {
            "http" => Some(false),
            "https" => Some(true),
            _ => None,
        });
        Self {
            host: reader.word("host", HOST, host),
            tls: scheme.unwrap_or(false),
            api_port: reader.port("api_port"),
            auth_port: reader.port("auth_port"),
            username: reader.text("username"),
            password: password(reader),
            trust: trust(reader),
            timeout: reader.seconds("timeout"),
            environment: reader.text("environment"),
            host_filter: reader.text("host_filter"),
            environments: BTreeMap::new(),
            vcenters: BTreeMap::new(),
        }
    }

    /// Reads what has names that the user chose.
    pub(super) fn read_named(&mut self, merged: &Merged, entry: &[String], errors: &mut Vec<SettingsError>) {
        for (path, given) in merged.below(entry) {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            match path.as_slice() {
                ["vcenters", vcenter] => {
                    if let Some(platform) = text(given, errors) {
                        self.vcenters.insert((*vcenter).to_owned(), platform);
                    }
                }
                ["environments", name, key] => {
                    let Some(text) = text(given, errors) else { continue };
                    let environment = self.environments.entry((*name).to_owned()).or_default();
                    match *key {
                        "vcenter" => environment.vcenter = Some(text),
                        "pattern_path" => environment.pattern_path = Some(text),
                        "vm_path" => environment.vm_path = Some(text),
                        "host_filter" => environment.host_filter = Some(text),
                        // Other keys were refused.
                        _ => {}
                    }
                }
                _ => {}
            }
        }
    }
}

fn text(given: &Given, errors: &mut Vec<SettingsError>) -> Option<String> {
    use secrecy::ExposeSecret;
    match &given.raw {
        Raw::Text(text) => Some(text.expose_secret().trim().to_owned()),
        Raw::Nothing | Raw::List(_) | Raw::Tangle => {
            errors.push(SettingsError::Value { name: given.name(), expected: "give a text".to_owned() });
            None
        }
    }
}
