//! Provider `http`: one request, as Chaos Toolkit makes it, and its answer as a value.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chaos_core::{Context, Error, ErrorKind};
use chaos_http::{
    Answer, Client, Config, HeaderMap, HeaderName, HeaderValue, HttpError, HttpErrorKind, Method, Request, SafeUrl,
    TimeLimit, TlsTrust, Url,
};
use secrecy::ExposeSecret;
use serde_json::{Map, Value};

use super::{FOR_EVER, Fields, http_body, in_front, netrc};
use crate::mask::{MASK, Masker, is_secret_name};
use crate::native::seconds;
use crate::python;

/// How long a request may take as a whole where its own `timeout` does not ask for more.
const LIMIT: Duration = Duration::from_mins(1);

/// The redirects that are followed.
const REDIRECTS: usize = 30;

/// A request to send.
#[derive(Debug, Clone)]
pub(crate) struct HttpCall {
    request: Request,
    method: Method,
    url: SafeUrl,
    client: ClientKey,
}

/// What tells one client from another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ClientKey {
    verify_tls: bool,
    connect: Option<Duration>,
    attempts: u32,
}

/// The clients of a run, each made when it is first needed: a run without requests never opens the store of certificates.
#[derive(Debug, Default)]
pub(crate) struct HttpClients(Mutex<Vec<(ClientKey, Client)>>);

impl HttpClients {
    fn get(&self, key: &ClientKey) -> Result<Client, Error> {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = clients.iter().find(|(known, _)| known == key) {
            return Ok(client.clone());
        }
        let mut config = Config::probe();
        config.follow_redirects = false;
        config.retry.attempts = key.attempts;
        config.retry.statuses = false;
        if let Some(connect) = key.connect {
            config.limits.connect = connect;
        }
        if !key.verify_tls {
            config.trust = TlsTrust::Insecure;
        }
        let client = Client::new(config)?;
        clients.push((key.clone(), client.clone()));
        Ok(client)
    }
}

impl HttpCall {
    pub(super) fn read(fields: &mut Fields<'_, '_>) -> Option<Self> {
        let method = read_method(fields);
        let url = read_url(fields);
        let headers = read_headers(fields);
        let (limits, verify_tls, retries) = (read_limits(fields), read_verify_tls(fields), read_retries(fields));
        let arguments = fields.substituted("arguments");
        if let Some(arguments) = &arguments {
            note_inner_secrets(arguments, fields);
        }
        let (method, mut url, headers) = (method?, url?, headers?);
        let (limits, verify_tls, retries) = (limits?, verify_tls?, retries?);

        let mut body = None;
        if let Some(arguments) = &arguments {
            if method == Method::GET {
                http_body::extend_query(&mut url, arguments)
            } else {
                http_body::encode(arguments, is_declared_json(fields)).map(|encoded| body = Some(encoded))
            }
            .map_err(|why| fields.refuse("arguments", why))
            .ok()?;
        }
        let masker = Masker::new(fields.reading.variables, fields.reading.secrets.iter().cloned());
        let url = SafeUrl::from(url).hide_segments(|segment| masker.text(segment) != segment);
        let mut request = Request::new(method.clone(), url.clone(), "request").total_limit(limits.total());
        if let Some(read) = limits.read {
            request = request.read_limit(read);
        }
        // Only these are sent again after a failure that may have come after their execution (RFC 9110, section 9.2.2).
        if method.is_idempotent() {
            request = request.idempotent();
        }
        if let Some((content_type, body)) = body {
            request = match content_type {
                Some(content_type) => request.body(content_type, body),
                None => request.untyped_body(body),
            };
        }
        if let Some((user, password)) = netrc::credentials(&url).filter(|_| !headers.iter().any(is_authorization)) {
            fields.reading.secrets.insert(password.expose_secret().to_owned());
            // What no header can carry is not sent.
            request = request.clone().basic(&user, &password).unwrap_or(request);
        }
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let client = ClientKey { verify_tls, connect: limits.connect, attempts: retries.saturating_add(1) };
        Some(Self { request, method, url, client })
    }

