//! The inventory as a vSphere client reads it, odd VMs included.

use std::collections::BTreeSet;

use chaos_sim::{Estate, Sim, VmSpec, WorldError};

use crate::client::{Answer, COLLECTOR, Client, path_set, spec, whole_inventory};

async fn odd() -> (Sim, Client) {
    let sim = Sim::builder().estate(Estate::odd()).start().await.unwrap();
    let client = Client::login(&sim).await;
    (sim, client)
}

async fn walk(client: &Client, kind: &str, paths: &[&str]) -> Answer {
    client
        .ask(
            "RetrievePropertiesEx",
            COLLECTOR,
            &format!("{}<options></options>", whole_inventory("specSet", kind, paths)),
        )
        .await
}

#[tokio::test]
async fn a_recursive_walk_finds_every_vm_once_and_escapes_names() {
    let (sim, client) = odd().await;
    let names = walk(&client, "VirtualMachine", &["name"]).await.every("val");
    assert_eq!(names.len(), sim.world().vms().len());
    assert!(names.contains(&"a%2fb".to_owned()));
    assert!(names.contains(&"100%25 %5c &lt;ok&gt; &amp; &#34;fine&#34;".to_owned()), "{names:?}");
    assert!(names.contains(&"Grün-日本".to_owned()));
    assert_eq!(names.iter().filter(|name| *name == "twin").count(), 3);
}

#[tokio::test]
async fn a_base_type_stands_for_all_its_types() {
    let (_sim, client) = odd().await;
    let answer = walk(&client, "ComputeResource", &["name"]).await;
    let kinds: BTreeSet<&str> = ["ClusterComputeResource", "ComputeResource"]
        .into_iter()
        .filter(|kind| answer.text().contains(&format!("type=\"{kind}\"")))
        .collect();
    assert_eq!(kinds.len(), 2);
    let everything = walk(&client, "ManagedEntity", &["name"]).await.every("objects").len();
    let hosts = walk(&client, "HostSystem", &["name"]).await.every("objects").len();
    let folders = walk(&client, "Folder", &["name"]).await.every("objects").len();
    assert!(everything > hosts + folders && hosts == 4);
}

#[tokio::test]
async fn a_vm_without_configuration_keeps_its_name_and_its_runtime() {
    let (sim, client) = odd().await;
    for name in ["no config", "inaccessible"] {
        let id = format!("vm-{}", sim.world().vm(name).unwrap().id.0);
        let paths = [
            "name",
            "runtime.powerState",
            "runtime.host",
            "parent",
            "config",
            "guest",
            "summary.config.numCpu",
            "config.hardware.numCPU",
        ];
        let answer = client
            .ask(
                "RetrievePropertiesEx",
                COLLECTOR,
                &format!("{}<options></options>", spec("VirtualMachine", &id, &paths)),
            )
            .await;
        let told: Vec<String> = answer
            .every("propSet")
            .iter()
            .map(|prop| prop.split("</name>").next().unwrap().replace("<name>", ""))
            .collect();
        assert_eq!(told, &paths[..4], "{name}");
        assert_eq!(answer.every("missingSet").len(), 0, "what is unset is not missing");
    }
}

#[tokio::test]
async fn odd_vms_say_what_they_are() {
    let (sim, client) = odd().await;
    let read = |name: &str, path: &'static str| {
        let id = format!("vm-{}", sim.world().vm(name).unwrap().id.0);
        let client = client.clone();
        async move { client.property("VirtualMachine", &id, path).await }
    };
    assert_eq!(read("golden", "config.template").await.as_deref(), Some("true"));
    assert_eq!(read("golden", "resourcePool").await, None);
    assert_eq!(read("shop-front", "parent").await, None);
    assert!(read("shop-front", "parentVApp").await.unwrap().starts_with("resgroup-v"));
    for (name, state) in [("disconnected", "disconnected"), ("orphaned", "orphaned"), ("inaccessible", "inaccessible")]
    {
        assert_eq!(read(name, "runtime.connectionState").await.as_deref(), Some(state));
    }
    assert_eq!(read("vCLS-5b2e", "summary.config.managedBy.extensionKey").await.as_deref(), Some("com.vmware.vim.eam"));
    assert_eq!(read("/north/ft/pair", "config.ftInfo.role").await.as_deref(), Some("2"));
    assert_eq!(read("/north/ft/pair", "config.uuid").await, read("/north/pair", "config.uuid").await);
    assert_eq!(read("no tools", "guest.toolsVersionStatus2").await.as_deref(), Some("guestToolsNotInstalled"));
    assert_eq!(read("open tools", "guest.toolsVersionStatus2").await.as_deref(), Some("guestToolsUnmanaged"));
}

#[tokio::test]
async fn whole_structures_and_their_leaves_say_the_same() {
    let (sim, client) = odd().await;
    let id = format!("vm-{}", sim.world().vm("ordinary").unwrap().id.0);
    for (whole, leaf) in [
        ("runtime", "powerState"),
        ("runtime", "host"),
        ("config", "instanceUuid"),
        ("config.hardware", "memoryMB"),
        ("summary.config", "numCpu"),
        ("summary", "overallStatus"),
        ("guest", "toolsRunningStatus"),
    ] {
        let structure = client.property("VirtualMachine", &id, whole).await.unwrap();
        let value = client.property("VirtualMachine", &id, &format!("{whole}.{leaf}")).await.unwrap();
        assert!(structure.contains(&format!(">{value}</{leaf}>")), "{leaf} is {value}, but {structure}");
    }
}

