//! The ready-made experiments.

use chaos_core::{ErrorKind, RunEventKind, VMPowerState};
use chaos_experiments::{Document, Environment, Experiment, Inputs, Overrides, Template, Verdict};
use chaos_testkit::{EstateSpec, VmSpec};
use serde_json::json;

use crate::lab::{Lab, count, rendered};

#[test]
fn every_template_is_a_valid_experiment_with_a_hypothesis() {
    for template in Template::all() {
        for given in [&["vm_name=web-01"][..], &["vm_name=web-01", "group=web-*"]] {
            let (document, _) = template.render(&Overrides::parse(given).unwrap()).unwrap();
            let inputs = Inputs::new(Overrides::none()).environment(Environment::default());
            let experiment = Experiment::new(&document, &inputs).unwrap();
            assert!(experiment.warnings().is_empty(), "{}: {:?}", template.name(), experiment.warnings());
            let probes = document.root()["steady-state-hypothesis"]["probes"].as_array().unwrap().len();
            assert_eq!(probes, given.len());
        }
    }
}

#[test]
fn names_are_found_in_both_spellings_and_an_unknown_one_lists_them() {
    assert_eq!(Template::find("vsphere_vm_reboot").unwrap().name(), "vsphere-vm-reboot");
    let error = Template::find("cpu-hog").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert_eq!(
        error.to_string(),
        "there is no chaos type `cpu-hog`: use one of vsphere-vm-poweroff, vsphere-vm-reboot"
    );
}

#[test]
fn parameters_are_typed_and_all_complaints_come_at_once() {
    let template = Template::find("vsphere-vm-poweroff").unwrap();
    let overrides = Overrides::parse(["graceful=maybe", "timeout=-3", "hard_timeout=90s", "vm=web-01"]).unwrap();
    insta::assert_snapshot!(template.render(&overrides).unwrap_err(), @"
    vsphere-vm-poweroff: 4 errors
      /configuration/vm: vsphere-vm-poweroff takes no `vm` (it takes vm_name, graceful, timeout, hard_timeout, group, and vsphere_{server, url, username, password, port, ca_file, insecure})
      /configuration/vm_name: vsphere-vm-poweroff needs `vm_name` (the VM, as a name, `id:…` or `path:/…`)
      /configuration/graceful: `graceful` has to be true or false
      /configuration/timeout: `timeout` has to be seconds, or a time such as `90s`, of more than 0
    ");
    let overrides = Overrides::parse(["vm_name=web-01", "graceful=no", "timeout=45", "hard_timeout=90s"]).unwrap();
    let (document, _) = template.render(&overrides).unwrap();
    assert_eq!(
        document.root()["configuration"],
        json!({"vm_name": "web-01", "graceful": false, "timeout": 45, "hard_timeout": "90s"})
    );
}

#[test]
fn connection_values_are_set_apart_in_both_spellings() {
    let template = Template::find("vsphere-vm-poweroff").unwrap();
    let given = ["vm_name=a", "vsphere_server=v", "vsphere_url=u", "insecure=true", "vsphere_password=p"];
    let (document, connection) = template.render(&Overrides::parse(given).unwrap()).unwrap();
    let names: Vec<&str> = connection.names().collect();
    assert_eq!(names, ["vsphere_server", "vsphere_url", "vsphere_insecure", "vsphere_password"]);
    assert!(!document.root()["configuration"].as_object().unwrap().contains_key("vsphere_server"));
}

#[tokio::test(start_paused = true)]
async fn a_reboot_is_seen_and_the_vm_is_on_again() {
    let lab = Lab::with(&["web-01"]);
    let (report, _) = lab.run(rendered("vsphere-vm-reboot", &["vm_name=web-01"])).await;
    assert_eq!((report.verdict, &report.reason), (Verdict::Completed, &None));
    assert_eq!(report.journal.run[0].output["outcome"], "guest_reboot");
    assert_eq!(report.journal.run[1].output, "powered_on");
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_hangs_is_stopped_hard_and_the_journal_says_so() {
    let lab = Lab::new(&EstateSpec::new().with([VmSpec::new("web-01").hanging()]));
    let (report, _) = lab.run(rendered("vsphere-vm-poweroff", &["vm_name=web-01", "timeout=30"])).await;
    assert_eq!(report.verdict, Verdict::Completed);
    assert_eq!(report.journal.run[0].output["outcome"], "hard_after_guest_timeout");
    assert_eq!(lab.state("web-01"), VMPowerState::PoweredOn);
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_not_whole_keeps_the_vm_on() {
    let spec = EstateSpec::of(["web-01"]).with([VmSpec::new("web-02").off()]);
    let lab = Lab::new(&spec);
    let (report, events) = lab.run(rendered("vsphere-vm-poweroff", &["vm_name=web-01", "group=web-*"])).await;
    assert_eq!(report.verdict, Verdict::Failed);
    assert!(report.reason.unwrap().ends_with("false is not true (/DC0/vm/web-02 is powered_off)"));
    assert_eq!(count(&events, |event| matches!(event, RunEventKind::Sent { .. })), 0);
}

#[test]
fn a_rendered_document_is_an_experiment_file() {
    let (document, _) =
        Template::find("vsphere-vm-poweroff").unwrap().render(&Overrides::parse(["vm_name=a"]).unwrap()).unwrap();
    let text = serde_json::to_string_pretty(document.root()).unwrap();
    assert_eq!(Document::from_json(document.name(), &text).unwrap(), document);
}
