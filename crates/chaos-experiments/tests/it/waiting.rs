//! What experiments may say beyond Chaos Toolkit: probes that wait, activities that are tried again, looks without Python.

use chaos_core::{RunEventKind, RunMode};
use chaos_experiments::{MemorySink, Verdict};
use chaos_testkit::contains_secret;
use chaos_testkit::memory::Failure;
use serde_json::{Value, json};

use crate::extensions::{compat, echo, refused, says, together};
use crate::lab::{Lab, action, count, document, inputs, options, probe, read, read_with};

#[tokio::test(start_paused = true)]
async fn a_probe_waits_until_what_it_looks_for_is_there() {
    let lab = Lab::with(&["a"]);
    let off = |pause: u32| {
        let mut off = action("off", "vm_power_off", json!({"vm_name": "a"}));
        off["pauses"] = json!({"before": pause});
        off["background"] = json!(true);
        off
    };
    let mut wait = probe("wait", "vm_power_state", json!({"vm_name": "a"}), json!("powered_off"));
    wait["until"] = json!({"tolerance": "powered_off", "timeout": "5m", "every": 2});
    let (report, _) = lab.run(read(document(&[off(30), wait.clone()], &[])).unwrap()).await;
    assert_eq!((report.verdict, report.reason), (Verdict::Completed, None));
    let record = &report.journal.run[0];
    assert_eq!(record.output, json!("powered_off"));
    assert!((30.0..120.0).contains(&record.duration.unwrap()), "{record:?}");

    let lab = Lab::with(&["a"]);
    wait["until"]["timeout"] = json!(20);
    let (report, _) = lab.run(read(document(&[off(60), wait], &[])).unwrap()).await;
    assert_eq!(report.verdict, Verdict::Failed);
    let reason = r#"`wait`: it did not come to pass within 20s: "powered_on" is not "powered_off""#;
    assert_eq!(report.reason.as_deref(), Some(reason));
    assert!(report.journal.run[0].duration.unwrap() < 25.0);
}

#[tokio::test(start_paused = true)]
async fn who_waits_can_be_interrupted_and_a_look_that_fails_is_made_again() {
    let lab = Lab::with(&["a"]);
    lab.estate.fail_next(
        Failure::refuse(chaos_core::ErrorKind::Failed, "just now").of(chaos_testkit::memory::CallKind::Read),
    );
    let mut wait = probe("wait", "vm_power_state", json!({"vm_name": "a"}), json!("powered_on"));
    wait["until"] = json!({"tolerance": "powered_on", "timeout": 60});
    let (report, _) = lab.run(read(document(&[wait.clone()], &[])).unwrap()).await;
    assert_eq!((report.verdict, report.reason), (Verdict::Completed, None));
    assert!(report.journal.run[0].duration.unwrap() >= 1.0);

    wait["until"]["tolerance"] = json!("suspended");
    let resolved = lab.resolve(read(document(&[wait], &[])).unwrap()).await.unwrap();
    let cx = lab.cx.clone();
    let cancel = async {
        let _ = cx.pause("a test", std::time::Duration::from_secs(5)).await;
        cx.cancellation().cancel();
    };
    let (sink, options) = (MemorySink::default(), options());
    let (report, ()) = tokio::join!(resolved.run(&lab.cx, &sink, &options), cancel);
    assert_eq!(report.verdict, Verdict::Interrupted);
    assert_eq!(report.journal.run[0].status, None);
}

/// A process that fails as an activity: its output is not text.
fn fails_until(path: &std::path::Path, tries: usize, last: &str) -> Value {
    let script =
        format!("echo x >> {0}; if [ $(wc -l < {0}) -lt {tries} ]; then sleep 60; fi; printf {last}", path.display());
    let mut step = says("flaky", &script);
    step["provider"]["timeout"] = json!(0.3);
    step
}

#[tokio::test]
async fn what_fails_is_tried_again_and_the_journal_says_how_often() {
    let folder = tempfile::tempdir().unwrap();
    let lab = Lab::in_real_time(&["a"]);
    let mut flaky = fails_until(&folder.path().join("a"), 3, "canary-7f3a-hunter2");
    flaky["retry"] = json!({"times": 4, "delay": "10ms", "backoff": 2});
    flaky["type"] = "action".into();
    let mut hopeless = fails_until(&folder.path().join("b"), 9, "x");
    hopeless["retry"] = json!({"times": 1, "delay": 0});
    let mut experiment = document(&[flaky, hopeless], &[]);
    experiment["secrets"] = json!({"s": {"k": "canary-7f3a-hunter2"}});
    let (report, events) = lab.run(read(experiment).unwrap()).await;
    assert_eq!(report.verdict, Verdict::Failed);
    let run = &report.journal.run;
    assert_eq!((run[0].tries, run[0].output["stdout"].clone()), (Some(3), json!("********")));
    assert_eq!((run[1].tries, run[1].output.clone()), (Some(2), Value::Null));
    assert_eq!(count(&events, |event| matches!(event, RunEventKind::ActivityTried { .. })), 3);
    assert_eq!(count(&events, |event| matches!(event, RunEventKind::NotUndoable { .. })), 1);
    assert!(!contains_secret(&serde_json::to_string(&events).unwrap(), "canary-7f3a-hunter2"));
}