#[tokio::test]
async fn a_misspelt_path_fails_the_call_and_an_unknown_object_does_unless_it_may_be_missing() {
    let (sim, client) = odd().await;
    let id = format!("vm-{}", sim.world().vm("ordinary").unwrap().id.0);
    let ask = |inside: String| {
        let client = client.clone();
        async move { client.ask("RetrievePropertiesEx", COLLECTOR, &format!("{inside}<options></options>")).await }
    };
    let wrong = ask(spec("VirtualMachine", &id, &["name", "runtime.powerstate"])).await;
    assert_eq!(
        (wrong.fault().as_deref(), wrong.first("name").as_deref()),
        (Some("InvalidProperty"), Some("runtime.powerstate"))
    );
    let two = format!(
        r#"<propSet><type>VirtualMachine</type>{}</propSet><objectSet><obj type="VirtualMachine">{id}</obj></objectSet><objectSet><obj type="VirtualMachine">vm-99999</obj></objectSet>"#,
        path_set(&["name"])
    );
    let gone = ask(format!("<specSet>{two}</specSet>")).await;
    assert_eq!(gone.fault().as_deref(), Some("ManagedObjectNotFound"));
    assert_eq!(gone.first("obj").as_deref(), Some("vm-99999"));
    let found =
        ask(format!("<specSet>{two}<reportMissingObjectsInResults>true</reportMissingObjectsInResults></specSet>"))
            .await;
    assert_eq!(found.every("val"), ["ordinary"]);
    let unnamed = r#"<specSet><propSet><type>Folder</type></propSet><objectSet><obj type="Folder">group-d1</obj>
        <selectSet><name>nowhere</name></selectSet></objectSet></specSet>"#;
    assert_eq!(ask(unnamed.to_owned()).await.fault().as_deref(), Some("InvalidArgument"));
}

#[tokio::test]
async fn folders_may_nest_as_deep_as_they_like() {
    let folder = "deeper/".repeat(2000);
    let sim = Sim::builder().vm(VmSpec::new("buried").folder(folder)).page_cap(5000).start().await.unwrap();
    let client = Client::login(&sim).await;
    assert!(walk(&client, "VirtualMachine", &["name"]).await.every("val").contains(&"buried".to_owned()));
    assert!(walk(&client, "Folder", &["name"]).await.every("val").len() > 2000);
}

#[tokio::test]
async fn all_properties_can_be_asked_for() {
    let (_sim, client) = odd().await;
    let all = r#"<specSet><propSet><type>Folder</type><all>true</all></propSet><objectSet><obj type="Folder">group-d1</obj></objectSet></specSet>"#;
    let answer = client.ask("RetrievePropertiesEx", COLLECTOR, &format!("{all}<options></options>")).await;
    assert!(answer.every("propSet").len() > 5);
    assert!(answer.text().contains(r#"<val xsi:type="ArrayOfManagedObjectReference">"#));
}

#[tokio::test]
async fn an_estate_can_be_written_as_json_and_mistakes_in_it_are_named() {
    let text = r#"{"datacenters":[{"name":"dc","clusters":[{"name":"c","hosts":["h1"]}],
        "vms":[{"name":"a","folder":"x/y","power":"off","guest":{"tools":"unmanaged","boot":2.5}}]}]}"#;
    let sim = Sim::builder().estate(Estate::from_json(text).unwrap()).start().await.unwrap();
    assert_eq!(sim.world().path("a").unwrap(), "/dc/x/y/a");
    let round_trip = serde_json::to_string(&Estate::from_json(text).unwrap()).unwrap();
    assert_eq!(Estate::from_json(&round_trip).unwrap(), Estate::from_json(text).unwrap());
    assert!(Estate::from_json(r#"{"datacentres":[]}"#).unwrap_err().to_string().contains("datacentres"));

    let twice = r#"{"datacenters":[{"name":"dc","hosts":["h"],"vms":[{"name":"a"},{"name":"a"}]}]}"#;
    let error = Sim::builder().estate(Estate::from_json(twice).unwrap()).start().await.unwrap_err();
    assert!(error.to_string().contains("there already is a VM \"a\" in that folder"), "{error}");
    let lost = r#"{"datacenters":[{"name":"dc","hosts":["h"],"vms":[{"name":"a","host":"g"}]}]}"#;
    let error = Sim::builder().estate(Estate::from_json(lost).unwrap()).start().await.unwrap_err();
    assert!(error.to_string().contains("no host \"g\""), "{error}");
}

#[tokio::test]
async fn names_that_an_experiment_needs_are_added_once() {
    let sim = Sim::builder().ensure_vm("web-01").ensure_vm("mine").ensure_vm("mine").start().await.unwrap();
    assert_eq!(sim.world().path("web-01").unwrap(), "/demo/web/web-01");
    assert_eq!(sim.world().path("mine").unwrap(), "/demo/mine");
    assert!(matches!(sim.world().vm("yours"), Err(WorldError::NoSuchVm { .. })));
}
