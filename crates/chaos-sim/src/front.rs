//! Everything behind one port: the doors, the control door, faults and the record.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use hyper::Response;

use crate::accounts::SessionInfo;
use crate::control;
use crate::dora::{self, Dora};
use crate::ovirt::Engine;
use crate::vsphere::{COOKIE, Door, SOAP_PATH, SoapAnswer, SoapCall, VERSIONS_PATH, injected_fault_answer};
use crate::wire::{Body, Exchange, Faults, Outcome, Record, Reply, Reset, Service, Subject, WireAction, collect, full};
use crate::world::World;

const XML: &str = "text/xml; charset=\"utf-8\"";
const HTML_PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Service Unavailable</title></head>\
    <body><h1>Service Unavailable</h1><p>The server is temporarily unable to service your request.</p></body></html>\n";

/// What serves the requests of a simulator.
#[derive(Debug)]
pub(crate) struct Front {
    pub(crate) world: World,
    pub(crate) seed: u64,
    pub(crate) vsphere: Option<Door>,
    pub(crate) engine: Option<Engine>,
    pub(crate) dora: Option<Dora>,
    pub(crate) faults: Faults,
    pub(crate) record: Record,
}

impl Service for Front {
    fn answer(self: Arc<Self>, exchange: Exchange) -> BoxFuture<'static, Result<Response<Body>, Reset>> {
        Box::pin(async move { self.route(exchange).await })
    }
}

impl Front {
    pub(crate) fn new(
        world: World,
        seed: u64,
        vsphere: Option<Door>,
        engine: Option<Engine>,
        dora: Option<Dora>,
    ) -> Self {
        Self { world, seed, vsphere, engine, dora, faults: Faults::default(), record: Record::default() }
    }

    /// The open sessions of all doors.
    pub(crate) fn session_infos(&self) -> Vec<SessionInfo> {
        let vsphere = self.vsphere.as_ref().map(Door::session_infos).unwrap_or_default();
        let engine = self.engine.as_ref().map(Engine::session_infos).unwrap_or_default();
        let dora = self.dora.as_ref().map(Dora::session_infos).unwrap_or_default();
        vsphere.into_iter().chain(engine).chain(dora).collect()
    }

    /// Ends sessions: all, or those of a user or key.
    pub(crate) fn kill_sessions(&self, who: Option<&str>) -> usize {
        self.vsphere.as_ref().map_or(0, |door| door.kill_sessions(who))
            + self.engine.as_ref().map_or(0, |engine| engine.kill_sessions(who))
            + self.dora.as_ref().map_or(0, |dora| dora.kill_sessions(who))
    }

    async fn route(&self, exchange: Exchange) -> Result<Response<Body>, Reset> {
        let Exchange { request, peer } = exchange;
        let (parts, body) = request.into_parts();
        let path = parts.uri.path();
        if path == "/sim" || path.starts_with("/sim/") {
            let body = collect(body).await;
            return Ok(control::answer(self, &parts, body.as_deref().unwrap_or_default()));
        }
        let Some(body) = collect(body).await else {
            return Ok(plain(StatusCode::PAYLOAD_TOO_LARGE, "the request is too large\n"));
        };
        if let Some(dora) = self.dora.as_ref().filter(|_| dora::is_dora(path)) {
            return self.dora_door(dora, &parts).await;
        }
        let peer = peer.ip().to_string();
        match (&self.vsphere, &self.engine) {
            (Some(door), None) => self.soap_door(door, &parts, &body, peer).await,
            (Some(door), Some(_)) if path.starts_with(SOAP_PATH) => self.soap_door(door, &parts, &body, peer).await,
            (_, Some(engine)) => self.engine_door(engine, &parts, body, peer).await,
            (None, None) => Ok(plain(StatusCode::NOT_FOUND, "not found\n")),
        }
    }

    async fn engine_door(
        &self,
        engine: &Engine,
        parts: &Parts,
        body: Bytes,
        peer: String,
    ) -> Result<Response<Body>, Reset> {
        let call = engine.read(parts, body, peer);
        let subject = engine.subject(&call);
        let kill = || engine.kill_session_of(&call);
        self.exchange(subject, false, kill, &parts.headers, engine.answer(&call)).await
    }

