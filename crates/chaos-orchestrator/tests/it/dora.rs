//! Dora through the settings: environments, and the platform that runs a VM which Dora knows.

use std::time::Duration;

use chaos_core::{Context, ErrorKind, PlatformKind, PlatformSource, Stop, VMInfo, VMPowerState};
use chaos_orchestrator::{HostFilter, Located, PlatformOrchestrator, Sources};
use chaos_sim::{Builder, Door, Estate, Sim, VmSpec};
use serde_json::{Value, json};
use tempfile::TempDir;

fn cx() -> Context {
    Context::with_timeout(Duration::from_secs(30))
}

fn sim(names: &[&str]) -> Builder {
    let builder = Sim::builder().estate(Estate::of_size(0)).doors([Door::VSphere, Door::Dora]);
    names.iter().fold(builder, |builder, name| builder.vm(VmSpec::new(*name)))
}

fn vcenter(sim: &Sim) -> Value {
    json!({"type": "vsphere", "server": sim.url(), "username": "chaos", "password": "chaos"})
}

fn dora(sim: &Sim, more: &Value) -> Value {
    let port = sim.address().port();
    let mut entry =
        json!({"host": "127.0.0.1", "api_port": port, "auth_port": port, "username": "chaos", "password": "chaos"});
    for (key, value) in more.as_object().expect("an object") {
        entry[key] = value.clone();
    }
    entry
}

/// An orchestrator of these entries.
fn orchestrator(entries: &[(&str, Value)]) -> (PlatformOrchestrator, TempDir) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("chaosmonkey.json");
    let entries: serde_json::Map<String, Value> =
        entries.iter().map(|(name, entry)| ((*name).to_owned(), entry.clone())).collect();
    std::fs::write(&file, json!({"platforms": entries}).to_string()).expect("a writable directory");
    (PlatformOrchestrator::new(Sources::none().config(file).load().expect("these settings are right")), directory)
}

/// A VM as Dora would show it.
fn seen(name: &str, id: &str, vcenter: &str) -> VMInfo {
    let mut vm = VMInfo::new(name, id, VMPowerState::PoweredOn, PlatformKind::DORA);
    vm.metadata.insert("vcenter".into(), vcenter.into());
    vm
}

fn id(sim: &Sim, name: &str) -> String {
    format!("vm-{}", sim.world().vm(name).expect("it is there").id.0)
}

