//! A URL that prints without its secrets.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::config::ConfigError;

/// Everything that RFC 3986, section 2.3, does not leave as it is.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What stands in print for a part that is secret.
const HIDDEN: &str = "***";

/// A URL whose `Display` and `Debug` leave out the user information, the fragment, the value of every query parameter
/// and each path segment that was pushed as a secret.
///
/// ```
/// use chaos_http::{SafeUrl, SecretString, Url};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut url = SafeUrl::from(Url::parse("https://ann:pw@dora.example.com:8443/api?token=t0k3n")?);
/// url.push("sessions")?.push_secret(&SecretString::from("s3cret"))?;
/// assert_eq!(url.to_string(), "https://dora.example.com:8443/api/sessions/***?token=***");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SafeUrl {
    url: Url,
    /// The indices of the path segments that are never printed.
    secret_segments: Vec<usize>,
}

impl SafeUrl {
    /// Appends one path segment. All of it is percent-encoded but letters, digits and `-._~`. A trailing slash of the path is
    /// used up by it.
    ///
    /// # Errors
    /// [`ConfigError::Segment`] for `.` and `..`, which mean something else in a path however they are encoded.
    pub fn push(&mut self, segment: &str) -> Result<&mut Self, ConfigError> {
        if matches!(segment, "." | "..") {
            return Err(ConfigError::Segment);
        }
        let path = self.url.path();
        let path = format!("{}/{}", path.strip_suffix('/').unwrap_or(path), utf8_percent_encode(segment, RESERVED));
        // A URL that cannot have a path (`mailto:`) is refused when it is sent.
        self.url.set_path(&path);
        Ok(self)
    }

    /// Appends one path segment that is never printed.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn push_secret(&mut self, segment: &SecretString) -> Result<&mut Self, ConfigError> {
        self.push(segment.expose_secret())?;
        let count = self.url.path_segments().map_or(0, Iterator::count);
        self.secret_segments.extend(count.checked_sub(1));
        Ok(self)
    }

    /// The same URL, of which no path segment is printed for which `is_secret` holds. It gets each one decoded.
    #[must_use]
    pub fn hide_segments(mut self, is_secret: impl Fn(&str) -> bool) -> Self {
        let segments = self.url.path_segments().into_iter().flatten().enumerate();
        let secret = segments.filter(|(_, segment)| is_secret(&percent_decode_str(segment).decode_utf8_lossy()));
        let secret: Vec<usize> = secret.map(|(index, _)| index).collect();
        self.secret_segments.extend(secret);
        self
    }

    /// Appends one query parameter, percent-encoded. Only its name is ever printed.
    pub fn query(&mut self, name: &str, value: &str) -> &mut Self {
        self.url.query_pairs_mut().append_pair(name, value);
        self
    }

    /// The host, for messages. An IPv6 address stands in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The URL with all its secrets, to be sent and never to be printed.
    #[must_use]
    pub fn expose(&self) -> &Url {
        &self.url
    }
}

impl From<Url> for SafeUrl {
    fn from(url: Url) -> Self {
        Self { url, secret_segments: Vec::new() }
    }
}

impl From<&Url> for SafeUrl {
    fn from(url: &Url) -> Self {
        Self::from(url.clone())
    }
}

impl fmt::Display for SafeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.url.scheme(), self.host())?;
        if let Some(port) = self.url.port() {
            write!(f, ":{port}")?;
        }
        for (index, segment) in self.url.path_segments().into_iter().flatten().enumerate() {
            let shown = if self.secret_segments.contains(&index) { HIDDEN } else { segment };
            write!(f, "/{shown}")?;
        }
        if self.url.query().is_some() {
            for (index, (name, value)) in self.url.query_pairs().enumerate() {
                f.write_str(if index == 0 { "?" } else { "&" })?;
                // A bare word may be the secret itself.
                if !value.is_empty() {
                    // The name is decoded: `escape_debug` keeps a line break out of the log.
                    write!(f, "{}=", name.escape_debug())?;
                }
                f.write_str(HIDDEN)?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for SafeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_that_holds_a_secret_is_not_printed() {
        let url = SafeUrl::from(Url::parse("https://h/a/x%2Ds3cret/b").unwrap());
        let url = url.hide_segments(|segment| segment.contains("-s3cret"));
        assert_eq!(url.to_string(), "https://h/a/***/b");
        assert_eq!(url.expose().path(), "/a/x%2Ds3cret/b");
    }

    fn safe(text: &str) -> SafeUrl {
        SafeUrl::from(Url::parse(text).unwrap())
    }

    #[test]
    fn prints_what_is_harmless() {
        assert_eq!(safe("https://vc.example.com/sdk").to_string(), "https://vc.example.com/sdk");
        assert_eq!(safe("http://[::1]:8989/").to_string(), "http://[::1]:8989/");
    }

    #[test]
    fn hides_user_query_and_fragment() {
        let url = safe("https://user:hunter2@h/a/b?password=hunter2&max=5#hunter2");
        assert_eq!(url.to_string(), "https://h/a/b?password=***&max=***");
        assert_eq!(format!("{url:?}"), "\"https://h/a/b?password=***&max=***\"");
    }

    #[test]
    fn a_query_without_names_is_hidden_too() {
        assert_eq!(safe("https://h/?hunter2&a=1").to_string(), "https://h/?***&a=***");
    }

    #[test]
    fn hides_secret_segments_whatever_their_characters() {
        let mut url = safe("https://h/api/");
        let secret = SecretString::from("a/b c%41+&;@:'\u{e9}~");
        url.push("login").unwrap().push_secret(&secret).unwrap().push("end").unwrap();
        assert_eq!(url.to_string(), "https://h/api/login/***/end");
        assert_eq!(url.expose().as_str(), "https://h/api/login/a%2Fb%20c%2541%2B%26%3B%40%3A%27%C3%A9~/end");
    }

    #[test]
    fn what_would_lead_elsewhere_in_the_path_is_refused() {
        let mut url = safe("https://h/api/");
        for segment in [".", ".."] {
            let error = url.push_secret(&SecretString::from(segment)).unwrap_err();
            assert!(error.to_string().contains("path"), "{error}");
        }
        url.push("...").unwrap().push("%2e%2e").unwrap();
        assert_eq!(url.expose().as_str(), "https://h/api/.../%252e%252e");
    }
}
