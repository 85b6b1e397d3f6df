//! What was planned is applied exactly, or not at all; what was drawn is drawn again, or not at all.

use std::fs;

use chaos_sim::{Power, Sim, VmSpec};
use serde_json::{Value, json};

use crate::lab::Lab;
use crate::program::Run;

fn write(lab: &Lab, name: &str, method: &Value) {
    let experiment = json!({"title": "t", "description": "d", "method": method, "rollbacks": []});
    fs::write(lab.program.directory().join(name), experiment.to_string()).expect("written");
}

fn off(name: &str, vms: &Value) -> Value {
    json!({"type": "action", "name": name, "provider": {
        "type": "python", "module": "chaosmonkey.vm", "func": "vm_batch_power_off",
        "arguments": {"vm_names": vms, "platform_type": "vsphere", "graceful": false}}})
}

/// Two VMs of a group, and one by its name.
fn experiment() -> Value {
    json!([off("two", &json!({"random": "web-*", "count": 2})), off("one", &json!("database-01"))])
}

/// What somebody does to the estate between plan and apply.
type Change = fn(&Lab);

fn plan(lab: &Lab) -> Run {
    write(lab, "e.json", &experiment());
    lab.run(&["plan", "-e", "e.json", "--seed", "7", "--out", "plan.json"]).exits(0)
}

fn kept(lab: &Lab) -> Value {
    let text = fs::read_to_string(lab.program.directory().join("plan.json")).expect("a plan was kept");
    serde_json::from_str(&text).expect("it is JSON")
}

