//! Experiment files of the Python tool run as they are, by `run` and by `execute`.

use std::fs;

use chaos_sim::{Failure, Operation, Power};
use serde_json::{Value, json};

use crate::lab::Lab;
use crate::program::{Program, Run};

const FILES: [(&str, &str, &str); 4] = [
    ("olvm-shutdown.json", include_str!("data/old-tool/olvm-shutdown.json"), "guest_shutdown"),
    ("olvm-batch-shutdown.json", include_str!("data/old-tool/olvm-batch-shutdown.json"), "hard_power_off"),
    ("vsphere-reboot.yaml", include_str!("data/old-tool/vsphere-reboot.yaml"), "guest_reboot"),
    ("fails.json", include_str!("data/old-tool/fails.json"), "hard_power_off"),
];

fn place(program: &Program) {
    for (name, text, _) in FILES {
        fs::write(program.directory().join(name), text).expect("it can be written");
    }
}

/// What both commands are called with.
fn commands(file: &str) -> [[&str; 3]; 2] {
    [["run", file, "--rehearse"], ["execute", "--experiment", file]]
}

fn journal(program: &Program) -> Value {
    serde_json::from_str(&fs::read_to_string(program.directory().join("journal.json")).expect("it is there"))
        .expect("it is JSON")
}

fn performed(program: &Program, args: [&str; 3]) -> Run {
    let args: Vec<&str> = args.into_iter().chain((args[0] == "execute").then_some("--rehearse")).collect();
    program.run(&args)
}

#[test]
fn they_are_rehearsed_as_they_are_written() {
    let program = Program::new();
    place(&program);
    for (file, _, outcome) in &FILES[..3] {
        for args in commands(file) {
            let run = performed(&program, args).exits(0);
            let journal = journal(&program);
            assert_eq!((&journal["status"], &journal["deviated"]), (&json!("completed"), &json!(false)), "{file}");
            assert_eq!(journal["run"][0]["status"], "succeeded", "{file}: {}", run.stderr);
            let output = &journal["run"][0]["output"];
            let first = output.get(0).unwrap_or(output);
            assert_eq!(first["outcome"], *outcome, "{file}");
            let told = format!("{journal}{}{}", run.stdout, run.stderr);
            assert!(!told.contains("canary-of-the-old-tool"), "{file}: {told}");
        }
    }
}

/// The Python tool made a success of this.
#[test]
fn an_action_that_fails_is_a_failed_activity() {
    let program = Program::new();
    place(&program);
    let expected = [(0, "completed"), (1, "failed")];
    for (args, (exit, status)) in commands("fails.json").into_iter().zip(expected) {
        performed(&program, args).exits(exit);
        let journal = journal(&program);
        assert_eq!(journal["status"], status, "{args:?}");
        let states: Vec<&Value> = journal["run"].as_array().unwrap().iter().map(|run| &run["status"]).collect();
        assert_eq!(states, ["succeeded", "failed"], "{args:?}");
        let exception = journal["run"][1]["exception"].to_string();
        assert!(exception.contains("powered_off"), "{exception}");
        assert_eq!(journal["rollbacks"][0]["status"], "succeeded", "{args:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_off_that_fails_on_the_platform_is_a_failed_activity() {
    for (args, exit, status) in
        [(&["run", "off.json"][..], 0, "completed"), (&["execute", "--experiment", "off.json"], 1, "failed")]
    {
        let lab = Lab::demo().await;
        let mut experiment: Value = serde_json::from_str(FILES[3].1).unwrap();
        experiment["method"].as_array_mut().unwrap().truncate(1);
        fs::write(lab.program.directory().join("off.json"), experiment.to_string()).unwrap();
        lab.sim.world().fail_tasks(Some("web-01"), Some(Operation::PowerOff), Failure::OutOfResources, 0, 1).unwrap();
        lab.run(args).exits(exit);
        let journal = journal(&lab.program);
        assert_eq!(journal["status"], status, "{args:?}");
        assert_eq!((&journal["run"][0]["status"], &journal["run"][0]["output"]), (&json!("failed"), &json!(null)));
        assert!(!journal["run"][0]["exception"].as_array().unwrap().is_empty());
        assert_eq!(lab.sim.world().vm("web-01").unwrap().power, Power::On);
    }
}
