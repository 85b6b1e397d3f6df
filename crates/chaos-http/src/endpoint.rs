//! Where a client may connect to: the rule for plain HTTP.

use url::{Host, Url};

use crate::config::ConfigError;
use crate::safe_url::SafeUrl;
use crate::tls::TlsTrust;

/// Reads an endpoint that a person wrote: a host, a host with a port, or a URL. Without a scheme it is `https`.
///
/// ```
/// use chaos_http::parse_endpoint;
///
/// assert_eq!(parse_endpoint("vc.example.com").unwrap().as_str(), "https://vc.example.com/");
/// assert_eq!(parse_endpoint("http://127.0.0.1:8989/sdk").unwrap().port(), Some(8989));
/// assert!(parse_endpoint("ftp://vc.example.com").is_err());
/// ```
///
/// # Errors
/// [`ConfigError::Endpoint`], [`ConfigError::Scheme`], or [`ConfigError::UserInfo`] if it holds a user or password. None
/// of them prints a secret.
pub fn parse_endpoint(text: &str) -> Result<Url, ConfigError> {
    let text = text.trim();
    let url = if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("https://{text}")) };
    let url = url.map_err(ConfigError::Endpoint)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(ConfigError::Scheme(url.scheme().to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ConfigError::UserInfo(SafeUrl::from(url)));
    }
    Ok(url)
}

/// An endpoint that a person wrote, as it may be printed: without the credentials that somebody may have put into it, where
/// [`parse_endpoint`] refuses them.
///
/// ```
/// use chaos_http::printable_endpoint;
///
/// assert_eq!(printable_endpoint("vc.example.com"), "vc.example.com");
/// assert!(!printable_endpoint("https://ann:pw@vc.example.com").contains("pw"));
/// assert!(!printable_endpoint("ann:pw@vc.example.com").contains("pw"));
/// ```
#[must_use]
pub fn printable_endpoint(text: &str) -> String {
    match Url::parse(text) {
        Ok(url) => SafeUrl::from(url).to_string(),
        Err(_) => text.rsplit_once('@').map_or(text, |(_, host)| host).to_owned(),
    }
}

/// The rule for endpoints: `https` anywhere, `http` on this machine, `http` elsewhere only if `trust` is
/// [`TlsTrust::Insecure`].
///
/// A client of [`Profile::Platform`](crate::Profile::Platform) applies it to every request; call it earlier to refuse a
/// setting before anything else happens.
///
/// # Errors
/// [`ConfigError::PlainHttp`] or [`ConfigError::Scheme`].
pub fn check_endpoint(url: &Url, trust: &TlsTrust) -> Result<(), ConfigError> {
    check_scheme(url, trust.is_insecure())
}

pub(crate) fn check_scheme(url: &Url, insecure: bool) -> Result<(), ConfigError> {
    match url.scheme() {
        "https" => Ok(()),
        "http" if insecure || is_loopback(url) => Ok(()),
        "http" => Err(ConfigError::PlainHttp(SafeUrl::from(url))),
        other => Err(ConfigError::Scheme(other.to_owned())),
    }
}

/// True if the URL's host is this machine by its name or address, without asking a name server.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, trust: &TlsTrust) -> Result<(), ConfigError> {
        check_endpoint(&parse_endpoint(text).unwrap(), trust)
    }

    #[test]
    fn plain_http_stays_on_this_machine() {
        for fine in ["http://localhost:1/", "http://127.8.9.1", "http://[::1]:80", "http://a.localhost", "vc"] {
            assert!(check(fine, &TlsTrust::SystemRoots).is_ok(), "{fine}");
        }
        for refused in
            ["http://vc.example.com/sdk", "http://10.0.0.1", "http://[fe80::1]", "http://localhost.evil.example"]
        {
            let error = check(refused, &TlsTrust::SystemRoots).unwrap_err().to_string();
            assert!(error.contains("use https://"), "{error}");
            assert!(check(refused, &TlsTrust::Insecure).is_ok(), "{refused}");
        }
    }

    #[test]
    fn credentials_in_an_endpoint_are_refused_unseen() {
        for text in ["https://ann:hunter2@vc", "ann:hunter2@vc", "https://ann:hunter2@vc:port/", "hunter2@vc"] {
            let error = parse_endpoint(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        for text in ["", "  ", "https://", "a b", "file:///etc/passwd"] {
            assert!(parse_endpoint(text).is_err(), "{text:?}");
        }
    }
}
