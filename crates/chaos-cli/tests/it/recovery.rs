//! What outlives a run: its log, the recovery of one that was killed, leases, and the switch that stops all.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use chaos_sim::{Power, WireAction, WireFault};
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};
use serde_json::{Value, json};

use crate::lab::{Lab, PASSWORD, USER};
use crate::program::{Run, signal};

/// Powers a VM off and then waits for ten minutes.
fn off_and_wait(lab: &Lab, vm: &str) -> String {
    let file = format!("{vm}.json");
    let experiment = json!({
        "title": format!("without {vm}"), "description": "d",
        "method": [{"type": "action", "name": "off", "pauses": {"after": 600}, "provider":
            {"type": "python", "module": "chaosmonkey.vm", "func": "vm_power_off",
             "arguments": {"vm_name": vm, "platform_type": "vsphere", "graceful": false, "timeout": 2}}}]
    });
    fs::write(lab.program.directory().join(&file), experiment.to_string()).expect("there is room for a file");
    file
}

fn start(lab: &Lab, args: &[&str]) -> Child {
    lab.program.command(args).spawn().expect("the program starts")
}

/// Starts a run and waits until the VM is off.
async fn run_until_off(lab: &Lab, vm: &str, more: &[&str]) -> Child {
    let file = off_and_wait(lab, vm);
    let journal = format!("{vm}-journal.json");
    let args = [&["execute", "-e", &file, "--journal-path", &journal], more].concat();
    let child = start(lab, &args);
    lab.until(|lab| power(lab, vm) == Power::Off).await;
    child
}

/// A run that was killed when the VM was off.
pub(crate) async fn killed(lab: &Lab, vm: &str) {
    let mut child = run_until_off(lab, vm, &[]).await;
    child.kill().expect("it goes on");
    child.wait().expect("it was started here");
}

fn power(lab: &Lab, vm: &str) -> Power {
    lab.sim.world().vm(vm).expect("the VM is there").power
}

fn runs(lab: &Lab, args: &[&str]) -> Vec<Value> {
    let args = [&["runs", "list", "--format", "json"], args].concat();
    serde_json::from_str(&lab.run(&args).exits(0).stdout).expect("JSON")
}

