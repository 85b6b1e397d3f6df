//! Everything behind one port: the SOAP door, the control door, faults and the record.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use hyper::Response;

use crate::control;
use crate::vsphere::{COOKIE, Door, SOAP_PATH, SoapAnswer, SoapCall, Subject, VERSIONS_PATH, injected_fault_answer};
use crate::wire::{
    Body, Exchange, Faults, Outcome, Record, Reset, Service, WireAction, collect, compressed, cut, full,
};
use crate::world::World;

const XML: &str = "text/xml; charset=\"utf-8\"";
const HTML_PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Service Unavailable</title></head>\
    <body><h1>Service Unavailable</h1><p>The server is temporarily unable to service your request.</p></body></html>\n";

/// What serves the requests of a simulator.
#[derive(Debug)]
pub(crate) struct Front {
    pub(crate) world: World,
    pub(crate) door: Door,
    pub(crate) faults: Faults,
    pub(crate) record: Record,
}

impl Service for Front {
    fn answer(self: Arc<Self>, exchange: Exchange) -> BoxFuture<'static, Result<Response<Body>, Reset>> {
        Box::pin(async move { self.route(exchange).await })
    }
}

impl Front {
    pub(crate) fn new(world: World, door: Door) -> Self {
        Self { world, door, faults: Faults::default(), record: Record::default() }
    }

    async fn route(&self, exchange: Exchange) -> Result<Response<Body>, Reset> {
        let (parts, body) = exchange.request.into_parts();
        let path = parts.uri.path();
        if path == "/sim" || path.starts_with("/sim/") {
            let body = collect(body).await;
            return Ok(control::answer(self, &parts, body.as_deref().unwrap_or_default()));
        }
        let is_soap = path.trim_end_matches('/') == SOAP_PATH || path == "/sdk/vimService";
        match (&parts.method, is_soap) {
            (&Method::GET, false) if path == VERSIONS_PATH => self.versions(&parts.headers).await,
            (&Method::POST, true) => {
                let Some(body) = collect(body).await else {
                    return Ok(plain(StatusCode::PAYLOAD_TOO_LARGE, "the request is too large\n"));
                };
                let call = SoapCall {
                    body: String::from_utf8_lossy(&body).into_owned(),
                    cookie: session_cookie(&parts.headers),
                    address: exchange.peer.ip().to_string(),
                    agent: text_of(&parts.headers, &header::USER_AGENT).unwrap_or_default().to_owned(),
                };
                self.soap(call, &parts.headers).await
            }
            (_, true) => Ok(plain(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n")),
            _ => Ok(plain(StatusCode::NOT_FOUND, "not found\n")),
        }
    }

    async fn versions(&self, headers: &HeaderMap) -> Result<Response<Body>, Reset> {
        let subject = Subject { method: "vimServiceVersions".into(), ..Subject::default() };
        let answer = async { SoapAnswer { status: 200, body: self.door.versions(), ..SoapAnswer::default() } };
        self.exchange(subject, None, headers, answer).await
    }

    async fn soap(&self, call: SoapCall, headers: &HeaderMap) -> Result<Response<Body>, Reset> {
        let cookie = call.cookie.clone();
        match self.door.parse(call) {
            Ok(parsed) => {
                let subject = parsed.subject.clone();
                self.exchange(subject, cookie, headers, self.door.answer(&parsed)).await
            }
            Err(refused) => {
                let subject = Subject { method: "(not SOAP)".into(), ..Subject::default() };
                self.exchange(subject, cookie, headers, async { refused }).await
            }
        }
    }

    /// Notes a call, lets strike what was injected for it, and has it carried out.
    async fn exchange(
        &self,
        subject: Subject,
        cookie: Option<String>,
        headers: &HeaderMap,
        effect: impl Future<Output = SoapAnswer>,
    ) -> Result<Response<Body>, Reset> {
        let (delay, action) = self.faults.strike(&subject);
        let entry = self.record.open(subject, self.world.clock().elapsed());
        if delay > Duration::ZERO {
            tokio::time::sleep(delay).await;
        }
        match action {
            None | Some(WireAction::Latency { .. }) => {}
            Some(WireAction::KillSession) => {
                if let Some(cookie) = cookie {
                    self.door.kill_session(cookie.trim_matches('"'));
                }
            }
            Some(WireAction::ResetBefore) => {
                entry.close(None, Outcome::Broken("reset_before"));
                return Err(Reset);
            }
            Some(WireAction::ResetAfter) => {
                effect.await;
                entry.close(None, Outcome::Broken("reset_after"));
                return Err(Reset);
            }
            Some(WireAction::Stall { after_effect }) => {
                if after_effect {
                    effect.await;
                }
                entry.close(None, Outcome::Broken("stall"));
                return std::future::pending().await;
            }
            Some(WireAction::Status { code, retry_after, after_effect }) => {
                if after_effect {
                    effect.await;
                }
                entry.close(Some(code), Outcome::Broken("status"));
                let status = StatusCode::from_u16(code).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
                let mut response = plain(status, "unavailable, because a fault was injected\n");
                if let Some(seconds) = retry_after {
                    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
                }
                return Ok(response);
            }
            Some(WireAction::Html { code }) => {
                entry.close(Some(code), Outcome::Broken("html"));
                let status = StatusCode::from_u16(code).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
                return Ok(with_type(status, "text/html; charset=utf-8", full(HTML_PAGE)));
            }
            Some(WireAction::CutBody) => {
                let answer = effect.await;
                entry.close(Some(answer.status), Outcome::Broken("cut_body"));
                return Ok(cut_response(answer));
            }
            Some(WireAction::SoapFault { fault }) => {
                let answer = injected_fault_answer(&fault);
                entry.close(Some(answer.status), Outcome::Fault(answer.fault.unwrap_or_default().to_owned()));
                return Ok(response(answer, headers));
            }
        }
        let answer = effect.await;
        let outcome = answer.fault.map_or(Outcome::Done, |fault| Outcome::Fault(fault.to_owned()));
        entry.close(Some(answer.status), outcome);
        Ok(response(answer, headers))
    }
}

fn response(answer: SoapAnswer, headers: &HeaderMap) -> Response<Body> {
    let bytes = Bytes::from(answer.body);
    let packed = compressed(&bytes, text_of(headers, &header::ACCEPT_ENCODING));
    let is_packed = packed.is_some();
    let mut response = with_type(status(answer.status), XML, full(packed.unwrap_or(bytes)));
    let out = response.headers_mut();
    out.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if is_packed {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if let Some(cookie) = answer.set_cookie.and_then(|cookie| HeaderValue::try_from(cookie).ok()) {
        out.insert(header::SET_COOKIE, cookie);
    }
    response
}

/// Promises the whole answer and sends half of it.
fn cut_response(answer: SoapAnswer) -> Response<Body> {
    let bytes = Bytes::from(answer.body);
    let length = bytes.len();
    let mut response = with_type(status(answer.status), XML, cut(&bytes));
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    response
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// An answer in plain text.
fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    with_type(status, "text/plain; charset=utf-8", full(text))
}

/// An answer of some type.
pub(crate) fn with_type(status: StatusCode, kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn text_of<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The value of the session cookie, with its quotes if it was sent with them.
fn session_cookie(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value.trim().to_owned())
}
