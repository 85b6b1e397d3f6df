//! How to reach an engine, and as whom.

use std::fmt;
use std::time::Duration;

use chaos_core::{Error, ErrorKind};
use chaos_http::{SafeUrl, TlsTrust, Url, check_endpoint, parse_endpoint, printable_endpoint};
use secrecy::SecretString;

/// Where the engine's applications live unless a proxy moves them.
const ENGINE: &str = "/ovirt-engine";

/// How to reach an engine, and as whom. Start from [`Config::new`] and change fields.
///
/// ```
/// use chaos_olvm::{Config, TlsTrust};
///
/// let mut config = Config::new("https://engine.example.com/ovirt-engine/api", "chaos@internal", "secret".into());
/// config.trust = TlsTrust::CaFile("/etc/pki/ovirt-engine/ca.pem".into());
/// assert!(!format!("{config:?}").contains("secret"));
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// The name of the settings entry that this came from; part of every reference to a VM. Default: `olvm`.
    pub entry: String,
    /// A host name or a URL. The path may be that of the API (`/ovirt-engine/api`), the one that it had before
    /// version 4 (`/api`), or none. `http://` is accepted on this machine, and elsewhere only with
    /// [`TlsTrust::Insecure`].
    pub url: String,
    /// The account with its profile, such as `chaos@internal` or `admin@ovirt@internalsso`.
    pub username: String,
    /// Its password.
    pub password: SecretString,
    /// Which certificate is trusted. Default: one that the system's roots vouch for; an engine usually has an authority of
    /// its own, whose certificate it offers at `/ovirt-engine/services/pki-resource?resource=ca-certificate&format=X509-PEM-CA`.
    pub trust: TlsTrust,
    /// How the account is proved. Default: a token.
    pub login: LoginMethod,
    /// What the account is shown. Default: what the engine shows it by itself.
    pub view: View,
    /// The longest silence of the engine within a call; an action may take twice as long. Default: 60 s.
    pub read_limit: Duration,
    /// The shortest time from one look at the VMs that are waited for to the next. Default: 0.5 s.
    pub shortest_tick: Duration,
    /// The longest such time, which is reached when nothing changes. Default: 5 s.
    pub longest_tick: Duration,
}

/// How an account is proved to the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum LoginMethod {
    /// A token of the single sign-on service: one login a client, ended at the end.
    #[default]
    Token,
    /// Basic authentication with a session that the engine keeps (`Prefer: persistent-auth`), for installations whose single
    /// sign-on service cannot be reached.
    Basic,
}

/// What an account is shown of the engine's objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum View {
    /// Everything to administrators, to others what they have permissions on.
    #[default]
    ByRole,
    /// Only what the account has permissions on, also for administrators (`Filter: true`). Hosts of VMs are not shown then.
    OwnObjects,
}

impl Config {
    /// The given account on the given engine, with the defaults for everything else.
    #[must_use]
    pub fn new(url: impl Into<String>, username: impl Into<String>, password: SecretString) -> Self {
        Self {
            entry: "olvm".to_owned(),
            url: url.into(),
            username: username.into(),
            password,
            trust: TlsTrust::SystemRoots,
            login: LoginMethod::default(),
            view: View::default(),
            read_limit: Duration::from_mins(1),
            shortest_tick: Duration::from_millis(500),
            longest_tick: Duration::from_secs(5),
        }
    }

    /// The URL below which the engine's applications are: `https://engine.example.com/ovirt-engine/`.
    pub(crate) fn engine(&self) -> Result<Url, Error> {
        let mut url = parse_endpoint(&self.url)?;
        let path = url.path().trim_end_matches('/');
        let prefix = match path.find(ENGINE) {
            Some(at) if matches!(path.as_bytes().get(at + ENGINE.len()), None | Some(b'/')) => &path[..at],
            _ if matches!(path, "" | "/api" | "/api/v4") => "",
            _ => {
                return Err(Error::new(
                    ErrorKind::Configuration,
                    format!(
                        "`{}` is no address of an engine: its path has to be {ENGINE}/api, or be left out",
                        SafeUrl::from(url)
                    ),
                ));
            }
        };
        let path = format!("{prefix}{ENGINE}/");
        url.set_path(&path);
        url.set_query(None);
        url.set_fragment(None);
        check_endpoint(&url, &self.trust)?;
        Ok(url)
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("entry", &self.entry)
            .field("url", &printable_endpoint(&self.url))
            .field("username", &self.username)
            .field("password", &"***")
            .field("trust", &self.trust)
            .field("login", &self.login)
            .field("view", &self.view)
            .field("read_limit", &self.read_limit)
            .field("shortest_tick", &self.shortest_tick)
            .field("longest_tick", &self.longest_tick)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine(url: &str) -> Result<String, Error> {
        Config::new(url, "user@internal", "canary".into()).engine().map(String::from)
    }

    #[test]
    fn an_engine_is_named_by_its_host_its_api_or_the_old_api() {
        for url in [
            "engine.example.com",
            "https://engine.example.com",
            "https://engine.example.com/",
            "https://engine.example.com/api",
            "https://engine.example.com/api/",
            "https://engine.example.com/ovirt-engine",
            "https://engine.example.com/ovirt-engine/api",
            "https://engine.example.com/ovirt-engine/api/v4/?x#y",
            "https://engine.example.com/ovirt-engine/webadmin/",
        ] {
            assert_eq!(engine(url).unwrap(), "https://engine.example.com/ovirt-engine/", "{url}");
        }
        assert_eq!(engine("https://proxy/lab/ovirt-engine/api").unwrap(), "https://proxy/lab/ovirt-engine/");
        assert_eq!(engine("http://127.0.0.1:8080/api").unwrap(), "http://127.0.0.1:8080/ovirt-engine/");
    }

    #[test]
    fn what_is_no_engine_is_refused_with_the_way_out() {
        for url in ["https://engine/sdk", "https://engine/ovirt-engines/api"] {
            let error = engine(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(error.to_string().contains("/ovirt-engine/api"), "{error}");
        }
        assert_eq!(engine("http://engine.example.com").unwrap_err().kind(), ErrorKind::Configuration);
        assert_eq!(engine("https://user:canary@engine").unwrap_err().kind(), ErrorKind::Configuration);
    }

    #[test]
    fn nothing_prints_a_password() {
        for url in ["engine", "https://user:canary@engine", "user:canary@engine"] {
            let config = Config::new(url, "user", "canary".into());
            assert!(!format!("{config:?}").contains("canary"), "{config:?}");
        }
    }
}