/// The processes that a process has started.
fn children(id: u32) -> Vec<u32> {
    let list = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    list.split_whitespace().map(|id| id.parse().expect("a number")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_killed_is_put_back_and_holds_its_vms_until_then() {
    let lab = Lab::demo().await;
    killed(&lab, "web-01").await;
    let list = runs(&lab, &[]);
    assert_eq!((list.len(), &list[0]["state"]), (1, &json!("unrecovered")));
    let run = list[0]["run"].as_str().unwrap().to_owned();
    let show = lab.run(&["runs", "show"]).exits(0);
    assert!(show.stdout.contains("unrecovered") && show.stdout.contains("LEFT CHANGED, or may be"), "{}", show.stdout);

    // Its VM cannot be hit, another one can, and a rehearsal holds nothing back.
    let before = lab.changes();
    let hit = ["execute", "-t", "vsphere-vm-poweroff", "--override", "vm_name=web-01"];
    lab.run(&hit).exits(5).says(&format!("`chaosmonkey recover {run}`")).says("nothing was touched");
    lab.run(&["runs", "rm", &run]).exits(5).says("recover");
    assert_eq!(lab.changes(), before);
    lab.run(&[&hit[..], &["--rehearse"]].concat()).exits(0);
    assert_eq!(runs(&lab, &["--rehearsals"]).len(), 1);
    lab.run(&["execute", "-t", "vsphere-vm-poweroff", "--override", "vm_name=web-02"]).exits(0);

    let before = lab.changes();
    let dry = lab.run(&["recover", "--dry-run"]).exits(1);
    assert!(dry.stdout.contains("web-01 is powered_off and would be put back"), "{}", dry.stdout);
    assert_eq!((lab.changes(), power(&lab, "web-01")), (before, Power::Off));

    let done = lab.run(&["recover"]).exits(0);
    assert!(done.stdout.contains("web-01 was put back and is powered_on"), "{}", done.stdout);
    assert_eq!(power(&lab, "web-01"), Power::On);
    let before = lab.changes();
    lab.run(&["recover"]).exits(0).says("no run has left anything changed");
    lab.run(&["recover", &run]).exits(0);
    assert_eq!(lab.changes(), before, "a second recovery changes nothing");

    let journal = lab.run(&["runs", "journal", &run]).exits(0);
    let journal: Value = serde_json::from_str(&journal.stdout).unwrap();
    assert_eq!(journal["status"], "interrupted");
    assert_eq!(runs(&lab, &[])[1]["state"], "recovered");
    lab.run(&["runs", "rm", &run[..6]]).exits(0);
    assert_eq!(runs(&lab, &[]).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_has_put_back_is_left_alone_and_told() {
    let lab = Lab::demo().await;
    killed(&lab, "web-01").await;
    lab.sim.world().set_power("web-01", Power::On).unwrap();
    let before = lab.changes();
    let run = lab.run(&["recover", "--settle", "1s"]).exits(0).says("LEFT ALONE").says("somebody else");
    assert!(run.stdout.contains("is recovered"), "{}", run.stdout);
    assert_eq!(lab.changes(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_put_back_is_listed_and_can_be_abandoned() {
    let lab = Lab::demo().await;
    killed(&lab, "web-01").await;
    let fault = WireAction::SoapFault { fault: "HostNotConnected".into() };
    lab.sim.inject(WireFault::new(fault).method("PowerOnVM_Task").always());
    let run = lab.run(&["recover", "--timeout", "3s"]).exits(1).says("LEFT CHANGED").says("platforms power-on");
    let list = runs(&lab, &[]);
    assert_eq!(list[0]["state"], "unrecovered", "{}", run.stdout);
    let id = list[0]["run"].as_str().unwrap();
    lab.run(&["recover", id, "--abandon", " "]).exits(2);
    let nobody = lab.run(&["recover", "no-such-run"]).exits(4).says("there is no run `no-such-run`");
    assert!(!nobody.stderr.contains("discover-vms"), "a run is no VM: {}", nobody.stderr);
    lab.run(&["recover", id, "--abandon", "restored by hand"]).exits(0).says("holds");
    assert_eq!(runs(&lab, &[])[0]["state"], "abandoned");
    lab.run(&["recover"]).exits(0).says("no run has left anything changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_never_hold_one_vm() {
    let lab = Lab::demo().await;
    let child = run_until_off(&lab, "web-01", &[]).await;
    let before = lab.changes();
    let hit = ["execute", "-t", "vsphere-vm-poweroff", "--override", "vm_name=web-01"];
    let run = lab.run(&hit).exits(5);
    assert!(run.stderr.contains("is held by run"), "{}", run.stderr);
    assert_eq!(lab.changes(), before);
    let listed = runs(&lab, &[]);
    assert_eq!(listed[0]["state"], "running");
    // Nobody recovers a run that is alive, nor says what a recovery of it would do.
    for more in [&[][..], &["--dry-run"]] {
        let recover = [&["recover", listed[0]["run"].as_str().unwrap()], more].concat();
        lab.run(&recover).exits(5).says("goes on");
    }
    signal(&child, "INT");
    Run::from(child.wait_with_output().unwrap()).exits(130);
    lab.run(&hit).exits(0);
}

/// The acceptance of `halt`: 20 runs at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_halt_stops_all_runs_and_each_puts_everything_back() {
    let names: Vec<String> = (1..=20).map(|number| format!("held-{number:02}")).collect();
    let lab = Lab::with(names.iter().map(chaos_sim::VmSpec::new)).await;
    let mut children = Vec::new();
    for name in &names {
        let file = off_and_wait(&lab, name);
        let journal = format!("{name}-journal.json");
        children.push(start(&lab, &["execute", "-e", &file, "--journal-path", &journal]));
    }
    lab.until(|lab| names.iter().all(|name| power(lab, name) == Power::Off)).await;

    let halt = lab.run(&["halt", "--reason", "pager", "--format", "json"]).exits(0).says("20 runs are told to stop");
    let halted: Vec<Value> = serde_json::from_str(&halt.stdout).unwrap();
    let mut reactions: Vec<f64> = halted.iter().map(|run| run["stopped_after"].as_f64().unwrap()).collect();
    reactions.sort_by(f64::total_cmp);
    println!("halt: 20 runs, median {:.3} s, maximum {:.3} s", reactions[10], reactions[19]);
    assert_eq!(halted.len(), 20);
    assert!(halted.iter().all(|run| run["state"] == "interrupted"), "{halted:?}");
    for (name, child) in names.iter().zip(children) {
        assert_eq!(power(&lab, name), Power::On, "{name}");
        Run::from(child.wait_with_output().unwrap()).exits(130).says("pager");
        let journal = fs::read_to_string(lab.program.directory().join(format!("{name}-journal.json"))).unwrap();
        let journal: Value = serde_json::from_str(&journal).unwrap();
        assert_eq!(journal["stop"]["cause"], "halt", "{journal}");
        assert!(journal["stop"]["reaction"].as_f64().unwrap() <= 2.0, "{}", journal["stop"]);
    }

    lab.sim.clear_calls();
    let hit = ["execute", "-t", "vsphere-vm-poweroff", "--override", "vm_name=web-01"];
    lab.run(&hit).exits(5).says("pager").says("chaosmonkey resume");
    assert!(lab.sim.calls().is_empty(), "not even a connection");
    lab.run(&[&hit[..], &["--rehearse"]].concat()).exits(0);
    lab.run(&["halt"]).exits(0).says("pager");
    lab.run(&["resume"]).exits(0).says("pager");
    lab.run(&["resume"]).exits(0).says("nothing was halted");
    lab.run(&hit).exits(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervised_run_that_is_killed_is_put_back_without_anybody_doing_anything() {
    let lab = Lab::demo().await;
    let supervisor = run_until_off(&lab, "web-01", &["--supervise"]).await;
    let [child] = children(supervisor.id())[..] else { panic!("one child") };
    assert!(Command::new("kill").args(["-s", "KILL", &child.to_string()]).status().unwrap().success());
    let run = Run::from(supervisor.wait_with_output().unwrap()).exits(1).says("died").says("putting web-01 back");
    assert_eq!(power(&lab, "web-01"), Power::On, "{}", run.stderr);
    let journal = fs::read_to_string(lab.program.directory().join("web-01-journal.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&journal).unwrap()["status"], "interrupted");
    assert_eq!(runs(&lab, &[])[0]["state"], "recovered");
}

/// The program with a server that no setting names: the experiment is told on the command line.
fn told_by_hand(lab: &Lab, more: &[&str]) -> Command {
    let file = off_and_wait(lab, "web-01");
    let mut command = without_settings(lab, &["execute", "-e", &file]);
    command.args(more);
    for (name, value) in [("server", lab.sim.url()), ("username", USER), ("password", PASSWORD)] {
        command.args(["--override", &format!("vsphere_{name}={value}")]);
    }
    command
}

fn without_settings(lab: &Lab, args: &[&str]) -> Command {
    let mut command = lab.program.command(args);
    for name in ["VSPHERE_SERVER", "VSPHERE_USERNAME", "VSPHERE_PASSWORD"] {
        command.env_remove(name);
    }
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_puts_back_what_it_can_reach_as_the_run_did_and_then_minds_the_journal() {
    let lab = Lab::demo().await;
    let journals = lab.program.directory().join("journals");
    fs::create_dir(&journals).unwrap();
    let supervisor = told_by_hand(&lab, &["--supervise", "--journal-path", "journals/j.json"]).spawn().unwrap();
    lab.until(|lab| power(lab, "web-01") == Power::Off).await;
    fs::remove_dir_all(journals).unwrap();
    let child = Pid::from_raw(i32::try_from(children(supervisor.id())[0]).unwrap());
    kill(child, Signal::SIGKILL).unwrap();
    let run = Run::from(supervisor.wait_with_output().unwrap()).exits(1).says("journal");
    assert_eq!(power(&lab, "web-01"), Power::On, "{}", run.stderr);
    assert_eq!(runs(&lab, &[])[0]["state"], "recovered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_told_its_server_on_the_command_line_is_recovered_with_settings_that_name_it() {
    let lab = Lab::demo().await;
    let mut child = told_by_hand(&lab, &[]).spawn().unwrap();
    lab.until(|lab| power(lab, "web-01") == Power::Off).await;
    child.kill().unwrap();
    Run::from(child.wait_with_output().unwrap()).says("`vsphere` is reached by values that are not in the settings");

    let lost = Run::from(without_settings(&lab, &["recover"]).output().unwrap()).exits(1);
    assert!(lost.stderr.contains("LEFT CHANGED"), "{}", lost.stderr);
    let (server, user) =
        (format!("platforms.vsphere.server={}", lab.sim.url()), format!("platforms.vsphere.username={USER}"));
    let mut named = without_settings(&lab, &["recover", "--set", &server, "--set", &user]);
    Run::from(named.env("VSPHERE_PASSWORD", PASSWORD).output().unwrap()).exits(0);
    assert_eq!(power(&lab, "web-01"), Power::On);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_halt_that_comes_while_the_vms_are_looked_up_is_heeded() {
    let lab = Lab::demo().await;
    let file = off_and_wait(&lab, "web-01");
    // The run waits for its password until this test gives it.
    let gate = lab.program.directory().join("gate");
    mkfifo(&gate, Mode::S_IRWXU).unwrap();
    let settings = lab.program.directory().join("settings.yaml");
    fs::write(&settings, "platforms: {vsphere: {password_command: [cat, gate]}}").unwrap();
    let mut command = lab.program.command(&["--config", "settings.yaml", "execute", "-e", &file]);
    let child = command.env_remove("VSPHERE_PASSWORD").env("PATH", "/usr/bin:/bin").spawn().unwrap();
    // Opened when somebody reads it.
    let mut gate =
        tokio::task::spawn_blocking(move || fs::File::options().write(true).open(gate)).await.unwrap().unwrap();
    lab.run(&["halt", "--reason", "alarm"]).exits(0).says("no run goes on");
    gate.write_all(PASSWORD.as_bytes()).unwrap();
    drop(gate);
    Run::from(child.wait_with_output().unwrap()).exits(5).says("alarm");
    assert!(lab.changes().is_empty());
    assert!(runs(&lab, &[]).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_recover_names_what_it_did_not_come_to() {
    let lab = Lab::demo().await;
    killed(&lab, "web-01").await;
    killed(&lab, "web-02").await;
    lab.sim.inject(WireFault::new(WireAction::Stall { after_effect: false }).method("PowerOnVM_Task").always());
    let recover = start(&lab, &["recover"]);
    lab.until(|lab| !lab.sim.calls_of("PowerOnVM_Task").is_empty()).await;
    signal(&recover, "INT");
    let told = Run::from(recover.wait_with_output().unwrap()).exits(130);
    for vm in ["web-01", "web-02"] {
        assert!(told.stderr.lines().any(|line| line.contains("LEFT CHANGED") && line.contains(vm)), "{}", told.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervised_run_is_interrupted_once_even_if_the_terminal_tells_both() {
    let lab = Lab::demo().await;
    let supervisor = run_until_off(&lab, "web-01", &["--supervise"]).await;
    let [child] = children(supervisor.id())[..] else { panic!("one child") };
    signal(&supervisor, "INT");
    assert!(Command::new("kill").args(["-s", "INT", &child.to_string()]).status().unwrap().success());
    let run = Run::from(supervisor.wait_with_output().unwrap()).exits(130);
    assert_eq!(power(&lab, "web-01"), Power::On, "{}", run.stderr);
    assert_eq!(runs(&lab, &[])[0]["state"], "interrupted");
    lab.is_logged_out();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervised_run_that_ends_by_itself_ends_as_it_did() {
    let lab = Lab::demo().await;
    let hit = ["execute", "--supervise", "-t", "vsphere-vm-poweroff", "--override"];
    let run = lab.run(&[&hit[..], &["vm_name=web-01"]].concat()).exits(0);
    assert!(run.stdout.contains("completed"), "{}", run.stdout);
    lab.run(&[&hit[..], &["vm_name=web-99"]].concat()).exits(4);
    lab.run(&[&hit[..], &["vm_name=web-01", "--rehearse"]].concat()).exits(2);
}

#[test]
fn a_state_directory_that_cannot_be_made_stops_before_anything_starts() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let lab = runtime.block_on(Lab::demo());
    fs::write(lab.program.directory().join("file"), "").unwrap();
    let hit = ["execute", "-t", "vsphere-vm-poweroff", "--override", "vm_name=web-01", "--state-dir", "file/state"];
    lab.run(&hit).exits(2).says("file/state");
    assert!(lab.sim.calls().is_empty(), "not even a connection");
    lab.run(&["runs", "list", "--state-dir", ""]).exits(2).says("--state-dir is empty");
    lab.run(&["runs", "list", "--state-dir", "nowhere"]).exits(0);
    assert!(!lab.program.directory().join("nowhere").exists(), "a look makes nothing");
    drop(lab);
    runtime.shutdown_timeout(Duration::from_secs(1));
}

/// Makes all of a directory readable to everybody and writable to nobody, as on a disk that is mounted so.
fn make_read_only(directory: &Path) {
    for entry in fs::read_dir(directory).expect("it is there").map(|entry| entry.expect("it can be read").path()) {
        if entry.is_dir() {
            make_read_only(&entry);
        } else {
            fs::set_permissions(&entry, fs::Permissions::from_mode(0o444)).expect("it is ours");
        }
    }
    fs::set_permissions(directory, fs::Permissions::from_mode(0o555)).expect("it is ours");
}

/// Runs the program as a user who may not write everywhere.
///
/// # Errors
/// This one may, and cannot become another one.
fn as_a_plain_user(lab: &Lab, args: &[&str]) -> std::io::Result<Run> {
    const NOBODY: u32 = 65534;
    let template = lab.program.command(args);
    if !nix::unistd::geteuid().is_root() {
        return Ok(lab.program.run(args));
    }
    // Where that user can reach it.
    let program = lab.program.directory().join("chaosmonkey");
    if !program.exists() {
        fs::hard_link(template.get_program(), &program)
            .or_else(|_| fs::copy(template.get_program(), &program).map(drop))
            .expect("there is room for the program");
    }
    fs::set_permissions(lab.program.directory(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    let mut command = Command::new(program);
    command
        .args(args)
        .env_clear()
        .envs(template.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .current_dir(lab.program.directory())
        .uid(NOBODY)
        .gid(NOBODY);
    command.output().map(Run::from)
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_can_be_written_down_nothing_begins_and_what_was_done_is_put_back_all_the_same() {
    let lab = Lab::demo().await;
    killed(&lab, "web-01").await;
    let state = lab.program.directory().join(".local");
    make_read_only(&state);
    let journals = lab.program.directory().join("journals");
    fs::create_dir(&journals).unwrap();
    fs::set_permissions(&journals, fs::Permissions::from_mode(0o777)).unwrap();

    let before = lab.changes();
    off_and_wait(&lab, "web-02");
    let begin = ["execute", "-e", "web-02.json", "--journal-path", "journals/j.json"];
    let run = match as_a_plain_user(&lab, &begin) {
        Ok(run) => run,
        Err(error) => {
            println!("skipped: this user may write everywhere and cannot become another one: {error}");
            return;
        }
    };
    run.exits(2).says("--state-dir");
    assert_eq!(lab.changes(), before, "no call without its record");

    let run = as_a_plain_user(&lab, &["recover"]).expect("it could before").exits(0);
    assert!(run.stderr.contains("what is done now is not written down"), "{}", run.stderr);
    assert_eq!(power(&lab, "web-01"), Power::On);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_log_is_told_with_its_place_and_with_what_the_run_held() {
    let lab = Lab::demo().await;
    killed(&lab, "web-01").await;
    let runs_directory = lab.program.directory().join(".local/state/chaosmonkey/runs");
    let run = fs::read_dir(runs_directory).unwrap().next().unwrap().unwrap().path();
    let path = run.join("0000.log");
    let mut log = fs::read(&path).unwrap();
    let second = log.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    log[second + 20] ^= 1;
    fs::write(&path, log).unwrap();
    let before = lab.changes();
    let told = lab.run(&["recover"]).exits(1).says(&format!("0000.log is damaged at byte {second}"));
    assert!(told.stderr.contains("it held /demo/vm/web/web-01"), "{}", told.stderr);
    assert!(!told.stdout.contains("nothing to put back"), "{}", told.stdout);
    assert_eq!(lab.changes(), before);
    let shown = lab.run(&["runs", "show"]).exits(0).stdout;
    assert!(shown.contains("what else was done is not known"), "{shown}");
    lab.run(&["recover", "last", "--abandon", "put back by hand"]).exits(0).says("damaged/");
    lab.run(&["recover"]).exits(0);
}
