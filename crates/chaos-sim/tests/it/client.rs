//! A bare SOAP client: it sends what it is told and gives back what came.

use std::fmt::Write as _;
use std::net::SocketAddr;

use bytes::Bytes;
use chaos_sim::Sim;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// An answer, whatever it is.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap()
    }

    /// The text of the first element of that name.
    pub(crate) fn first(&self, element: &str) -> Option<String> {
        self.every(element).into_iter().next()
    }

    /// The texts of all elements of that name. They must not nest.
    pub(crate) fn every(&self, element: &str) -> Vec<String> {
        let text = self.text();
        let mut found = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find(&format!("<{element}")) {
            rest = &rest[start + element.len() + 1..];
            if !rest.starts_with(['>', ' ']) {
                continue;
            }
            let (_, inside) = rest.split_once('>').unwrap();
            let (inside, after) = inside.split_once(&format!("</{element}>")).unwrap();
            found.push(inside.to_owned());
            rest = after;
        }
        found
    }

    /// The type of the SOAP fault, if it is one.
    pub(crate) fn fault(&self) -> Option<String> {
        let detail = self.first("detail")?;
        let (_, kind) = detail.split_once("xsi:type=\"")?;
        Some(kind.split('"').next()?.to_owned())
    }
}

/// A client with at most one session; every request has a connection of its own.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    address: SocketAddr,
    pub(crate) cookie: Option<String>,
}

impl Client {
    /// Without a session.
    pub(crate) fn stranger(sim: &Sim) -> Self {
        Self { address: sim.address(), cookie: None }
    }

    /// Logged in.
    pub(crate) async fn login(sim: &Sim) -> Self {
        let mut client = Self::stranger(sim);
        let answer = client.try_login("chaos", "chaos").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        client
    }

    /// Logs in and keeps the cookie as it came.
    pub(crate) async fn try_login(&mut self, user: &str, password: &str) -> Answer {
        let inside = format!("<userName>{user}</userName><password>{password}</password>");
        let answer = self.call("Login", ("SessionManager", "SessionManager"), &inside).await.unwrap();
        if let Some(cookie) = answer.headers.get("set-cookie") {
            self.cookie = Some(cookie.to_str().unwrap().split(';').next().unwrap().to_owned());
        }
        answer
    }

    /// Calls a method on an object; `Err` if the connection broke before the whole answer was there.
    pub(crate) async fn call(&self, method: &str, (kind, id): (&str, &str), inside: &str) -> Result<Answer, String> {
        let envelope = format!(
            r#"<?xml version="1.0" encoding="UTF-8"?><Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body><{method} xmlns="urn:vim25" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><_this type="{kind}">{id}</_this>{inside}</{method}></Body></Envelope>"#
        );
        self.send(Method::POST, "/sdk", envelope, &[("SOAPAction", "urn:vim25/8.0.3.0")]).await
    }

    /// The same for calls whose connection must hold.
    pub(crate) async fn ask(&self, method: &str, on: (&str, &str), inside: &str) -> Answer {
        self.call(method, on, inside).await.unwrap()
    }

    /// Calls a method of a VM.
    pub(crate) async fn on_vm(&self, method: &str, id: u32) -> Answer {
        self.ask(method, ("VirtualMachine", &format!("vm-{id}")), "").await
    }

    /// The value of one property.
    pub(crate) async fn property(&self, kind: &str, id: &str, path: &str) -> Option<String> {
        let spec = spec(kind, id, &[path]);
        let answer = self.ask("RetrievePropertiesEx", COLLECTOR, &format!("{spec}<options></options>")).await;
        answer.first("val")
    }

    /// Any request.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: String,
        headers: &[(&'static str, &str)],
    ) -> Result<Answer, String> {
        let text = |error: hyper::Error| format!("{error:?}");
        let stream = TcpStream::connect(self.address).await.map_err(|error| error.to_string())?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(text)?;
        let connection = tokio::spawn(connection);
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().unwrap();
        request.headers_mut().insert("host", HeaderValue::try_from(self.address.to_string()).unwrap());
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value).unwrap());
        }
        if let Some(cookie) = &self.cookie {
            request.headers_mut().insert("cookie", HeaderValue::from_str(cookie).unwrap());
        }
        let answered = async {
            let answer = sender.send_request(request).await.map_err(text)?;
            let (parts, body) = answer.into_parts();
            let bytes = body.collect().await.map_err(text)?.to_bytes();
            Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, bytes })
        };
        let answered = answered.await;
        connection.abort();
        answered
    }
}

/// The collector that every session has.
pub(crate) const COLLECTOR: (&str, &str) = ("PropertyCollector", "propertyCollector");

/// A `specSet` for some properties of one object.
pub(crate) fn spec(kind: &str, id: &str, paths: &[&str]) -> String {
    let paths = path_set(paths);
    format!(
        r#"<specSet><propSet><type>{kind}</type>{paths}</propSet><objectSet><obj type="{kind}">{id}</obj></objectSet></specSet>"#
    )
}

/// `pathSet` elements.
pub(crate) fn path_set(paths: &[&str]) -> String {
    paths.iter().fold(String::new(), |mut out, path| {
        let _ = write!(out, "<pathSet>{path}</pathSet>");
        out
    })
}

/// A `specSet` (or `spec`) that finds all objects of a type from the root folder by recursive traversal.
pub(crate) fn whole_inventory(element: &str, kind: &str, paths: &[&str]) -> String {
    let paths = path_set(paths);
    format!(
        r#"<{element}><propSet><type>{kind}</type>{paths}</propSet>
        <objectSet><obj type="Folder">group-d1</obj><skip>false</skip>
        <selectSet xsi:type="TraversalSpec"><name>f</name><type>Folder</type><path>childEntity</path><skip>false</skip>
        <selectSet><name>f</name></selectSet><selectSet><name>v</name></selectSet><selectSet><name>h</name></selectSet>
        <selectSet><name>c</name></selectSet><selectSet><name>a</name></selectSet></selectSet>
        <selectSet xsi:type="TraversalSpec"><name>v</name><type>Datacenter</type><path>vmFolder</path><skip>false</skip><selectSet><name>f</name></selectSet></selectSet>
        <selectSet xsi:type="TraversalSpec"><name>h</name><type>Datacenter</type><path>hostFolder</path><skip>false</skip><selectSet><name>f</name></selectSet></selectSet>
        <selectSet xsi:type="TraversalSpec"><name>c</name><type>ComputeResource</type><path>host</path><skip>false</skip></selectSet>
        <selectSet xsi:type="TraversalSpec"><name>a</name><type>VirtualApp</type><path>vm</path><skip>false</skip></selectSet>
        </objectSet></{element}>"#
    )
}
