//! Single exchanges: what is sent, and what of the answer reaches the caller.

use std::time::Duration;

use chaos_core::Context;
use chaos_http::{
    Client, Config, ExposeSecret, HttpErrorKind, PlainHttp, Request, RetryPolicy, SafeUrl, SecretString, SessionCookie,
    StatusCode, Url, header,
};
use wiremock::matchers::{body_string, header as has_header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn client() -> Client {
    Client::new(Config::platform()).unwrap()
}

fn cx() -> Context {
    Context::with_timeout(Duration::from_secs(30))
}

async fn serve(answer: ResponseTemplate) -> (MockServer, Url) {
    let server = MockServer::start().await;
    Mock::given(path("/sdk")).respond_with(answer).mount(&server).await;
    let url = Url::parse(&server.uri()).unwrap().join("/sdk").unwrap();
    (server, url)
}

#[tokio::test]
async fn sends_what_the_request_says_and_names_itself() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/sdk"))
        .and(has_header("content-type", "text/xml"))
        .and(has_header("user-agent", format!("chaosmonkey/{}", env!("CARGO_PKG_VERSION")).as_str()))
        .and(has_header("accept-encoding", "gzip"))
        .and(has_header("content-length", "8"))
        .and(has_header("soapaction", "urn:vim25/8.0"))
        .and(body_string("<Login/>"))
        .respond_with(ResponseTemplate::new(200).set_body_string("<ok/>"))
        .expect(1)
        .mount(&server)
        .await;
    let url = Url::parse(&server.uri()).unwrap().join("/sdk").unwrap();
    let request = Request::post(url, "Login")
        .header("soapaction".parse().unwrap(), "urn:vim25/8.0".parse().unwrap())
        .body("text/xml", "<Login/>");
    let answer = client().fetch(&cx(), &request).await.unwrap();
    assert_eq!(answer.text().unwrap(), "<ok/>");
}

#[tokio::test]
async fn an_answer_of_any_status_is_an_answer() {
    for status in [201, 401, 404, 500] {
        let (server, url) = serve(ResponseTemplate::new(status).set_body_string("<Fault/>")).await;
        let answer = client().fetch(&cx(), &Request::get(url, "Get").idempotent()).await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
        assert_eq!(answer.bytes(), "<Fault/>");
        assert_eq!(server.received_requests().await.unwrap().len(), 1, "no retry of {status}");
    }
}

#[tokio::test]
async fn a_session_cookie_goes_back_as_it_came() {
    let set = "vmware_soap_session=\"52ab-c=\"; Path=/; HttpOnly; Secure;";
    let (server, url) = serve(ResponseTemplate::new(200).insert_header("set-cookie", set)).await;
    let client = client();
    let answer = client.fetch(&cx(), &Request::get(url.clone(), "Login")).await.unwrap();
    let cookie = SessionCookie::from_headers(answer.headers(), "vmware_soap_session").unwrap();
    client.fetch(&cx(), &Request::get(url.clone(), "CurrentTime").cookie(&cookie)).await.unwrap();
    client.fetch(&cx(), &Request::get(url, "Login")).await.unwrap();

    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests[1].headers["cookie"], "vmware_soap_session=\"52ab-c=\"");
    assert!(!requests[2].headers.contains_key("cookie"), "the client itself remembers none");
}

