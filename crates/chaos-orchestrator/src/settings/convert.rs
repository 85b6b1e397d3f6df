//! How a text becomes a value.

/// `None` if it is neither.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// What [`boolean`] understands, for messages.
pub(crate) const BOOLEAN: &str = "use true or false (also 1/0, yes/no, on/off)";

/// `None` if it is no port that can be connected to.
pub(crate) fn port(text: &str) -> Option<u16> {
    text.trim().parse().ok().filter(|port| *port != 0)
}

/// What [`port`] understands, for messages.
pub(crate) const PORT: &str = "give a TCP port, a number from 1 to 65535";

/// The longest time that a setting may give: an hour.
const LONGEST: u64 = 3600;

/// `None` if it is no number of seconds from 1 to an hour.
pub(crate) fn seconds(text: &str) -> Option<std::time::Duration> {
    let seconds = text.trim().parse().ok().filter(|seconds| (1..=LONGEST).contains(seconds));
    seconds.map(std::time::Duration::from_secs)
}

/// What [`seconds`] understands, for messages.
pub(crate) const SECONDS: &str = "give a whole number of seconds, from 1 to 3600";

/// The port that a host or a URL comes with, also if it is the usual one of its scheme, which a URL does not keep.
pub(crate) fn explicit_port(endpoint: &str) -> Option<u16> {
    let text = endpoint.trim();
    let text = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = text.split(['/', '?', '#']).next()?;
    let after_host = authority.rsplit_once(']').map_or(authority, |(_, rest)| rest);
    port(after_host.rsplit_once(':')?.1)
}

/// `None` if it is more or less than the name or address of a host.
pub(crate) fn host(text: &str) -> Option<String> {
    let text = text.trim();
    let address = text.parse::<std::net::Ipv6Addr>().is_ok();
    let url = if address { format!("http://[{text}]") } else { format!("http://{text}") };
    let is_plain = !text.contains(['/', '@', '?', '#', '\\']) && explicit_port(&url).is_none();
    (is_plain && chaos_http::parse_endpoint(&url).is_ok()).then(|| text.to_owned())
}

/// What [`host`] understands, for messages.
pub(crate) const HOST: &str =
    "give the name or the address of the host, without scheme, user, port and path, which are keys of their own";

#[cfg(test)]
mod tests {
    use super::{explicit_port, host};

    #[test]
    fn a_port_is_seen_also_if_it_is_the_usual_one() {
        for (text, port) in [
            ("vc", None),
            ("vc:443", Some(443)),
            ("https://vc:443/sdk", Some(443)),
            ("http://[::1]:80?x", Some(80)),
            ("[::1]", None),
            ("https://vc/a:7", None),
        ] {
            assert_eq!(explicit_port(text), port, "{text}");
        }
    }

    #[test]
    fn a_host_is_a_host_and_nothing_more() {
        for fine in ["dora.example.com", "10.0.0.1", "::1", " dora "] {
            assert!(host(fine).is_some(), "{fine}");
        }
        for more in ["http://dora", "dora:8000", "u:p@dora", "dora/v1", "", "a b", "dora:80"] {
            assert_eq!(host(more), None, "{more}");
        }
    }
}
