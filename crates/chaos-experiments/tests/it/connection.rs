//! Connection values: where those of an experiment, of the Python tool's experiments and of overrides end.

use chaos_core::Origin;
use chaos_experiments::{Environment, Inputs, Overrides, Verdict};
use chaos_testkit::EstateSpec;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::lab::{Lab, action, document, inputs, read, read_with};

/// Where the connection values of an activity end, and how much they are trusted.
#[tokio::test(start_paused = true)]
async fn connection_values_reach_the_platform_source_with_their_origin() {
    let written = |arguments: Value| {
        let mut all = json!({"vm_name": "a"});
        all.as_object_mut().unwrap().extend(arguments.as_object().unwrap().clone());
        let mut document = document(&[action("off", "vm_power_off", all)], &[]);
        document["configuration"] = json!({"server": "from-file", "check": false});
        document
    };
    for (arguments, overrides, endpoint, username, origin) in [
        (json!({}), vec![], None, None, Origin::Override),
        (json!({"url": "https://v", "username": "u"}), vec![], Some("https://v"), Some("u"), Origin::ExperimentFile),
        (json!({"server": "${server}"}), vec![], Some("from-file"), None, Origin::ExperimentFile),
        (json!({"server": "${server}"}), vec!["server=given"], Some("given"), None, Origin::Override),
        (json!({"server": "x${server}"}), vec!["server=given"], Some("xgiven"), None, Origin::ExperimentFile),
        (
            json!({"server": "${server}", "insecure": "${check}"}),
            vec!["server=given"],
            Some("given"),
            None,
            Origin::ExperimentFile,
        ),
        (json!({"username": "u"}), vec![], None, Some("u"), Origin::Override),
        (json!({"insecure": true}), vec![], None, None, Origin::ExperimentFile),
        (json!({}), vec!["vsphere_server=v"], Some("v"), None, Origin::Override),
        (
            json!({"url": "evil", "username": "u", "insecure": true}),
            vec!["vsphere_server=v"],
            Some("v"),
            None,
            Origin::Override,
        ),
        (
            json!({"url": "v", "insecure": true}),
            vec!["vsphere_username=given"],
            Some("v"),
            Some("given"),
            Origin::ExperimentFile,
        ),
    ] {
        let lab = Lab::with(&["a"]);
        let experiment = read_with(written(arguments.clone()), &inputs(&overrides)).unwrap();
        lab.resolve(experiment).await.unwrap();
        let opened = lab.source.opened().remove(0);
        assert_eq!(opened.name, "vsphere");
        let connection = opened.connection;
        let got = (connection.endpoint.as_deref(), connection.username.as_deref(), connection.origin);
        assert_eq!(got, (endpoint, username, origin), "{arguments} {overrides:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dollar_in_an_overridden_password_is_no_reference() {
    let lab = Lab::with(&["a"]);
    let experiment = document(&[action("off", "vm_power_off", json!({"vm_name": "a", "insecure": "no"}))], &[]);
    let inputs = inputs(&["vsphere_password=p${x}$$", "vsphere_port=8989", "vsphere_insecure=yes"]);
    lab.resolve(read_with(experiment, &inputs).unwrap()).await.unwrap();
    let connection = lab.source.opened().remove(0).connection;
    assert_eq!(connection.password.unwrap().expose_secret(), "p${x}$$");
    assert_eq!((connection.port, connection.insecure), (Some(8989), Some(true)));
}

/// As the Python tool's own experiments on OLVM, with the values that its user gave it filled in.
#[tokio::test(start_paused = true)]
async fn a_batch_on_olvm_of_the_python_tool_is_understood() {
    let old = json!({
        "version": "1.0.0", "title": "t", "description": "d",
        "configuration": {
            "vm_names": ["a", "b"], "graceful": "false", "parallel": 2,
            "olvm_url": {"type": "env", "key": "OLVM_URL"}, "olvm_username": "admin@internal",
            "olvm_password": {"type": "env", "key": "OLVM_PASSWORD"}, "olvm_insecure": "false"
        },
        "steady-state-hypothesis": {"title": "t", "probes": []},
        "method": [{"type": "action", "name": "off", "provider": {
            "type": "python", "module": "chaosmonkey.stubs.actions", "func": "vm_batch_power_off", "arguments": {
                "vm_names": "${vm_names}", "platform_type": "olvm", "graceful": "${graceful}",
                "parallel": "${parallel}", "timeout": 120, "url": "${olvm_url}", "username": "${olvm_username}",
                "password": "${olvm_password}", "insecure": "${olvm_insecure}"
            }
        }}],
        "rollbacks": []
    });
    let environment = |url: &str| -> Environment {
        let all = [("OLVM_URL", url), ("OLVM_PASSWORD", "hunter2-hunter2")];
        all.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect()
    };
    let inputs = |overrides: &[&str]| {
        Inputs::new(Overrides::parse(overrides).unwrap()).environment(environment("https://engine/api"))
    };
    let lab = Lab::olvm(&EstateSpec::of(["a", "b"]));
    let (report, _) = lab.run(read_with(old.clone(), &inputs(&[])).unwrap()).await;
    assert_eq!((report.verdict, report.reason), (Verdict::Completed, None));
    let outcomes: Vec<&Value> =
        report.journal.run[0].output.as_array().unwrap().iter().map(|it| &it["outcome"]).collect();
    assert_eq!(outcomes, ["hard_power_off", "hard_power_off"]);
    let opened = lab.source.opened().remove(0);
    assert_eq!(opened.name, "olvm");
    let connection = opened.connection;
    assert_eq!(connection.endpoint.as_deref(), Some("https://engine/api"));
    assert_eq!(connection.username.as_deref(), Some("admin@internal"));
    assert_eq!(connection.password.unwrap().expose_secret(), "hunter2-hunter2");
    assert_eq!((connection.insecure, connection.origin), (Some(false), Origin::ExperimentFile));

    // A person may send it elsewhere, whether the file declares the value or not.
    let lab = Lab::olvm(&EstateSpec::of(["a", "b"]));
    let elsewhere = inputs(&["vm_names=[\"a\"]", "olvm_url=https://elsewhere"]);
    lab.resolve(read_with(old.clone(), &elsewhere).unwrap()).await.unwrap();
    assert_eq!(lab.source.opened()[0].connection.endpoint.as_deref(), Some("https://elsewhere"));
    let lab = Lab::olvm(&EstateSpec::of(["a", "b"]));
    let elsewhere = inputs(&["olvm_server=https://elsewhere", "olvm_ca_file=ca.pem"]);
    lab.resolve(read_with(old, &elsewhere).unwrap()).await.unwrap();
    let connection = lab.source.opened().remove(0).connection;
    assert_eq!((connection.endpoint.as_deref(), connection.origin), (Some("https://elsewhere"), Origin::Override));
    assert_eq!((connection.username, connection.ca_file), (None, Some("ca.pem".into())));
}

#[test]
fn two_servers_in_one_activity_are_refused() {
    let off = |arguments: Value| {
        let mut all = json!({"vm_name": "a"});
        all.as_object_mut().unwrap().extend(arguments.as_object().unwrap().clone());
        read(document(&[action("off", "vm_power_off", all)], &[]))
    };
    assert!(off(json!({"url": "v", "server": "v"})).is_ok());
    let findings = off(json!({"url": "v", "server": "w"})).unwrap_err();
    assert_eq!(findings.list[0].message, "`url` and `server` name two servers: give one of them");
}

#[test]
fn an_override_that_nothing_takes_is_told_the_word_for_each_platform() {
    let experiment = document(&[action("off", "vm_power_off", json!({"vm_name": "a"}))], &[]);
    let findings = read_with(experiment, &inputs(&["engine=x"])).unwrap_err().to_string();
    assert!(findings.contains("(it takes olvm_url, vsphere_server and the other connection values)"), "{findings}");
}
