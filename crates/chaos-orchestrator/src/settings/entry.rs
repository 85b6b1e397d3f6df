//! An entry of `platforms`: a server that can be opened by its name.

use std::collections::BTreeMap;

use chaos_http::TlsTrust;

use super::dora::DoraSettings;
use super::kind::Kind;
use super::server::ServerSettings;
use crate::secret::SecretSource;

/// An entry of `platforms`: a server that can be opened by its name.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// What it is, where it is and how to log in there.
    pub details: Details,
    /// Why values are missing that a file refers to, by key.
    pub(crate) unset: BTreeMap<String, String>,
}

/// What an entry is, where it is and how to log in there.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Details {
    /// A vCenter or an ESXi host.
    VSphere(ServerSettings),
    /// An engine of Oracle Linux Virtualization Manager or oVirt.
    Olvm(ServerSettings),
    /// A Dora inventory service.
    Dora(DoraSettings),
}

impl Entry {
    /// The host by which its server is reached, if it is known.
    pub(crate) fn host(&self) -> Option<String> {
        match &self.details {
            Details::VSphere(server) | Details::Olvm(server) => server.server.as_ref()?.host_str().map(str::to_owned),
            // It only mirrors others.
            Details::Dora(_) => None,
        }
    }

    /// An entry.
    #[must_use]
    pub fn new(name: impl Into<String>, details: Details) -> Self {
        Self { name: name.into(), details, unset: BTreeMap::new() }
    }

    /// An entry of which nothing is known but its kind.
    pub(crate) fn empty(name: &str, kind: Kind) -> Self {
        let details = match kind {
            Kind::VSphere => Details::VSphere(ServerSettings::default()),
            Kind::Olvm => Details::Olvm(ServerSettings::default()),
            Kind::Dora => Details::Dora(DoraSettings::default()),
        };
        Self::new(name, details)
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.details {
            Details::VSphere(_) => Kind::VSphere,
            Details::Olvm(_) => Kind::Olvm,
            Details::Dora(_) => Kind::Dora,
        }
    }

    /// Whether a server is named, so that it can be opened without further words.
    #[must_use]
    pub fn names_a_server(&self) -> bool {
        match &self.details {
            Details::VSphere(server) | Details::Olvm(server) => server.server.is_some(),
            Details::Dora(dora) => dora.host.is_some(),
        }
    }

    /// What will be missing when it is opened, as far as this machine can tell: variables that are referred to and not set,
    /// files that are not there.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let (password, trust) = match &self.details {
            Details::VSphere(server) | Details::Olvm(server) => (&server.password, &server.trust),
            Details::Dora(dora) => (&dora.password, &dora.trust),
        };
        let mut files = Vec::new();
        if let Some(SecretSource::File(path)) = password {
            files.push(("password_file", path));
        }
        if let TlsTrust::CaFile(path) = trust {
            files.push(("ca_file", path));
        }
        let missing = files.into_iter().filter(|(_, path)| !path.is_file());
        let missing = missing.map(|(key, path)| format!("{}: there is no file {}", self.key(key), path.display()));
        self.unset.values().cloned().chain(missing).collect()
    }

    /// How a key of this entry is given, for messages: every way there is.
    pub(crate) fn ways(&self, key: &str) -> String {
        let in_file = format!("{} in a settings file", self.key(key));
        match self.variable(key) {
            Some(variable) => format!("{variable} in the environment or in .env, or {in_file}"),
            None => in_file,
        }
    }

    /// A key of this entry in the shortest words: its variable, or else its path.
    pub(crate) fn short(&self, key: &str) -> String {
        self.variable(key).map_or_else(|| self.key(key), str::to_owned)
    }

    /// The whole path of a key.
    pub(crate) fn key(&self, key: &str) -> String {
        format!("platforms.{}.{key}", self.name)
    }

    /// The override of a key for `execute`, which is there for the plain names of platforms with VMs to switch.
    pub(crate) fn override_of(&self, key: &str) -> Option<String> {
        let is_plain = self.name == self.kind().as_str() && self.kind() != Kind::Dora;
        is_plain.then(|| format!("{}_{key}", self.name))
    }

    /// The key that names the server.
    pub(crate) fn server_key(&self) -> &'static str {
        match self.kind() {
            Kind::VSphere => "server",
            Kind::Olvm => "url",
            Kind::Dora => "host",
        }
    }

    fn variable(&self, key: &str) -> Option<&'static str> {
        let is_plain = self.name == self.kind().as_str();
        let known = self.kind().keys().iter().find(|known| known.name == key);
        known.filter(|_| is_plain).and_then(|known| known.variable)
    }
}
