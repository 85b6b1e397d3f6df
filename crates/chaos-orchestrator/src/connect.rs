//! From the settings of an entry and the values beside them to one login, and the rule on whom it may be sent to.

use chaos_core::{Connection, Error, ErrorKind, Origin};
use chaos_http::{TlsTrust, parse_endpoint};
use url::Url;

use crate::secret::SecretSource;
use crate::settings::{Entry, ServerSettings};

/// Everything that opening a server takes, but that its password may have to be got first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Login {
    pub(crate) endpoint: Url,
    pub(crate) username: String,
    /// None if nobody says where it is, so that somebody has to be asked.
    pub(crate) password: Option<SecretSource>,
    pub(crate) trust: TlsTrust,
}

/// Puts a login together. Values of `connection` go before those of the settings.
///
/// The credentials of the settings go to the server of the settings and to one that an override names. If an experiment
/// file names another server, nothing of the settings is used for it: the file has to bring the credentials too. Nor
/// may a file weaken the check of certificates for a login with the credentials of the settings.
///
/// # Errors
/// [`ErrorKind::Configuration`] if something is missing, is wrong, or is refused by the rule.
pub(crate) fn login(entry: &Entry, settings: &ServerSettings, connection: &Connection) -> Result<Login, Error> {
    let own = settings.server.as_ref().map(|server| with_port(server.clone(), settings.port)).transpose()?;
    let other = match &connection.endpoint {
        Some(text) => Some(parse_endpoint(text).map_err(Error::from)?),
        None => None,
    };
    // The port of the settings belongs to their server, or to any if they name none.
    let endpoint = match (other, &own, &settings.server) {
        (Some(other), None, _) => with_port(other, connection.port.or(settings.port))?,
        (Some(other), Some(_), _) => with_port(other, connection.port)?,
        (None, Some(own), Some(server)) => match connection.port {
            Some(port) => with_port(server.clone(), Some(port))?,
            None => own.clone(),
        },
        (None, _, _) => return Err(missing(entry, "server", entry.server_key())),
    };
    let other_server = own.as_ref().is_none_or(|own| !same_server(own, &endpoint));
    let from_file = connection.origin == Origin::ExperimentFile;
    if from_file && other_server {
        return login_of_file(entry, endpoint, connection);
    }
    let own_credentials = connection.username.is_some() && connection.password.is_some();
    if from_file && !own_credentials && changes_trust(connection, &settings.trust) {
        return Err(Error::new(
            ErrorKind::Configuration,
            format!(
                "the experiment file changes which certificate is trusted, and the credentials of the settings are not \
                 sent there: set it with {} or {}, or as an override",
                entry.short("insecure"),
                entry.short("ca_file")
            ),
        ));
    }
    let username = connection.username.clone().or_else(|| settings.username.clone());
    let password = connection.password.clone().map(SecretSource::Inline).or_else(|| settings.password.clone());
    Ok(Login {
        endpoint,
        username: username.ok_or_else(|| missing(entry, "user name", "username"))?,
        password,
        trust: trust(connection, &settings.trust, other_server),
    })
}

/// A login to a server that an experiment file names: with what the file says, and nothing else.
fn login_of_file(entry: &Entry, endpoint: Url, connection: &Connection) -> Result<Login, Error> {
    match (&connection.username, &connection.password) {
        (Some(username), Some(password)) => Ok(Login {
            endpoint,
            username: username.clone(),
            password: Some(SecretSource::Inline(password.clone())),
            trust: trust(connection, &TlsTrust::SystemRoots, true),
        }),
        _ => Err(Error::new(
            ErrorKind::Configuration,
            format!(
                "the experiment file names the server {} and no user and password for it, and the credentials of the \
                 settings are never sent to a server that a file names: name it with {}{}, or give both in the file",
                endpoint.host_str().unwrap_or_default(),
                entry.short(entry.server_key()),
                or_override(entry, entry.server_key())
            ),
        )),
    }
}

/// Whether the file asks for another trust than the settings have. To ask for the checks back is always allowed.
fn changes_trust(connection: &Connection, settings: &TlsTrust) -> bool {
    let asked = trust(connection, settings, false);
    asked != *settings && asked != TlsTrust::SystemRoots
}

fn trust(connection: &Connection, settings: &TlsTrust, other_server: bool) -> TlsTrust {
    match (connection.insecure, &connection.ca_file, settings) {
        (Some(true), _, _) => TlsTrust::Insecure,
        (_, Some(file), _) => TlsTrust::CaFile(file.clone()),
        (Some(false), None, TlsTrust::Insecure) => TlsTrust::SystemRoots,
        // A pinned certificate is that of one server.
        (_, None, TlsTrust::Thumbprint(_)) if other_server => TlsTrust::SystemRoots,
        (_, None, settings) => settings.clone(),
    }
}

fn same_server(a: &Url, b: &Url) -> bool {
    (a.scheme(), a.host(), a.port_or_known_default()) == (b.scheme(), b.host(), b.port_or_known_default())
}

fn with_port(mut url: Url, port: Option<u16>) -> Result<Url, Error> {
    match (url.port(), port) {
        (_, None) => Ok(url),
        (Some(named), Some(port)) if named != port => Err(Error::new(
            ErrorKind::Configuration,
            format!("the server names port {named} and the port given beside it is {port}: give one of them"),
        )),
        (_, port) => match url.set_port(port) {
            Ok(()) => Ok(url),
            Err(()) => Err(Error::new(ErrorKind::Configuration, "the server's URL cannot have a port")),
        },
    }
}