fn place(located: Result<Located, chaos_core::Error>) -> Result<(String, String), ErrorKind> {
    located.map(|located| (located.entry, located.vm.name)).map_err(|error| error.kind())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_is_read_through_the_settings() {
    let sim = sim(&["web-01"]).start().await.unwrap();
    let environments =
        json!({"environments": {"EPB-Prod": {"vcenter": "OracleQA", "pattern_path": "ORA-DEV", "vm_path": "ORA-DEV"}}});
    let (orchestrator, _directory) = orchestrator(&[("dora", dora(&sim, &environments)), ("vc", vcenter(&sim))]);
    let catalogue = orchestrator.dora_environments("dora").unwrap();
    assert_eq!(catalogue.iter().filter(|environment| environment.is_placeholder).count(), 12);
    let data = orchestrator.dora_environment(&cx(), "dora", "EPB-Prod", None).await.unwrap();
    assert_eq!(data.vms.len(), 1);
    let none = HostFilter::Regex("^nothing$".into());
    assert!(orchestrator.dora_environment(&cx(), "dora", "EPB-Prod", Some(none)).await.unwrap().vms.is_empty());
    let error = orchestrator.dora_environment(&cx(), "dora", "EPB-Pord", None).await.unwrap_err();
    assert!(error.to_string().contains("did you mean `EPB-Prod`?"), "{error}");
    let error = orchestrator.dora_environment(&cx(), "vc", "EPB-Prod", None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vm_is_found_on_the_vcenter_that_the_settings_name() {
    let (east, west) =
        (sim(&["web-01"]).start().await.unwrap(), sim(&["web-01", "renamed"]).seed(2).start().await.unwrap());
    let entries = [
        ("dora", dora(&east, &json!({"vcenters": {"OracleQA": "west"}}))),
        ("east", vcenter(&east)),
        ("west", vcenter(&west)),
        ("SiteVC", vcenter(&east)),
    ];
    let (orchestrator, _directory) = orchestrator(&entries);
    let locate = |vm: VMInfo| {
        let orchestrator = &orchestrator;
        async move { place(orchestrator.locate(&cx(), "dora", &vm).await) }
    };
    let found = |entry: &str, name: &str| Ok((entry.to_owned(), name.to_owned()));
    assert_eq!(locate(seen("web-01", &id(&west, "web-01"), "OracleQA")).await, found("west", "web-01"));
    assert!(east.calls().is_empty(), "nothing else is asked");
    assert_eq!(
        locate(seen("old-name", &id(&west, "renamed"), "OracleQA")).await,
        found("west", "renamed"),
        "the id tells"
    );
    assert_eq!(
        locate(seen("web-01", "web-01", "OracleQA")).await,
        found("west", "web-01"),
        "without an id the name tells"
    );
    assert_eq!(locate(seen("gone", "vm-0", "OracleQA")).await, Err(ErrorKind::NotFound));
    assert_eq!(
        locate(seen("web-01", "vm-0", "sitevc")).await,
        found("SiteVC", "web-01"),
        "an entry of the vCenter's name"
    );
    orchestrator.close(&cx()).await.unwrap();
    assert!(east.sessions().is_empty() && west.sessions().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_guessed_where_it_could_be_one_of_two() {
    // Of one seed, so that both give the same ids.
    let (east, west) = (sim(&["web-01", "east-only"]).start().await.unwrap(), sim(&["web-01"]).start().await.unwrap());
    let entries = [("dora", dora(&east, &json!({}))), ("east", vcenter(&east)), ("west", vcenter(&west))];
    let (orchestrator, _directory) = orchestrator(&entries);
    let web = seen("web-01", &id(&east, "web-01"), "OracleQA");
    let error = orchestrator.locate(&cx(), "dora", &web).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ambiguous);
    assert!(error.to_string().contains("on east") && error.to_string().contains("on west"), "{error}");
    let only = seen("east-only", &id(&east, "east-only"), "OracleQA");
    assert_eq!(place(orchestrator.locate(&cx(), "dora", &only).await).unwrap().0, "east");
    // The id of one VM with the name of none: an id alone is no proof on an unknown vCenter.
    let stranger = seen("stranger", &id(&east, "east-only"), "OracleQA");
    assert_eq!(place(orchestrator.locate(&cx(), "dora", &stranger).await), Err(ErrorKind::NotFound));
    // Dora knows an id, and the only VM of that name has another: it is another VM.
    let other = seen("east-only", "vm-777", "OracleQA");
    assert_eq!(place(orchestrator.locate(&cx(), "dora", &other).await), Err(ErrorKind::NotFound));
    orchestrator.close(&cx()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_answer_might_be_the_one() {
    let (east, down) = (sim(&["web-01"]).start().await.unwrap(), sim(&[]).start().await.unwrap());
    let gone = vcenter(&down);
    down.shutdown().await;
    let entries = [("dora", dora(&east, &json!({}))), ("east", vcenter(&east)), ("down", gone)];
    let (orchestrator, _directory) = orchestrator(&entries);
    let web = seen("web-01", "web-01", "OracleQA");
    assert_eq!(place(orchestrator.locate(&cx(), "dora", &web).await), Err(ErrorKind::Unavailable));
    orchestrator.close(&cx()).await.unwrap();
    let (alone, _directory) = self::orchestrator(&[("dora", dora(&east, &json!({})))]);
    let error = alone.locate(&cx(), "dora", &web).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("platforms.dora.vcenters"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_call_is_refused_with_the_platform_that_could_do_it() {
    let sim = sim(&["web-01"]).start().await.unwrap();
    let known = json!({"environment": "Dev1", "host_filter": "omit", "vcenters": {"OracleQA": "site"}});
    let unknown = json!({"environment": "Dev1", "host_filter": "omit"});
    for (settings, entry, said) in [
        (&known, Some("site"), "its vCenter OracleQA is the platform `site`, which can"),
        (&unknown, Some("site"), "one of the platforms site; say which under `platforms.dora.vcenters`"),
        (&unknown, None, "make its vCenter OracleQA an entry of `platforms`"),
    ] {
        let mut entries = vec![("dora", dora(&sim, settings))];
        entries.extend(entry.map(|name| (name, vcenter(&sim))));
        let (orchestrator, _directory) = orchestrator(&entries);
        assert_eq!(orchestrator.vm_info(&cx(), "dora", "web-01").await.unwrap().name, "web-01");
        let error = orchestrator.power_off(&cx(), "dora", "web-01", Stop::graceful()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("power off") && error.to_string().contains(said), "{error}");
    }
    assert_eq!(sim.world().vm("web-01").unwrap().operations, 0);
}
