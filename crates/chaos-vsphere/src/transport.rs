//! One exchange with the server: an envelope out, an answer read within bounds. Knows cookies, but not what a session
//! is.

use chaos_core::{Context, Error, ErrorKind, PlatformKind};
use chaos_http::{Client, HeaderName, HeaderValue, SessionCookie, StatusCode, Url};
use chaos_xml::{Limits, Node, Tree, XmlStream};

use crate::config::Config;
use crate::error::{CallError, Cause};
use crate::soap::envelope::envelope;
use crate::soap::node::{VIM, VimNode};
use crate::vim::{Answer, Effect, ObjectContent, Page, Request};

/// The session's cookie.
const COOKIE: &str = "vmware_soap_session";
const SOAP_ACTION: HeaderName = HeaderName::from_static("soapaction");
const CONTENT_TYPE: &str = "text/xml; charset=\"utf-8\"";

/// The API versions that this client asks for, best first. A server behaves as the version that it is asked for, so an
/// old one that suffices keeps types out which this client has never heard of.
const VERSIONS: &[&str] =
    &["7.0.3.0", "7.0.2.0", "7.0.1.0", "7.0", "6.7.3", "6.7.2", "6.7.1", "6.7", "6.5", "6.0", "5.5"];

/// Sends envelopes to one server. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Transport {
    http: Client,
    sdk: Url,
    /// `urn:vim25/VERSION`, once that is agreed on.
    action: HeaderValue,
}

impl Transport {
    /// Makes the client and agrees on an API version: one request.
    pub(crate) async fn open(cx: &Context, config: &Config) -> Result<Self, Error> {
        let sdk = config.sdk()?;
        let mut http = chaos_http::Config::platform();
        http.trust = config.trust.clone();
        http.limits.read = config.read_limit;
        let http = Client::new(http)?;
        let version = negotiate(cx, &http, &sdk).await.map_err(|error| error.platform(PlatformKind::VSPHERE))?;
        tracing::debug!(version, "the API version is agreed on");
        let action = HeaderValue::from_str(&format!("urn:vim25/{version}"))
            .map_err(|_| Error::new(ErrorKind::Protocol, "the API version cannot be sent"))?;
        Ok(Self { http, sdk, action })
    }

    /// The host, for people.
    pub(crate) fn host(&self) -> &str {
        self.sdk.host_str().unwrap_or_default()
    }

    /// Makes a call with a small answer, and says which cookie the answer sets.
    pub(crate) async fn call<T>(
        &self,
        cx: &Context,
        request: &Request<T>,
        cookie: Option<&SessionCookie>,
    ) -> Result<(T, Option<SessionCookie>), CallError> {
        let exchange = async {
            let http = self.http_request(cx, request, cookie).response_bytes(Limits::SMALL.document_bytes);
            let answer = self.http.fetch(cx, &http).await?;
            check_status(answer.status())?;
            let tree = read_small(answer.status(), answer.bytes())?;
            let value = request.read(&find(&tree)?)?;
            Ok((value, SessionCookie::from_headers(answer.headers(), COOKIE)))
        };
        exchange.await.map_err(|cause| request.failed(cause))
    }