#[tokio::test]
async fn all_tries_together_have_the_time_of_the_activity() {
    let folder = tempfile::tempdir().unwrap();
    let lab = Lab::in_real_time(&["a"]);
    let mut hopeless = fails_until(&folder.path().join("a"), 1000, "x");
    hopeless["retry"] = json!({"times": 900, "delay": 0.1});
    hopeless["timeout"] = json!(1.5);
    let (report, _) = lab.run(read(document(&[hopeless], &[])).unwrap()).await;
    assert_eq!(report.verdict, Verdict::Failed);
    assert!(report.journal.run[0].duration.unwrap() < 10.0);
}

#[test]
fn what_cannot_be_tried_again_or_waited_for_is_refused() {
    let off = action("off", "vm_power_off", json!({"vm_name": "a"}));
    let look = probe("look", "vm_exists", json!({"vm_name": "a"}), json!(true));
    for (activity, key, value, part) in [
        (&off, "retry", json!({"times": 1}), "/method/0/retry: a call that changes a VM is never sent twice"),
        (&off, "until", json!({"tolerance": 1, "timeout": 1}), "/method/0/until: only a probe waits"),
        (&look, "retry", json!({"times": 0}), "/method/0/retry/times: how often"),
        (&look, "retry", json!({"times": 1, "backoff": 0.5}), "/method/0/retry/backoff: "),
        (&look, "retry", json!({"times": 1, "dely": 1}), "/method/0/retry/dely: there is no `dely` here"),
        (&look, "retry", json!(3), "/method/0/retry: `retry` is a mapping"),
        (&look, "until", json!({"timeout": 1}), "/method/0/until: `until` needs a `tolerance`"),
        (&look, "until", json!({"tolerance": true}), "/method/0/until: `until` needs a `timeout`"),
        (&look, "until", json!({"tolerance": {"type": "x"}, "timeout": 1}), "/method/0/until/tolerance: "),
    ] {
        let mut activity = activity.clone();
        activity[key] = value;
        let found = refused(document(&[activity.clone()], &[]));
        assert!(found.iter().any(|finding| finding.starts_with(part)), "{part}: {found:?}");
        let experiment = compat(document(&[activity], &[]), false).unwrap();
        let warnings: Vec<String> = experiment.warnings().iter().map(ToString::to_string).collect();
        let expected = format!("/method/0/{key}: `{key}` is not heeded, as in Chaos Toolkit");
        assert!(warnings.iter().any(|warning| warning.starts_with(&expected)), "{warnings:?}");
    }
}

fn native(name: &str, function: &str, arguments: Value, tolerance: Value) -> Value {
    let mut probe = json!({"type": "probe", "name": name, "provider":
        {"type": "python", "module": "chaosmonkey.probes", "func": function}});
    (probe["provider"]["arguments"], probe["tolerance"]) = (arguments, tolerance);
    probe
}

#[tokio::test]
async fn probes_without_python_look_at_names_and_ports() {
    let lab = Lab::in_real_time(&["a"]);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let experiment = document(
        &[
            echo("port", &port.to_string()),
            native("open", "tcp_connects", json!({"host": "127.0.0.1", "port": port}), json!(true)),
            native(
                "later",
                "tcp_connects",
                json!({"host": "127.0.0.1", "port": "${steps.port.output.stdout}"}),
                json!(true),
            ),
            native("closed", "tcp_connects", json!({"host": "127.0.0.1", "port": 1, "timeout": "2s"}), json!(false)),
            native("own", "dns_lookup", json!({"name": "[::1]"}), json!([["::1"]])),
            native("other", "dns_lookup", json!({"name": "127.0.0.1", "expected": "127.0.0.2"}), json!(false)),
            native("none", "tls_days_left", json!({"host": "127.0.0.1", "port": 1}), json!(1)),
        ],
        &[],
    );
    let (report, _) = lab.run(read(experiment).unwrap()).await;
    assert_eq!(report.reason.as_deref(), Some("`none`: nothing listens at the port"));
    assert_eq!(report.journal.run.len(), 7);
}

