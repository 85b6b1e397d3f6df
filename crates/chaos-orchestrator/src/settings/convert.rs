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
