//! `execute`: rehearsed on a fresh machine, run on a simulated vCenter, interrupted, and refused.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use chaos_core::{RunEvent, RunEventKind};
use chaos_sim::{Failure, OnShutdown, Operation, Power, Sim, VmSpec, WireAction, WireFault};
use serde_json::{Value, json};

use crate::lab::Lab;
use crate::program::{Program, Run, signal};

const POWER_OFF: [&str; 5] = ["execute", "--chaos-type", "vsphere-vm-poweroff", "--override", "vm_name=web-01"];

fn journal(program: &Program) -> Value {
    let text = fs::read_to_string(program.directory().join("journal.json")).expect("a journal was written");
    serde_json::from_str(&text).expect("it is JSON")
}

fn run_logs(program: &Program) -> Vec<PathBuf> {
    let directory = program.directory().join(".local/state/chaosmonkey/runs");
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    entries.map(|entry| entry.expect("readable").path()).collect()
}

fn power(lab: &Lab, vm: &str) -> Power {
    lab.sim.world().vm(vm).expect("the VM is there").power
}

/// Durations differ from run to run.
fn without_times(text: &str) -> String {
    let cut = |line: &str| match line.rsplit_once("  ") {
        Some((rest, time)) if time.ends_with('s') && time.starts_with(|c: char| c.is_ascii_digit()) => {
            format!("{}  [time]", rest.trim_end())
        }
        _ => line.to_owned(),
    };
    text.lines().map(cut).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_rehearsal_needs_no_configuration_at_all() {
    let program = Program::new();
    let args: Vec<&str> = POWER_OFF.into_iter().chain(["--rehearse"]).collect();
    let mut command = program.command(&args);
    let run = Run::from(command.env_remove("HOME").output().expect("the program starts")).exits(0);
    insta::assert_snapshot!("rehearsal", without_times(&run.stdout));
    let run = run.says("nothing real is touched").says("web-01 is powered_off").says("put back: web-01 is powered_on");
    assert!(!run.stderr.contains("hint"), "{}", run.stderr);

    let journal = journal(&program);
    assert_eq!((&journal["status"], &journal["deviated"]), (&json!("completed"), &json!(false)));
    assert_eq!(journal["run"][0]["status"], "succeeded");
    assert_eq!(journal["steady_states"]["before"]["steady_state_met"], true);
    assert_eq!(journal["steady_states"]["after"]["steady_state_met"], true);
    let left: Vec<_> = fs::read_dir(program.directory()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["journal.json"], "nothing else is left behind");
}

#[test]
fn a_rehearsal_holds_every_vm_that_is_named_and_ignores_connections() {
    let run = Program::new()
        .run(&[
            "execute",
            "-t",
            "vsphere-vm-reboot",
            "--override",
            "vm_name=erp-77",
            "--override",
            "group=app-*",
            "--override",
            "vsphere_server=vc.example.com",
            "--rehearse",
            "-f",
            "json",
        ])
        .exits(0)
        .says("connection values are ignored");
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["verdict"], "completed");
    assert_eq!(report["left_changed"], json!([]));
}

