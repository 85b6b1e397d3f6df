//! What a request asks for. Its parts are percent-decoded once.

use url::form_urlencoded;

/// A listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listing {
    Hypervisors,
    VirtualMachines,
}

/// What a request asks for. Its `Debug` would show secrets, so there is none.
pub(crate) enum Request {
    Login {
        user: String,
        password: String,
    },
    List {
        kind: Listing,
        token: String,
        vcenter: String,
        path: String,
        names_only: bool,
        filter: Option<String>,
        query: Option<String>,
    },
    Other,
}

/// Whether the path is one of this service.
pub(crate) fn is_dora(path: &str) -> bool {
    path.starts_with("/v1/Get")
}

impl Request {
    /// Reads the path and the query of a request.
    pub(crate) fn read(path: &str, query: Option<&str>) -> Self {
        let parts: Vec<String> = path.split('/').skip(1).map(decoded).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let list = |kind, token: &str, vcenter: &str, path: &[&str]| {
            let parameters: Vec<(String, String)> =
                form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
            let value = |name: &str| parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
            Self::List {
                kind,
                token: token.to_owned(),
                vcenter: vcenter.to_owned(),
                path: path.join("/"),
                names_only: value("listing_only").is_some_and(|value| value.eq_ignore_ascii_case("true")),
                filter: value("host_filter"),
                query: query.map(|_| {
                    let shown: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
                    shown.join("&")
                }),
            }
        };
        match parts.as_slice() {
            ["v1", "GetLoginToken", user, password] => {
                Self::Login { user: (*user).to_owned(), password: (*password).to_owned() }
            }
            ["v1", "GetHypervisors", token, vcenter, path @ ..] => list(Listing::Hypervisors, token, vcenter, path),
            ["v1", "GetVirtualMachines", token, vcenter, path @ ..] => {
                list(Listing::VirtualMachines, token, vcenter, path)
            }
            _ => Self::Other,
        }
    }

    /// Its name in the service's own words.
    pub(crate) fn method_name(&self) -> &'static str {
        match self {
            Self::Login { .. } => "GetLoginToken",
            Self::List { kind: Listing::Hypervisors, .. } => "GetHypervisors",
            Self::List { kind: Listing::VirtualMachines, .. } => "GetVirtualMachines",
            Self::Other => "(not Dora)",
        }
    }

    /// The token that it carries.
    pub(crate) fn token(&self) -> Option<&str> {
        match self {
            Self::List { token, .. } => Some(token),
            Self::Login { .. } | Self::Other => None,
        }
    }

    /// Its query, decoded.
    pub(crate) fn query(&self) -> Option<&str> {
        match self {
            Self::List { query, .. } => query.as_deref(),
            Self::Login { .. } | Self::Other => None,
        }
    }
}

/// A part of a path, decoded. What is no UTF-8 cannot be right.
fn decoded(part: &str) -> String {
    percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned()
}
