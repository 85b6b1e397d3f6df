//! Ready-made experiments of a directory.

use std::fs;
use std::path::Path;

use chaos_core::VMPowerState;
use chaos_experiments::{Environment, Experiment, Inputs, Overrides, Template, Templates, Verdict};
use serde_json::json;
use tempfile::TempDir;

use crate::lab::Lab;

const SHOP: &str = r#"title: The shop without a web server
description: Stops one web server.
configuration:
  wait: 0
extensions:
  - name: somebody-else
  - name: chaosmonkey-template
    summary: stop a web server of the shop
    platform: vsphere
    parameters:
      - name: vm_name
        type: vm
        summary: the web server
      - {name: timeout, type: seconds, default: 120}
      - {name: group, type: group, required: false, without: [/steady-state-hypothesis/probes/1]}
      - {name: zone, type: text, choices: [north, south], default: north}
      - {name: ticket, type: text, pattern: "OPS-[0-9]+", required: false}
      - {name: level, type: integer, minimum: 1, maximum: 3, default: 2}
steady-state-hypothesis:
  title: it is there
  probes:
    - type: probe
      name: there
      tolerance: true
      provider: {type: python, module: chaosmonkey.vm, func: vm_exists, arguments: {vm_name: "${vm_name}", platform_type: vsphere}}
    - type: probe
      name: others
      tolerance: true
      provider: {type: python, module: chaosmonkey.vm, func: vm_group_powered_on, arguments: {group: "${group}", except: "${vm_name}", platform_type: vsphere}}
method:
  - type: action
    name: stop
    provider: {type: python, module: chaosmonkey.vm, func: vm_power_off, arguments: {vm_name: "${vm_name}", timeout: "${timeout}", platform_type: vsphere}}
rollbacks: []
"#;

fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

/// What keeps the directory from being read, without where it is.
fn refusal(files: &[(&str, &str)]) -> String {
    let directory = directory(files);
    let error = Templates::with_directory(directory.path()).unwrap_err().to_string();
    error.replace(&directory.path().display().to_string(), "DIR")
}

#[test]
fn they_are_listed_beside_the_built_in_ones_with_where_they_come_from() {
    let directory =
        directory(&[("shop_web.yaml", SHOP), ("notes.txt", "no template"), (".hidden.yaml", "no: template")]);
    let templates = Templates::with_directory(directory.path()).unwrap();
    assert_eq!(templates.iter().count(), Template::all().len() + 1);
    let shop = templates.find("shop_web").unwrap();
    assert_eq!(
        (shop.name(), shop.summary(), shop.platform()),
        ("shop-web", "stop a web server of the shop", Some("vsphere"))
    );
    assert_eq!(shop.file(), Some(&*directory.path().join("shop_web.yaml")));
    assert_eq!(templates.find("olvm-vm-reboot").unwrap().file(), None);
    let forms: Vec<String> =
        shop.parameters().iter().map(|parameter| format!("{}: {}", parameter.name, parameter.form())).collect();
    assert_eq!(
        forms[3..],
        [
            "zone: one of north, south",
            "ticket: a text that is not empty that matches `OPS-[0-9]+`",
            "level: a whole number from 1 to 3"
        ]
    );
    assert!(templates.find("shop-wbe").unwrap_err().to_string().contains("did you mean `shop-web`?"));
}

#[tokio::test(start_paused = true)]
async fn one_is_run_like_a_built_in_one() {
    let directory = directory(&[("shop.yaml", SHOP)]);
    let templates = Templates::with_directory(directory.path()).unwrap();
    for (given, probes) in [(&["vm_name=web-01"][..], 1), (&["vm_name=web-01", "group=web-*", "server=vc"], 2)] {
        let (document, connection) = templates.find("shop").unwrap().render(&Overrides::parse(given).unwrap()).unwrap();
        assert_eq!(document.root()["steady-state-hypothesis"]["probes"].as_array().unwrap().len(), probes);
        assert_eq!(document.root()["extensions"], json!([{"name": "somebody-else"}]));
        assert_eq!(document.root()["configuration"]["wait"], 0);
        assert_eq!(document.root()["configuration"]["ticket"], json!(null));
        assert_eq!(connection.names().collect::<Vec<_>>(), if probes == 2 { vec!["vsphere_server"] } else { vec![] });
        let inputs = Inputs::new(connection).environment(Environment::default());
        let lab = Lab::with(&["web-01", "web-02"]);
        let (report, _) = lab.run(Experiment::new(&document, &inputs).unwrap()).await;
        assert_eq!((report.verdict, report.reason), (Verdict::Completed, None));
        assert_eq!(lab.state("web-01"), VMPowerState::PoweredOn);
    }
}

