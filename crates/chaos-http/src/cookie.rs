//! Session cookies, kept byte for byte as the server sent them.

use std::fmt;

use http::HeaderValue;
use http::header::{HeaderMap, SET_COOKIE};
use secrecy::{ExposeSecret, SecretString};

/// One cookie: exactly the `name=value` that the server sent, up to the first `;`.
///
/// vCenter's session cookie has a value in double quotes and carries `Secure`; a cookie jar that follows RFC 6265 may
/// strip the former and will not send the latter over plain HTTP to a simulator. This type does neither: it keeps the
/// bytes, ignores all attributes and knows nothing of time. Whoever logs in holds it, replaces it by the newest one and
/// drops it before logging in again. The value is a secret.
///
/// ```
/// use chaos_http::{HeaderMap, SessionCookie};
///
/// let mut headers = HeaderMap::new();
/// headers.append("set-cookie", "vmware_soap_session=\"52ab\"; Path=/; HttpOnly; Secure;".parse().unwrap());
/// let cookie = SessionCookie::from_headers(&headers, "vmware_soap_session").unwrap();
/// assert_eq!(cookie.to_header(), "vmware_soap_session=\"52ab\"");
/// assert_eq!(format!("{cookie:?}"), "SessionCookie(vmware_soap_session=***)");
/// ```
#[derive(Clone)]
pub struct SessionCookie {
    name: String,
    pair: SecretString,
}

impl SessionCookie {
    /// The last cookie called `name` that an answer sets. None if it sets none, or sets it empty, which is how a server
    /// takes a cookie back.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap, name: &str) -> Option<Self> {
        let mut pairs = headers.get_all(SET_COOKIE).iter().filter_map(|header| {
            let text = header.to_str().ok()?;
            let pair = text.split(';').next().unwrap_or(text).trim();
            let (found, value) = pair.split_once('=')?;
            (found.trim_end() == name).then_some((pair, value))
        });
        let (pair, value) = pairs.next_back()?;
        let cleared = value.trim_matches(['"', ' ']).is_empty();
        (!cleared).then(|| Self { name: name.to_owned(), pair: SecretString::from(pair) })
    }

    /// The value as it was sent, with its double quotes if it has any.
    #[must_use]
    pub fn value(&self) -> SecretString {
        let pair = self.pair.expose_secret();
        SecretString::from(pair.split_once('=').map_or("", |(_, value)| value))
    }

    /// The `Cookie` header that sends it back, marked as sensitive.
    ///
    /// # Panics
    /// Never: the pair was a header's value before.
    #[must_use]
    pub fn to_header(&self) -> HeaderValue {
        let mut header =
            HeaderValue::from_str(self.pair.expose_secret()).expect("a part of a valid header value is a valid one");
        header.set_sensitive(true);
        header
    }
}

impl fmt::Debug for SessionCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionCookie({}=***)", self.name)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headers(cookies: &[&str]) -> HeaderMap {
        cookies.iter().map(|text| (SET_COOKIE, HeaderValue::from_str(text).unwrap())).collect()
    }

    fn sent_back(cookies: &[&str]) -> Option<String> {
        let cookie = SessionCookie::from_headers(&headers(cookies), "sid")?;
        Some(cookie.to_header().to_str().unwrap().to_owned())
    }

    #[test]
    fn keeps_the_pair_verbatim() {
        assert_eq!(sent_back(&["sid=\"a=b \"; Path=/; Secure"]).as_deref(), Some("sid=\"a=b \""));
        assert_eq!(sent_back(&["sid=x"]).as_deref(), Some("sid=x"));
    }

    #[test]
    fn the_newest_wins_and_others_are_ignored() {
        assert_eq!(sent_back(&["sid=1", "other=9", "sid=2; HttpOnly"]).as_deref(), Some("sid=2"));
        assert_eq!(sent_back(&["sidx=1", "nonsense"]), None);
    }

    #[test]
    fn an_emptied_cookie_is_none() {
        assert_eq!(sent_back(&["sid=1", "sid=\"\"; Max-Age=0"]), None);
        assert_eq!(sent_back(&["sid="]), None);
    }

    #[test]
    fn the_value_is_kept_with_its_quotes_and_never_printed() {
        let cookie = SessionCookie::from_headers(&headers(&["sid=\"hunter2\""]), "sid").unwrap();
        assert_eq!(cookie.value().expose_secret(), "\"hunter2\"");
        let printed = format!("{cookie:?} {:?} {:?}", cookie.value(), cookie.to_header());
        assert!(!printed.contains("hunter2"), "{printed}");
    }

    proptest! {
        #[test]
        fn whatever_a_server_sets_is_sent_back_as_it_was(text in "[ -~]{0,40}") {
            let set = format!("sid={text}");
            if let Some(sent) = sent_back(&[&set]) {
                prop_assert_eq!(sent, set.split(';').next().unwrap().trim_end());
            }
        }
    }
}