#[tokio::test]
async fn a_bearer_token_is_sent_and_a_broken_one_is_refused_unseen() {
    let (server, url) = serve(ResponseTemplate::new(200)).await;
    let request = Request::get(url.clone(), "Get").bearer(&SecretString::from("t0k3n")).unwrap();
    client().fetch(&cx(), &request).await.unwrap();
    assert_eq!(server.received_requests().await.unwrap()[0].headers["authorization"], "Bearer t0k3n");

    let error = Request::get(url, "Get").bearer(&SecretString::from("hunter2\n")).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_user_and_password_in_a_url_are_sent_as_basic_authentication() {
    let (server, url) = serve(ResponseTemplate::new(200)).await;
    let url = Url::parse(&url.as_str().replace("://", "://ann:hunter2@")).unwrap();
    let probe = Client::new(Config::probe()).unwrap();
    probe.fetch(&cx(), &Request::get(url, "Probe")).await.unwrap();
    let request = server.received_requests().await.unwrap().pop().unwrap();
    // `ann:hunter2` in base64.
    assert_eq!(request.headers["authorization"], "Basic YW5uOmh1bnRlcjI=");
}

#[tokio::test]
async fn a_secret_path_segment_is_sent_but_not_printed() {
    let server = MockServer::start().await;
    Mock::given(path("/login/ann/hunter2")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let mut url = SafeUrl::from(Url::parse(&server.uri()).unwrap());
    url.push("login").unwrap().push("ann").unwrap().push_secret(&SecretString::from("hunter2")).unwrap();
    let request = Request::get(url, "Login");
    assert_eq!(client().fetch(&cx(), &request).await.unwrap().status(), StatusCode::OK);
    assert!(!format!("{request:?}").contains("hunter2"));
}

#[tokio::test]
async fn the_platform_profile_follows_no_redirect_and_the_probe_does() {
    let (server, url) = serve(ResponseTemplate::new(302).insert_header("location", "/there")).await;
    Mock::given(path("/there")).respond_with(ResponseTemplate::new(200).set_body_string("here")).mount(&server).await;

    let answer = client().fetch(&cx(), &Request::get(url.clone(), "Get")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::FOUND);
    assert_eq!(answer.headers()[header::LOCATION], "/there");

    let probe = Client::new(Config::probe()).unwrap();
    let answer = probe.fetch(&cx(), &Request::get(url, "Probe")).await.unwrap();
    assert_eq!(answer.text().unwrap(), "here");
    let last = server.received_requests().await.unwrap().pop().unwrap();
    assert!(!last.headers.contains_key("referer"));
}

#[tokio::test]
async fn a_redirect_loop_ends() {
    let (server, url) = serve(ResponseTemplate::new(302).insert_header("location", "/sdk?token=hunter2")).await;
    let probe = Client::new(Config::probe()).unwrap();
    let error = probe.fetch(&cx(), &Request::get(url, "Probe").idempotent()).await.unwrap_err();
    assert_eq!(*error.kind(), HttpErrorKind::Protocol);
    assert!(!error.to_string().contains("hunter2"), "{error}");
    assert!(server.received_requests().await.unwrap().len() <= 11);
}

#[tokio::test]
async fn a_named_proxy_is_used() {
    let proxy = MockServer::start().await;
    Mock::given(method("GET")).respond_with(ResponseTemplate::new(200).set_body_string("proxied")).mount(&proxy).await;
    let mut config = Config::platform();
    config.proxy = Some(Url::parse(&proxy.uri().replace("://", "://ann:hunter2@")).unwrap().into());
    assert!(!format!("{config:?}").contains("hunter2"));
    let url = Url::parse("http://localhost:1/x").unwrap();
    let answer = Client::new(config).unwrap().fetch(&cx(), &Request::get(url, "Get")).await.unwrap();
    assert_eq!(answer.text().unwrap(), "proxied");
    let request = proxy.received_requests().await.unwrap().pop().unwrap();
    // `ann:hunter2` in base64.
    assert_eq!(request.headers["proxy-authorization"], "Basic YW5uOmh1bnRlcjI=");
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named() {
    let proxy = MockServer::start().await;
    let refusal = ResponseTemplate::new(403);
    Mock::given(method("CONNECT")).respond_with(refusal).mount(&proxy).await;
    let mut config = Config::platform();
    config.proxy = Some(Url::parse(&proxy.uri().replace("://", "://ann:hunter2@")).unwrap().into());
    config.retry = RetryPolicy::none();
    let url = Url::parse("https://vc.example.com/sdk").unwrap();
    let error = Client::new(config).unwrap().fetch(&cx(), &Request::get(url, "Get")).await.unwrap_err();
    assert_eq!(*error.kind(), HttpErrorKind::Connect);
    let text = error.to_string();
    assert!(text.contains(&format!("through the proxy {}/: ", proxy.uri())), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn plain_http_to_another_machine_is_refused_before_anything_is_sent() {
    let url = Url::parse("http://vc.example.com/sdk").unwrap();
    let error = client().fetch(&cx(), &Request::post(url, "Login")).await.unwrap_err();
    assert_eq!(*error.kind(), HttpErrorKind::Configuration);
    assert_eq!(error.attempts(), 0);
    assert!(error.to_string().contains("use https://"), "{error}");
    assert_eq!(chaos_core::Error::from(error).kind(), chaos_core::ErrorKind::Configuration);
}

#[tokio::test]
async fn plain_http_goes_anywhere_for_a_service_that_knows_nothing_else_and_the_log_says_so() {
    let logs = chaos_testkit::CapturedLogs::start();
    let mut config = Config::platform();
    config.plain_http = PlainHttp::Anywhere;
    config.retry = RetryPolicy::none();
    let client = Client::new(config).unwrap();
    for _ in 0..2 {
        let url = Url::parse("http://dora.invalid/v1").unwrap();
        let error = client.fetch(&cx(), &Request::get(url, "Get")).await.unwrap_err();
        assert_eq!(*error.kind(), HttpErrorKind::Connect, "it was tried");
    }
    assert_eq!(logs.text().matches("plain http by request").count(), 1, "{}", logs.text());
}

#[tokio::test]
async fn text_that_is_none_is_an_error() {
    let (_server, url) = serve(ResponseTemplate::new(200).set_body_bytes([0xff, 0xfe])).await;
    let answer = client().fetch(&cx(), &Request::get(url, "Get")).await.unwrap();
    assert_eq!(*answer.text().unwrap_err().kind(), HttpErrorKind::Protocol);
}

#[test]
fn a_cookie_value_is_available_to_those_who_ask() {
    let headers = [(header::SET_COOKIE, "sid=\"1\"".parse().unwrap())].into_iter().collect();
    let cookie = SessionCookie::from_headers(&headers, "sid").unwrap();
    assert_eq!(cookie.value().expose_secret(), "\"1\"");
}
