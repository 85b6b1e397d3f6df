//! Where a Dora service is, and as whom it is asked.

use std::fmt;
use std::time::Duration;

use chaos_core::{Error, ErrorKind, PlatformKind};
use chaos_http::{TlsTrust, Url, parse_endpoint};
use secrecy::{ExposeSecret, SecretString};

/// Where a Dora service is, and as whom it is asked. Start from [`Config::new`] and change fields.
///
/// ```
/// use chaos_dora::{Config, Scheme};
///
/// let mut config = Config::new("dora.example.com", "chaos", "canary".into());
/// config.scheme = Scheme::Https;
/// assert!(!format!("{config:?}").contains("canary"));
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// The name of the settings entry that this came from; part of every reference to a VM. Default: `dora`.
    pub entry: String,
    /// A host name or an address, and nothing else.
    pub host: String,
    /// How the service is spoken to. Default: [`Scheme::Http`].
    pub scheme: Scheme,
    /// The TCP port of the login. Default: 51051.
    pub auth_port: u16,
    /// The TCP port of the inventory. Default: 8000.
    pub api_port: u16,
    /// The account.
    pub username: String,
    /// Its password.
    pub password: SecretString,
    /// Which certificate is trusted, with [`Scheme::Https`]. Default: one that the system's roots vouch for.
    pub trust: TlsTrust,
    /// The longest silence of the service within a call. Default: 20 s.
    pub timeout: Duration,
}

/// How a Dora service is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scheme {
    /// Plain HTTP, which is all that the service itself knows. Everyone on the way can read the password; each client says so
    /// in the log.
    #[default]
    Http,
    /// HTTPS, for a front that adds TLS.
    Https,
}

impl Config {
    /// The given account on the given host, with the defaults for everything else.
    #[must_use]
    pub fn new(host: impl Into<String>, username: impl Into<String>, password: SecretString) -> Self {
        Self {
            entry: "dora".to_owned(),
            host: host.into(),
            scheme: Scheme::default(),
            auth_port: 51051,
            api_port: 8000,
            username: username.into(),
            password,
            trust: TlsTrust::SystemRoots,
            timeout: Duration::from_secs(20),
        }
    }

    /// Fails if there is no account: a part of the path that is empty would make another path of it.
    pub(crate) fn check_account(&self) -> Result<(), Error> {
        for (missing, is_missing) in
            [("user name", self.username.is_empty()), ("password", self.password.expose_secret().is_empty())]
        {
            if is_missing {
                let message = format!("the {missing} for the Dora service is empty");
                return Err(Error::new(ErrorKind::Configuration, message).platform(PlatformKind::DORA));
            }
        }
        Ok(())
    }

    /// The root of the service at `port`.
    pub(crate) fn root(&self, port: u16) -> Result<Url, Error> {
        let no_host = || {
            // What was given may hold a password.
            Error::new(
                ErrorKind::Configuration,
                "the host of a Dora service has to be a name or an address, without scheme, port and path: these are \
                 settings of their own",
            )
            .platform(PlatformKind::DORA)
        };
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        let host = self.host.trim();
        let host = if host.parse::<std::net::Ipv6Addr>().is_ok() { format!("[{host}]") } else { host.to_owned() };
        if host.contains(['/', '@', '?', '#', '\\']) {
            return Err(no_host());
        }
        let mut url = parse_endpoint(&format!("{scheme}://{host}")).map_err(|_| no_host())?;
        if url.port().is_some() || url.set_port(Some(port)).is_err() {
            return Err(no_host());
        }
        Ok(url)
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A password that got into the host by mistake stays out of logs.
        let host = self.host.rsplit('@').next().unwrap_or_default();
        f.debug_struct("Config")
            .field("entry", &self.entry)
            .field("host", &host)
            .field("scheme", &self.scheme)
            .field("auth_port", &self.auth_port)
            .field("api_port", &self.api_port)
            .field("username", &self.username)
            .field("password", &"***")
            .field("trust", &self.trust)
            .field("timeout", &self.timeout)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(host: &str) -> Result<String, Error> {
        Config::new(host, "user", "canary".into()).root(8000).map(String::from)
    }

    #[test]
    fn a_host_is_a_name_or_an_address() {
        assert_eq!(root(" dora.example.com ").unwrap(), "http://dora.example.com:8000/");
        assert_eq!(root("10.1.2.3").unwrap(), "http://10.1.2.3:8000/");
        assert_eq!(root("::1").unwrap(), "http://[::1]:8000/");
        let mut front = Config::new("dora", "user", "canary".into());
        front.scheme = Scheme::Https;
        assert_eq!(front.root(443).unwrap().as_str(), "https://dora/");
    }

    #[test]
    fn an_account_has_a_name_and_a_password() {
        for (username, password, missing) in [("", "pw", "user name"), ("ann", "", "password")] {
            let error = Config::new("dora", username, password.into()).check_account().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(error.to_string().contains(missing), "{error}");
        }
    }

    #[test]
    fn what_is_more_than_a_host_is_refused_unseen() {
        for host in ["", "http://dora", "dora:8000", "dora/v1", "u:canary@dora", "a b", "dora?x", "dora#x"] {
            let error = root(host).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{host}");
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        }
        let config = Config::new("u:canary@dora", "user", "canary".into());
        assert!(!format!("{config:?}").contains("canary"), "{config:?}");
    }
}
