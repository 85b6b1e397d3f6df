//! Ready-made experiments of a directory, and VMs at random, from the command line.

use std::fs;

use serde_json::Value;

use crate::program::Program;

const SHOP: &str = "title: The shop
description: Restarts one web server.
extensions:
  - name: chaosmonkey-template
    summary: restart a web server of the shop
    platform: vsphere
    parameters:
      - {name: vm_name, type: vm, summary: the web server}
method:
  - type: action
    name: restart
    provider:
      type: python
      module: chaosmonkey.vm
      func: vm_reboot
      arguments: {vm_name: \"${vm_name}\", platform_type: vsphere}
";

fn program() -> Program {
    let program = Program::new();
    fs::create_dir(program.directory().join("mine")).expect("it can be made");
    fs::write(program.directory().join("mine/shop-restart.yaml"), SHOP).expect("it can be written");
    program
}

#[test]
fn a_directory_adds_to_what_is_built_in() {
    let program = program();
    let list = program.run(&["templates", "list", "--templates", "mine"]).exits(0).stdout;
    let line = list.lines().find(|line| line.starts_with("shop-restart")).expect("it is listed");
    assert!(line.contains("mine/shop-restart.yaml") && line.ends_with("restart a web server of the shop"), "{list}");
    assert!(list.contains("vsphere-vm-reboot") && list.contains("built in"), "{list}");
    let shown = program.run(&["templates", "show", "shop_restart", "--templates", "mine"]).exits(0).stdout;
    assert!(shown.contains("From mine/shop-restart.yaml"), "{shown}");
    let command = "execute --chaos-type shop-restart --templates mine --override vm_name=… --rehearse";
    assert!(shown.contains(command), "{shown}");
    program.run(&["templates", "show", "shop-restart"]).exits(2).says("there is no chaos type `shop-restart`");

    let execute = ["execute", "-t", "shop-restart", "--templates", "mine", "--rehearse"];
    let with = |more: &'static str| [&execute[..], &["--override", more]].concat();
    program.run(&with("vm_name=web-02")).exits(0).says("guest_reboot");
    program
        .run(&execute)
        .exits(2)
        .says("mine/shop-restart.yaml:8:9: /configuration/vm_name: shop-restart needs `vm_name`");
}

#[test]
fn the_settings_name_the_directory_too() {
    let program = program();
    let list = ["templates", "list", "--format", "json"];
    let names = |run: crate::program::Run| -> Vec<Value> { serde_json::from_str(&run.exits(0).stdout).unwrap() };
    let built_in = names(program.run(&list));
    fs::write(program.directory().join("chaosmonkey.yaml"), "chaos:\n  templates_path: mine\n").unwrap();
    let all = names(program.run(&list));
    assert_eq!(all.len(), built_in.len() + 1);
    assert_eq!(built_in[0]["file"], Value::Null);
    assert!(all[built_in.len()]["file"].as_str().unwrap().ends_with("mine/shop-restart.yaml"));
    let execute = ["execute", "-t", "shop-restart", "--override", "vm_name=web-02", "--rehearse"];
    program.run(&execute).exits(0);

    fs::write(program.directory().join("mine/olvm_vm_reboot.yaml"), SHOP).unwrap();
    let told = "mine/olvm_vm_reboot.yaml: there is a chaos type `olvm-vm-reboot` already: it is built in";
    program.run(&list).exits(2).says(told);
    program.run(&execute).exits(2).says(told);
}

#[test]
fn a_seed_draws_the_same_vms_again_and_is_told() {
    let program = Program::new();
    let draw = |template: &'static str, seed: &str| {
        let seed = format!("seed={seed}");
        let args = ["execute", "-t", template, "--override", "group=web-*", "--override", "count=2", "--rehearse"];
        let seeded = [&args[..], &["--override", &seed]].concat();
        program.run(if seed == "seed=" { &args } else { &seeded }).exits(0).says("drawn from `web-*` with seed ").stderr
    };
    let drawn = |stderr: &str| stderr.lines().find(|line| line.contains("drawn from")).map(str::to_owned).unwrap();
    let first = drawn(&draw("vsphere-vm-random-poweroff", "11"));
    assert!(first.contains("with seed 11: "), "{first}");
    assert_eq!(drawn(&draw("vsphere-vm-random-poweroff", "11")), first);
    // The seed of a run that had none gives its VMs again.
    let unseeded = drawn(&draw("olvm-vm-random-shutdown", ""));
    let seed = unseeded.split("seed ").nth(1).and_then(|rest| rest.split(':').next()).unwrap();
    assert_eq!(drawn(&draw("olvm-vm-random-shutdown", seed)), unseeded);
}