    async fn dora_door(&self, dora: &Dora, parts: &Parts) -> Result<Response<Body>, Reset> {
        let request = dora::Request::read(parts.uri.path(), parts.uri.query());
        let agent = text_of(&parts.headers, &header::USER_AGENT).unwrap_or_default();
        let kill = || dora.kill_session_of(&request);
        let effect = async { dora.answer(&parts.method, &request, agent) };
        self.exchange(dora.subject(&request), false, kill, &parts.headers, effect).await
    }

    async fn soap_door(&self, door: &Door, parts: &Parts, body: &Bytes, peer: String) -> Result<Response<Body>, Reset> {
        let path = parts.uri.path();
        let is_soap = path.trim_end_matches('/') == SOAP_PATH || path == "/sdk/vimService";
        match (&parts.method, is_soap) {
            (&Method::GET, false) if path == VERSIONS_PATH => {
                let subject = Subject { method: "vimServiceVersions".into(), ..Subject::default() };
                let answer = SoapAnswer { status: 200, body: door.versions(), ..SoapAnswer::default() };
                self.exchange(subject, true, || (), &parts.headers, async { answer.into() }).await
            }
            (&Method::POST, true) => {
                let call = SoapCall {
                    body: String::from_utf8_lossy(body).into_owned(),
                    cookie: session_cookie(&parts.headers),
                    address: peer,
                    agent: text_of(&parts.headers, &header::USER_AGENT).unwrap_or_default().to_owned(),
                };
                self.soap(door, call, &parts.headers).await
            }
            (_, true) => Ok(plain(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n")),
            _ => Ok(plain(StatusCode::NOT_FOUND, "not found\n")),
        }
    }

    async fn soap(&self, door: &Door, call: SoapCall, headers: &HeaderMap) -> Result<Response<Body>, Reset> {
        let cookie = call.cookie.clone();
        let kill = || {
            if let Some(cookie) = &cookie {
                door.kill_session(cookie.trim_matches('"'));
            }
        };
        match door.parse(call) {
            Ok(parsed) => {
                let subject = parsed.subject.clone();
                self.exchange(subject, true, kill, headers, async { door.answer(&parsed).await.into() }).await
            }
            Err(refused) => {
                let subject = Subject { method: "(not SOAP)".into(), ..Subject::default() };
                self.exchange(subject, true, kill, headers, async { refused.into() }).await
            }
        }
    }

    /// Notes a call, lets strike what was injected for it, and has it carried out.
    async fn exchange(
        &self,
        subject: Subject,
        is_soap: bool,
        kill_session: impl FnOnce(),
        headers: &HeaderMap,
        effect: impl Future<Output = Reply>,
    ) -> Result<Response<Body>, Reset> {
        let (delay, action) = self.faults.strike(&subject);
        let entry = self.record.open(subject, self.world.clock().elapsed());
        if delay > Duration::ZERO {
            tokio::time::sleep(delay).await;
        }
        match action {
            None | Some(WireAction::Latency { .. }) => {}
            Some(WireAction::KillSession) => kill_session(),
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
                let mut response = plain(status(code), "unavailable, because a fault was injected\n");
                if let Some(seconds) = retry_after {
                    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
                }
                return Ok(response);
            }
            Some(WireAction::Html { code }) => {
                entry.close(Some(code), Outcome::Broken("html"));
                return Ok(with_type(status(code), "text/html; charset=utf-8", full(HTML_PAGE)));
            }
            Some(WireAction::CutBody) => {
                let answer = effect.await;
                entry.close(Some(answer.status), Outcome::Broken("cut_body"));
                return Ok(answer.into_cut_response());
            }
            Some(WireAction::SoapFault { .. }) if !is_soap => {}
            Some(WireAction::SoapFault { fault }) => {
                let answer = Reply::from(injected_fault_answer(&fault));
                entry.close(Some(answer.status), Outcome::Fault(answer.fault.clone().unwrap_or_default()));
                return Ok(answer.into_response(headers));
            }
        }
        let answer = effect.await;
        let outcome = answer.fault.clone().map_or(Outcome::Done, Outcome::Fault);
        entry.close(Some(answer.status), outcome);
        Ok(answer.into_response(headers))
    }
}

impl From<SoapAnswer> for Reply {
    fn from(answer: SoapAnswer) -> Self {
        let mut reply = Self::new(answer.status, XML, answer.body)
            .with(header::VARY, "Accept-Encoding")
            .with(header::CACHE_CONTROL, "no-cache");
        if let Some(cookie) = answer.set_cookie {
            reply = reply.with(header::SET_COOKIE, cookie);
        }
        reply.fault = answer.fault.map(str::to_owned);
        reply
    }
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
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