    /// Sends it, and what the answers to it ask for instead.
    async fn follow(&self, cx: &Context, client: &Client) -> Result<Answer, Error> {
        let mut request = self.request.clone();
        for _ in 0..=REDIRECTS {
            let answer = client.fetch(cx, &request).await.map_err(|error| self.told(error))?;
            let location = answer.headers().get("location").and_then(|location| location.to_str().ok());
            match location.and_then(|location| request.redirected(answer.status(), location)) {
                Some(next) => request = next,
                None => return Ok(answer),
            }
        }
        Err(Error::new(ErrorKind::Failed, format!("{} redirects more than {REDIRECTS} times", self.url)))
    }

    /// The same with this as its body.
    pub(super) fn telling(mut self, what: &Value) -> Self {
        self.request = self.request.body(http_body::JSON, what.to_string());
        self
    }

    /// An error with the words in front that people look for.
    fn told(&self, error: HttpError) -> Error {
        use HttpErrorKind::{Connect, Interrupted, TimedOut, Tls};
        let is_late = matches!(error.kind(), TimedOut(TimeLimit::Read | TimeLimit::Total));
        let is_lost = matches!(error.kind(), Connect | Interrupted | Tls | TimedOut(TimeLimit::Connect));
        let error = Error::from(error);
        if is_late && self.client.attempts <= 1 {
            in_front("activity took too long to complete", &error)
        } else if is_late || is_lost {
            in_front(&format!("failed to connect to {}", self.url), &error)
        } else {
            error
        }
    }

    pub(super) fn method(&self) -> &Method {
        &self.method
    }

    /// The URL, which prints without user, password and values of parameters.
    pub(super) fn url(&self) -> &SafeUrl {
        &self.url
    }

    /// Sends it and gives the answer, of whatever status.
    pub(super) async fn send(&self, cx: &Context, clients: &HttpClients) -> Result<Value, Error> {
        let answer = self.follow(cx, &clients.get(&self.client)?).await?;
        let status = answer.status();
        if status.is_client_error() || status.is_server_error() {
            tracing::warn!(url = %self.url, status = status.as_u16(), "the server answered with an error status");
        }
        let mut output = Map::new();
        output.insert("status".to_owned(), status.as_u16().into());
        output.insert("headers".to_owned(), shown_headers(answer.headers()));
        output.insert("body".to_owned(), http_body::decode(answer.headers(), answer.bytes()));
        Ok(Value::Object(output))
    }
}

fn is_authorization((name, _): &(HeaderName, HeaderValue)) -> bool {
    name.as_str() == "authorization"
}

/// The headers of an answer; those of one name are joined, and what keeps a session is masked.
fn shown_headers(headers: &HeaderMap) -> Value {
    let shown = headers.keys().map(|name| {
        let values = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
        let value = if is_secret_name(name.as_str()) { MASK.to_owned() } else { values.collect::<Vec<_>>().join(", ") };
        (canonical(name.as_str()), Value::String(value))
    });
    Value::Object(shown.collect())
}

/// The name of a header as people write it, such as `Content-Type`: the library knows it in lower case only.
fn canonical(name: &str) -> String {
    let mut upper = true;
    let each = name.chars().map(|c| {
        let shown = if upper { c.to_ascii_uppercase() } else { c };
        upper = c == '-';
        shown
    });
    each.collect()
}

fn read_method(fields: &mut Fields<'_, '_>) -> Option<Method> {
    let declared = fields.get("method").map_or(Some("GET"), Value::as_str).unwrap_or_default();
    let method = Method::from_bytes(declared.to_ascii_uppercase().as_bytes()).ok();
    if method.is_none() {
        fields.refuse("method", "this has to be a method of HTTP, such as GET or POST");
    }
    method
}

fn read_url(fields: &mut Fields<'_, '_>) -> Option<Url> {
    fields.required_text("url")?;
    let text = python::text(&fields.always_substituted("url").unwrap_or_default());
    let url = match Url::parse(text.trim()) {
        Ok(url) if ["http", "https"].contains(&url.scheme()) => url,
        // Neither is repeated: what stands in the place of a URL may be a secret.
        Ok(_) => {
            fields.refuse("url", "a URL of this provider begins with http:// or https://");
            return None;
        }
        Err(error) => {
            fields.refuse("url", format!("this is no URL: {error}"));
            return None;
        }
    };
    let secrets = &mut *fields.reading.secrets;
    secrets.extend(url.password().map(str::to_owned));
    let parameters = url.query_pairs().filter(|(name, _)| is_secret_name(name));
    secrets.extend(parameters.map(|(_, value)| value.into_owned()));
    Some(url)
}