#[test]
fn probes_without_python_are_checked_before_the_run() {
    for (function, arguments, part) in [
        ("tcp_connect", json!({}), "/method/0/provider/func: the module `chaosmonkey.probes` has tcp_connects, "),
        ("tcp_connects", json!({"host": "h"}), "/method/0/provider/arguments/port: this argument is missing"),
        ("tcp_connects", json!({"host": "h", "port": 0}), "/method/0/provider/arguments/port: this has to be a port"),
        (
            "tls_days_left",
            json!({"hst": "h"}),
            "/method/0/provider/arguments/hst: `tls_days_left` takes host, port, timeout",
        ),
        ("dns_lookup", json!({"name": "n", "expected": ["x"]}), "/method/0/provider/arguments/expected: "),
    ] {
        let found = refused(document(&[native("p", function, arguments, json!(true))], &[]));
        assert!(found.iter().any(|finding| finding.starts_with(part)), "{part}: {found:?}");
    }
    let fine = document(&[native("p", "tcp_connects", json!({"host": "h", "port": 1}), json!(true))], &[]);
    let findings = compat(fine.clone(), false).unwrap_err();
    assert_eq!(findings.list[0].place, "/method/0/provider/module");
    assert!(compat(fine.clone(), true).is_ok());
    let mut inputs = inputs(&[]);
    inputs.mode = RunMode::Rehearsal;
    assert_eq!(read_with(fine, &inputs).unwrap().not_rehearsed().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn vms_are_counted_and_tell_when_they_were_powered_on() {
    let lab =
        Lab::new(&chaos_testkit::EstateSpec::of(["web-1", "web-2"]).with([chaos_testkit::VmSpec::new("web-3").off()]));
    let experiment = document(
        &[
            probe("all", "vm_count", json!({"group": "web-*"}), json!(3)),
            probe("on", "vm_count", json!({"group": "web-*", "power_state": "powered_on"}), json!(2)),
            probe("none", "vm_count", json!({"group": "db-*"}), json!(0)),
            probe("tools", "vm_tools_state", json!({"vm_name": "web-1"}), json!("running")),
            action("again", "vm_reboot", json!({"vm_name": "web-1"})),
            probe("booted", "vm_boot_time", json!({"vm_name": "web-1"}), json!({"type": "range", "range": [0, 600]})),
        ],
        &[],
    );
    let (report, _) = lab.run(read(experiment).unwrap()).await;
    assert_eq!((report.verdict, report.reason), (Verdict::Completed, None));
    let odd = document(&[probe("p", "vm_count", json!({"group": "x", "power_state": "on"}), json!(1))], &[]);
    assert!(refused(odd)[0].starts_with("/method/0/provider/arguments/power_state: this has to be powered_on"));
}

const DOCS: &str = include_str!("../../../../docs/experiment-extensions.md");

#[test]
fn the_documentation_has_each_extension_as_the_code_knows_it() {
    for extension in chaos_experiments::Extension::ALL {
        let verb = if extension.reach == chaos_experiments::Reach::Ignored { "ignores it" } else { "refuses it" };
        let anchor = extension.name.to_lowercase().replace(' ', "-");
        let row = format!("| [{}](#{anchor}) | `{}` | {verb} |", extension.name, extension.written);
        assert!(DOCS.contains(&row), "{row}");
        let section = DOCS.split(&format!("\n## {}\n", extension.name)).nth(1).unwrap_or_default();
        assert!(section.split("\n## ").next().unwrap_or_default().contains("```json"), "{}", extension.name);
    }
    assert_eq!(DOCS.matches("\n| [").count(), chaos_experiments::Extension::ALL.len());
}

#[tokio::test]
async fn the_examples_of_the_documentation_run() {
    let blocks: Vec<&str> = DOCS.split("```json\n").skip(1).filter_map(|rest| rest.split("\n```").next()).collect();
    // One more is about selectors, which both rules know.
    assert_eq!(blocks.len(), chaos_experiments::Extension::ALL.len() + 1);
    for block in blocks {
        let method: Vec<Value> = serde_json::from_str(block).unwrap();
        let lab = Lab::in_real_time(&["web-01", "db-01"]);
        let (report, _) = lab.run(read(document(&method, &[])).unwrap()).await;
        assert_eq!((report.verdict, report.reason), (Verdict::Completed, None), "{block}");
        assert!(compat(document(&method, &[]), true).is_ok(), "{block}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_assertion_counts_in_a_reference_a_group_and_a_rollback() {
    let state = |tolerance: Value| {
        let mut state = probe("state", "vm_power_state", json!({"vm_name": "a"}), tolerance);
        state["background"] = json!(false);
        state
    };
    let off = action("off", "vm_power_off", json!({"vm_name": "a"}));
    let is_off = json!("powered_off");
    for (method, rollbacks, reason) in [
        (
            vec![state(json!("powered_on")), json!({"ref": "state", "tolerance": is_off}), off.clone()],
            vec![],
            Some("`state`: "),
        ),
        (vec![state(json!("powered_on")), json!({"ref": "state"}), off.clone()], vec![], None),
        (vec![together("g", &[state(is_off.clone())]), off.clone()], vec![], Some("`state`: ")),
        (
            vec![],
            vec![state(is_off.clone()), action("late", "vm_restore", json!({"vm_names": "a"}))],
            Some("rollback `state`: "),
        ),
    ] {
        let lab = Lab::with(&["a"]);
        let experiment = document(&method, &rollbacks);
        let (report, _) = lab.run(read(experiment.clone()).unwrap()).await;
        assert_eq!(report.verdict, if reason.is_some() { Verdict::Failed } else { Verdict::Completed });
        let expected = reason.map(|name| format!("{name}\"powered_on\" is not \"powered_off\""));
        assert_eq!(report.reason, expected);
        assert_eq!(report.journal.rollbacks.len(), rollbacks.len());
        let warned =
            compat(experiment, true).unwrap().warnings().iter().any(|warning| warning.place.ends_with("/tolerance"));
        assert!(warned || method.is_empty() || reason.is_none());
    }
}
