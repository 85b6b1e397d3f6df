//! Single sign-on: a token for a user name and a password, and its end.
//!
//! Source: oVirt REST API guide, "OAuth authentication".

use serde_json::json;

use super::Engine;
use super::request::Request;
use super::session::Denied;
use crate::wire::Reply;
use crate::world::Note;

const JSON: &str = "application/json";
const SCOPE: &str = "ovirt-app-api";
/// What the scope of an API user grows to.
const GRANTED: &str = "ovirt-app-api ovirt-ext=token-info:authz-search ovirt-ext=token-info:public-authz-search \
    ovirt-ext=token-info:validate ovirt-ext=token:password-access";
/// The end of an account that has none.
const NEVER: &str = "9223372036854775807";

/// Why there is no token.
struct Refused {
    code: &'static str,
    message: String,
}

impl Refused {
    fn missing(parameter: &str) -> Self {
        Self { code: "invalid_request", message: format!("Missing parameter: '{parameter}'") }
    }

    /// What asked for a scope of the API gets another shape than the rest.
    fn into_reply(self, is_api: bool) -> Reply {
        let Self { code, message } = self;
        let body = if is_api {
            json!({ "error_code": code, "error": message })
        } else {
            json!({ "error": code, "error_description": message })
        };
        Reply::new(400, "application/json;charset=UTF-8", body.to_string()).refused(format!("{code}: {message}"))
    }
}

impl Engine {
    /// `POST /sso/oauth/token`.
    pub(super) fn token(&self, request: &Request) -> Reply {
        let scope = request.form("scope").unwrap_or_default();
        let is_api = scope.split(' ').any(|scope| scope == SCOPE);
        match self.new_token(request, is_api) {
            Ok(token) => {
                let body = json!({ "access_token": token, "scope": GRANTED, "exp": NEVER, "token_type": "bearer" });
                Reply::new(200, JSON, body.to_string())
            }
            Err(refused) => refused.into_reply(is_api),
        }
    }

    fn new_token(&self, request: &Request, is_api: bool) -> Result<String, Refused> {
        let parameter = |name: &str| request.form(name).ok_or_else(|| Refused::missing(name));
        let grant = parameter("grant_type")?;
        if grant != "password" {
            let message = "The authorization grant type is not supported by the authorization server.".into();
            return Err(Refused { code: "unsupported_grant_type", message });
        }
        parameter("scope")?;
        if !is_api {
            let message = "The requested scope is invalid, unknown, or malformed.".into();
            return Err(Refused { code: "invalid_scope", message });
        }
        let (user, password) = (parameter("username")?, parameter("password")?);
        let (user, role) = self
            .sessions()
            .check(&user, &password)
            .map_err(|Denied(message)| Refused { code: "access_denied", message })?;
        // Only now, and only if it is this and nothing else.
        if request.header("accept") != Some(JSON) {
            return Err(Refused::missing("Accept Header"));
        }
        let now = self.world.clock().elapsed();
        let agent = request.header("user-agent").unwrap_or_default().to_owned();
        let token = self.sessions().open((user.clone(), role), (false, false), agent, now);
        self.note_login(&user, &request.peer);
        Ok(token)
    }

    /// `POST /services/sso-logout`: 200, whatever comes of it.
    pub(super) fn logout(&self, request: &Request) -> Reply {
        let missing = ["scope", "token"].into_iter().find(|name| request.form(name).is_none());
        if let Some(name) = missing {
            let body =
                json!({ "error": "invalid_request", "error_description": format!("Missing parameter: '{name}'") });
            return Reply::new(200, JSON, body.to_string());
        }
        let ended = request.form("token").and_then(|token| self.sessions().close(&token));
        if let Some(session) = ended {
            self.note_logout(&session.user);
        }
        Reply::new(200, JSON, "{}")
    }

    /// Writes a login into the log.
    pub(super) fn note_login(&self, user: &str, peer: &str) {
        let text = format!("User {user} connecting from '{peer}' using session logged in.");
        self.note(None, Note { code: 30, is_error: false, text, user: Some(user.to_owned()), correlation: None });
    }

    /// Writes a logout into the log.
    pub(super) fn note_logout(&self, user: &str) {
        let text = format!("User {user} logged out.");
        self.note(None, Note { code: 31, is_error: false, text, user: Some(user.to_owned()), correlation: None });
    }
}
