//! Loading an experiment from a URL.

use std::time::Duration;

use chaos_core::Context;
use chaos_http::{Client, Config, HeaderName, HeaderValue, Request, SafeUrl, TlsTrust, Url};
use secrecy::SecretString;

use crate::document::Document;
use crate::error::LoadError;
use crate::provider::FOR_EVER;
use crate::rules::Rules;

/// What is asked for.
const ACCEPTED: &str = "application/json, application/x-yaml";

/// How an experiment is fetched.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FetchOptions {
    /// How long the server may take in all.
    pub limit: Duration,
    /// The value of the `Authorization` header; none if the server needs none.
    pub authorization: Option<SecretString>,
    /// Whether any certificate of the server will do.
    pub any_certificate: bool,
}

impl FetchOptions {
    /// How experiments for these rules are fetched: from servers whose certificate can be trusted and that ask for no login, within
    /// a minute; by [`Rules::Compat`] they may take for ever.
    #[must_use]
    pub fn of(rules: Rules) -> Self {
        let limit = if rules.limits_providers() { Duration::from_mins(1) } else { FOR_EVER };
        Self { limit, authorization: None, any_certificate: false }
    }
}

impl Default for FetchOptions {
    fn default() -> Self {
        Self::of(Rules::default())
    }
}

impl Document {
    /// Fetches an experiment by HTTP or HTTPS, following redirects. The type of the answer says what it is:
    /// `application/json` is JSON, `application/x-yaml` and `text/yaml` are YAML, and `text/plain` is either.
    ///
    /// # Errors
    /// [`LoadError::Fetch`], and what a text can give that is no experiment.
    pub async fn fetch(cx: &Context, url: &str, options: &FetchOptions) -> Result<Self, LoadError> {
        let parsed = Url::parse(url).map_err(|error| failed(url, error.to_string()))?;
        if !["http", "https"].contains(&parsed.scheme()) {
            return Err(failed(url, format!("experiments are not loaded by `{}`", parsed.scheme())));
        }
        let url = SafeUrl::from(parsed);
        let shown = url.to_string();
        let mut config = Config::probe();
        // A server may be silent for as long as it may take.
        (config.limits.connect, config.limits.read) = (options.limit, options.limit);
        if options.any_certificate {
            config.trust = TlsTrust::Insecure;
        }
        let client = Client::new(config).map_err(|error| failed(&shown, error.to_string()))?;
        let mut request = Request::get(url, "loading an experiment")
            .header(HeaderName::from_static("accept"), HeaderValue::from_static(ACCEPTED))
            .total_limit(options.limit);
        if let Some(authorization) = &options.authorization {
            request = request
                .secret_header(HeaderName::from_static("authorization"), authorization)
                .map_err(|error| failed(&shown, error.to_string()))?;
        }
        let answer = client
            .fetch(cx, &request)
            .await
            .map_err(|error| failed(&shown, chaos_core::Error::from(error).with_causes()))?;
        if answer.status().as_u16() != 200 {
            return Err(failed(&shown, format!("the server answered with status {}", answer.status().as_u16())));
        }
        let content_type = answer.headers().get("content-type").and_then(|value| value.to_str().ok());
        let text = String::from_utf8_lossy(answer.bytes());
        match content_type {
            Some(kind) if kind.contains("application/json") => Self::from_json(&shown, &text),
            Some(kind) if kind.contains("application/x-yaml") || kind.contains("text/yaml") => {
                Self::from_yaml(&shown, &text)
            }
            Some(kind) if kind.contains("text/plain") => {
                Self::from_json(&shown, &text).or_else(|_| Self::from_yaml(&shown, &text))
            }
            Some(kind) => Err(failed(&shown, format!("`{kind}` is neither JSON nor YAML"))),
            None => Err(failed(&shown, "the answer does not say whether it is JSON or YAML".to_owned())),
        }
    }
}

fn failed(url: &str, why: String) -> LoadError {
    LoadError::Fetch { url: url.to_owned(), why }
}
