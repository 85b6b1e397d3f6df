//! The single sign-on service: the forms that it takes, and its JSON.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::form_urlencoded::Serializer;

/// The scope of a token for the API.
const SCOPE: &str = "ovirt-app-api";

/// The form that asks for a token with a password.
pub(crate) fn login_form(username: &str, password: &SecretString) -> SecretString {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "password")
        .append_pair("scope", SCOPE)
        .append_pair("username", username)
        .append_pair("password", password.expose_secret());
    form.finish().into()
}

/// The form that gives a token back.
pub(crate) fn logout_form(token: &SecretString) -> SecretString {
    let mut form = Serializer::new(String::new());
    form.append_pair("scope", SCOPE).append_pair("token", token.expose_secret());
    form.finish().into()
}

/// What the service answers, whatever it was asked.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SsoAnswer {
    access_token: Option<SecretString>,
    error: Option<String>,
    error_code: Option<String>,
    error_description: Option<String>,
}

/// A refusal of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SsoError {
    pub(crate) code: String,
    pub(crate) message: String,
}

impl SsoAnswer {
    /// Reads an answer; some versions wrap it in a list of one.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Wrapped {
            List([SsoAnswer; 1]),
            Bare(SsoAnswer),
        }
        match serde_json::from_slice(body).ok()? {
            Wrapped::List([answer]) | Wrapped::Bare(answer) => Some(answer),
        }
    }

    /// The token, or why there is none. An API client is told the code apart (`error_code`) and the message in `error`;
    /// everybody else the code in `error` and the message in `error_description`.
    pub(crate) fn token(self) -> Result<SecretString, SsoError> {
        match self.refusal() {
            Some(refusal) => Err(refusal),
            None => self
                .access_token
                .filter(|token| !token.expose_secret().is_empty())
                .ok_or_else(|| SsoError { code: String::new(), message: "the answer holds no token".to_owned() }),
        }
    }

    /// The refusal that it is, if it is one.
    pub(crate) fn refusal(&self) -> Option<SsoError> {
        let message = self.error_description.as_deref().or(self.error.as_deref());
        let code = self.error_code.as_deref().or(self.error.as_deref())?;
        Some(SsoError {
            code: code.to_owned(),
            message: message
                .unwrap_or(code)
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .trim_end_matches('.')
                .to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(body: &str) -> Result<String, SsoError> {
        SsoAnswer::read(body.as_bytes()).unwrap().token().map(|token| token.expose_secret().to_owned())
    }

    #[test]
    fn a_form_carries_any_password() {
        let form = login_form("jdoe@corp.example.com@AD", &"p+a&s%s ü".into());
        assert_eq!(
            form.expose_secret(),
            "grant_type=password&scope=ovirt-app-api&username=jdoe%40corp.example.com%40AD&password=p%2Ba%26s%25s+%C3%BC"
        );
        assert_eq!(logout_form(&"t".into()).expose_secret(), "scope=ovirt-app-api&token=t");
    }

    #[test]
    fn a_token_is_found_bare_and_wrapped() {
        let answer =
            r#"{"access_token":"t0k","scope":"ovirt-app-api","exp":"9223372036854775807","token_type":"bearer"}"#;
        assert_eq!(token(answer).unwrap(), "t0k");
        assert_eq!(token(&format!("[{answer}]")).unwrap(), "t0k");
    }

    #[test]
    fn both_shapes_of_a_refusal_are_understood() {
        let api = r#"{"error_code":"access_denied","error":"Cannot authenticate user 'admin@internal': Unable to log in. Verify your login information or contact the system administrator.."}"#;
        let refusal = token(api).unwrap_err();
        assert_eq!(refusal.code, "access_denied");
        assert!(refusal.message.ends_with("contact the system administrator"), "{refusal:?}");
        let other = r#"{"error":"invalid_request","error_description":"Missing parameter: 'scope'"}"#;
        let refusal = token(other).unwrap_err();
        assert_eq!(
            (refusal.code.as_str(), refusal.message.as_str()),
            ("invalid_request", "Missing parameter: 'scope'")
        );
        assert_eq!(token("{}").unwrap_err().message, "the answer holds no token");
    }

    #[test]
    fn an_answer_never_shows_its_token() {
        let answer = SsoAnswer::read(br#"{"access_token":"canary"}"#).unwrap();
        assert!(!format!("{answer:?}").contains("canary"));
    }

    #[test]
    fn what_is_no_answer_of_the_service_is_none() {
        for body in [&b"<html>"[..], b"", b"[{},{}]", b"7", b"null"] {
            assert!(SsoAnswer::read(body).is_none(), "{}", String::from_utf8_lossy(body));
        }
    }
}
