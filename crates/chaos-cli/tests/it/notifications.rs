//! `run` and `validate` with the settings of Chaos Toolkit: controls and notifications.

use std::fs;

use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::program::Program;

/// A program whose Python finds the modules in its directory.
fn program() -> Program {
    let program = Program::new();
    let found = program.directory().display().to_string();
    program.env("PATH", std::env::var("PATH").expect("a PATH")).env("PYTHONPATH", found)
}

fn write(program: &Program, name: &str, text: &str) {
    let path = program.directory().join(name);
    fs::create_dir_all(path.parent().expect("a directory")).expect("a writable directory");
    fs::write(path, text).expect("a writable directory");
}

fn experiment(secret: &str) -> String {
    json!({
        "title": "t", "description": "d", "secrets": {"s": {"password": secret}},
        "method": [{"type": "probe", "name": "p", "provider": {"type": "process", "path": "true"}}],
    })
    .to_string()
}

/// What a server was sent, in order.
async fn sent(server: &MockServer) -> Vec<Value> {
    let requests = server.received_requests().await.expect("they are kept");
    requests.iter().map(|request| request.body_json().unwrap_or_default()).collect()
}

async fn server(status: u16) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(status)).mount(&server).await;
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_are_told_of_runs_and_validations_without_secrets() {
    let program = program();
    let (all, some) = (server(200).await, server(500).await);
    write(&program, "e.json", &experiment("hunter2-is-long"));
    let settings = json!({"notifications": [
        {"type": "http", "url": all.uri(), "headers": {"X-Team": "chaos"}},
        {"type": "http", "url": some.uri(), "events": ["run-completed"], "forward_event_payload": false},
        {"type": "plugin", "module": "telling", "events": ["run-completed"]},
        {"type": "plugin", "module": "no_such_module"},
        {"type": "smoke"},
    ]});
    write(&program, ".chaostoolkit/settings.yaml", &settings.to_string());
    write(
        &program,
        "telling.py",
        "def notify(channel, event):\n    open('told', 'w').write(channel['module'] + ' ' + event['name'])\n",
    );
    program.run(&["--no-log-file", "run", "e.json"]).exits(0).says("Experiment ended with status: completed");
    program.run(&["--no-log-file", "validate", "e.json"]).exits(0);
    write(&program, "e.json", &json!({"title": "t", "secrets": {"s": {"a": "hunter2-is-long"}}}).to_string());
    program.run(&["--no-log-file", "validate", "e.json"]).exits(1);
    program.run(&["--no-log-file", "run", "e.json"]).exits(1);

    let events = sent(&all).await;
    let names: Vec<&str> = events.iter().filter_map(|event| event["name"].as_str()).collect();
    let expected = [
        "run-started",
        "run-completed",
        "validate-started",
        "validate-completed",
        "validate-started",
        "validate-failed",
        "run-started",
    ];
    assert_eq!(names, expected);
    assert_eq!((&events[0]["phase"], &events[0]["payload"]["title"]), (&json!("run"), &json!("t")));
    assert_eq!(events[1]["payload"]["status"], "completed");
    assert!(events[0]["ts"].as_f64().is_some_and(|ts| ts > 1e9));
    assert!(events[5]["error"].as_str().is_some_and(|error| error.contains("method")));
    assert!(!json!(events).to_string().contains("hunter2"));
    let requests = some.received_requests().await.expect("they are kept");
    assert_eq!(requests.len(), 1);
    assert_eq!((requests[0].method.as_str(), requests[0].body.len()), ("GET", 0));
    let told = fs::read_to_string(program.directory().join("told")).expect("the plugin was called");
    assert_eq!(told, "telling run-completed");
}

#[test]
fn controls_come_from_files_and_from_the_settings() {
    let program = program();
    write(&program, "e.json", &experiment("x"));
    write(
        &program,
        "mine.py",
        "def mark(text):\n    open('trace', 'a').write(text + '\\n')\n\
         def before_loading_experiment_control(context, who):\n    mark(who + ' ' + context)\n\
         def before_activity_control(context, who):\n    mark(who + ' ' + context['name'])\n",
    );
    let control = |who: &str| json!({"provider": {"type": "python", "module": "mine", "arguments": {"who": who}}});
    write(&program, ".chaostoolkit/settings.yaml", &json!({"controls": {"a": control("settings")}}).to_string());
    write(&program, "controls.yaml", &json!({"b": control("file")}).to_string());
    write(&program, "broken.json", "{");
    let args = ["--no-log-file", "run", "--control-file", "controls.yaml", "--control-file", "broken.json", "e.json"];
    program.run(&args).exits(0).says("the controls are left out: broken.json");
    let trace = fs::read_to_string(program.directory().join("trace")).expect("the controls were called");
    assert_eq!(trace, "settings e.json\nfile e.json\nsettings p\nfile p\n");

    let missing = json!({"c": {"provider": {"type": "python", "module": "no_such_module"}}});
    write(&program, "controls.yaml", &missing.to_string());
    program.run(&args).exits(0).says("no_such_module");
}