#[test]
fn wrong_values_are_told_with_the_place_of_the_declaration() {
    let directory = directory(&[("shop.yaml", SHOP)]);
    let templates = Templates::with_directory(directory.path()).unwrap();
    let given = ["timeout=soon", "zone=east", "ticket=OPS-1x", "level=4", "mood=good"];
    let error = templates.find("shop").unwrap().render(&Overrides::parse(given).unwrap()).unwrap_err().to_string();
    insta::assert_snapshot!(error.replace(&directory.path().display().to_string(), "DIR"), @"
    DIR/shop.yaml: 6 errors
      /configuration/mood: shop takes no `mood` (it takes vm_name, timeout, group, zone, ticket, level, and vsphere_{server, url, username, password, port, ca_file, insecure})
      DIR/shop.yaml:11:9: /configuration/vm_name: shop needs `vm_name` (the web server, as a name, `id:…` or `path:/…`)
      DIR/shop.yaml:14:9: /configuration/timeout: `timeout` has to be seconds, or a time such as `90s`, of more than 0
      DIR/shop.yaml:16:9: /configuration/zone: `zone` has to be one of north, south
      DIR/shop.yaml:17:9: /configuration/ticket: `ticket` has to be a text that is not empty that matches `OPS-[0-9]+`
      DIR/shop.yaml:18:9: /configuration/level: `level` has to be a whole number from 1 to 3
    ");
}

#[test]
fn what_a_file_declares_wrongly_is_told_with_line_and_column() {
    let wrong = "title: t\nconfiguration: {taken: 1}\nextensions:\n  - name: chaosmonkey-template\n    plattform: vsphere\n    parameters:\n\
                 \x20     - {name: a b, type: vm}\n\
                 \x20     - {name: one, type: vmm}\n\
                 \x20     - {name: two}\n\
                 \x20     - {name: taken, type: text}\n\
                 \x20     - {name: password, type: text}\n\
                 \x20     - {name: three, type: count, default: 0}\n\
                 \x20     - {name: four, type: flag, choices: [yes]}\n\
                 \x20     - {name: five, type: integer, minimum: 3, maximum: 1}\n\
                 \x20     - {name: six, type: text, pattern: '('}\n\
                 \x20     - {name: seven, type: text, required: false, without: [/method/7]}\n\
                 \x20     - {name: eight, type: text, without: [/method/0]}\n\
                 \x20     - {name: eight, type: text, default: x, required: true}\n\
                 \x20     - nine\n\
                 method: []\n";
    insta::assert_snapshot!(refusal(&[("wrong.yaml", wrong)]), @"
    DIR/wrong.yaml: 15 errors
      DIR/wrong.yaml:5:5: /extensions/0/plattform: `plattform` is not known here, did you mean `platform`? (there can be name, summary, platform, parameters)
      DIR/wrong.yaml:7:10: /extensions/0/parameters/0/name: a parameter has a name of letters, digits and `_`
      DIR/wrong.yaml:8:21: /extensions/0/parameters/1/type: `vmm` is no type: use one of vm, vms, group, count, flag, seconds, seed, text, integer, number
      DIR/wrong.yaml:9:9: /extensions/0/parameters/2: a parameter needs a `type`: vm, vms, group, count, flag, seconds, seed, text, integer, number
      DIR/wrong.yaml:10:10: /extensions/0/parameters/3/name: `configuration` has this name too: give the parameter a `default` instead
      DIR/wrong.yaml:11:10: /extensions/0/parameters/4/name: this is the name of a connection value, which every template takes
      DIR/wrong.yaml:12:36: /extensions/0/parameters/5/default: the default has to be a whole number of at least 1
      DIR/wrong.yaml:13:34: /extensions/0/parameters/6/choices: only text, integer and number can have this
      DIR/wrong.yaml:14:37: /extensions/0/parameters/7/minimum: this is more than the maximum
      DIR/wrong.yaml:15:33: /extensions/0/parameters/8/pattern: this is not a regular expression
      DIR/wrong.yaml:16:62: /extensions/0/parameters/9/without/0: this has to be a place in the experiment, such as /steady-state-hypothesis/probes/1
      DIR/wrong.yaml:17:35: /extensions/0/parameters/10/without: nothing can be left out for it: it always has a value; say `required: false`
      DIR/wrong.yaml:18:47: /extensions/0/parameters/11/required: what has a default need not be given
      DIR/wrong.yaml:18:10: /extensions/0/parameters/11/name: there is a parameter of this name already
      DIR/wrong.yaml:19:9: /extensions/0/parameters/12: a parameter is a mapping with `name` and `type`
    ");
    insta::assert_snapshot!(refusal(&[("plain.json", r#"{"title": "t", "method": []}"#)]), @"
    DIR/plain.json: 1 error
      DIR/plain.json:1:1: /extensions: this experiment does not say what it takes as a template (add an entry with `name: chaosmonkey-template` and `parameters`, or move the file elsewhere)
    ");
    assert_eq!(refusal(&[("broken.json", "{")]).split(": ").next(), Some("DIR/broken.json:1:2"));
    assert!(refusal(&[("Shop 1.yaml", SHOP)]).contains("the name of a template has small letters, digits and `-`"));
}

#[test]
fn a_name_is_taken_once() {
    assert_eq!(
        refusal(&[("olvm_vm_reboot.yaml", SHOP)]),
        "DIR/olvm_vm_reboot.yaml: there is a chaos type `olvm-vm-reboot` already: it is built in"
    );
    assert_eq!(
        refusal(&[("shop-web.yaml", SHOP), ("shop_web.yml", SHOP)]),
        "DIR/shop_web.yml: there is a chaos type `shop-web` already: DIR/shop-web.yaml has it"
    );
    let error = Templates::with_directory(Path::new("/no/such/directory")).unwrap_err().to_string();
    assert!(error.starts_with("cannot read the templates in /no/such/directory: "), "{error}");
}
