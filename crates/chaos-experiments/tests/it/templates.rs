//! The ready-made experiments.

use chaos_core::{ErrorKind, Origin, RunEventKind, VMPowerState};
use chaos_experiments::{Document, Environment, Experiment, Inputs, Overrides, Template, Verdict};
use chaos_testkit::{EstateSpec, VmSpec};
use serde_json::json;

use crate::lab::{Lab, count, rendered};

#[test]
fn every_template_is_a_valid_experiment_with_a_hypothesis() {
    for template in Template::all() {
        let needed: Vec<&str> = template.parameters().iter().filter(|it| it.required).map(|it| &*it.name).collect();
        let [needed] = needed.as_slice() else { panic!("{needed:?}") };
        let vm = format!("{needed}=web-01");
        let others = if *needed == "group" { "serving=web-*" } else { "group=web-*" };
        for given in [&[vm.as_str()][..], &[&vm, others]] {
            let (document, _) = template.render(&Overrides::parse(given).unwrap()).unwrap();
            let inputs = Inputs::new(Overrides::none()).environment(Environment::default());
            let experiment = Experiment::new(&document, &inputs).unwrap();
            assert!(experiment.warnings().is_empty(), "{}: {:?}", template.name(), experiment.warnings());
            let probes = document.root()["steady-state-hypothesis"]["probes"].as_array().unwrap().len();
            assert_eq!(probes, given.len());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_template_does_what_it_says_and_puts_everything_back() {
    for template in Template::all() {
        let spec = EstateSpec::of(["web-01", "web-02", "other"]);
        let lab = if template.platform() == Some("olvm") { Lab::olvm(&spec) } else { Lab::new(&spec) };
        let given = match &*template.parameters()[0].name {
            "vm_name" => ["vm_name=web-01", "group=other"],
            "vm_names" => ["vm_names=web-01,web-02", "group=other"],
            _ => ["group=web-*", "serving=*"],
        };
        let (report, events) = lab.run(rendered(template.name(), &given)).await;
        assert_eq!((report.verdict, report.reason), (Verdict::Completed, None), "{}", template.name());
        let sent = count(&events, |event| matches!(event, RunEventKind::Sent { .. }));
        assert!(sent >= 1 && lab.destructive_calls() >= 1, "{}", template.name());
        for vm in ["web-01", "web-02"] {
            assert_eq!(lab.state(vm), VMPowerState::PoweredOn, "{}", template.name());
        }
    }
}

#[test]
fn the_document_that_is_shown_is_an_experiment_once_its_gaps_are_filled() {
    for template in Template::all() {
        let text = template.document().to_string();
        assert!(!text.contains('@'), "{text}");
        let filled = text
            .replace("<vm_name>", "web-01")
            .replace("<vm_names>", "web-01")
            .replace("<group>", "web-*")
            .replace("<serving>", "web-*");
        let document = Document::from_value("mine", serde_json::from_str(&filled).unwrap()).unwrap();
        let inputs = Inputs::new(Overrides::none()).environment(Environment::default());
        Experiment::new(&document, &inputs).unwrap();
    }
}

#[test]
fn names_are_found_in_both_spellings_and_an_unknown_one_lists_them() {
    for template in Template::all() {
        assert_eq!(Template::find(&template.name().replace('-', "_")).unwrap().name(), template.name());
    }
    assert_eq!(Template::find("olvm_vm-batch_shutdown").unwrap().platform(), Some("olvm"));
    let error = Template::find("cpu-hog").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert_eq!(
        error.to_string(),
        "there is no chaos type `cpu-hog`: use one of vsphere-vm-poweroff, vsphere-vm-reboot, vsphere-vm-suspend, \
         vsphere-vm-batch-shutdown, vsphere-vm-random-poweroff, olvm-vm-shutdown, olvm-vm-reboot, olvm-vm-suspend, \
         olvm-vm-batch-shutdown, olvm-vm-random-shutdown"
    );
    let error = Template::find("olvm_vm_shutdwon").unwrap_err();
    assert!(
        error.to_string().starts_with(
            "there is no chaos type `olvm_vm_shutdwon`, did you mean `olvm-vm-shutdown`? use one of vsphere-vm-poweroff, "
        ),
        "{error}"
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
    let given = ["vm_name=a", "vsphere_server=v", "vsphere_url=v", "insecure=true", "vsphere_password=p"];
    let (document, connection) = template.render(&Overrides::parse(given).unwrap()).unwrap();
    let names: Vec<&str> = connection.names().collect();
    assert_eq!(names, ["vsphere_server", "vsphere_url", "vsphere_insecure", "vsphere_password"]);
    assert!(!document.root()["configuration"].as_object().unwrap().contains_key("vsphere_server"));

    let template = Template::find("olvm-vm-batch-shutdown").unwrap();
    let given = ["vm_names=a", "olvm_url=u", "olvm_username=n", "password=p", "olvm_ca_file=c", "insecure=no"];
    let (_, connection) = template.render(&Overrides::parse(given).unwrap()).unwrap();
    let names: Vec<&str> = connection.names().collect();
    assert_eq!(names, ["olvm_url", "olvm_username", "olvm_password", "olvm_ca_file", "olvm_insecure"]);
}

#[test]
fn the_values_of_another_platform_and_of_two_servers_are_refused() {
    let template = Template::find("olvm-vm-shutdown").unwrap();
    let overrides = Overrides::parse(["vm_name=a", "vsphere_server=v", "server=v", "olvm_url=u"]).unwrap();
    insta::assert_snapshot!(template.render(&overrides).unwrap_err(), @"
    olvm-vm-shutdown: 2 errors
      /configuration/vsphere_server: olvm-vm-shutdown takes no `vsphere_server` (it takes vm_name, graceful, timeout, hard_timeout, group, and olvm_{server, url, username, password, port, ca_file, insecure})
      /configuration/olvm_url: `olvm_server` and `olvm_url` name two servers: give one of them
    ");
}

/// Where the connection values of a template end, for each spelling.
#[tokio::test(start_paused = true)]
async fn both_words_for_the_server_reach_the_platform() {
    for (template, platform) in [("olvm-vm-shutdown", "olvm"), ("vsphere-vm-poweroff", "vsphere")] {
        for word in ["url", "server"] {
            for name in [word.to_owned(), format!("{platform}_{word}")] {
                let spec = EstateSpec::of(["web-01"]);
                let lab = if platform == "olvm" { Lab::olvm(&spec) } else { Lab::new(&spec) };
                let experiment = rendered(template, &["vm_name=web-01", &format!("{name}=https://elsewhere")]);
                lab.resolve(experiment).await.unwrap();
                let opened = lab.source.opened().remove(0);
                let got = (opened.name.as_str(), opened.connection.endpoint.as_deref(), opened.connection.origin);
                assert_eq!(got, (platform, Some("https://elsewhere"), Origin::Override), "{name}");
            }
        }
    }
}

#[test]
fn vms_are_given_as_a_list_or_as_a_text_and_their_number_at_a_time_as_a_count() {
    let template = Template::find("olvm-vm-batch-shutdown").unwrap();
    let names = |given: &str| {
        let (document, _) = template.render(&Overrides::parse([given]).unwrap()).ok()?;
        Some(document.root()["configuration"]["vm_names"].clone())
    };
    for given in
        ["vm_names=a,b", "vm_names= a, b, ", r#"vm_names=["a","b"]"#, r#"vm_names:json=["a", "b"]"#, "vm_names:str=a,b"]
    {
        assert_eq!(names(given), Some(json!(["a", "b"])), "{given}");
    }
    // A name may begin with a bracket, and may have a comma in it if it is written in a list.
    assert_eq!(names("vm_names=[old] a,b"), Some(json!(["[old] a", "b"])));
    assert_eq!(names(r#"vm_names=["a,b"]"#), Some(json!(["a,b"])));
    for given in ["vm_names=", "vm_names=,", "vm_names=[]", "vm_names:json=[1]", r#"vm_names=[""]"#, "vm_names=a,re:("]
    {
        assert_eq!(names(given), None, "{given}");
    }

    let overrides = Overrides::parse(["vm_names=a", "parallel=0"]).unwrap();
    let findings = template.render(&overrides).unwrap_err();
    assert!(findings.to_string().contains("`parallel` has to be a whole number of at least 1"), "{findings}");
    let (document, _) = template.render(&Overrides::parse(["vm_names=a", "parallel=12"]).unwrap()).unwrap();
    assert_eq!(document.root()["configuration"]["parallel"], 12);
    let (document, _) = template.render(&Overrides::parse(["vm_names=a"]).unwrap()).unwrap();
    assert_eq!(document.root()["configuration"]["parallel"], chaos_core::DEFAULT_PARALLEL.get());
    let mut overrides = Overrides::none();
    overrides.set("vm_names", json!(["a", "b"]));
    assert!(template.render(&overrides).is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_olvm_vm_is_shut_down_proved_off_and_powered_on_again() {
    let lab = Lab::olvm(&EstateSpec::of(["web-01", "web-02"]));
    let (report, _) = lab.run(rendered("olvm_vm_shutdown", &["vm_name=web-01", "group=web-*"])).await;
    assert_eq!((report.verdict, &report.reason), (Verdict::Completed, &None));
    assert_eq!(report.journal.run[0].output["outcome"], "guest_shutdown");
    assert_eq!(report.journal.run[1].output, "powered_off");
    assert_eq!(report.journal.rollbacks[0].output["outcome"], "powered_on");
    assert_eq!(lab.state("web-01"), VMPowerState::PoweredOn);

    let lab = Lab::olvm(&EstateSpec::of(["web-01"]));
    let (report, _) = lab.run(rendered("olvm-vm-shutdown", &["vm_name=web-01", "graceful=false"])).await;
    assert_eq!(report.journal.run[0].output["outcome"], "hard_power_off");
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
