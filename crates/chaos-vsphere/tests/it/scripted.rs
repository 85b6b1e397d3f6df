//! A server that answers each method with what a test says, and remembers what it was asked.

use std::time::Duration;

use chaos_core::Context;
use chaos_vsphere::{Config, VSphere};
use wiremock::matchers::{body_string_contains, method, path};
use wiremock::{Mock, MockBuilder, MockServer, Request, ResponseTemplate};

pub(crate) const PASSWORD: &str = "canary-pass\"&<word>";

/// How a `Set-Cookie` of a real vCenter looks.
const COOKIE: &str = "vmware_soap_session=\"6898e317c3fd\"; Path=/; HttpOnly; Secure;";

pub(crate) fn cx() -> Context {
    Context::with_timeout(Duration::from_secs(20))
}

/// Puts the content of a body into an envelope as vCenter writes it.
pub(crate) fn envelope(body: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"#
    )
}

/// A result.
pub(crate) fn ok(call: &str, value: &str) -> ResponseTemplate {
    let body = format!(r#"<{call}Response xmlns="urn:vim25">{value}</{call}Response>"#);
    ResponseTemplate::new(200).set_body_raw(envelope(&body), "text/xml; charset=utf-8")
}

/// A refusal.
pub(crate) fn fault(kind: &str, fields: &str) -> ResponseTemplate {
    let body = format!(
        r#"<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>no: {kind}</faultstring><detail><{kind}Fault xmlns="urn:vim25" xsi:type="{kind}">{fields}</{kind}Fault></detail></soapenv:Fault>"#
    );
    ResponseTemplate::new(500).set_body_raw(envelope(&body), "text/xml; charset=utf-8")
}

/// A page of objects.
pub(crate) fn page(token: Option<&str>, objects: &str) -> ResponseTemplate {
    let token = token.map(|token| format!("<token>{token}</token>")).unwrap_or_default();
    ok("RetrievePropertiesEx", &format!("<returnval>{token}{objects}</returnval>"))
}

/// The calls of one method.
pub(crate) fn calls(name: &str) -> MockBuilder {
    Mock::given(method("POST")).and(path("/sdk")).and(body_string_contains(format!("<{name} ")))
}

/// The name of the method that a request calls.
fn called(request: &Request) -> String {
    let body = String::from_utf8_lossy(&request.body);
    let Some((_, rest)) = body.split_once("<soapenv:Body><") else { return request.url.path().to_owned() };
    rest.split(' ').next().unwrap_or_default().to_owned()
}

/// A vCenter that answers what every session asks. Tests mount the rest.
pub(crate) struct Scripted {
    pub(crate) server: MockServer,
}

impl Scripted {
    /// A server on which nobody can log in yet.
    pub(crate) async fn without_login() -> Self {
        let server = MockServer::start().await;
        let versions = r#"<?xml version="1.0" encoding="UTF-8" ?><namespaces version="1.0"><namespace><name>urn:vim25</name><version>8.0.3.0</version>
            <priorVersions><version>8.0.2.0</version><version>7.0.3.0</version><version>6.7</version></priorVersions></namespace>
            <namespace><name>urn:pbm</name><version>7.0.9.9</version></namespace></namespaces>"#;
        Mock::given(method("GET"))
            .and(path("/sdk/vimServiceVersions.xml"))
            .respond_with(ResponseTemplate::new(200).set_body_raw(versions, "text/xml"))
            .mount(&server)
            .await;
        let content = r#"<returnval><rootFolder type="Folder">group-d1</rootFolder><propertyCollector type="PropertyCollector">pc</propertyCollector>
            <viewManager type="ViewManager">vm</viewManager><about><name>VMware vCenter Server</name><fullName>VMware vCenter Server 8.0.3 build-24022515</fullName>
            <apiType>VirtualCenter</apiType><apiVersion>8.0.3.0</apiVersion><instanceUuid>uuid-1</instanceUuid></about>
            <sessionManager type="SessionManager">sm</sessionManager><searchIndex type="SearchIndex">si</searchIndex></returnval>"#;
        calls("RetrieveServiceContent").respond_with(ok("RetrieveServiceContent", content)).mount(&server).await;
        calls("Logout").respond_with(ok("Logout", "")).mount(&server).await;
        Self { server }
    }

    /// A server with a working login.
    pub(crate) async fn start() -> Self {
        let scripted = Self::without_login().await;
        calls("Login").respond_with(logged_in(COOKIE)).mount(&scripted.server).await;
        scripted
    }

    pub(crate) fn config(&self) -> Config {
        Config::new(self.server.uri(), "chaos@vsphere.local", PASSWORD.into())
    }

    pub(crate) async fn connect(&self) -> VSphere {
        VSphere::connect(&cx(), self.config()).await.unwrap()
    }

    /// The methods that were called, in order.
    pub(crate) async fn called(&self) -> Vec<String> {
        self.requests().await.iter().map(called).collect()
    }

    pub(crate) async fn requests(&self) -> Vec<Request> {
        self.server.received_requests().await.unwrap()
    }
}

/// The answer to a login that sets `cookie`.
pub(crate) fn logged_in(cookie: &str) -> ResponseTemplate {
    ok("Login", "<returnval><key>6898e317c3fd</key><userName>chaos</userName></returnval>")
        .append_header("Set-Cookie", cookie)
}

/// The answer of a session manager that knows who asks, or does not.
pub(crate) fn current_session(alive: bool) -> ResponseTemplate {
    let session = r#"<propSet><name>currentSession</name><val xsi:type="UserSession"><key>k</key></val></propSet>"#;
    page(
        None,
        &format!(r#"<objects><obj type="SessionManager">sm</obj>{}</objects>"#, if alive { session } else { "" }),
    )
}
