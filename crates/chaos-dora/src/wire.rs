//! What is sent: the URLs of the service, whose secret parts nobody sees.

use chaos_core::{Error, PlatformKind};
use chaos_http::{Request, SafeUrl, Url};
use secrecy::SecretString;

use crate::catalogue::Environment;
use crate::filter::HostFilter;

/// A listing of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listing {
    Hypervisors,
    VirtualMachines,
}

impl Listing {
    /// Its name in the service's own words.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Hypervisors => "GetHypervisors",
            Self::VirtualMachines => "GetVirtualMachines",
        }
    }

    fn path(self, environment: &Environment) -> &str {
        match self {
            Self::Hypervisors => &environment.pattern_path,
            Self::VirtualMachines => &environment.vm_path,
        }
    }
}

/// The login of an account.
///
/// # Errors
/// A name or a password that no URL can carry.
pub(crate) fn login(root: &Url, username: &str, password: &SecretString) -> Result<Request, Error> {
    let mut url = SafeUrl::from(root);
    let built = url.push("v1").and_then(|url| url.push("GetLoginToken"));
    // The account is shown to nobody either: people type a password where the name belongs.
    let built = built.and_then(|url| url.push_secret(&SecretString::from(username)));
    built.and_then(|url| url.push_secret(password)).map_err(of_dora)?;
    Ok(Request::get(url, "GetLoginToken").idempotent())
}

/// A listing of an environment.
///
/// # Errors
/// A part of a path that no URL can carry.
pub(crate) fn listing(
    root: &Url,
    listing: Listing,
    token: &SecretString,
    environment: &Environment,
    filter: &HostFilter,
) -> Result<Request, Error> {
    let mut url = SafeUrl::from(root);
    let built = url.push("v1").and_then(|url| url.push(listing.name())).and_then(|url| url.push_secret(token));
    built.and_then(|url| url.push(&environment.vcenter)).map_err(of_dora)?;
    for part in listing.path(environment).split('/').filter(|part| !part.is_empty()) {
        url.push(part).map_err(of_dora)?;
    }
    url.query("listing_only", "false");
    let filter = match filter {
        HostFilter::OfEnvironment => environment.host_filter.as_deref(),
        HostFilter::Regex(regex) => Some(regex.as_str()),
        HostFilter::Empty => Some(""),
        HostFilter::Omit => None,
    };
    if let Some(filter) = filter {
        url.query("host_filter", filter);
    }
    Ok(Request::get(url, listing.name()).idempotent())
}

fn of_dora(error: chaos_http::ConfigError) -> Error {
    Error::from(error).platform(PlatformKind::DORA)
}
