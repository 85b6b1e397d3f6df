//! `run` and `validate`: the arguments, exit codes, journal and log of `chaos`, and VMs that stay as the experiment leaves them.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

use chaos_sim::Power;
use serde_json::{Value, json};

use crate::lab::Lab;
use crate::program::{Program, Run, signal};

fn journal(program: &Program) -> Value {
    let text = fs::read_to_string(program.directory().join("journal.json")).expect("a journal was written");
    serde_json::from_str(&text).expect("it is JSON")
}

/// An experiment of these activities, as the file `e.json`.
fn write(program: &Program, method: &Value, rollbacks: &Value) {
    let experiment = json!({"title": "t", "description": "d", "method": method, "rollbacks": rollbacks});
    fs::write(program.directory().join("e.json"), experiment.to_string()).expect("written");
}

fn process(path: &str, arguments: &Value) -> Value {
    json!({"type": "action", "name": path, "provider": {"type": "process", "path": path, "arguments": arguments}})
}

fn vm(function: &str, name: &str) -> Value {
    json!({"type": "action", "name": function, "provider": {
        "type": "python", "module": "chaosmonkey.stubs.actions", "func": function,
        "arguments": {"vm_name": name, "platform_type": "vsphere"}}})
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_experiment_leaves_changed_stays_so_and_is_named() {
    let lab = Lab::demo().await;
    let power = || lab.sim.world().vm("web-01").unwrap().power;
    write(&lab.program, &json!([vm("vm_power_off", "web-01")]), &json!([]));
    let run = lab.run(&["run", "e.json"]).exits(0).says("LEFT CHANGED: /demo/vm/web/web-01 was found powered_on");
    assert_eq!((run.stdout.as_str(), power()), ("", Power::Off));
    assert_eq!(journal(&lab.program)["status"], "completed");
    // Whoever runs it again, or for nothing, is not held up by it.
    lab.run(&["run", "e.json", "--dry", "actions"]).exits(0);
    lab.run(&["run", "e.json"]).exits(0);
    for _ in 0..2 {
        lab.run(&["run", "e.json", "--rehearse"]).exits(0);
    }
    lab.run(&["recover"]).exits(0);
    assert_eq!(power(), Power::On);

    lab.run(&["run", "e.json", "--undo"]).exits(0).says("journal: journal.json");
    assert_eq!(power(), Power::On);
    write(&lab.program, &json!([vm("vm_power_off", "web-01")]), &json!([vm("vm_power_on", "web-01")]));
    let run = lab.run(&["run", "e.json"]).exits(0);
    assert!(!run.stderr.contains("LEFT CHANGED"), "{}", run.stderr);
    assert_eq!(journal(&lab.program)["rollbacks"][0]["status"], "succeeded");
    assert_eq!(power(), Power::On);

    // By strict rules it is as with `execute`, which takes the others too.
    write(&lab.program, &json!([vm("vm_power_off", "web-01")]), &json!([]));
    lab.run(&["run", "e.json", "--strict"]).exits(0).says("put back: web-01");
    assert_eq!(power(), Power::On);
    lab.run(&["execute", "-e", "e.json", "--compat"]).exits(0).says("LEFT CHANGED");
    assert_eq!(power(), Power::Off);
    lab.is_logged_out();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_halt_puts_back_what_the_experiment_would_leave_changed() {
    let lab = Lab::demo().await;
    let power = || lab.sim.world().vm("web-01").unwrap().power;
    let mut off = vm("vm_power_off", "web-01");
    off["pauses"] = json!({"after": 60});
    write(&lab.program, &json!([off]), &json!([]));
    for (args, code) in [(&["run", "e.json"][..], 1), (&["execute", "-e", "e.json", "--compat"], 130)] {
        let child = lab.program.command(args).spawn().unwrap();
        lab.until(|_| power() == Power::Off).await;
        lab.run(&["halt", "--reason", "enough"]).exits(0);
        Run::from(child.wait_with_output().unwrap()).exits(code).says("enough");
        assert_eq!(power(), Power::On);
        lab.run(&["resume"]).exits(0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_exit_code_1_and_touches_nothing() {
    let lab = Lab::demo().await;
    write(&lab.program, &json!([vm("vm_power_off", "nobody")]), &json!([]));
    lab.run(&["run", "e.json"]).exits(1).says("nobody");
    write(&lab.program, &json!([vm("vm_power_off", "${vm_name}")]), &json!([]));
    lab.run(&["run", "e.json"]).exits(1).says("`${vm_name}` stands for nothing");
    lab.run(&["run", "e.json", "--no-validation"]).exits(1).says("Experiment ended with status: aborted");
    write(&lab.program, &json!([vm("vm_power_off", "web-01")]), &json!([]));
    lab.run(&["halt", "--reason", "maintenance"]).exits(0);
    lab.run(&["run", "e.json"]).exits(1).says("maintenance");
    lab.is_untouched();
}

#[test]
fn by_strict_rules_no_action_is_handed_a_name_that_stands_for_nothing() {
    let program = Program::new();
    let experiment = json!({"title": "t", "description": "d", "configuration": {"known": "k"},
        "method": [process("touch", &json!(["${known}-${unknown}"]))]});
    fs::write(program.directory().join("e.json"), experiment.to_string()).unwrap();
    program.run(&["execute", "-e", "e.json"]).exits(2).says("`${unknown}` stands for nothing").says("`$${unknown}`");
    assert!(!program.directory().join("k-${unknown}").exists());
    program.run(&["run", "e.json"]).exits(0).says("stays as it is written");
    assert!(program.directory().join("k-${unknown}").exists());
}

#[test]
fn the_exit_codes_are_those_of_chaos() {
    let program = Program::new();
    write(&program, &json!([process("true", &json!([]))]), &json!([]));
    fs::write(program.directory().join("deviates.json"), deviating().to_string()).unwrap();
    fs::write(program.directory().join("e.toml"), "").unwrap();
    fs::write(program.directory().join("broken.json"), "{\"title\": ").unwrap();
    fs::write(program.directory().join("invalid.json"), r#"{"title": "t"}"#).unwrap();
    fs::write(program.directory().join("list.json"), "[1]").unwrap();
    fs::write(program.directory().join("scope.yaml"), "secrets: {scope: text}").unwrap();
    fs::write(program.directory().join("nameless.env"), "=x").unwrap();
    fs::write(program.directory().join("empty.yaml"), "# nothing\n").unwrap();
    for (args, code) in [
        (&["run", "e.json"][..], 0),
        (&["run", "e.json", "--var-file", "list.json"], 1),
        (&["run", "e.json", "--var-file", "scope.yaml"], 1),
        (&["run", "e.json", "--var-file", "nameless.env"], 1),
        (&["run", "e.json", "--var-file", "empty.yaml"], 0),
        (&["--no-version-check", "--no-log-file", "--verbose", "run", "e.json", "--dry", "pause"], 0),
        (&["validate", "e.json"], 0),
        (&["run", "deviates.json"], 1),
        (&["run", "e.toml"], 1),
        (&["run", "gone.json"], 1),
        (&["run", "ftp://localhost/e.json"], 1),
        (&["run", "broken.json"], 1),
        (&["validate", "invalid.json"], 1),
        (&["run", "e.json", "--journal-path", "no/such/place.json"], 1),
        (&["run"], 2),
        (&["run", "e.json", "--dry", "everything"], 2),
        (&["run", "e.json", "--hypothesis-strategy", "skip"], 2),
        (&["run", "e.json", "--var", "novalue"], 2),
        (&["run", "e.json", "--var", "n:int=x"], 2),
        (&["run", "e.json", "--var-file", "gone.json"], 2),
        (&["run", "e.json", "--control-file", "gone.json"], 2),
        (&["validate", "e.json", "--var", "a=b"], 2),
    ] {
        let run = program.run(args).exits(code);
        assert_eq!(run.stdout, "", "{args:?}");
    }
}

/// Its method takes away what its hypothesis looks for.
fn deviating() -> Value {
    let probe = json!({"type": "probe", "name": "there", "tolerance": 0,
        "provider": {"type": "process", "path": "sh", "arguments": ["-c", "test ! -e mark"]}});
    json!({"title": "t", "description": "d", "steady-state-hypothesis": {"title": "h", "probes": [probe]},
        "method": [process("touch", &json!(["mark"]))], "rollbacks": [process("rm", &json!(["mark"]))]})
}

#[test]
fn the_log_goes_to_stderr_and_to_a_file_that_is_written_on() {
    let program = Program::new();
    fs::write(program.directory().join("e.json"), deviating().to_string()).unwrap();
    program.run(&["run", "e.json"]).exits(1);
    program.run(&["run", "e.json"]).exits(1).says("INFO] Experiment ended with status: deviated");
    let log = fs::read_to_string(program.directory().join("chaostoolkit.log")).unwrap();
    let told = "INFO] The steady-state has deviated, a weakness may have been discovered";
    assert_eq!(log.matches(told).count(), 2, "{log}");
    assert!(regex::Regex::new(r"(?m)^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d INFO\] ").unwrap().is_match(&log));

    let run = program.run(&["--log-format", "json", "--log-file", "other.log", "run", "e.json"]).exits(1);
    let log = fs::read_to_string(program.directory().join("other.log")).unwrap();
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let message = told.split_once("] ").unwrap().1;
    let line = lines.into_iter().find(|line| line["message"] == message).unwrap();
    assert_eq!(line["levelname"], "INFO");
    assert!(line["context_id"].is_string());
    assert!(run.stderr.contains(log.lines().last().unwrap()), "{}", run.stderr);
    assert!(!run.stderr.contains('\u{1b}'), "no colours off a terminal");
}

/// Starts an experiment that runs for long, and sends it a signal once it is there.
fn interrupted(activity: &Value, name: &str, strategy: &str) -> (Program, Run) {
    let program = Program::new().env("PATH", std::env::var("PATH").expect("it works"));
    let rollback = process("touch", &json!(["rolled-back"]));
    write(&program, &json!([process("touch", &json!(["begun"])), activity]), &json!([rollback]));
    let mut child = program.command(&["run", "e.json", "--rollback-strategy", strategy]).spawn().expect("it works");
    // What it says as an activity begins comes after the begin is in the log of the run.
    let mut stderr = BufReader::new(child.stderr.take().expect("it is piped"));
    let mut said = String::new();
    while !said.contains("the long one") {
        assert_ne!(stderr.read_line(&mut said).expect("it works"), 0, "it begins: {said}");
    }
    signal(&child, name);
    stderr.read_to_string(&mut said).expect("it works");
    let mut run = Run::from(child.wait_with_output().expect("it works"));
    run.stderr = said;
    (program, run)
}

#[test]
fn a_signal_interrupts_each_kind_of_activity() {
    let (sleep, http) = (json!(["30"]), silent_server());
    for provider in [
        json!({"type": "process", "path": "sleep", "arguments": sleep}),
        json!({"type": "process", "path": "sh", "arguments": "-c 'sleep 30; true'"}),
        json!({"type": "python", "module": "subprocess", "func": "call", "arguments": {"args": ["sleep", "30"]}}),
        json!({"type": "http", "url": http}),
    ] {
        let long = json!({"type": "action", "name": "the long one", "provider": provider});
        for (name, strategy, rolled_back) in
            [("TERM", "default", false), ("INT", "always", true), ("USR1", "always", true), ("USR2", "always", false)]
        {
            let (program, run) = interrupted(&long, name, strategy);
            let run = run.exits(1).says("Experiment ended with status: interrupted");
            let journal = journal(&program);
            assert_eq!(journal["status"], "interrupted", "{name} {long}: {}", run.stderr);
            let cut = journal["run"][1].as_object().unwrap_or_else(|| panic!("{name} {long}: {}", run.stderr));
            assert!(!cut.contains_key("status") && cut.contains_key("end"), "{name} {long}");
            assert_eq!(program.directory().join("rolled-back").exists(), rolled_back, "{name} {long}");
        }
    }
}

/// The URL of a server that takes connections and says nothing.
fn silent_server() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("it works");
    let url = format!("http://{}/", listener.local_addr().expect("it works"));
    std::thread::spawn(move || {
        let kept: Vec<_> = listener.incoming().collect();
        drop(kept);
    });
    url
}

#[test]
fn a_process_ends_with_its_grandchildren_and_may_say_a_lot() {
    let program = Program::new().env("PATH", std::env::var("PATH").unwrap());
    let script = "(sleep 3; touch grandchild) & echo $! > id; wait";
    let late = json!({"type": "action", "name": "late", "provider": {
        "type": "process", "path": "sh", "arguments": ["-c", script], "timeout": 0.5}});
    let talks = process("head", &json!(["-c", "1073741824", "/dev/zero"]));
    write(&program, &json!([late, talks]), &json!([]));
    program.run(&["run", "e.json"]).exits(0);
    let run = &journal(&program)["run"];
    assert_eq!(run[0]["status"], "failed");
    let why = run[0]["exception"].as_array().unwrap().last().unwrap().as_str().unwrap();
    assert!(why.starts_with("process activity took too long to complete"), "{why}");
    let id = fs::read_to_string(program.directory().join("id")).unwrap();
    // Whoever should read how it ended may not have done so yet.
    let state = fs::read_to_string(std::path::Path::new("/proc").join(id.trim()).join("stat")).unwrap_or_default();
    assert!(state.is_empty() || state.contains(") Z "), "the grandchild is gone: {state}");
    assert_eq!(run[1]["output"]["status"], 0);
    assert_eq!(run[1]["output"]["stdout"].as_str().unwrap().len(), 1 << 20);
    assert_eq!(run[1]["output"]["stdout_bytes_left_out"], (1_u64 << 30) - (1 << 20));
}

#[test]
fn by_compatible_rules_a_process_reads_what_the_program_was_given() {
    let program = Program::new();
    write(&program, &json!([process("cat", &json!([]))]), &json!([]));
    for (rules, expected) in [("--compat", "from outside"), ("--strict", "")] {
        let mut child = program.command(&["run", "e.json", rules]).stdin(Stdio::piped()).spawn().unwrap();
        // By strict rules it may be over before all is written.
        let _ = child.stdin.take().expect("it is piped").write_all(b"from outside");
        Run::from(child.wait_with_output().unwrap()).exits(0);
        assert_eq!(journal(&program)["run"][0]["output"]["stdout"], expected, "{rules}");
    }
    // A control takes nothing away from it.
    let mut experiment: Value =
        serde_json::from_str(&fs::read_to_string(program.directory().join("e.json")).unwrap()).unwrap();
    experiment["controls"] = json!([{"name": "c", "provider": {"type": "process", "path": "cat"}}]);
    fs::write(program.directory().join("e.json"), experiment.to_string()).unwrap();
    let mut child = program.command(&["run", "e.json"]).stdin(Stdio::piped()).spawn().unwrap();
    let _ = child.stdin.take().expect("it is piped").write_all(b"from outside");
    Run::from(child.wait_with_output().unwrap()).exits(0);
    assert_eq!(journal(&program)["run"][0]["output"]["stdout"], "from outside");
}

#[test]
fn secrets_are_in_nothing_that_a_run_writes() {
    let program =
        Program::new().env("PATH", std::env::var("PATH").unwrap()).env("FROM_ENVIRONMENT", "canary-environment");
    fs::write(program.directory().join("vars.json"), r#"{"secrets": {"file": {"word": "canary-file"}}}"#).unwrap();
    let echo = |name: &str| {
        json!({"type": "probe", "name": format!("n {name}"), "tolerance": {"type": "regex", "pattern": "^x$", "target": "stdout"},
            "provider": {"type": "process", "path": "sh", "arguments": ["-c", format!("echo ${{{name}}}; echo ${{{name}}} >&2; exit 3")]}})
    };
    let experiment = json!({
        "title": "about ${inline}", "description": "d",
        "configuration": {"dynamic": {"type": "probe", "name": "d", "provider": {
            "type": "process", "path": "sh", "arguments": ["-c", "echo ${inline} >&2; exit 1"]}}},
        "secrets": {"one": {"inline": "canary-inline"}, "file": {"word": "not given"},
            "env": {"environment": {"type": "env", "key": "FROM_ENVIRONMENT"}}},
        "method": [echo("inline"), echo("environment"), echo("word"),
            {"type": "action", "name": "gone", "provider": {"type": "http", "url": "http://127.0.0.1:1/${inline}?q=${word}",
                "headers": {"X-Word": "${environment}"}}},
            {"type": "action", "name": "py", "provider": {"type": "python", "module": "json", "func": "loads",
                "arguments": {"s": "${word}"}, "secrets": ["one", "env"]}}],
        "rollbacks": [echo("inline")]
    });
    fs::write(program.directory().join("e.json"), experiment.to_string()).unwrap();
    for rules in ["--compat", "--strict"] {
        let run = program.run(&["-vvv", "run", "e.json", "--var-file", "vars.json", rules]);
        assert!(!run.stderr.contains("canary-"), "{}", run.stderr);
        assert!(run.stdout.is_empty());
    }
    fs::remove_file(program.directory().join("e.json")).unwrap();
    fs::remove_file(program.directory().join("vars.json")).unwrap();
    let mut looked = 0;
    let mut places = vec![program.directory().to_owned()];
    while let Some(place) = places.pop() {
        for entry in fs::read_dir(place).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                places.push(path);
                continue;
            }
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            assert!(!text.contains("canary-"), "{}: {text}", path.display());
            looked += 1;
        }
    }
    assert!(looked >= 3, "the journal, the log and the log of the run are there");
}
