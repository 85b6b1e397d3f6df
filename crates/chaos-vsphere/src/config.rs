//! How to reach a vCenter or ESXi host, and as whom.

use std::fmt;
use std::time::Duration;

use chaos_core::Error;
use chaos_http::{TlsTrust, Url, check_endpoint, parse_endpoint, printable_endpoint};
use secrecy::SecretString;

/// How to reach a vCenter or ESXi host, and as whom. Start from [`Config::new`] and change fields.
///
/// ```
/// use chaos_vsphere::{Config, TlsTrust};
///
/// let mut config = Config::new("vc.example.com", "chaos@vsphere.local", "secret".into());
/// config.trust = TlsTrust::CaFile("/etc/ssl/vmca.pem".into());
/// assert!(!format!("{config:?}").contains("secret"));
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// The name of the settings entry that this came from; part of every reference to a VM. Default: `vsphere`.
    pub entry: String,
    /// A host name or a URL. `http://` is accepted on this machine, and elsewhere only with
    /// [`TlsTrust::Insecure`].
    pub server: String,
    /// The TCP port, if it is neither in `server` nor the scheme's own.
    pub port: Option<u16>,
    /// The account, such as `chaos@vsphere.local`.
    pub username: String,
    /// Its password.
    pub password: SecretString,
    /// Which certificate is trusted. Default: one that the system's roots vouch for; a vCenter usually needs its VMCA
    /// root as [`TlsTrust::CaFile`].
    pub trust: TlsTrust,
    /// The longest silence of the server within a call that is answered at once. Default: 60 s.
    pub read_limit: Duration,
    /// How long one long poll waits for a change. Default: 30 s; longer ones die in firewalls.
    pub long_poll: Duration,
    /// How long the client may be idle before it tells the server that it is still there. Default: 10 min; servers end
    /// idle sessions after 30 min.
    pub keep_alive: Duration,
}

impl Config {
    /// The given account on the given server, with the defaults for everything else.
    #[must_use]
    pub fn new(server: impl Into<String>, username: impl Into<String>, password: SecretString) -> Self {
        Self {
            entry: "vsphere".to_owned(),
            server: server.into(),
            port: None,
            username: username.into(),
            password,
            trust: TlsTrust::SystemRoots,
            read_limit: Duration::from_mins(1),
            long_poll: Duration::from_secs(30),
            keep_alive: Duration::from_mins(10),
        }
    }

    /// The URL of the SOAP endpoint.
    pub(crate) fn sdk(&self) -> Result<Url, Error> {
        let mut url = parse_endpoint(&self.server)?;
        if let Some(port) = self.port {
            // Only URLs without a host refuse a port, and `parse_endpoint` lets none through.
            let _ = url.set_port(Some(port));
        }
        if matches!(url.path(), "" | "/") {
            url.set_path("/sdk");
        }
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
            .field("server", &printable_endpoint(&self.server))
            .field("port", &self.port)
            .field("username", &self.username)
            .field("password", &"***")
            .field("trust", &self.trust)
            .field("read_limit", &self.read_limit)
            .field("long_poll", &self.long_poll)
            .field("keep_alive", &self.keep_alive)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use chaos_core::ErrorKind;

    use super::*;

    fn sdk(server: &str, port: Option<u16>) -> Result<String, Error> {
        let mut config = Config::new(server, "user", "canary".into());
        config.port = port;
        config.sdk().map(String::from)
    }

    #[test]
    fn a_server_is_a_host_or_a_url() {
        assert_eq!(sdk("vc.example.com", None).unwrap(), "https://vc.example.com/sdk");
        assert_eq!(sdk("vc.example.com", Some(8443)).unwrap(), "https://vc.example.com:8443/sdk");
        assert_eq!(sdk("http://127.0.0.1:8989", None).unwrap(), "http://127.0.0.1:8989/sdk");
        assert_eq!(sdk("https://vc/sdk/vimService?x#y", None).unwrap(), "https://vc/sdk/vimService");
        assert_eq!(sdk("http://vc.example.com", None).unwrap_err().kind(), ErrorKind::Configuration);
        assert_eq!(sdk("https://user:canary@vc", None).unwrap_err().kind(), ErrorKind::Configuration);
    }

    #[test]
    fn nothing_prints_a_password() {
        for server in ["vc", "https://user:canary@vc", "user:canary@vc"] {
            let config = Config::new(server, "user", "canary".into());
            assert!(!format!("{config:?}").contains("canary"), "{config:?}");
        }
    }
}
