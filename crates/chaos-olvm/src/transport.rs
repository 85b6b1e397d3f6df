//! One exchange with the engine's web server: a request out, an answer read within bounds. Knows credentials, but not what a
//! session is.

use std::time::Duration;

use chaos_core::{Context, Error};
use chaos_http::{
    Answer, Client, HeaderMap, HeaderName, HeaderValue, Method, Response, SessionCookie, StatusCode, Url, header,
};
use chaos_xml::{Limits, Node, Records, Tree, XmlStream};
use secrecy::{ExposeSecret, SecretString};

use crate::api::VOCABULARY;
use crate::api::fault::Fault;
use crate::api::page;
use crate::api::request::Request;
use crate::api::token::SsoAnswer;
use crate::config::{Config, View};
use crate::error::{CallError, Cause};

const XML: &str = "application/xml";
const FORM: &str = "application/x-www-form-urlencoded";
const CORRELATION_ID: HeaderName = HeaderName::from_static("correlation-id");
const VERSION: HeaderName = HeaderName::from_static("version");
const FILTER: HeaderName = HeaderName::from_static("filter");
const PREFER: HeaderName = HeaderName::from_static("prefer");
/// The cookie of a session that Basic authentication keeps.
const COOKIE: &str = "JSESSIONID";

/// What proves the account to the API.
#[derive(Debug, Clone)]
pub(crate) enum Credential {
    /// A token of the single sign-on service.
    Token(SecretString),
    /// User and password with every request, and the session that the engine keeps for them.
    Basic { username: String, password: SecretString, cookie: Option<SessionCookie> },
}

impl Credential {
    /// The session that it is kept in, if it is in one.
    pub(crate) fn cookie(&self) -> Option<&SessionCookie> {
        match self {
            Self::Token(_) => None,
            Self::Basic { cookie, .. } => cookie.as_ref(),
        }
    }
}

/// Sends requests to one engine. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Transport {
    http: Client,
    /// Below it are the API, the single sign-on service and the other applications of the engine.
    engine: Url,
    view: View,
    /// How long the engine may be silent within an action: starting a VM may have to wait for a place.
    action_limit: Duration,
}

impl Transport {
    /// Makes the client. Connects to nothing.
    pub(crate) fn new(config: &Config) -> Result<Self, Error> {
        let engine = config.engine()?;
        let mut http = chaos_http::Config::platform();
        http.trust = config.trust.clone();
        http.limits.read = config.read_limit;
        let http = Client::new(http)?;
        Ok(Self { http, engine, view: config.view, action_limit: config.read_limit.saturating_mul(2) })
    }

