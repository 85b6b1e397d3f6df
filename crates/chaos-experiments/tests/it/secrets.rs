//! Secrets occur in nothing that is written down or shown.

use chaos_core::ErrorKind;
use chaos_experiments::{Document, Environment, Experiment, Inputs, MemorySink, Overrides, RunReport, Template};
use chaos_testkit::memory::{CallKind, Failure};
use chaos_testkit::{CapturedLogs, EstateSpec, contains_secret};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::lab::{Lab, action, document, options, probe, with_hypothesis};

const CANARY: &str = "canary-7f3a-hunter2";

/// Runs `experiment` and gives everything that anybody could see of it.
async fn all_output(lab: &Lab, experiment: Experiment) -> (RunReport, String) {
    let logs = CapturedLogs::start();
    let mut seen = vec![format!("{experiment:?} {:?} {:?}", experiment.vms(), experiment.warnings())];
    let resolved = lab.resolve(experiment).await.unwrap();
    seen.push(format!("{resolved:?} {} {:?}", resolved.plan(), resolved.plan()));
    seen.push(serde_json::to_string(&resolved.plan()).unwrap());
    let sink = MemorySink::default();
    let report = resolved.run(&lab.cx, &sink, &options()).await;
    seen.push(serde_json::to_string(&sink.events()).unwrap());
    seen.push(format!("{sink:?} {report:?} {}", report.journal.to_text()));
    seen.push(serde_json::to_string(&report).unwrap());
    seen.push(logs.text());
    (report, seen.join("\n"))
}

#[tokio::test(start_paused = true)]
async fn declared_secrets_and_passwords_are_masked_everywhere() {
    let lab = Lab::with(&["a"]);
    // A server that repeats what it should not.
    lab.estate.fail_next(Failure::refuse(ErrorKind::Failed, &format!("login as admin with {CANARY} is stale")));
    let mut experiment = with_hypothesis(
        document(
            &[action(
                "off",
                "vm_power_off",
                json!({"vm_name": "a", "url": "https://v", "username": "u", "password": "${from_env}"}),
            )],
            &[action("on", "vm_power_on", json!({"vm_name": "a", "password": CANARY}))],
        ),
        &[probe("there", "vm_exists", json!({"vm_name": "a"}), json!(true))],
    );
    experiment["title"] = format!("with {CANARY} in its title").into();
    experiment["configuration"] = json!({"olvm_password": CANARY, "note": format!("pass {CANARY} on")});
    experiment["secrets"] = json!({
        "s": {"inline": CANARY, "from_env": {"type": "env", "key": "PASSWORD"}, "pin": 4711},
    });
    let environment: Environment = [("PASSWORD".to_owned(), CANARY.to_owned())].into_iter().collect();
    let inputs = Inputs::new(Overrides::none()).environment(environment);
    let document = Document::from_value("e.json", experiment).unwrap();
    assert!(!format!("{document:?} {inputs:?}").contains(CANARY));

    let (report, seen) = all_output(&lab, Experiment::new(&document, &inputs).unwrap()).await;
    assert!(!contains_secret(&seen, CANARY), "{seen}");
    assert!(!seen.contains("4711"));
    assert!(seen.contains("is stale"), "the message itself is shown");
    assert_eq!(report.journal.experiment["secrets"]["s"]["from_env"], json!({"type": "env", "key": "PASSWORD"}));
}

#[tokio::test(start_paused = true)]
async fn a_password_that_is_given_to_a_template_is_in_no_document() {
    let spec = EstateSpec::of(["web-01", "web-02"]);
    for (template, lab, vm, server, password) in [
        ("vsphere-vm-poweroff", Lab::new(&spec), "vm_name=web-01", "vsphere_server=v", "vsphere_password"),
        ("olvm-vm-batch-shutdown", Lab::olvm(&spec), "vm_names=web-01,web-02", "olvm_url=u", "olvm_password"),
        ("olvm-vm-shutdown", Lab::olvm(&spec), "vm_name=web-01", "server=u", "password"),
    ] {
        let overrides = Overrides::parse([vm, server, &format!("{password}={CANARY}")]).unwrap();
        let (document, connection) = Template::find(template).unwrap().render(&overrides).unwrap();
        assert!(!serde_json::to_string(document.root()).unwrap().contains(CANARY));
        let inputs = Inputs::new(connection).environment(Environment::default());
        // A server that repeats what it should not, when it is to change a VM and when it is to put it back.
        lab.estate.fail_next(Failure::refuse(ErrorKind::Failed, &format!("{CANARY}?")));
        lab.estate.fail_next(Failure::refuse(ErrorKind::Failed, &format!("{CANARY}?")).of(CallKind::PowerOn));
        let (_, seen) = all_output(&lab, Experiment::new(&document, &inputs).unwrap()).await;
        assert!(!contains_secret(&seen, CANARY), "{template}: {seen}");
        assert_eq!(lab.source.opened()[0].connection.password.as_ref().unwrap().expose_secret(), CANARY);
    }
}

#[test]
fn findings_repeat_no_secret() {
    let mut experiment = document(&[action("off", "vm_power_off", json!({"vm_name": "a", "graceful": CANARY}))], &[]);
    experiment["secrets"] = json!({"s": CANARY});
    experiment["configuration"] = json!({"n": {"type": "env", "key": "N", "env_var_type": "int"}});
    let environment: Environment = [("N".to_owned(), CANARY.to_owned())].into_iter().collect();
    let inputs = Inputs::new(Overrides::none()).environment(environment);
    let findings = Experiment::new(&Document::from_value("e", experiment).unwrap(), &inputs).unwrap_err();
    assert_eq!(findings.list.len(), 4);
    assert!(!findings.to_string().contains(CANARY), "{findings}");
}

/// An experiment that reads a password from the environment under a name that says nothing, and uses it as a VM's name.
fn harmless_name(environment: &[(&str, &str)], vm: &str) -> Result<Experiment, chaos_experiments::Findings> {
    let mut experiment = document(&[action("off", "vm_power_off", json!({"vm_name": vm}))], &[]);
    experiment["configuration"] = json!({"p": {"type": "env", "key": "VSPHERE_PASSWORD", "default": "a-default"}});
    let environment: Environment =
        environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let inputs = Inputs::new(Overrides::none()).environment(environment);
    Experiment::new(&Document::from_value("e.json", experiment).unwrap(), &inputs)
}

#[tokio::test(start_paused = true)]
async fn a_secret_variable_under_a_harmless_name_is_in_no_error() {
    let lab = Lab::with(&["a"]);
    let error = lab.resolve(harmless_name(&[("VSPHERE_PASSWORD", CANARY)], "${p}").unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(!format!("{error:?} {error} {}", error.with_causes()).contains(CANARY), "{error:?}");
    assert!(error.to_string().contains("no VM fits"), "{error}");

    let findings = harmless_name(&[("VSPHERE_PASSWORD", CANARY)], "re:(${p}").unwrap_err();
    assert!(!findings.to_string().contains(CANARY), "{findings}");
}

#[tokio::test(start_paused = true)]
async fn the_unused_default_of_a_secret_variable_is_in_no_record() {
    let lab = Lab::with(&["a"]);
    let (report, _) = lab.run(harmless_name(&[("VSPHERE_PASSWORD", CANARY)], "a").unwrap()).await;
    assert_eq!(report.journal.experiment["configuration"]["p"]["default"], "********");
}
