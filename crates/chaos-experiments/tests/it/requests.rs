//! HTTP requests as probes and actions: what is sent, what comes back, and what that means for a run.

use std::time::Duration;

use chaos_core::{RunEventKind, RunStatus, VMPowerState};
use chaos_experiments::{Environment, RunReport, Verdict};
use chaos_testkit::contains_secret;
use serde_json::{Value, json};
use wiremock::matchers::{any, method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::lab::{Lab, action, count, document, inputs, read, read_with, with_hypothesis};

/// A request, whose fields are those of `provider` beside type and URL.
fn request(kind: &str, url: &str, mut provider: Value) -> Value {
    provider["type"] = "http".into();
    provider["url"] = url.into();
    json!({"type": kind, "name": "page", "provider": provider})
}

async fn server(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

async fn run(activity: Value) -> RunReport {
    Lab::in_real_time(&[]).run(read(document(&[activity], &[])).unwrap()).await.0
}

/// The output of a request that has an answer.
async fn output(activity: Value) -> Value {
    let report = run(activity).await;
    assert_eq!((report.verdict, &report.reason), (Verdict::Completed, &None));
    report.journal.run[0].output.clone()
}

/// What reaches a server of a request to `/p?a=1`.
async fn sent(provider: Value) -> Request {
    let server = server(ResponseTemplate::new(200)).await;
    output(request("probe", &format!("{}/p?a=1", server.uri()), provider)).await;
    server.received_requests().await.unwrap().remove(0)
}

fn header(request: &Request, name: &str) -> Option<String> {
    request.headers.get(name).map(|value| value.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn arguments_of_get_become_the_query() {
    for (arguments, query) in [
        (json!({"b": "x y", "l": [1, 2, null], "n": null, "t": true}), "a=1&b=x+y&l=1&l=2&t=True"),
        (json!("b=2"), "a=1&b=2"),
        (json!({}), "a=1"),
        (json!(null), "a=1"),
    ] {
        let request = sent(json!({"arguments": arguments})).await;
        assert_eq!((request.method.as_str(), request.url.query()), ("GET", Some(query)));
        assert!(request.body.is_empty());
    }
}

#[tokio::test]
async fn arguments_of_other_methods_become_the_body() {
    let json_type = json!({"Content-Type": "application/json"});
    let (form, none) = (Some("application/x-www-form-urlencoded"), None);
    for (headers, arguments, content_type, body) in [
        (json!({}), json!({"a": 1, "b": [true, "x"], "n": null}), form, "a=1&b=True&b=x"),
        (json!({}), json!("as it is"), none, "as it is"),
        (json_type.clone(), json!({"a": [1, null]}), Some("application/json"), r#"{"a": [1, null]}"#),
        (json_type.clone(), json!("text"), Some("application/json"), r#""text""#),
        (json_type, json!(null), Some("application/json"), ""),
        // Only exactly that name and value make it JSON.
        (json!({"content-type": "application/json"}), json!({"a": 1}), Some("application/json"), "a=1"),
        (
            json!({"Content-Type": "application/json; charset=utf-8"}),
            json!("x"),
            Some("application/json; charset=utf-8"),
            "x",
        ),
    ] {
        let request = sent(json!({"method": "post", "headers": headers, "arguments": arguments})).await;
        assert_eq!((request.method.as_str(), request.url.query()), ("POST", Some("a=1")));
        let got = (header(&request, "content-type"), String::from_utf8(request.body).unwrap());
        assert_eq!(got, (content_type.map(str::to_owned), body.to_owned()), "{headers} {arguments}");
    }
}

#[tokio::test]
async fn values_of_headers_become_texts_and_names_are_substituted() {
    let server = server(ResponseTemplate::new(200)).await;
    let headers = json!({"x-count": "${n}", "x-flag": true, "x-none": null, "x-text": "$$${n}"});
    let mut experiment = document(&[request("probe", "${host}/p", json!({"headers": headers}))], &[]);
    experiment["configuration"] = json!({"n": 7, "host": server.uri()});
    let (report, _) = Lab::in_real_time(&[]).run(read(experiment).unwrap()).await;
    assert_eq!(report.verdict, Verdict::Completed, "{:?}", report.reason);
    let request = server.received_requests().await.unwrap().remove(0);
    let got = ["x-count", "x-flag", "x-none", "x-text"].map(|name| header(&request, name));
    assert_eq!(got, [Some("7".to_owned()), Some("True".to_owned()), None, Some("$7".to_owned())]);
}

#[tokio::test]
async fn an_answer_of_any_status_is_a_success() {
    let server = server(ResponseTemplate::new(503).insert_header("Retry-After", "1").set_body_string("later")).await;
    let output = output(request("probe", &server.uri(), json!({"max_retries": 3}))).await;
    assert_eq!((&output["status"], &output["body"]), (&json!(503), &json!("later")));
    assert_eq!(output["headers"]["Retry-After"], "1");
    assert_eq!(output.as_object().unwrap().keys().collect::<Vec<_>>(), ["status", "headers", "body"]);
    assert_eq!(server.received_requests().await.unwrap().len(), 1, "a status is never tried again");
}

#[tokio::test]
async fn a_body_is_json_only_if_its_type_is_exactly_that() {
    let body = r#"{"ok": true}"#.as_bytes();
    for (body, content_type, expected) in [
        (body, "application/json", json!({"ok": true})),
        (body, "application/json; charset=utf-8", json!(r#"{"ok": true}"#)),
        (b"not json", "application/json", json!("not json")),
        (b"", "application/json", json!("")),
        ("gr\u{fc}n".as_bytes(), "text/plain", json!("gr\u{fc}n")),
        (b"gr\xfcn", "text/plain", json!("gr\u{fc}n")),
        (b"gr\xfcn", "text/plain; charset=ISO-8859-1", json!("gr\u{fc}n")),
        (b"gr\xfcn", "application/octet-stream", json!("gr\u{fffd}n")),
    ] {
        let server = server(ResponseTemplate::new(200).set_body_raw(body, content_type)).await;
        assert_eq!(output(request("probe", &server.uri(), json!({}))).await["body"], expected, "{content_type}");
    }
}

#[tokio::test]
async fn redirects_are_followed_and_the_last_answer_counts() {
    for (status, verb, body) in [(302, "GET", ""), (303, "GET", ""), (307, "POST", "x=1"), (308, "POST", "x=1")] {
        let server = MockServer::start().await;
        let away = ResponseTemplate::new(status).insert_header("location", "/there");
        Mock::given(path("/here")).respond_with(away).mount(&server).await;
        let there = ResponseTemplate::new(200).set_body_string("arrived");
        Mock::given(method(verb)).and(path("/there")).respond_with(there).mount(&server).await;
        let activity =
            request("probe", &format!("{}/here", server.uri()), json!({"method": "POST", "arguments": {"x": 1}}));
        assert_eq!(output(activity).await["body"], "arrived", "{status}");
        let last = server.received_requests().await.unwrap().remove(1);
        assert_eq!(String::from_utf8(last.body).unwrap(), body, "{status}");
    }
}

#[tokio::test]
async fn silence_and_a_server_that_is_not_there_are_failures() {
    let slow = server(ResponseTemplate::new(200).set_delay(Duration::from_mins(1))).await;
    for timeout in [json!(0.2), json!([5, 0.2]), json!("0.2")] {
        let report = run(request("probe", &slow.uri(), json!({"timeout": timeout}))).await;
        assert_eq!(report.journal.run[0].output, Value::Null);
        let reason = report.reason.unwrap();
        assert!(reason.contains("nothing came for 0.2 s"), "{timeout}: {reason}");
    }
    let mut activity = request("probe", &slow.uri(), json!({}));
    activity["timeout"] = json!(0.2);
    let reason = run(activity).await.reason.unwrap();
    assert!(reason.contains("the time for the call ran out"), "{reason}");

    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let report = run(request("probe", &format!("http://{gone}/"), json!({}))).await;
    assert!(report.reason.as_ref().unwrap().contains("cannot connect"), "{:?}", report.reason);
    assert_eq!(report.journal.status, RunStatus::Failed);
}

#[tokio::test]
async fn a_run_that_is_told_to_stop_waits_for_no_answer() {
    let server = server(ResponseTemplate::new(200).set_delay(Duration::from_mins(1))).await;
    let lab = Lab::in_real_time(&[]);
    let experiment = read(document(&[request("probe", &server.uri(), json!({}))], &[])).unwrap();
    let ((report, _), ()) = tokio::join!(lab.run(experiment), async {
        while server.received_requests().await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        lab.cx.cancellation().cancel();
    });
    assert_eq!((report.verdict, report.journal.run[0].status), (Verdict::Interrupted, None));
}

#[tokio::test]
async fn only_what_may_be_sent_twice_is_sent_again() {
    for (verb, times) in [("GET", 2), ("POST", 1)] {
        let slow = server(ResponseTemplate::new(200).set_delay(Duration::from_mins(1))).await;
        let provider = json!({"method": verb, "timeout": 0.2, "max_retries": 1});
        assert_eq!(run(request("probe", &slow.uri(), provider)).await.verdict, Verdict::Failed);
        assert_eq!(slow.received_requests().await.unwrap().len(), times, "{verb}");
    }
}

#[tokio::test]
async fn secrets_of_requests_and_of_the_environment_are_in_nothing_that_is_written_down() {
    const CANARIES: [&str; 5] = ["canary-bearer", "canary-in-url", "canary-param", "canary-cookie", "canary-from-env"];
    let echo = "canary-bearer canary-in-url canary-param canary-from-env";
    let answer = ResponseTemplate::new(200).insert_header("set-cookie", "sid=canary-cookie").set_body_string(echo);
    let server = server(answer).await;
    let url = format!("http://ann:canary-in-url@{}/?api_token=canary-param", server.address());
    let page = request("probe", &url, json!({"headers": {"Authorization": "Bearer canary-bearer"}}));
    let print = json!({"type": "action", "name": "print", "provider":
        {"type": "process", "path": "echo", "arguments": ["canary-from-env"]}});
    let mut experiment = document(&[page, print], &[]);
    // Reported as the reason of a failure too.
    let mut missed = request("probe", &url, json!({}));
    missed["tolerance"] = json!({"type": "regex", "pattern": "x{9}"});
    experiment["method"].as_array_mut().unwrap().push(missed);
    let environment: Environment = [("DB_PASSWORD".to_owned(), "canary-from-env".to_owned())].into_iter().collect();
    let experiment = read_with(experiment, &inputs(&[]).environment(environment)).unwrap();
    let lab = Lab::in_real_time(&[]);
    let resolved = lab.resolve(experiment).await.unwrap();
    let plan = serde_json::to_string(&resolved.plan()).unwrap();
    let sink = chaos_experiments::MemorySink::default();
    let report = resolved.run(&lab.cx, &sink, &crate::lab::options()).await;
    let sent = server.received_requests().await.unwrap().remove(0);
    assert_eq!(header(&sent, "authorization").as_deref(), Some("Bearer canary-bearer"));
    let written = [plan, serde_json::to_string(&report).unwrap(), serde_json::to_string(&sink.events()).unwrap()];
    for canary in CANARIES {
        for text in &written {
            assert!(!contains_secret(text, canary), "{canary}: {text}");
        }
    }
}

/// What the whole is for: a page is asked for before and after a VM is stopped.
#[tokio::test]
async fn a_page_is_the_steady_state_around_a_power_off() {
    for (answers_after, verdict) in [(200, Verdict::Completed), (500, Verdict::Deviated)] {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(ResponseTemplate::new(200)).up_to_n_times(1).mount(&server).await;
        Mock::given(any()).respond_with(ResponseTemplate::new(answers_after)).mount(&server).await;
        let mut page = request("probe", &server.uri(), json!({}));
        page["tolerance"] = json!([200, 201, 202]);
        let off = action("off", "vm_power_off", json!({"vm_name": "web-01", "graceful": false}));
        let lab = Lab::in_real_time(&["web-01"]);
        let (report, events) = lab.run(read(with_hypothesis(document(&[off], &[]), &[page])).unwrap()).await;
        assert_eq!(report.verdict, verdict, "{:?}", report.reason);
        assert_eq!(lab.state("web-01"), VMPowerState::PoweredOn);
        assert_eq!(count(&events, |event| matches!(event, RunEventKind::Undone { .. })), 1);
        assert!(report.without_undo.is_empty());
        let after = report.journal.steady_states.after.unwrap();
        assert_eq!(after.probes[0].output["status"], answers_after);
    }
}

#[tokio::test]
async fn an_action_has_no_undo_and_events_plan_and_report_say_so() {
    let server = server(ResponseTemplate::new(200)).await;
    let act = request("action", &format!("{}/break?key=hunter2", server.uri()), json!({"method": "DELETE"}));
    let look = request("probe", &server.uri(), json!({}));
    let lab = Lab::in_real_time(&[]);
    let resolved = lab.resolve(read(document(&[look.clone(), act.clone()], &[act])).unwrap()).await.unwrap();
    let plan = resolved.plan();
    let said: Vec<bool> = plan.method.iter().map(|step| step.without_undo).collect();
    assert_eq!(said, [false, true]);
    let expected = format!("sends DELETE {}/break?key=***, which cannot be undone", server.uri());
    assert_eq!(plan.method[1].effect, expected);
    assert!(server.received_requests().await.unwrap().is_empty());

    let sink = chaos_experiments::MemorySink::default();
    let report = resolved.run(&lab.cx, &sink, &crate::lab::options()).await;
    assert!(report.touched);
    assert_eq!(serde_json::to_value(&report.without_undo).unwrap(), json!([{"name": "page", "provider": "http"}]));
    assert_eq!(count(&sink.events(), |event| matches!(event, RunEventKind::NotUndoable { .. })), 2);
}

#[test]
fn what_cannot_be_sent_is_found_out_beforehand() {
    let probe = |url: &str, provider: Value| request("probe", url, provider);
    let good = "http://h/";
    let act = request("action", good, json!({}));
    let mut in_hypothesis = act.clone();
    in_hypothesis["tolerance"] = json!(200);
    let experiment = with_hypothesis(
        document(
            &[
                probe("", json!({})),
                probe("ftp://h/", json!({})),
                probe("http://", json!({})),
                probe(good, json!({"method": "GE T", "timeout": [1], "max_retries": -1, "verify_tls": "no"})),
                probe(good, json!({"headers": {"bad name": "v", "x": "a\nb"}})),
                probe(good, json!({"headers": ["x"], "arguments": 5})),
                probe(good, json!({"method": "POST", "arguments": [1]})),
                probe(good, json!({"arguments": [1]})),
            ],
            &[],
        ),
        &[in_hypothesis],
    );
    insta::assert_snapshot!(read(experiment).unwrap_err(), @r"
    e.json: 13 errors
      /steady-state-hypothesis/probes/0: `page` is an action: a hypothesis only looks
      /method/0/provider/url: a provider of this type needs `url`, which is a text
      /method/1/provider/url: a URL of this provider begins with http:// or https://
      /method/2/provider/url: this is no URL: empty host
      /method/3/provider/method: this has to be a method of HTTP, such as GET or POST
      /method/3/provider/timeout: this has to be seconds, more than 0, or a list of two: to connect and of silence
      /method/3/provider/verify_tls: this has to be true or false
      /method/3/provider/max_retries: this has to be a whole number, 0 or more
      /method/4/provider/headers: the header `bad name` cannot be sent
      /method/4/provider/headers: the header `x` cannot be sent
      /method/5/provider/headers: headers are a mapping of names to values
      /method/6/provider/arguments: arguments are a mapping of fields or one text; anything else needs the header Content-Type with exactly application/json
      /method/7/provider/arguments: arguments of GET are a mapping of parameters, or one text
    ");
}
