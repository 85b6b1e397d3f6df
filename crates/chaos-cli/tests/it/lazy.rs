//! Only what is needed is connected to, and everything is given back, whatever happens.

use std::fs;
use std::process::Stdio;

use chaos_sim::{Builder, Door, Sim, Timing, WireAction, WireFault};
use chaos_testkit::find_secret;
use serde_json::{Value, json};

use crate::lab::{PASSWORD, USER};
use crate::program::{Run, signal};
use crate::site::{Site, dora, engine, vcenter};

fn quick() -> Builder {
    Sim::builder().timing(Timing::fast()).credentials(USER, PASSWORD)
}

async fn start(builder: Builder) -> Sim {
    builder.start().await.expect("the simulator starts")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_connects_to_the_platform_that_it_is_about_and_to_no_other() {
    let (own, other, third) =
        (start(quick()).await, start(quick().olvm()).await, start(quick().doors([Door::Dora])).await);
    let site = Site::new()
        .entry("own", vcenter(&own))
        .entry("other", engine(&other))
        .entry("dora", dora(third.address().port()));
    for args in [
        &["platforms", "discover-vms", "--platform", "own"][..],
        &["platforms", "vm-info", "web-01", "--platform", "own"],
        &["platforms", "power-off", "web-01", "--platform", "own", "--force"],
        &["doctor", "--platform", "own"],
        &["config", "show"],
        &["config", "check"],
        &["platforms", "dora-environments"],
        &["execute", "-t", "vsphere-vm-poweroff", "--override", "vm_name=web-02", "--rehearse"],
    ] {
        site.run(args).exits(0);
    }
    assert!(other.calls().is_empty() && third.calls().is_empty());
    assert!(own.sessions().is_empty(), "{:?}", own.sessions());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_session_is_given_back_after_an_error() {
    let (east, west) = (start(quick()).await, start(quick().olvm()).await);
    let site = Site::new().entry("east", vcenter(&east)).entry("west", engine(&west));
    let status = |code| WireAction::Status { code, retry_after: None, after_effect: false };
    east.inject(WireFault::new(status(400)).method("RetrievePropertiesEx").times(100));
    west.inject(WireFault::new(status(400)).method("vms").times(100));
    site.run(&["platforms", "discover-vms", "--all-platforms"]).exits(3).says("east: ").says("west: ");
    site.run(&["platforms", "vm-info", "web-01", "--platform", "east"]).exits(3);
    site.run(&["platforms", "power-off", "web-01", "--platform", "west"]).exits(3);
    site.run(&["doctor"]).exits(1);
    assert!(!east.calls_of("Login").is_empty() && !west.calls_of("token").is_empty());
    assert!(east.sessions().is_empty() && west.sessions().is_empty(), "{:?} {:?}", east.sessions(), west.sessions());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_session_is_given_back_after_ctrl_c() {
    let (east, west) = (start(quick()).await, start(quick().olvm()).await);
    let site = Site::new().entry("east", vcenter(&east)).entry("west", engine(&west));
    for args in [&["platforms", "discover-vms", "--all-platforms"][..], &["doctor"]] {
        east.clear_calls();
        east.inject(WireFault::new(WireAction::Stall { after_effect: false }).method("RetrievePropertiesEx"));
        let child = site.program.command(args).stderr(Stdio::piped()).spawn().unwrap();
        let asked = async {
            while east.calls_of("RetrievePropertiesEx").is_empty() {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(30), asked).await.expect("it looks at the inventory");
        signal(&child, "INT");
        let run = Run::from(child.wait_with_output().unwrap()).exits(130);
        assert!(run.stderr.contains("interrupted"), "{}", run.stderr);
        assert!(east.sessions().is_empty() && west.sessions().is_empty(), "{args:?}: {:?}", east.sessions());
        east.clear_faults();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_is_written_to_a_file_as_a_whole() {
    let sim = start(quick().doors([Door::Dora])).await;
    let port = sim.address().port();
    let mut entry = dora(port);
    entry["environments"] =
        json!({"EPB-Prod": {"vcenter": "OracleQA", "pattern_path": "ORA-DEV", "vm_path": "ORA-DEV"}});
    let site = Site::new().entry("dora", entry);
    let file = site.program.directory().join("env.json");
    fs::write(&file, "old").unwrap();
    let discover = ["platforms", "dora-discover", "EPB-Prod", "--output", "env.json"];
    site.run(&[&discover[..], &["--password", "wrong"]].concat()).exits(3).says("a secret on the command line");
    assert_eq!(fs::read_to_string(&file).unwrap(), "old", "what fails changes nothing");
    let run = site.run(&discover).exits(0);
    assert_eq!(run.stdout, "");
    let data: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(data["environment"]["name"], "EPB-Prod");
    assert!(!data["hypervisors"].as_array().unwrap().is_empty() && !data["vms"].as_array().unwrap().is_empty());
    assert!(data["timestamp"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    let left: Vec<_> =
        fs::read_dir(site.program.directory()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "nothing else is left behind: {left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_from_standard_input_is_used_and_not_warned_about() {
    use std::io::Write;

    let sim = start(quick().doors([Door::Dora])).await;
    let mut entry = dora(sim.address().port());
    entry["password"] = json!("wrong");
    entry["username"] = json!("nobody");
    let site = Site::new().entry("dora", entry);
    let args =
        ["platforms", "dora-discover", "Dev1", "--hostfilter", "omit", "-u", USER, "--password-stdin", "-f", "json"];
    for (input, code) in
        [(format!("{PASSWORD}\nmore"), 0), (PASSWORD.to_owned(), 0), ("wrong\n".to_owned(), 3), (String::new(), 2)]
    {
        let mut child = site.program.command(&args).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let run = Run::from(child.wait_with_output().unwrap()).exits(code);
        assert!(!run.stderr.contains("command line"), "{}", run.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_anything_that_these_commands_say() {
    let sim = start(quick().doors([Door::VSphere, Door::Olvm, Door::Dora])).await;
    let mut entry = dora(sim.address().port());
    entry["environment"] = json!("Dev1");
    entry["host_filter"] = json!("omit");
    let mut site = Site::new().entry("dora", entry).entry("vsphere", vcenter(&sim)).entry("olvm", engine(&sim));
    site.program = site.program.env("CHAOS_LOG", "trace").env("RUST_BACKTRACE", "1");
    let mut said = Vec::new();
    let mut run = |args: &[&str]| {
        let Run { stdout, stderr, .. } = site.run(args);
        said.push((args.join(" "), stdout, stderr));
    };
    run(&["config", "show"]);
    run(&["config", "show", "--format", "json"]);
    run(&["config", "check"]);
    run(&["config", "check", "--set", &format!("platforms.vsphere.port={PASSWORD}")]);
    run(&["config", "check", "--set", PASSWORD]);
    run(&["doctor", "--format", "json"]);
    run(&["platforms", "dora-environments"]);
    run(&["platforms", "dora-discover", "Dev1", "--format", "json"]);
    run(&["platforms", "dora-discover", "Dev1", "--password", PASSWORD]);
    run(&["platforms", "dora-discover", "Dev1", "--username", PASSWORD]);
    run(&["platforms", "discover-vms", "--platform", "dora,vsphere,olvm"]);
    run(&["platforms", "power-off", "web-01", "--platform", "dora"]);
    sim.kill_sessions();
    sim.inject(WireFault::new(WireAction::Html { code: 500 }).times(1000));
    run(&["platforms", "dora-discover", "Dev1"]);
    run(&["doctor"]);
    let tokens: Vec<String> = said.iter().flat_map(|(_, _, stderr)| tokens(stderr)).collect();
    for (args, stdout, stderr) in &said {
        for text in [stdout, stderr] {
            assert_eq!(find_secret(text, PASSWORD), None, "{args}:\n{text}");
        }
    }
    assert!(said.iter().any(|(_, _, stderr)| stderr.contains("/v1/GetLoginToken/***/***")), "the log is on");
    assert!(tokens.is_empty(), "{tokens:?}");
}

/// What looks like a token of the simulated Dora service, in a path or in an answer.
fn tokens(text: &str) -> Vec<String> {
    let pattern = r"/v1/Get(?:Hypervisors|VirtualMachines)/([^/*]+)/|token[^a-z]+([0-9a-f]{8}-[0-9a-f-]{27})";
    let pattern = regex::Regex::new(pattern).expect("a pattern");
    pattern.find_iter(text).map(|found| found.as_str().to_owned()).collect()
}