/// An experiment of the Python tool, with a probe and an action of kinds that a rehearsal leaves out.
fn shop(page: &str, tolerance: &Value) -> String {
    let experiment = json!({
        "title": "the shop survives", "description": "without one web server",
        "steady-state-hypothesis": {"title": "the page answers", "probes": [
            {"type": "probe", "name": "page-answers", "tolerance": tolerance,
             "provider": {"type": "http", "url": page}}]},
        "method": [
            {"type": "action", "name": "stop-web",
             "provider": {"type": "python", "module": "chaosmonkey.stubs.actions", "func": "vm_power_off",
                          "arguments": {"vm_name": "shop-web-07", "platform_type": "vsphere"}}},
            {"type": "action", "name": "load", "provider": {"type": "process", "path": "touch", "arguments": ["ran"]}},
            {"type": "probe", "name": "look", "provider": {"type": "process", "path": "echo", "arguments": "looked"}}],
        "rollbacks": []
    });
    experiment.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_looks_at_the_real_world_only_when_it_is_told_to_and_never_acts_on_it() {
    let server = Sim::builder().start().await.unwrap();
    let page = format!("{}/sim/", server.url().trim_end_matches("/sdk"));
    let program = Program::new();
    let file = program.directory().join("experiment.json");
    fs::write(&file, shop(&page, &json!(200))).unwrap();
    let args = ["execute", "-e", "experiment.json", "--rehearse"];
    let run = program.run(&args).exits(0);
    for left_out in ["page-answers (http)", "load (process)", "look (process)"] {
        assert!(run.stdout.contains(&format!("not rehearsed: {left_out}")), "{}", run.stdout);
    }
    assert!(run.stdout.contains("completed: the steady state was left out of the rehearsal"), "{}", run.stdout);
    let rows: Vec<&str> = run.stdout.lines().filter(|line| line.contains("left out ")).collect();
    assert_eq!(rows.len(), 4 + 1, "the page twice, the load, the look, and the conclusion: {}", run.stdout);

    let looking: Vec<&str> = args.into_iter().chain(["--rehearse-probes"]).collect();
    let run = program.run(&looking).exits(0);
    assert!(run.stdout.contains("not rehearsed: load (process)"), "{}", run.stdout);
    assert_eq!(run.stdout.matches("not rehearsed").count(), 1, "{}", run.stdout);
    assert!(run.stdout.contains("completed: the steady state held"), "{}", run.stdout);
    assert!(!program.directory().join("ran").exists());
    let journal = journal(&program);
    assert_eq!(journal["steady_states"]["before"]["probes"][0]["output"]["status"], 200);
    assert_eq!(journal["run"][2]["output"]["stdout"], "looked\n");

    fs::write(&file, shop(&page, &json!([418]))).unwrap();
    let run = program.run(&looking).exits(1);
    assert!(run.stdout.contains("`page-answers`: 200 is none of [418]"), "{}", run.stdout);
}

#[test]
fn what_is_found_in_a_file_is_told_with_its_line() {
    let program = Program::new();
    let run = |text: &str| {
        fs::write(program.directory().join("e.yaml"), text).unwrap();
        program.run(&["execute", "-e", "e.yaml", "--rehearse"])
    };
    run("title: t\ndescription: d\nmethod: []\n").exits(0).says("e.yaml:1:1: /steady-state-hypothesis: there is no");
    run("title: t\ntitle: u\nmethod: []\n").exits(2).says("e.yaml:2:1: /title: the key `title` occurs twice");
    run("title: t\nmethod: [\n").exits(2).says("e.yaml:2:9: unclosed bracket");
}

#[test]
fn a_probe_in_python_is_run_in_a_rehearsal_only_if_that_is_asked_for() {
    let program = Program::new();
    let experiment = json!({
        "title": "t", "description": "d", "method": [{"type": "probe", "name": "p",
            "provider": {"type": "python", "module": "mine", "func": "look"}}]
    });
    fs::write(program.directory().join("experiment.json"), experiment.to_string()).unwrap();
    let args = ["execute", "-e", "experiment.json", "--rehearse", "--rehearse-probes"];
    program.run(&args[..4]).exits(0);
    let run = program.run(&args).exits(2);
    assert!(run.stdout.contains("`mine`") || run.stderr.contains("`mine`"), "{}{}", run.stdout, run.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_without_an_undo_is_said_to_be_one() {
    let lab = Lab::demo().await;
    let experiment = json!({
        "title": "t", "description": "d",
        "method": [{"type": "action", "name": "load", "provider": {"type": "process", "path": "touch", "arguments": ["ran"]}}]
    });
    fs::write(lab.program.directory().join("experiment.json"), experiment.to_string()).unwrap();
    let run = lab.run(&["execute", "-e", "experiment.json", "--dry-run"]).exits(0);
    assert!(run.stdout.contains("action load: runs `touch ran`, which cannot be undone"), "{}", run.stdout);
    assert!(!lab.program.directory().join("ran").exists());
    let run = lab.run(&["execute", "-e", "experiment.json"]).exits(0).says("what it does cannot be undone");
    assert!(run.stdout.contains("beside what load did, which has no undo"), "{}", run.stdout);
    assert!(lab.program.directory().join("ran").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_experiment_on_a_vcenter_puts_everything_back() {
    let lab = Lab::demo().await;
    let run = lab.run(&POWER_OFF).exits(0).says("put back: web-01 is powered_on");
    assert!(run.stdout.contains("completed: the steady state held, everything is back"), "{}", run.stdout);
    assert_eq!(lab.changes(), ["ShutdownGuest web-01", "PowerOnVM_Task web-01"]);
    assert_eq!(power(&lab, "web-01"), Power::On);
    assert_eq!(journal(&lab.program)["status"], "completed");
    lab.is_logged_out();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_run_log_has_the_undo_before_the_call() {
    let lab = Lab::demo().await;
    let run = lab.run(&POWER_OFF).exits(0);
    let logs = run_logs(&lab.program);
    let [log] = logs.as_slice() else { panic!("one run log: {logs:?}") };
    run.says(&format!("run log: {}", log.display()));
    let segment = log.join("0000.log");
    let text = fs::read_to_string(&segment).unwrap();
    // A header, and behind a checksum an event a line.
    let events: Vec<RunEvent> =
        text.lines().skip(1).map(|line| serde_json::from_str(line.split_once(' ').unwrap().1).unwrap()).collect();
    let at = |fits: &dyn Fn(&RunEventKind) -> bool| events.iter().position(|event| fits(&event.event)).unwrap();
    let prepared = at(&|event| matches!(event, RunEventKind::Prepared { .. }));
    let sent = at(&|event| matches!(event, RunEventKind::Sent { .. }));
    let undone = at(&|event| matches!(event, RunEventKind::Undone { .. }));
    assert!(prepared < sent && sent < undone, "{prepared} {sent} {undone}");
    assert!(matches!(events.last().unwrap().event, RunEventKind::RunEnded { .. }));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&segment).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(log).unwrap().permissions().mode() & 0o777, 0o700);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_shows_the_plan_and_touches_nothing() {
    let lab = Lab::demo().await;
    let args: Vec<&str> = POWER_OFF.into_iter().chain(["--dry-run"]).collect();
    let run = lab.run(&args).exits(0);
    insta::assert_snapshot!("plan", run.stdout);
    lab.is_untouched();
    assert!(!lab.program.directory().join("journal.json").exists() && run_logs(&lab.program).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_work_is_refused_with_nothing_touched() {
    let lab = Lab::with([VmSpec::new("twin").folder("left"), VmSpec::new("twin").folder("right")]).await;
    for (args, code, says) in [
        (&["-t", "vsphere-vm-powerof", "--override", "vm_name=web-01"][..], 2, "vsphere-vm-poweroff"),
        (&["-t", "vsphere-vm-poweroff"], 2, "vm_name"),
        (&["-t", "vsphere-vm-poweroff", "--override", "vm_nam=web-01"], 2, "vm_nam"),
        (&["-t", "vsphere-vm-poweroff", "--override", "vm_name=web-99"], 4, "web-99"),
        (&["-t", "vsphere-vm-poweroff", "--override", "vm_name=twin"], 4, "/demo/vm/right/twin"),
        (&["-t", "vsphere-vm-poweroff", "--override", "vm_name=golden-image"], 5, "is a template"),
        (&["-t", "vsphere-vm-reboot", "--override", "vm_name=batch-01"], 5, "power it on instead"),
        (&["-e", "missing.json"], 2, "missing.json"),
    ] {
        let args: Vec<&str> = ["execute"].into_iter().chain(args.iter().copied()).collect();
        lab.run(&args).exits(code).says(says);
        assert!(!lab.program.directory().join("journal.json").exists(), "{args:?}");
    }
    lab.is_untouched();
    lab.is_logged_out();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_cannot_be_written_stops_before_anything_starts() {
    let lab = Lab::demo().await;
    let args: Vec<&str> = POWER_OFF.into_iter().chain(["--journal-path", "no/such/place.json"]).collect();
    lab.run(&args).exits(2).says("no/such/place.json");
    assert!(lab.sim.calls().is_empty(), "not even a connection");
}

#[test]
fn without_settings_the_way_out_is_a_rehearsal() {
    Program::new().run(&POWER_OFF).exits(2).says("VSPHERE_SERVER").says("hint: --rehearse");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_steady_state_that_is_not_there_touches_nothing() {
    let lab = Lab::with([VmSpec::new("web-05").power(Power::Off)]).await;
    let args: Vec<&str> = POWER_OFF.into_iter().chain(["--override", "group=web-*"]).collect();
    let run = lab.run(&args).exits(1);
    assert!(run.stdout.contains("the steady state is not there, nothing was touched"), "{}", run.stdout);
    lab.is_untouched();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_action_fails_the_run() {
    let lab = Lab::demo().await;
    lab.sim.world().fail_tasks(Some("web-01"), Some(Operation::PowerOff), Failure::OutOfResources, 0, 1).unwrap();
    let args: Vec<&str> = POWER_OFF.into_iter().chain(["--override", "graceful=false", "-f", "json"]).collect();
    let run = lab.run(&args).exits(1);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["verdict"], "failed");
    assert_eq!(power(&lab, "web-01"), Power::On);
    assert_eq!(journal(&lab.program)["status"], "failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_puts_everything_back_and_exits_130() {
    for name in ["INT", "TERM", "HUP"] {
        let lab = Lab::with([VmSpec::new("stuck").on_shutdown(OnShutdown::Hangs)]).await;
        let args = ["execute", "-t", "vsphere-vm-poweroff", "--override", "vm_name=stuck"];
        let child = lab.program.command(&args).spawn().expect("the program starts");
        lab.until(|lab| lab.changes().len() == 1).await;
        // The guest goes down all the same, a moment after the signal.
        signal(&child, name);
        lab.sim.world().set_power("stuck", Power::Off).unwrap();
        let run = Run::from(child.wait_with_output().expect("it ends")).exits(130).says("interrupted");
        assert!(run.stdout.contains("interrupted"), "{}", run.stdout);
        assert_eq!(power(&lab, "stuck"), Power::On, "{name}: what was stopped is put back");
        assert_eq!(journal(&lab.program)["status"], "interrupted");
        lab.is_logged_out();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_interrupt_stops_the_undo_and_says_what_is_left() {
    let lab = Lab::demo().await;
    lab.sim.inject(WireFault::new(WireAction::Stall { after_effect: false }).method("PowerOnVM_Task"));
    let args: Vec<&str> = POWER_OFF.into_iter().chain(["--override", "graceful=false"]).collect();
    let mut child = lab.program.command(&args).spawn().expect("the program starts");
    lab.until(|lab| !lab.sim.calls_of("PowerOnVM_Task").is_empty()).await;
    signal(&child, "INT");
    // Two signals that come together count as one: the program has to have seen the first.
    let mut stderr = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    let seen = stderr.by_ref().map_while(Result::ok).any(|line| line.contains("putting everything back"));
    assert!(seen, "the first signal is answered");
    signal(&child, "INT");
    let rest: Vec<String> = stderr.map_while(Result::ok).collect();
    assert_eq!(child.wait().expect("it ends").code(), Some(130), "{rest:#?}");
    let said = |text: &str| rest.iter().any(|line| line.contains(text));
    assert!(said("LEFT CHANGED: ") && said("web-01 was found powered_on"), "{rest:#?}");
    assert!(said("hint: put it back with `chaosmonkey platforms power-on --platform vsphere id:vm-1`"), "{rest:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_goes_away_never_stops_the_undo() {
    let lab = Lab::with([VmSpec::new("stuck").on_shutdown(OnShutdown::Hangs)]).await;
    let args = ["execute", "-t", "vsphere-vm-poweroff", "--override", "vm_name=stuck"];
    let mut child = lab.program.command(&args).spawn().expect("the program starts");
    lab.until(|lab| lab.changes().len() == 1).await;
    signal(&child, "HUP");
    let mut stderr = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    let seen = stderr.by_ref().map_while(Result::ok).any(|line| line.contains("putting everything back"));
    assert!(seen, "the hangup is answered");
    // The shell sends one more than the kernel, and nobody listens any more.
    signal(&child, "HUP");
    drop(stderr);
    drop(child.stdout.take());
    lab.sim.world().set_power("stuck", Power::Off).unwrap();
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    assert_eq!(power(&lab, "stuck"), Power::On);
    assert_eq!(journal(&lab.program)["status"], "interrupted");
    lab.is_logged_out();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_changed_is_said_even_if_the_report_cannot_be_written() {
    let lab = Lab::demo().await;
    lab.sim.inject(
        WireFault::new(WireAction::SoapFault { fault: "HostNotConnected".into() }).method("PowerOnVM_Task").always(),
    );
    let args: Vec<&str> = POWER_OFF.into_iter().chain(["--override", "graceful=false"]).collect();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let child = lab.program.command(&args).stdout(full).spawn().expect("the program starts");
    let run = Run::from(child.wait_with_output().expect("it ends")).exits(1);
    run.says("LEFT CHANGED: ").says("cannot write to stdout");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_without_probes_does_not_claim_that_the_steady_state_held() {
    let lab = Lab::demo().await;
    let experiment = json!({
        "title": "t", "description": "d", "method": [{
            "type": "action", "name": "off",
            "provider": {"type": "python", "module": "chaosmonkey.stubs.actions", "func": "vm_power_off",
                         "arguments": {"vm_name": "web-01", "platform_type": "vsphere"}}
        }]
    });
    fs::write(lab.program.directory().join("experiment.json"), experiment.to_string()).unwrap();
    let run = lab.run(&["execute", "-e", "experiment.json"]).exits(0);
    assert!(run.stdout.contains("no steady state was declared"), "{}", run.stdout);
    assert!(!run.stdout.contains("steady state held"), "{}", run.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_cannot_send_the_password_elsewhere() {
    let lab = Lab::demo().await;
    let other = Sim::builder().start().await.unwrap();
    let experiment = json!({
        "title": "t", "description": "d", "method": [{
            "type": "action", "name": "off",
            "provider": {"type": "python", "module": "chaosmonkey.stubs.actions", "func": "vm_power_off",
                         "arguments": {"vm_name": "web-01", "platform_type": "vsphere", "server": other.url()}}
        }]
    });
    fs::write(lab.program.directory().join("experiment.json"), experiment.to_string()).unwrap();
    lab.run(&["execute", "-e", "experiment.json"]).exits(2).says("never sent");
    assert!(other.calls().is_empty() && lab.sim.calls().is_empty());
    // Named by the person who starts the run it is their own choice.
    let server = format!("vsphere_server={}", other.url());
    let args = ["execute", "-e", "experiment.json", "--override", &server];
    lab.run(&args).exits(3);
    assert_eq!(other.calls_of("Login").len(), 1, "that server has another password");
}

#[test]
fn a_built_in_experiment_is_a_beginning_for_one_of_ones_own() {
    let program = Program::new();
    for template in chaos_experiments::Template::all() {
        let document = program.run(&["templates", "show", template.name(), "--document"]).exits(0);
        std::fs::write(program.directory().join("mine.yaml"), document.stdout).unwrap();
        program.run(&["validate", "mine.yaml"]).exits(0);
    }
}

#[test]
fn the_built_in_experiments_are_listed_and_shown() {
    let program = Program::new();
    let list = program.run(&["templates", "list"]).exits(0);
    insta::assert_snapshot!("templates", list.stdout);
    let show = program.run(&["templates", "show", "olvm_vm_batch_shutdown"]).exits(0);
    insta::assert_snapshot!("template", show.stdout);
    let json = program.run(&["templates", "show", "vsphere-vm-suspend", "--format", "json"]).exits(0);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["parameters"][0]["name"], "vm_name");
    assert_eq!(json["document"]["configuration"]["timeout"], 300);
    assert_eq!(json["document"]["method"][0]["provider"]["arguments"]["platform_type"], "vsphere");
    let alone = program.run(&["templates", "show", "vsphere-vm-suspend", "--document", "--format", "json"]).exits(0);
    assert_eq!(serde_json::from_str::<Value>(&alone.stdout).unwrap(), json["document"]);
    program.run(&["templates", "show", "vsphere-vm-suspent"]).exits(2).says("did you mean `vsphere-vm-suspend`?");
}