    /// The engine's host, for people, with its port if that is not the scheme's own.
    pub(crate) fn host(&self) -> String {
        let host = self.engine.host_str().unwrap_or_default();
        self.engine.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Asks the single sign-on service something by a form.
    pub(crate) async fn sso(
        &self,
        cx: &Context,
        operation: &'static str,
        path: &str,
        form: &SecretString,
        repeat: Repeat,
    ) -> Result<SsoAnswer, CallError> {
        let exchange = async {
            let mut request = chaos_http::Request::post(self.url(path, None), operation)
                // Exactly this: the service authenticates and then refuses any other.
                .header(header::ACCEPT, HeaderValue::from_static("application/json"))
                .body(FORM, form.expose_secret().to_owned())
                .response_bytes(Limits::SMALL.document_bytes);
            if repeat == Repeat::Safe {
                request = request.idempotent();
            }
            let answer = self.http.fetch(cx, &request).await?;
            match SsoAnswer::read(answer.bytes()) {
                Some(read) => Ok(read),
                None => Err(not_an_answer(&answer)),
            }
        };
        exchange.await.map_err(|cause| CallError { operation, method: Method::POST, cause })
    }

    /// Makes a call with a small answer and reads that.
    pub(crate) async fn call<T>(
        &self,
        cx: &Context,
        request: &Request,
        credential: &Credential,
        read: impl FnOnce(StatusCode, Node<'_>) -> Result<T, Cause>,
    ) -> Result<(T, Option<SessionCookie>), CallError> {
        let exchange = async {
            let http = self.http_request(request, credential)?.response_bytes(Limits::SMALL.document_bytes);
            let answer = self.http.fetch(cx, &http).await?;
            let tree = small(&answer)?;
            let root = tree.root().ok_or_else(|| Cause::Document(String::new()))?;
            Ok((read(answer.status(), root)?, cookie(answer.headers())))
        };
        exchange.await.map_err(|cause| failed(request, cause))
    }

    /// Makes a call whose answer is a list, and hands out each member as soon as it is there.
    pub(crate) async fn list(
        &self,
        cx: &Context,
        request: &Request,
        credential: &Credential,
        list: List,
        each: &mut (dyn FnMut(Node<'_>) + Send),
    ) -> Result<Option<SessionCookie>, CallError> {
        let exchange = async {
            let http = self.http_request(request, credential)?.response_bytes(Limits::STREAMED.document_bytes);
            let mut response = self.http.send(cx, &http).await?;
            if response.status() != StatusCode::OK || !is_xml(response.headers()) {
                return Err(refusal(response).await);
            }
            let cookie = cookie(response.headers());
            let mut stream =
                XmlStream::new(Limits::STREAMED, &VOCABULARY, Some(Records { depth: 2, name: list.member }));
            let mut each = |node: Node<'_>| {
                each(node);
                Ok::<(), Cause>(())
            };
            while let Some(chunk) = response.chunk().await? {
                stream.push(&chunk, &mut each)?;
            }
            let root = stream.finish()?.root().map(|root| root.name().to_owned()).unwrap_or_default();
            if root == list.root { Ok(cookie) } else { Err(Cause::Document(root)) }
        };
        exchange.await.map_err(|cause| failed(request, cause))
    }

    /// Ends the session of a cookie: a request that carries it and does not ask to keep it.
    pub(crate) async fn end_session(&self, cx: &Context, cookie: &SessionCookie) -> Result<(), CallError> {
        let entry_point = Request::entry_point();
        let request = chaos_http::Request::get(self.url("api", None), entry_point.operation)
            .header(header::ACCEPT, HeaderValue::from_static(XML))
            .cookie(cookie)
            .idempotent();
        let answer = self.http.fetch(cx, &request).await;
        answer.map(drop).map_err(|error| failed(&entry_point, error.into()))
    }

    fn url(&self, path: &str, query: Option<&str>) -> Url {
        let mut url = self.engine.clone();
        let path = format!("{}{path}", url.path());
        url.set_path(&path);
        url.set_query(query);
        url
    }

    fn http_request(&self, request: &Request, credential: &Credential) -> Result<chaos_http::Request, Cause> {
        let url = self.url(&format!("api{}", request.path), request.query.as_deref());
        let mut http = chaos_http::Request::new(request.method.clone(), url, request.operation)
            .header(header::ACCEPT, HeaderValue::from_static(XML))
            .header(VERSION, HeaderValue::from_static("4"))
            // Some refusals are told apart by their texts.
            .header(header::ACCEPT_LANGUAGE, HeaderValue::from_static("en-US"));
        if self.view == View::OwnObjects {
            http = http.header(FILTER, HeaderValue::from_static("true"));
        }
        if let Some(correlation) = request.correlation.as_deref().and_then(|id| HeaderValue::from_str(id).ok()) {
            http = http.header(CORRELATION_ID, correlation);
        }
        http = match credential {
            Credential::Token(token) => http.bearer(token).map_err(unsendable)?,
            Credential::Basic { username, password, cookie } => {
                let http = http.basic(username, password).map_err(unsendable)?;
                let http = http.header(PREFER, HeaderValue::from_static("persistent-auth"));
                match cookie {
                    Some(cookie) => http.cookie(cookie),
                    None => http,
                }
            }
        };
        http = match &request.body {
            Some(body) => http.body(XML, body.clone()).read_limit(self.action_limit),
            None => http.idempotent(),
        };
        Ok(http)
    }
}

/// Whether a form may be sent again after its answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Sending it twice does what sending it once does.
    Safe,
    /// It may count: a wrong password, say.
    Unsafe,
}

/// A list in an answer: the name of its root, and of each of its members.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List {
    pub(crate) root: &'static str,
    pub(crate) member: &'static str,
}

impl List {
    pub(crate) const VMS: Self = Self { root: "vms", member: "vm" };
    pub(crate) const HOSTS: Self = Self { root: "hosts", member: "host" };
    pub(crate) const CLUSTERS: Self = Self { root: "clusters", member: "cluster" };
    // The path has no underscore, the elements do.
    pub(crate) const DATACENTERS: Self = Self { root: "data_centers", member: "data_center" };
    pub(crate) const EVENTS: Self = Self { root: "events", member: "event" };
    pub(crate) const PERMISSIONS: Self = Self { root: "permissions", member: "permission" };
    pub(crate) const PERMITS: Self = Self { root: "permits", member: "permit" };
}

fn failed(request: &Request, cause: Cause) -> CallError {
    CallError { operation: request.operation, method: request.method.clone(), cause }
}

fn unsendable(error: chaos_http::ConfigError) -> Cause {
    Cause::Ended(error.into())
}

fn cookie(headers: &HeaderMap) -> Option<SessionCookie> {
    SessionCookie::from_headers(headers, COOKIE)
}

fn is_xml(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(XML))
}

/// The document of an answer that says yes.
fn small(answer: &Answer) -> Result<Tree, Cause> {
    if !answer.status().is_success() || !is_xml(answer.headers()) {
        return Err(not_an_answer(answer));
    }
    Ok(XmlStream::read_all(answer.bytes(), Limits::SMALL, &VOCABULARY)?)
}

async fn refusal(response: Response) -> Cause {
    match response.read().await {
        Ok(answer) => not_an_answer(&answer),
        Err(error) => error.into(),
    }
}

/// What an answer means that is not the one that was asked for.
fn not_an_answer(answer: &Answer) -> Cause {
    let status = answer.status();
    if is_xml(answer.headers()) {
        let tree = match XmlStream::read_all(answer.bytes(), Limits::SMALL, &VOCABULARY) {
            Ok(tree) => tree,
            Err(error) => return error.into(),
        };
        let Some(root) = tree.root() else { return Cause::Document(String::new()) };
        return match Fault::read(status, root) {
            Some(fault) => Cause::Fault(Box::new(fault)),
            None if status.is_success() => Cause::Document(root.name().to_owned()),
            None => Cause::Page { status, page: String::new() },
        };
    }
    match status {
        StatusCode::UNAUTHORIZED => Cause::Unauthenticated(page::text(answer.bytes())),
        // The engine's own 404 is empty; a page is of the web server's.
        StatusCode::NOT_FOUND if answer.bytes().is_empty() => Cause::NotFound,
        _ => Cause::Page { status, page: page::text(answer.bytes()) },
    }
}
