//! `sim serve`: a server for other programs, by its printed lines alone.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::program::{Program, Run, signal};

/// A running `sim serve` and the environment that it printed.
struct Served {
    child: Child,
    program: Program,
}

fn serve(args: &[&str]) -> Served {
    let server = Program::new();
    let args: Vec<&str> = ["sim", "serve"].into_iter().chain(args.iter().copied()).collect();
    let mut child = server.command(&args).stderr(Stdio::null()).spawn().expect("the program starts");
    let mut program = Program::new();
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    for line in lines.map_while(Result::ok) {
        let (name, value) = line.strip_prefix("export ").and_then(|line| line.split_once('=')).expect("NAME=VALUE");
        program = program.env(name, value.trim_matches('\''));
        if name == "GOVC_PASSWORD" && !args.contains(&"--tls") || name == "GOVC_TLS_CA_CERTS" {
            break;
        }
    }
    Served { child, program }
}

impl Served {
    /// Ends it with a signal; it has to end well.
    fn end(mut self, name: &str) {
        signal(&self.child, name);
        assert_eq!(self.child.wait().expect("it ends").code(), Some(0));
    }
}

fn count(run: &Run) -> usize {
    serde_json::from_str::<Vec<serde_json::Value>>(&run.stdout).expect("an array").len()
}

#[test]
fn its_lines_point_this_program_at_it() {
    for (args, vms) in
        [(&["--platform", "vsphere", "--vms", "120", "--listen", "127.0.0.1:0"][..], 120), (&["--vms", "0"], 0)]
    {
        let served = serve(args);
        let run = served.program.run(&["platforms", "discover-vms", "--format", "json"]).exits(0);
        assert_eq!(count(&run), vms);
        served.end("TERM");
    }
}

#[test]
fn with_tls_and_an_account_of_ones_own() {
    let served = serve(&["--tls", "--vms", "3", "--username", "ann", "--password", "pass word"]);
    let run = served.program.run(&["platforms", "discover-vms", "--format", "json"]).exits(0);
    assert_eq!(count(&run), 3);
    served.end("INT");
}

/// What it prints up to the last line that a platform has, and the process.
fn printed(args: &[&str], last: &str) -> (Child, Vec<(String, String)>) {
    let server = Program::new();
    let args: Vec<&str> = ["sim", "serve", "--vms", "3"].into_iter().chain(args.iter().copied()).collect();
    let mut child = server.command(&args).stderr(Stdio::null()).spawn().expect("the program starts");
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut variables = Vec::new();
    for line in lines.map_while(Result::ok) {
        let (name, value) = line.strip_prefix("export ").and_then(|line| line.split_once('=')).expect("NAME=VALUE");
        variables.push((name.to_owned(), value.trim_matches('\'').to_owned()));
        if name == last {
            break;
        }
    }
    (child, variables)
}

fn stop(mut child: Child) {
    signal(&child, "TERM");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn an_engine_is_served_alone_or_beside_a_vcenter_at_one_address_or_at_two() {
    let (child, alone) = printed(&["--platform", "olvm"], "OLVM_PASSWORD");
    let names: Vec<&str> = alone.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["OLVM_URL", "OLVM_USERNAME", "OLVM_PASSWORD"]);
    assert_eq!(alone[1].1, "chaos@internal");
    stop(child);
    for (extra, is_shared) in [(&[][..], true), (&["--separate"][..], false)] {
        let args: Vec<&str> = ["--platform", "vsphere,olvm"].into_iter().chain(extra.iter().copied()).collect();
        let (child, variables) = printed(&args, "OLVM_PASSWORD");
        let value = |wanted: &str| variables.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        let (vsphere, olvm) = (value("VSPHERE_SERVER").unwrap(), value("OLVM_URL").unwrap());
        assert_eq!(olvm == format!("{vsphere}/ovirt-engine/api"), is_shared, "{vsphere} {olvm}");
        stop(child);
    }
    let clash = ["sim", "serve", "--platform", "vsphere,olvm", "--separate", "--listen", "127.0.0.1:9"];
    Program::new().run(&clash).exits(2).says("port 0");
}

#[test]
fn a_dora_service_is_served_beside_the_vcenter_that_it_mirrors() {
    let (child, variables) =
        printed(&["--platform", "vsphere,dora", "--username", "ann", "--password", "it is / 50%"], "DORA_PASSWORD");
    let names: Vec<&str> =
        variables.iter().map(|(name, _)| name.as_str()).filter(|name| name.starts_with("DORA")).collect();
    assert_eq!(names, ["DORA_HOST", "DORA_API_PORT", "DORA_AUTH_PORT", "DORA_USERNAME", "DORA_PASSWORD"]);
    let program = variables.iter().fold(Program::new(), |program, (name, value)| program.env(name, value));
    let discover = ["platforms", "dora-discover", "Dev1", "--hostfilter", "omit", "--format", "json"];
    let dora: Value = serde_json::from_str(&program.run(&discover).exits(0).stdout).unwrap();
    let vcenter = program.run(&["platforms", "discover-vms", "--format", "json"]).exits(0);
    let vcenter: Value = serde_json::from_str(&vcenter.stdout).unwrap();
    let ids = |vms: &Value| vms.as_array().unwrap().iter().map(|vm| vm["id"].to_string()).collect::<BTreeSet<_>>();
    assert_eq!(ids(&dora["vms"]), ids(&vcenter));
    assert_eq!(ids(&vcenter).len(), 3);
    stop(child);
}

#[test]
fn a_dora_service_behind_tls_is_found_by_its_lines_alone() {
    let (child, variables) = printed(&["--platform", "dora", "--tls"], "DORA_CA_FILE");
    let program = variables.iter().fold(Program::new(), |program, (name, value)| program.env(name, value));
    let discover = ["platforms", "dora-discover", "Dev1", "--hostfilter", "omit", "--format", "json"];
    let told: Value = serde_json::from_str(&program.run(&discover).exits(0).stdout).unwrap();
    assert_eq!(told["vms"].as_array().unwrap().len(), 3);
    stop(child);
}

#[test]
fn the_same_seed_gives_the_same_world() {
    let list = |seed: &str| {
        let served = serve(&["--vms", "30", "--seed", seed]);
        let run = served.program.run(&["platforms", "discover-vms", "--format", "csv"]).exits(0);
        served.end("TERM");
        let columns = run.stdout.lines().map(|line| line.split(',').take(2).map(str::to_owned).collect::<Vec<_>>());
        columns.collect::<Vec<_>>()
    };
    assert_eq!(list("7"), list("7"));
}

#[test]
fn an_address_that_is_taken_exits_2() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    Program::new().run(&["sim", "serve", "--listen", &address]).exits(2).says("another port");
}