/// The VMs that calls of the plan go to, in its order.
fn planned_calls(plan: &Value) -> Vec<String> {
    let steps = plan["plan"]["steps"]["method"].as_array().expect("there are steps");
    let vms = steps.iter().filter_map(|step| step["vms"].as_array()).flatten();
    vms.map(|vm| format!("PowerOffVM_Task {}", vm["name"].as_str().expect("it has a name"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_estate_that_has_not_changed_gets_exactly_the_planned_calls() {
    let lab = Lab::demo().await;
    let said = plan(&lab);
    assert!(said.stdout.contains("blast radius: 3 of "), "{}", said.stdout);
    assert!(said.stdout.contains("cluster frontend: 2 of "), "{}", said.stdout);
    lab.is_untouched();
    let planned = kept(&lab);
    // The same estate and the same seed give the same plan, but for the time.
    let dry = lab.run(&["execute", "-e", "e.json", "--seed", "7", "--dry-run"]).exits(0);
    assert_eq!(dry.stdout, said.stdout);
    lab.run(&["apply", "plan.json", "--dry-run"]).exits(0);
    lab.is_untouched();

    lab.run(&["apply", "plan.json"]).exits(0).says("journal");
    let mut sent = lab.changes();
    let back = sent.split_off(planned_calls(&planned).len());
    let sorted = |mut calls: Vec<String>| {
        calls.sort();
        calls
    };
    assert_eq!(sorted(sent), sorted(planned_calls(&planned)));
    assert!(back.iter().all(|call| call.starts_with("PowerOnVM_Task")), "{back:?}");
    assert_eq!(back.len(), 3);
    lab.is_logged_out();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_changed_with_vms_and_groups_is_refused_with_its_words() {
    let gone = |lab: &Lab| lab.sim.world().remove("database-01").unwrap();
    let off = |lab: &Lab| drop(lab.sim.world().set_power("database-01", Power::Off).unwrap());
    let member = |lab: &Lab| drop(lab.sim.world().add(&VmSpec::new("web-99")).unwrap());
    let changes: [(Change, &str); 3] = [
        (gone, "/demo/vm/data/database-01 is gone"),
        (off, "/demo/vm/data/database-01 is powered_off, and not powered_on"),
        (member, "web-99 (`web-*`) is new among the VMs that are meant"),
    ];
    for (change, says) in changes {
        let lab = Lab::demo().await;
        plan(&lab);
        change(&lab);
        let run = lab.run(&["apply", "plan.json"]).exits(5).says("not as it was planned").says(says);
        assert!(run.stderr.contains("nothing was touched"), "{}", run.stderr);
        lab.is_untouched();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_changed_around_the_vms_is_refused_with_its_words() {
    let lab = Lab::demo().await;
    plan(&lab);
    let directory = lab.program.directory();
    fs::write(directory.join("chaosmonkey.yaml"), "chaos:\n  policy: [at most 9]\n").unwrap();
    lab.run(&["apply", "plan.json"]).exits(5).says("the rule `at most 9` is new in the policy");
    fs::remove_file(directory.join("chaosmonkey.yaml")).unwrap();
    write(&lab, "e.json", &json!([experiment()[0].clone()]));
    lab.run(&["apply", "plan.json"]).exits(5).says("the experiment was changed at /method").says("there are 1 steps");
    write(&lab, "e.json", &experiment());
    let other = Lab::of(Sim::builder().seed(99)).await;
    let set = format!("platforms.vsphere.server={}", other.sim.url());
    lab.run(&["apply", "plan.json", "--set", &set]).exits(5).says("`vsphere` is another server");
    let text = fs::read_to_string(directory.join("plan.json")).unwrap();
    fs::write(directory.join("plan.json"), text.replace("database-01", "database-02")).unwrap();
    lab.run(&["apply", "plan.json"]).exits(5).says("was changed after it was made");
    fs::write(directory.join("plan.json"), text.replace("\"version\": 1", "\"version\": 2")).unwrap();
    lab.run(&["apply", "plan.json"]).exits(2).says("use a newer one");
    fs::write(directory.join("plan.json"), "{}").unwrap();
    lab.run(&["apply", "plan.json"]).exits(2).says("this is no plan");
    lab.is_untouched();
    other.is_untouched();
    fs::write(directory.join("plan.json"), text).unwrap();
    lab.run(&["apply", "plan.json"]).exits(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_a_rule_does_not_allow_is_kept_and_refused() {
    let lab = Lab::demo().await;
    write(&lab, "e.json", &experiment());
    let set = ["--set", "chaos.policy=keep 100% of web-*"];
    let run = lab.run(&[&["plan", "-e", "e.json", "--out", "plan.json"][..], &set].concat()).exits(5);
    assert!(run.stdout.contains("group web-*: 2 of"), "{}", run.stdout);
    assert!(run.stderr.contains("refused by the rule `keep 100% of web-*`"), "{}", run.stderr);
    lab.run(&[&["apply", "plan.json"][..], &set].concat()).exits(5);
    let misspelt = lab.run(&["plan", "-e", "e.json", "--set", "chaos.policy=protect Database-01"]).exits(0);
    assert!(misspelt.stderr.contains("the rule `protect Database-01` means no VM here"), "{}", misspelt.stderr);
    lab.is_untouched();
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_not_in_a_plan_and_have_to_be_given_again() {
    let lab = Lab::demo().await;
    let given = ["--override", "vm_name=web-01", "--override", "api_token=hunter2"];
    write(&lab, "e.json", &json!([off("one", &json!("web-01"))]));
    let text = fs::read_to_string(lab.program.directory().join("e.json")).unwrap();
    let mut experiment: Value = serde_json::from_str(&text).unwrap();
    experiment["configuration"] =
        json!({"vm_name": "x", "api_token": "x", "word": "x", "dsn": "postgres://u:pgsecret@h/db"});
    let told =
        json!({"type": "http", "url": "http://127.0.0.1:1/", "method": "POST", "arguments": {"word": "${word}"}});
    let method = experiment["method"].as_array_mut().unwrap();
    method.push(json!({"type": "probe", "name": "tell", "provider": told}));
    fs::write(lab.program.directory().join("e.json"), experiment.to_string()).unwrap();
    lab.run(&[&["plan", "-e", "e.json", "--out", "plan.json"][..], &given].concat()).exits(0);
    let text = fs::read_to_string(lab.program.directory().join("plan.json")).unwrap();
    assert!(text.contains("vm_name=web-01") && !text.contains("hunter2") && !text.contains("pgsecret"), "{text}");
    lab.run(&["apply", "plan.json"]).exits(2).says("api_token was given then and is not written down");
    let again = ["apply", "plan.json", "--override", "api_token=hunter2"];
    let other = lab.run(&[&again[..], &["--override", "word=other"]].concat()).exits(5);
    assert!(other.stderr.contains("step `tell` would be called with other values"), "{}", other.stderr);
    lab.is_untouched();
    lab.run(&[&again[..], &["--dry-run"]].concat()).exits(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_replayed_with_the_same_vms_or_not_at_all() {
    let lab = Lab::demo().await;
    write(&lab, "e.json", &experiment());
    write(
        &lab,
        "same.json",
        &json!([off("hit", &json!({"random": "web-*"})), off("hit", &json!({"random": "data*"}))]),
    );
    lab.run(&["execute", "-e", "same.json"]).exits(0);
    lab.run(&["replay", "last", "--dry-run"]).exits(0);
    let before = lab.changes().len();
    lab.run(&["execute", "-e", "e.json"]).exits(0);
    let sent = move |lab: &Lab| {
        let mut calls: Vec<String> =
            lab.changes().into_iter().skip(before).filter(|call| call.starts_with("PowerOffVM_Task")).collect();
        calls.sort();
        calls
    };
    let first = sent(&lab);
    let runs = lab.run(&["runs", "list", "--format", "json"]).exits(0);
    let runs: Value = serde_json::from_str(&runs.stdout).unwrap();
    let run = runs[0]["run"].as_str().unwrap().to_owned();
    lab.run(&["replay", &run]).exits(0);
    let mut twice = [first.clone(), first].concat();
    twice.sort();
    assert_eq!(sent(&lab), twice);
    // With another estate the seed may give others.
    for number in 10..40 {
        lab.sim.world().add(&VmSpec::new(format!("web-{number}"))).unwrap();
    }
    let refused = lab.run(&["replay", &run]).exits(5);
    assert!(refused.stderr.contains("`two` would hit"), "{}", refused.stderr);
    assert_eq!(sent(&lab), twice);
    lab.run(&["replay", &run, "--redraw", "--dry-run"]).exits(0);
    assert_eq!(sent(&lab), twice);
}
