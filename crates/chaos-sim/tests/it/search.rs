//! The search index.

use chaos_sim::{Estate, Power, Sim};

use crate::client::{Answer, Client};

async fn search(client: &Client, method: &str, inside: &str) -> Answer {
    client.ask(method, ("SearchIndex", "SearchIndex"), inside).await
}

#[tokio::test]
async fn paths_lead_through_the_hidden_folders_and_take_both_escapes() {
    let sim = Sim::builder().estate(Estate::odd()).start().await.unwrap();
    let client = Client::login(&sim).await;
    let id = |name: &str| Some(format!("vm-{}", sim.world().vm(name).unwrap().id.0));
    for (path, expected) in [
        ("north/vm/ordinary", id("ordinary")),
        ("/north/vm/a/b/c/nested/", id("nested")),
        ("north/vm/left/twin", id("/north/left/twin")),
        ("north/vm/a%2fb", id("a/b")),
        ("north/vm/a%2Fb", id("a/b")),
        ("north/vm/apps/shop/shop-front", id("shop-front")),
        ("north", Some("datacenter-1".into())),
        ("north/host/c1", Some("domain-c1".into())),
        ("north/ordinary", None),
        ("north/vm/Ordinary", None),
        ("", None),
    ] {
        let answer = search(&client, "FindByInventoryPath", &format!("<inventoryPath>{path}</inventoryPath>")).await;
        assert_eq!((answer.status, answer.first("returnval")), (200, expected), "{path}");
    }
}

#[tokio::test]
async fn uuids_and_host_names_find_vms() {
    let sim = Sim::builder().estate(Estate::odd()).start().await.unwrap();
    let client = Client::login(&sim).await;
    let vm = sim.world().vm("/north/pair").unwrap();
    let by_instance =
        format!("<uuid>{}</uuid><vmSearch>true</vmSearch><instanceUuid>true</instanceUuid>", vm.instance_uuid);
    let answer = search(&client, "FindByUuid", &by_instance).await;
    assert_eq!(answer.first("returnval"), Some(format!("vm-{}", vm.id.0)));
    let by_bios = format!("<uuid>{}</uuid><vmSearch>true</vmSearch>", vm.bios_uuid.to_uppercase());
    let answer = search(&client, "FindAllByUuid", &by_bios).await;
    assert_eq!(answer.every("returnval").len(), 2, "both halves of the pair");
    let by_name = "<dnsName>ordinary.example.test</dnsName><vmSearch>true</vmSearch>";
    assert_eq!(search(&client, "FindByDnsName", by_name).await.every("returnval").len(), 1);
    sim.world().set_power("ordinary", Power::Off).unwrap();
    assert_eq!(search(&client, "FindByDnsName", by_name).await.every("returnval").len(), 0, "no guest tells its name");
}
