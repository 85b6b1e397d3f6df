//! Links that the engine follows, and the one over which it stumbles.

use chaos_sim::{ClusterSpec, DatacenterSpec, Estate, Power, Sim, VmSpec};
use hyper::Method;

use super::{Api, XML, child, encoded, id_of, names, plain};

#[tokio::test]
async fn references_and_collections_are_answered_in_place() {
    let (sim, api) = plain().await;
    let search = encoded("name=web-01");
    let document =
        api.read(&format!("/vms?search={search}&follow=host,cluster.data_center,tags,disk_attachments")).await;
    assert_eq!(names(&document, "host"), "esx-f1");
    assert_eq!((names(&document, "cluster"), names(&document, "data_center")), ("frontend".into(), "demo".into()));
    assert!(document.contains("<tags/>") && document.contains("<disk_attachments/>"));
    let vm = id_of(&sim, "web-01");
    assert!(!document.contains(&format!("vms/{vm}/tags\"")) && document.contains(&format!("vms/{vm}/nics\"")));
    let one = api.read(&format!("/vms/{}?follow=diskattachments,CLUSTER", id_of(&sim, "web-01"))).await;
    assert!(one.contains("<disk_attachments/>") && names(&one, "cluster") == "frontend");
    let datacenters = api.read("/datacenters?follow=clusters").await;
    assert_eq!(names(&datacenters, "cluster"), "backend frontend");
}

#[tokio::test]
async fn an_absent_reference_fails_the_whole_request_with_a_page() {
    let (sim, api) = plain().await;
    let off = id_of(&sim, "batch-01");
    for path in ["/vms?follow=host".to_owned(), format!("/vms/{off}?follow=host")] {
        let answer = api.get(&path).await;
        assert_eq!(
            (answer.status, &answer.headers["content-type"]),
            (500, &"text/html;charset=UTF-8".parse().unwrap())
        );
        assert!(answer.text().contains("<body>Internal Server Error</body>"));
    }
    assert_eq!(api.get("/vms?search=status%3Dup&follow=host").await.status, 200);
    sim.world().set_power("web-01", Power::Off).unwrap();
    assert_eq!(api.get("/vms?search=status%3Dup&follow=host").await.status, 200);
    assert_eq!(api.get("/vms?search=name%3Dweb-0*&follow=host").await.status, 500);
}

#[tokio::test]
async fn a_cluster_without_a_data_centre_is_such_a_reference() {
    let cluster = ClusterSpec { name: "orphan".into(), hosts: vec!["h".into()] };
    let datacenter = DatacenterSpec {
        name: "dc".into(),
        orphan_clusters: vec![cluster],
        vms: vec![VmSpec::new("lost")],
        ..DatacenterSpec::default()
    };
    let sim = Sim::builder().olvm().estate(Estate { datacenters: vec![datacenter] }).start().await.unwrap();
    let api = Api::login(&sim).await;
    assert_eq!(names(&api.read("/clusters").await, "cluster"), "orphan");
    assert_eq!(api.get("/clusters?follow=data_center").await.status, 500);
    assert_eq!(api.get("/vms?follow=cluster.data_center").await.status, 500);
    assert_eq!(api.get("/vms?follow=cluster").await.status, 200);
    let datacenters = api.read("/datacenters?follow=clusters").await;
    assert!(datacenters.contains("<clusters/>"), "an orphan is not among them: {datacenters}");
    assert_eq!(api.found("datacenter=dc").await, "");
}

#[tokio::test]
async fn tags_that_are_followed_are_those_of_the_vm() {
    let (sim, api) = plain().await;
    let vm = id_of(&sim, "web-01");
    api.send(Method::POST, "/tags", "<tag><name>chaos</name></tag>", &[XML]).await;
    api.send(Method::POST, &format!("/vms/{vm}/tags"), "<tag><name>chaos</name></tag>", &[XML]).await;
    let document = api.read(&format!("/vms/{vm}?follow=tags")).await;
    assert_eq!(child(&document, "tag", "name").as_deref(), Some("chaos"));
    assert_eq!(api.get("/vms?follow=nonsense").await.status, 400);
}
