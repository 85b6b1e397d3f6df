//! `discover-vms`, `vm-info` and `summary` against a simulated vCenter.

use std::collections::BTreeSet;
use std::process::Stdio;

use chaos_core::{EnvironmentSummary, VMInfo};
use chaos_sim::{Estate, Sim, VmSpec, WireAction, WireFault};

use crate::lab::Lab;
use crate::program::{Program, Run};

fn names(vms: &[serde_json::Value]) -> Vec<&str> {
    vms.iter().filter_map(|vm| vm["name"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn discovery_as_json_is_every_vm_with_its_place() {
    let lab = Lab::of(Sim::builder().vms(250)).await;
    let vms = lab.json(&["discover-vms", "--platform", "vsphere"], 0);
    let expected: BTreeSet<String> = lab.sim.world().vms().into_iter().map(|vm| vm.name).collect();
    assert_eq!(names(&vms).into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), expected);
    assert_eq!(vms.len(), 250);
    for vm in &vms {
        for field in ["host", "datacenter", "path", "id", "power_state", "cpu_count", "memory_mb", "guest_os"] {
            assert!(!vm[field].is_null(), "{field} of {vm}");
        }
    }
    let typed: Vec<VMInfo> = serde_json::from_value(vms.into()).unwrap();
    assert_eq!(typed.len(), 250, "a program can read it back into the same type");
    lab.is_logged_out();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_format_of_the_demo_estate() {
    let lab = Lab::demo().await;
    let discover = |format| {
        let run = lab.run(&["platforms", "discover-vms", "-p", "vsphere", "-n", "web-*", "-f", format]).exits(0);
        assert_eq!(run.stderr, "", "{format}");
        run.stdout
    };
    insta::assert_snapshot!("discover_table", discover("table"));
    let json: Vec<VMInfo> = serde_json::from_str(&discover("json")).unwrap();
    let yaml: Vec<VMInfo> = serde_saphyr::from_str(&discover("yaml")).unwrap();
    assert_eq!(json, yaml);
    let csv = discover("csv");
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let column = reader.headers().unwrap().iter().position(|name| name == "instance_uuid").unwrap();
    for (row, vm) in reader.records().zip(&json) {
        assert_eq!(Some(&row.unwrap()[column]), vm.instance_uuid.as_deref());
    }
    insta::assert_snapshot!("summary_table", lab.run(&["platforms", "summary"]).exits(0).stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_filters_choose() {
    let lab = Lab::demo().await;
    for (args, expected) in [
        (&["-n", "web-*"][..], &["web-01", "web-02", "web-03", "web-04"][..]),
        (&["--name", "web-01", "--name", "re:database-0[12]"], &["database-01", "database-02", "web-01"]),
        (&["--cluster", "backend", "--state", "powered_off"], &["batch-01", "golden-image"]),
        (&["-d", "elsewhere"], &[]),
        (&["--name", "Web-01"], &[]),
        (&["--host", "esx-f2", "-n", "*"], &["web-02", "web-04"]),
    ] {
        let args: Vec<&str> = ["discover-vms"].into_iter().chain(args.iter().copied()).collect();
        let vms = lab.json(&args, 0);
        let mut found = names(&vms);
        found.sort_unstable();
        assert_eq!(found, expected, "{args:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vm_is_shown_by_name_id_and_path() {
    let lab = Lab::of(Sim::builder().estate(Estate::odd())).await;
    let by_name = lab.json(&["vm-info", "db[1]", "a/b", "Grün-日本"], 0);
    assert_eq!(names(&by_name), ["db[1]", "a/b", "Grün-日本"], "in the order asked for");
    let id = format!("id:{}", by_name[0]["id"].as_str().unwrap());
    assert_eq!(lab.json(&["vm-info", &id], 0), by_name[..1]);
    let path = format!("path:{}", by_name[0]["path"].as_str().unwrap());
    assert_eq!(lab.json(&["vm-info", &path], 0), by_name[..1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_exits_4() {
    let lab = Lab::demo().await;
    lab.run(&["platforms", "vm-info", "web-99"]).exits(4).says("error: no VM fits `web-99`").says("hint: ");
    lab.run(&["platforms", "vm-info", "web-01", "--cluster", "backend"])
        .exits(4)
        .says("hint: only VMs within the given filters");
    lab.is_logged_out();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_of_two_vms_exits_4_with_both_paths() {
    let lab = Lab::with([VmSpec::new("twin").folder("left"), VmSpec::new("twin").folder("right")]).await;
    let run = lab.run(&["platforms", "vm-info", "twin"]).exits(4);
    run.says("/demo/vm/left/twin").says("/demo/vm/right/twin");
    assert_eq!(lab.json(&["vm-info", "path:/demo/vm/left/twin"], 0).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_summary_adds_up() {
    let lab = Lab::of(Sim::builder().estate(Estate::odd())).await;
    let run = lab.run(&["platforms", "summary", "-f", "json"]).exits(0);
    let summary: EnvironmentSummary = serde_json::from_str(&run.stdout).unwrap();
    let vms = lab.json(&["discover-vms"], 0);
    let typed: Vec<VMInfo> = serde_json::from_value(vms.into()).unwrap();
    assert_eq!(summary, EnvironmentSummary::of(&typed));
    assert!(summary.templates >= 1 && summary.unmanageable >= 1, "{summary:?}");
    let run = lab.run(&["platforms", "summary", "-f", "csv"]).exits(0);
    assert!(run.stdout.starts_with("group,name,value\ntotal,vms,"), "{}", run.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_login_exits_3_and_is_tried_once() {
    let lab = Lab::demo().await;
    let program = Program::new()
        .env("VSPHERE_SERVER", lab.sim.url())
        .env("VSPHERE_USERNAME", "chaos")
        .env("VSPHERE_PASSWORD", "wrong");
    program.run(&["platforms", "discover-vms"]).exits(3).says("error: ").says("hint: check the user name");
    assert_eq!(lab.sim.calls_of("Login").len(), 1, "servers lock accounts");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_exits_3() {
    let address = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let program = Program::new()
        .env("VSPHERE_SERVER", format!("http://{address}"))
        .env("VSPHERE_USERNAME", "chaos")
        .env("VSPHERE_PASSWORD", "chaos");
    program.run(&["platforms", "discover-vms"]).exits(3).says("cannot connect");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_no_vcenter_exits_3() {
    let lab = Lab::demo().await;
    lab.sim.inject(WireFault::new(WireAction::Html { code: 200 }).times(100));
    lab.run(&["platforms", "discover-vms"]).exits(3).says("error: ");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_certificate_exits_3_and_tells_what_changed() {
    let mut lab = Lab::of(Sim::builder().tls(true)).await;
    lab.run(&["platforms", "summary"]).exits(3).says("VSPHERE_INSECURE").says("VSPHERE_CA_FILE");
    assert!(lab.sim.calls().is_empty(), "nothing is sent to a server that is not trusted");

    let ca = lab.program.directory().join("ca.pem");
    std::fs::write(&ca, lab.sim.ca_pem().unwrap()).unwrap();
    lab.program = lab.program.env("VSPHERE_CA_FILE", "ca.pem");
    lab.run(&["platforms", "summary"]).exits(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_certificate_checks_every_run_says_so() {
    let mut lab = Lab::of(Sim::builder().tls(true)).await;
    lab.program = lab.program.env("VSPHERE_INSECURE", "yes");
    for _ in 0..2 {
        lab.run(&["platforms", "summary"]).exits(0).says("WARN");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_away_is_no_error() {
    let lab = Lab::of(Sim::builder().vms(400)).await;
    let mut command = lab.program.command(&["platforms", "discover-vms", "--format", "json"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let run = Run::from(child.wait_with_output().unwrap()).exits(0);
    assert_eq!(run.stderr, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_can_be_one_json_object_a_line() {
    let lab = Lab::demo().await;
    let run = lab.run(&["platforms", "summary", "-vv", "--log-format", "json"]).exits(0);
    let lines: Vec<serde_json::Value> = run.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["level"] == "INFO" && line["fields"]["message"] == "connected"), "{lines:#?}");
    assert!(run.stdout.starts_with("VMs: "), "the log does not get into the data");
}
