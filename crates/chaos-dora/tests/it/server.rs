//! A Dora service of fixed answers.

use std::time::Duration;

use chaos_core::Context;
use chaos_dora::{Catalogue, Client, Config, Environment};
use serde_json::{Value, json};
use wiremock::matchers::{method, path, path_regex};
use wiremock::{Mock, MockServer, ResponseTemplate};

pub(crate) const USER: &str = "ann/b";
/// With characters that a path has to carry encoded, and that must be seen nowhere.
pub(crate) const PASSWORD: &str = "canary-7f3a /?#%41+&;é";
pub(crate) const TOKEN: &str = "canary-t0k3n=/+";

/// The paths that these have to become.
pub(crate) const LOGIN: &str = "/v1/GetLoginToken/ann%2Fb/canary-7f3a%20%2F%3F%23%2541%2B%26%3B%C3%A9";
pub(crate) const TOKEN_SEGMENT: &str = "canary-t0k3n%3D%2F%2B";

pub(crate) fn cx() -> Context {
    Context::with_timeout(Duration::from_secs(30))
}

pub(crate) fn dev1() -> Environment {
    Catalogue::builtin().get("Dev1").expect("it is built in").clone()
}

pub(crate) fn config(server: &MockServer) -> Config {
    let mut config = Config::new("127.0.0.1", USER, PASSWORD.into());
    (config.auth_port, config.api_port) = (server.address().port(), server.address().port());
    config
}

pub(crate) fn client(server: &MockServer) -> Client {
    Client::new(config(server)).expect("these settings are right")
}

/// A server that lets everybody in.
pub(crate) async fn server() -> MockServer {
    let server = MockServer::start().await;
    token(TOKEN).mount(&server).await;
    server
}

pub(crate) fn token(token: &str) -> Mock {
    let answer = ResponseTemplate::new(200).set_body_json(json!({"token": token}));
    Mock::given(method("GET")).and(path(LOGIN)).respond_with(answer)
}

/// Answers both listings with the same.
pub(crate) async fn lists(server: &MockServer, answer: Value) {
    let answer = ResponseTemplate::new(200).set_body_json(answer);
    Mock::given(path_regex("^/v1/Get(Hypervisors|VirtualMachines)/")).respond_with(answer).mount(server).await;
}

/// Each request as path and query.
pub(crate) async fn requests(server: &MockServer) -> Vec<String> {
    let requests = server.received_requests().await.expect("they are recorded");
    let shown = |url: &wiremock::http::Url| match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    requests.iter().map(|request| shown(&request.url)).collect()
}

/// How many requests begin so.
pub(crate) async fn count(server: &MockServer, beginning: &str) -> usize {
    requests(server).await.iter().filter(|request| request.starts_with(beginning)).count()
}
