//! Who makes a request, and how that is turned down.
//!
//! Source: oVirt REST API guide, "Authentication" and "Sessions".

use http::{HeaderName, HeaderValue, header};

use super::Engine;
use super::page;
use super::request::Request;
use super::session::Denied;
use crate::accounts::Role;
use crate::wire::Reply;

const COOKIE: &str = "JSESSIONID";
const DEAD_TOKEN: &str = "invalid_grant: The provided authorization grant for the auth code has expired.";

/// Who makes a request.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// With its profile.
    pub(super) user: String,
    pub(super) role: Role,
    /// Whether only what belongs to the user is shown.
    pub(super) is_filtered: bool,
    /// Headers of the answer that keep a session.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
}

/// What a request shows of whoever makes it.
enum Credential {
    Bearer(String),
    Basic(String, String),
    None,
}

impl Engine {
    /// Tells who makes a request to the API, or the answer that turns it down.
    pub(super) fn authenticate(&self, request: &Request) -> Result<Caller, Reply> {
        let now = self.world.clock().elapsed();
        let is_persistent = request.prefers("persistent-auth");
        let cookie = cookie(request).filter(|_| !request.prefers("new-auth"));
        let live = cookie.and_then(|cookie| Some((self.sessions().touch(cookie, true, now)?, cookie)));
        if let Some((session, cookie)) = live {
            if session.is_guarded && request.header(COOKIE) != Some(cookie) {
                return Err(page::container(403, "Forbidden"));
            }
            if !is_persistent {
                self.sessions().close(cookie);
                self.note_logout(&session.user);
            }
            return Ok(caller(session.user, session.role, request));
        }
        match credential(request) {
            Credential::Bearer(token) => {
                let session = self.sessions().touch(&token, false, now).ok_or_else(|| unauthorized(DEAD_TOKEN))?;
                Ok(caller(session.user, session.role, request))
            }
            Credential::Basic(user, password) => {
                let checked = self.sessions().check(&user, &password);
                let (user, role) =
                    checked.map_err(|Denied(message)| unauthorized(&format!("access_denied: {message}")))?;
                if self.sessions().is_noted(&user, now) {
                    self.note_login(&user, &request.peer);
                }
                let mut caller = caller(user.clone(), role, request);
                if is_persistent {
                    let agent = request.header("user-agent").unwrap_or_default().to_owned();
                    let is_guarded = request.prefers("csrf-protection");
                    let value = self.sessions().open((user, role), (true, is_guarded), agent, now);
                    let cookie = format!("{COOKIE}={value}; path=/ovirt-engine/api; secure; HttpOnly");
                    let minutes = self.sessions().idle_limit.as_secs() / 60;
                    caller.headers.extend(HeaderValue::try_from(cookie).ok().map(|value| (header::SET_COOKIE, value)));
                    caller.headers.push((HeaderName::from_static("session-ttl"), HeaderValue::from(minutes)));
                }
                Ok(caller)
            }
            Credential::None => Err(unauthorized("Unauthorized")),
        }
    }

    /// The key of the live session that a request comes with.
    pub(super) fn session_key(&self, request: &Request) -> Option<String> {
        let sessions = self.sessions();
        let secret = secret(request)?;
        sessions.peek(&secret).map(|session| session.key.clone())
    }

    /// Ends the session that a request comes with.
    pub(crate) fn kill_session_of(&self, request: &Request) {
        if let Some(secret) = secret(request) {
            self.sessions().close(&secret);
        }
    }
}

fn caller(user: String, role: Role, request: &Request) -> Caller {
    let is_filtered = request.flag("filter", "filter").unwrap_or(role != Role::Administrator);
    Caller { user, role, is_filtered, headers: Vec::new() }
}

fn unauthorized(text: &str) -> Reply {
    page::container(401, text).with(header::WWW_AUTHENTICATE, "Basic realm=\"RESTAPI\"")
}

/// The token or the cookie of a request.
fn secret(request: &Request) -> Option<String> {
    match credential(request) {
        Credential::Bearer(token) => Some(token),
        Credential::Basic(..) | Credential::None => cookie(request).map(str::to_owned),
    }
}

fn credential(request: &Request) -> Credential {
    let value = request.header(header::AUTHORIZATION.as_str()).unwrap_or_default();
    let (scheme, rest) = value.split_once(' ').unwrap_or_default();
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Credential::Bearer(rest.trim().to_owned()),
        "basic" => base64(rest.trim())
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|text| text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned())))
            .map_or(Credential::None, |(user, password)| Credential::Basic(user, password)),
        _ => Credential::None,
    }
}

fn cookie(request: &Request) -> Option<&str> {
    let cookies = request.headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

/// The bytes of a text in base64; none if it is no such text.
fn base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut held, mut bits) = (0_u32, 0_u32);
    for letter in text.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        held = (held << 6) | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xFF).unwrap_or_default());
            held &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_read_with_and_without_padding() {
        for (text, plain) in [("", ""), ("YQ==", "a"), ("YWI=", "ab"), ("YWJj", "abc"), ("w7x+Pz8/", "ü~???")] {
            assert_eq!(base64(text).as_deref(), Some(plain.as_bytes()), "{text}");
        }
        assert_eq!(base64("a b"), None);
    }
}
