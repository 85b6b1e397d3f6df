//! The same commands on a vCenter and on an engine: the same shapes of output, the same exit codes.

use chaos_sim::{Door, Estate, Guest, Power, Sim, VmSpec};
use serde_json::Value;

use crate::lab::{Lab, PASSWORD, USER};

/// What is done to a VM of a fresh estate, and how the program has to end.
const COMMANDS: &[(&[&str], i32)] = &[
    (&["discover-vms", "--name", "web-*"], 0),
    (&["vm-info", "web-01"], 0),
    (&["vm-info", "nobody"], 4),
    (&["power-off", "web-01", "web-02", "--yes"], 0),
    (&["power-off", "web-01", "--yes"], 0),
    (&["reboot", "web-01", "--yes"], 5),
    (&["power-on", "web-01", "web-02"], 0),
    (&["suspend", "web-01", "web-02", "--yes"], 0),
    (&["power-off", "web-01", "--yes"], 5),
    (&["power-on", "web-01"], 0),
    (&["reboot", "slow", "--force", "--yes"], 0),
    (&["power-off", "nobody", "--yes"], 4),
];

/// The fields of an output and the kinds of their values; of a list those of its first member.
fn shape(value: &Value) -> Value {
    match value {
        Value::Array(list) => Value::Array(list.iter().take(1).map(shape).collect()),
        Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
        _ => Value::Null,
    }
}

async fn lab() -> Lab {
    let slow = Guest { boot: Some(std::time::Duration::from_millis(200)), ..Guest::default() };
    let mut builder = Sim::builder().doors([Door::VSphere, Door::Olvm]).estate(Estate::of_size(0));
    for vm in [VmSpec::new("web-01"), VmSpec::new("web-02"), VmSpec::new("slow").guest(slow)] {
        builder = builder.vm(vm);
    }
    let mut lab = Lab::of(builder).await;
    lab.program = lab.program.env("OLVM_URL", lab.sim.url()).env("OLVM_USERNAME", USER).env("OLVM_PASSWORD", PASSWORD);
    lab
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_behaves_the_same_on_both_platforms() {
    let (vcenter, engine) = (lab().await, lab().await);
    for (command, code) in COMMANDS {
        let on = |lab: &Lab, platform: &str| {
            let mut args = vec!["platforms"];
            args.extend(*command);
            args.extend(["--platform", platform, "--format", "json"]);
            let run = lab.run(&args).exits(*code);
            assert!(!run.stderr.contains(PASSWORD) && !run.stdout.contains(PASSWORD));
            // What names the VM's own properties differs between the two, its shape does not.
            let mut value: Value = serde_json::from_str(&run.stdout).unwrap_or(Value::Null);
            without_metadata(&mut value);
            shape(&value)
        };
        assert_eq!(on(&engine, "olvm"), on(&vcenter, "vsphere"), "{command:?}");
        for vm in ["web-01", "web-02", "slow"] {
            let power = |lab: &Lab| -> Power { lab.sim.world().vm(vm).expect("the VM is there").power };
            assert_eq!(power(&engine), power(&vcenter), "{vm} after {command:?}");
        }
    }
    engine.is_logged_out();
}

fn without_metadata(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(without_metadata),
        Value::Object(map) => {
            map.remove("metadata");
            map.values_mut().for_each(without_metadata);
        }
        _ => {}
    }
}
