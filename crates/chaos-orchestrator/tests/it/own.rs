//! The machine that this runs on and those of the servers, as the settings know them.

use chaos_core::{Known, Rule};
use chaos_orchestrator::{Settings, Sources};

fn load(sources: Sources, more: &[(&str, &str)]) -> Settings {
    let known = Known { host_name: Some("runner.example.com".to_owned()), ..Known::default() };
    let sources = sources.machine(known).variables([
        ("VSPHERE_SERVER", "https://VCenter.example.com:8443/sdk"),
        ("OLVM_URL", "https://engine.example.com/ovirt-engine/api"),
    ]);
    let add = |sources: Sources, (key, value): &(&str, &str)| sources.flag(*key, (*value).to_owned().into(), "--set");
    more.iter().fold(sources, add).load().expect("they are right")
}

fn own(settings: &Settings) -> Vec<&Known> {
    let mut known = Vec::new();
    for rule in settings.chaos.policy.rules() {
        if let Rule::Own(own) = rule {
            known.push(&own.known);
        }
    }
    known
}

#[test]
fn they_are_protected_unless_the_settings_say_otherwise() {
    let settings = load(Sources::none(), &[]);
    let [known] = own(&settings)[..] else { panic!("{:?}", settings.chaos.policy) };
    assert_eq!(known.host_name.as_deref(), Some("runner.example.com"));
    assert_eq!(known.servers, ["engine.example.com", "vcenter.example.com"]);
    assert!(own(&load(Sources::none(), &[("chaos.protect_own", "false")])).is_empty());
    assert!(own(&load(Sources::none().to_repair(), &[])).is_empty());
    assert!(Sources::none().load().unwrap().chaos.policy.is_empty(), "nothing is known, so nothing is protected");
}

#[test]
fn a_rule_that_says_so_itself_is_not_there_twice_and_knows_as_much() {
    let settings = load(Sources::none(), &[("chaos.policy", "protect own")]);
    assert_eq!(settings.chaos.policy.to_string(), "protect own");
    assert_eq!(own(&settings)[0].servers.len(), 2);
}