/// That a value of an entry is known from nowhere, and each way to give it.
pub(crate) fn missing(entry: &Entry, what: &str, key: &str) -> Error {
    let because = match entry.unset.get(key) {
        Some(note) => format!(" ({note})"),
        None => String::new(),
    };
    let message =
        format!("no {what} is known for `{}`{because}: set {}{}", entry.name, entry.ways(key), or_override(entry, key));
    Error::new(ErrorKind::Configuration, message)
}

fn or_override(entry: &Entry, key: &str) -> String {
    let way = entry.override_of(key);
    way.map(|key| format!(", or give --override {key}=… to `execute`")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Details;

    fn settings() -> ServerSettings {
        ServerSettings {
            server: Some(Url::parse("https://vc.example.com/").unwrap()),
            username: Some("ann".into()),
            password: Some(inline("of the settings")),
            ..ServerSettings::default()
        }
    }

    fn login(settings: &ServerSettings, connection: &Connection) -> Result<Login, Error> {
        let entry = Entry::new("vsphere", Details::VSphere(settings.clone()));
        super::login(&entry, settings, connection)
    }

    fn inline(text: &str) -> SecretSource {
        SecretSource::Inline(text.into())
    }

    fn named(endpoint: &str, origin: Origin) -> Connection {
        let mut connection = Connection::default();
        connection.endpoint = Some(endpoint.into());
        connection.origin = origin;
        connection
    }

    #[test]
    fn an_override_may_name_any_server() {
        let login = login(&settings(), &named("lab.example.com", Origin::Override)).unwrap();
        assert_eq!(login.endpoint.as_str(), "https://lab.example.com/");
        assert_eq!(login.password, Some(inline("of the settings")));
    }

    #[test]
    fn a_server_that_a_file_names_never_gets_the_credentials_of_the_settings() {
        for other in ["evil.example.com", "vc.example.com:8443", "http://vc.example.com", "vc.example.com.evil.example"]
        {
            let error = login(&settings(), &named(other, Origin::ExperimentFile)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{other}");
            assert!(error.to_string().contains("never sent"), "{error}");
        }
        let mut half = named("evil.example.com", Origin::ExperimentFile);
        half.username = Some("bob".into());
        assert!(login(&settings(), &half).is_err(), "a password of the settings would go with the user of the file");
        half.password = Some("of the file".into());
        let whole = login(&settings(), &half).unwrap();
        assert_eq!((whole.username.as_str(), whole.password), ("bob", Some(inline("of the file"))));
    }

    #[test]
    fn a_port_in_a_file_is_another_server() {
        let mut connection = Connection::default();
        connection.origin = Origin::ExperimentFile;
        connection.port = Some(9443);
        assert!(login(&settings(), &connection).unwrap_err().to_string().contains("never sent"));
    }

    #[test]
    fn a_file_may_name_the_server_of_the_settings() {
        for same in ["vc.example.com", "VC.example.com:443", "https://vc.example.com/sdk"] {
            assert!(login(&settings(), &named(same, Origin::ExperimentFile)).is_ok(), "{same}");
        }
    }

    #[test]
    fn a_file_cannot_weaken_the_check_of_certificates() {
        let mut connection = named("vc.example.com", Origin::ExperimentFile);
        connection.insecure = Some(true);
        assert!(login(&settings(), &connection).unwrap_err().to_string().contains("VSPHERE_INSECURE"));
        connection.insecure = None;
        connection.ca_file = Some("/tmp/own.pem".into());
        assert!(login(&settings(), &connection).is_err());
        connection.insecure = Some(false);
        assert!(login(&settings(), &connection).is_err());
        connection.origin = Origin::Override;
        assert!(login(&settings(), &connection).is_ok());
    }

    #[test]
    fn a_file_that_asks_for_the_checks_gets_them() {
        let mut insecure = settings();
        insecure.trust = TlsTrust::Insecure;
        let mut connection = named("vc.example.com", Origin::ExperimentFile);
        connection.insecure = Some(false);
        assert_eq!(login(&insecure, &connection).unwrap().trust, TlsTrust::SystemRoots);
    }

    #[test]
    fn a_pinned_certificate_is_that_of_one_server() {
        let mut pinned = settings();
        pinned.trust = TlsTrust::Thumbprint("ab".repeat(32).parse().unwrap());
        let own = login(&pinned, &Connection::default()).unwrap();
        assert_eq!(own.trust, pinned.trust);
        let other = login(&pinned, &named("lab.example.com", Origin::Override)).unwrap();
        assert_eq!(other.trust, TlsTrust::SystemRoots);
    }

    #[test]
    fn the_port_of_the_settings_goes_with_their_server() {
        let mut ported = settings();
        ported.port = Some(8443);
        let own = login(&ported, &Connection::default()).unwrap();
        assert_eq!(own.endpoint.port(), Some(8443));
        let other = login(&ported, &named("lab.example.com", Origin::Override)).unwrap();
        assert_eq!(other.endpoint.port(), None);
        ported.server = None;
        let only = login(&ported, &named("lab.example.com", Origin::Override)).unwrap();
        assert_eq!(only.endpoint.port(), Some(8443));
    }

    #[test]
    fn what_is_missing_is_named_with_the_way_to_give_it() {
        let error = login(&ServerSettings::default(), &Connection::default()).unwrap_err().to_string();
        assert!(error.contains("VSPHERE_SERVER") && error.contains("--override vsphere_server"), "{error}");
        let mut without = settings();
        without.password = None;
        assert_eq!(login(&without, &Connection::default()).unwrap().password, None, "somebody may be asked");
        without.username = None;
        let error = login(&without, &Connection::default()).unwrap_err().to_string();
        assert!(error.contains("VSPHERE_USERNAME") && error.contains("platforms.vsphere.username"), "{error}");
    }
}