/// The headers, whose values become texts. One that is null is left out.
fn read_headers(fields: &mut Fields<'_, '_>) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let map = match fields.always_substituted("headers") {
        None => return Some(Vec::new()),
        Some(Value::Object(map)) => map,
        Some(_) => {
            fields.refuse("headers", "headers are a mapping of names to values");
            return None;
        }
    };
    let mut headers = Vec::with_capacity(map.len());
    let mut well = true;
    for (name, value) in map.iter().filter(|(_, value)| !value.is_null()) {
        let text = python::text(value);
        if is_secret_name(name) {
            // `Bearer …` and `Basic …` are known by the word that follows as well.
            fields.reading.secrets.extend(text.split_whitespace().nth(1).map(str::to_owned));
            fields.reading.secrets.insert(text.clone());
        }
        if let (Ok(name), Ok(mut value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(text.as_bytes()))
        {
            value.set_sensitive(true);
            headers.push((name, value));
        } else {
            fields.refuse("headers", format!("the header `{}` cannot be sent", name.escape_debug()));
            well = false;
        }
    }
    well.then_some(headers)
}

/// Whether the body is to be JSON: only for exactly this name and value.
fn is_declared_json(fields: &Fields<'_, '_>) -> bool {
    let declared = fields.get("headers").map(|headers| fields.reading.variables.substitute_always(headers).value);
    declared.is_some_and(|headers| headers.get("Content-Type").is_some_and(|value| value == http_body::JSON))
}

/// The time limits that a `timeout` asks for.
#[derive(Default)]
struct Limits {
    connect: Option<Duration>,
    read: Option<Duration>,
}

impl Limits {
    fn total(&self) -> Duration {
        LIMIT.max(self.connect.unwrap_or_default().saturating_add(self.read.unwrap_or_default()))
    }
}

/// `timeout` is one time for connecting and for silence each, or a list of both.
fn read_limits(fields: &mut Fields<'_, '_>) -> Option<Limits> {
    let time = |value: &Value| seconds(value).filter(|time| !time.is_zero());
    let limits = match fields.always_substituted("timeout") {
        None if fields.reading.rules.limits_providers() => return Some(Limits::default()),
        None => return Some(Limits { connect: Some(FOR_EVER), read: Some(FOR_EVER) }),
        Some(Value::Array(both)) => match both.as_slice() {
            [connect, read] => time(connect).zip(time(read)),
            _ => None,
        },
        Some(one) => time(&one).map(|time| (time, time)),
    };
    if limits.is_none() {
        fields.refuse("timeout", "this has to be seconds, more than 0, or a list of two: to connect and of silence");
    }
    limits.map(|(connect, read)| Limits { connect: Some(connect), read: Some(read) })
}

fn read_verify_tls(fields: &mut Fields<'_, '_>) -> Option<bool> {
    let verify = fields.get("verify_tls").map_or(Some(true), Value::as_bool);
    if verify.is_none() {
        fields.refuse("verify_tls", "this has to be true or false");
    }
    verify
}

fn read_retries(fields: &mut Fields<'_, '_>) -> Option<u32> {
    let retries = fields.get("max_retries").map_or(Some(0), Value::as_u64).and_then(|retries| retries.try_into().ok());
    if retries.is_none() {
        fields.refuse("max_retries", "this has to be a whole number, 0 or more");
    }
    retries
}

/// Notes the values whose name says that they are secret, at any depth.
pub(super) fn note_secrets(arguments: &Map<String, Value>, fields: &mut Fields<'_, '_>) {
    for (name, value) in arguments {
        match value {
            Value::String(text) if is_secret_name(name) => {
                fields.reading.secrets.insert(text.clone());
            }
            other => note_inner_secrets(other, fields),
        }
    }
}

fn note_inner_secrets(value: &Value, fields: &mut Fields<'_, '_>) {
    match value {
        Value::Object(map) => note_secrets(map, fields),
        Value::Array(items) => items.iter().for_each(|item| note_inner_secrets(item, fields)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