    /// Makes a call whose answer is a page of objects, and hands out each as soon as it is there. `stream` is the
    /// caller's, so that what was read of a page that broke off is not lost with it.
    pub(crate) async fn page(
        &self,
        cx: &Context,
        request: &Request<Page>,
        cookie: Option<&SessionCookie>,
        stream: &mut XmlStream,
        each: &mut (dyn FnMut(ObjectContent<'_>) -> Result<(), Cause> + Send),
    ) -> Result<Page, CallError> {
        let exchange = async {
            let http = self.http_request(cx, request, cookie).response_bytes(Limits::STREAMED.document_bytes);
            let mut response = self.http.send(cx, &http).await?;
            check_status(response.status())?;
            if response.status() != StatusCode::OK {
                let answer = response.read().await?;
                let tree = read_small(answer.status(), answer.bytes())?;
                return Ok(request.read(&find(&tree)?)?);
            }
            let mut each = |node: Node<'_>| each(ObjectContent::new(node));
            while let Some(chunk) = response.chunk().await? {
                stream.push(&chunk, &mut each)?;
            }
            Ok(request.read(&find(stream.finish()?)?)?)
        };
        exchange.await.map_err(|cause| request.failed(cause))
    }

    fn http_request<T>(
        &self,
        cx: &Context,
        request: &Request<T>,
        cookie: Option<&SessionCookie>,
    ) -> chaos_http::Request {
        let operation_id = format!("chaosmonkey-{}", cx.run_id());
        let mut http = chaos_http::Request::post(&self.sdk, request.method())
            .header(SOAP_ACTION, self.action.clone())
            .body(CONTENT_TYPE, envelope(request.body(), Some(&operation_id)));
        if let Some(cookie) = cookie {
            http = http.cookie(cookie);
        }
        if request.effect() == Effect::Repeatable {
            http = http.idempotent();
        }
        if let Some(patience) = request.patience() {
            http = http.read_limit(patience);
        }
        http
    }
}

/// 200 is a result and 500 a fault with a body; nothing else comes from a vSphere API and is worth reading.
fn check_status(status: StatusCode) -> Result<(), Cause> {
    if status == StatusCode::OK || status == StatusCode::INTERNAL_SERVER_ERROR {
        Ok(())
    } else {
        Err(Cause::Status(status))
    }
}

fn read_small(status: StatusCode, body: &[u8]) -> Result<Tree, Cause> {
    let tree = XmlStream::read_all(body, Limits::SMALL, &VIM);
    // A 500 that is not XML is some other server's.
    tree.map_err(|error| if status == StatusCode::OK { error.into() } else { Cause::Status(status) })
}

fn find(tree: &Tree) -> Result<Answer<'_>, Cause> {
    Answer::find(tree)?.map_err(Cause::Fault)
}

/// Asks for the versions that the server knows and picks the best of ours. Needs no session.
async fn negotiate(cx: &Context, http: &Client, sdk: &Url) -> Result<&'static str, Error> {
    const METHOD: &str = "vimServiceVersions";
    let mut url = sdk.clone();
    url.set_path("/sdk/vimServiceVersions.xml");
    let request = chaos_http::Request::get(url, METHOD).idempotent().response_bytes(Limits::SMALL.document_bytes);
    let failed = |cause| Error::from(CallError { method: METHOD, effect: Effect::Repeatable, cause });
    let answer = http.fetch(cx, &request).await?;
    if answer.status() != StatusCode::OK {
        return Err(failed(Cause::Status(answer.status())));
    }
    let tree = XmlStream::read_all(answer.bytes(), Limits::SMALL, &VIM).map_err(|error| failed(error.into()))?;
    let theirs = versions(&tree);
    VERSIONS.iter().copied().find(|ours| theirs.contains(ours)).ok_or_else(|| {
        let list = if theirs.is_empty() { "none".to_owned() } else { theirs.join(", ") };
        Error::new(
            ErrorKind::Unsupported,
            format!(
                "the server offers the vim25 versions {list}, and this client needs one of {}",
                VERSIONS.join(", ")
            ),
        )
    })
}

/// The versions of `urn:vim25` in a list of namespaces, the current one first.
fn versions(tree: &Tree) -> Vec<&str> {
    let namespaces = tree.root().into_iter().flat_map(|root| root.children_named("namespace"));
    namespaces
        .filter(|namespace| namespace.child_value("name").is_some_and(|name| name.trim() == "urn:vim25"))
        .flat_map(|namespace| {
            let prior = namespace.child("priorVersions").into_iter().flat_map(|prior| prior.children_named("version"));
            namespace.children_named("version").chain(prior)
        })
        .map(|version| version.text().trim())
        .collect()
}
