//! The password is nowhere: output, logs at the most verbose level, events, journal, errors.

use std::fs;
use std::path::Path;

use chaos_sim::{Builder, Door, Sim, WireAction, WireFault};
use chaos_testkit::find_secret;

use crate::lab::{Lab, PASSWORD, USER};
use crate::program::{Program, Run};

/// Looks at everything that a run said and at every file that it left.
#[track_caller]
fn is_silent(what: &str, run: &Run, program: &Program) {
    for (name, text) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
        assert_eq!(find_secret(text, PASSWORD), None, "{what}: {name}:\n{text}");
    }
    for (path, text) in files(program.directory()) {
        if path.file_name().is_some_and(|name| name != ".env") {
            assert_eq!(find_secret(&text, PASSWORD), None, "{what}: {}:\n{text}", path.display());
        }
    }
}

fn files(directory: &Path) -> Vec<(std::path::PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let text = String::from_utf8_lossy(&fs::read(&path).expect("readable")).into_owned();
            found.push((path, text));
        }
    }
    found
}

async fn lab(builder: Builder) -> Lab {
    let mut lab = Lab::of(builder.doors([Door::VSphere, Door::Olvm])).await;
    let url = lab.sim.url().to_owned();
    lab.program = lab.program.env("OLVM_URL", url).env("OLVM_USERNAME", USER).env("OLVM_PASSWORD", PASSWORD);
    lab
}

#[tokio::test(flavor = "multi_thread")]
async fn not_in_any_command_at_the_most_verbose_level() {
    let mut lab = lab(Sim::builder()).await;
    lab.program = lab.program.env("CHAOS_LOG", "trace");
    for args in [
        &["platforms", "discover-vms", "--format", "json"][..],
        &["platforms", "vm-info", "web-01", "-vvv"],
        &["platforms", "summary", "--log-format", "json"],
        &["platforms", "power-off", "web-01", "web-02", "--force"],
        &["platforms", "power-on", "web-01", "--log-format", "json"],
        &["platforms", "power-off", "web-99"],
        &["platforms", "discover-vms", "-p", "olvm", "--format", "json"],
        &["platforms", "power-off", "web-04", "-p", "olvm", "--force"],
        &["platforms", "power-on", "web-04", "-p", "olvm", "--log-format", "json"],
        &["platforms", "vm-info", "web-99", "-p", "olvm"],
        &["execute", "-t", "olvm-vm-shutdown", "--override", "vm_name=web-02"],
        &["execute", "-t", "vsphere-vm-poweroff", "--override", "vm_name=web-01"],
        &["execute", "-t", "vsphere-vm-poweroff", "--override", "vm_name=web-03", "-f", "json"],
    ] {
        let run = lab.run(args);
        assert!(run.stderr.contains("TRACE") || args.contains(&"-vvv"), "the log is on: {args:?}");
        is_silent(&args.join(" "), &run, &lab.program);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn not_when_it_comes_from_dotenv_or_an_override() {
    let lab = lab(Sim::builder()).await;
    let quoted = PASSWORD.replace('\'', "");
    let program = Program::new();
    let sim = Sim::builder().credentials(USER, &*quoted).start().await.unwrap();
    let dotenv = format!("VSPHERE_SERVER={}\nVSPHERE_USERNAME={USER}\nVSPHERE_PASSWORD='{quoted}'\n", sim.url());
    fs::write(program.directory().join(".env"), dotenv).unwrap();
    let run = program.run(&["platforms", "summary", "-vvv"]).exits(0);
    assert_eq!(find_secret(&run.stderr, &quoted), None, "{}", run.stderr);

    let (server, user) = (format!("vsphere_server={}", lab.sim.url()), format!("vsphere_username={USER}"));
    let password = format!("vsphere_password={PASSWORD}");
    let program = Program::new();
    let run = program
        .run(&[
            "execute",
            "-t",
            "vsphere-vm-poweroff",
            "--override",
            "vm_name=web-01",
            "--override",
            &server,
            "--override",
            &user,
            "--override",
            &password,
            "-vvv",
        ])
        .exits(0);
    is_silent("overrides", &run, &program);
}

#[tokio::test(flavor = "multi_thread")]
async fn not_when_an_experiment_reads_it_from_dotenv() {
    let lab = lab(Sim::builder()).await;
    let arguments = serde_json::json!({
        "vm_name": "web-01", "platform_type": "vsphere", "server": lab.sim.url(),
        "username": "${user}", "password": "${lab_password}"
    });
    let experiment = serde_json::json!({
        "title": "t", "description": "d",
        "configuration": {"user": USER, "lab_password": {"type": "env", "key": "LAB_PASSWORD"}},
        "method": [{"type": "action", "name": "off", "provider": {
            "type": "python", "module": "chaosmonkey.stubs.actions", "func": "vm_power_off", "arguments": arguments}}]
    });
    let program = Program::new();
    fs::write(program.directory().join("experiment.json"), experiment.to_string()).unwrap();
    let quoted = PASSWORD.replace('\\', r"\\").replace('"', r#"\""#).replace('$', r"\$");
    fs::write(program.directory().join(".env"), format!("LAB_PASSWORD=\"{quoted}\"\n")).unwrap();
    let run = program.run(&["execute", "-e", "experiment.json", "-vvv"]).exits(0);
    is_silent("experiment", &run, &program);
}

#[tokio::test(flavor = "multi_thread")]
async fn not_in_errors() {
    let mut lab = lab(Sim::builder()).await;
    lab.program = lab.program.env("CHAOS_LOG", "trace");
    let refused = Sim::builder().credentials(USER, "another").start().await.unwrap();
    let elsewhere = |url: &str| {
        Program::new()
            .env("VSPHERE_SERVER", url)
            .env("VSPHERE_USERNAME", USER)
            .env("VSPHERE_PASSWORD", PASSWORD)
            .env("CHAOS_LOG", "trace")
    };
    for url in [refused.url(), "http://127.0.0.1:1", "not a url", &format!("http://{USER}:x@127.0.0.1:1")] {
        let program = elsewhere(url);
        let run = program.run(&["platforms", "discover-vms"]);
        assert_ne!(run.code, Some(0));
        is_silent(url, &run, &program);
    }
    // A server that sends back what it was sent, or garbage.
    for action in [WireAction::Html { code: 200 }, WireAction::CutBody, WireAction::ResetAfter] {
        let what = format!("{action:?}");
        lab.sim.inject(WireFault::new(action).method("Login"));
        let run = lab.run(&["platforms", "discover-vms"]);
        is_silent(&what, &run, &lab.program);
        lab.sim.clear_faults();
    }
    // The password in the wrong variable.
    let program = elsewhere(refused.url()).env("VSPHERE_PORT", PASSWORD).env("VSPHERE_INSECURE", PASSWORD);
    let run = program.run(&["platforms", "discover-vms"]).exits(2);
    is_silent("wrong variables", &run, &program);
}

#[tokio::test(flavor = "multi_thread")]
async fn not_in_a_rehearsal_with_connection_overrides() {
    let program = Program::new();
    let password = format!("vsphere_password={PASSWORD}");
    let run = program
        .run(&[
            "execute",
            "-t",
            "vsphere-vm-poweroff",
            "--override",
            "vm_name=web-01",
            "--override",
            &password,
            "--rehearse",
            "-vvv",
        ])
        .exits(0);
    is_silent("rehearsal", &run, &program);
}
