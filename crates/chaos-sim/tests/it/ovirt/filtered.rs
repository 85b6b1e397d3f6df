//! What those see who are no administrators.

use chaos_sim::{Role, Sim};
use hyper::Method;

use super::{Api, builder, child, encoded, id_of, names, texts};

async fn with_operator() -> (Sim, Api) {
    let sim = builder().user("opal", "opal", Role::Operator).restricted_vm("database-01").start().await.unwrap();
    let api = Api::login_as(&sim, "opal@internal", "opal").await;
    (sim, api)
}

#[tokio::test]
async fn they_see_their_vms_without_hosts_and_counts() {
    let (sim, api) = with_operator().await;
    let vms = api.read("/vms").await;
    assert!(!names(&vms, "vm").contains("database-01") && names(&vms, "vm").contains("database-02"));
    assert!(!vms.contains("<host ") && !vms.contains("<placement_policy>"));
    assert!(api.read("/hosts").await.ends_with("<hosts/>\n"));
    assert!(!api.read("").await.contains("<summary>"));
    let hidden = id_of(&sim, "database-01");
    assert_eq!(api.get(&format!("/vms/{hidden}")).await.status, 404);
    assert_eq!(api.act(&hidden, "stop", "<action/>").await.status, 403);
    assert_eq!(api.get("/vms?follow=host").await.status, 500);
}

#[tokio::test]
async fn they_cannot_have_the_filter_lifted_and_an_administrator_can_put_it_on() {
    let (sim, api) = with_operator().await;
    let answer = api.send(Method::GET, "/vms", "", &[("filter", "false")]).await;
    assert_eq!(answer.status, 400);
    assert_eq!(texts(answer.text(), "fault", "detail"), ["[Query execution failed due to insufficient permissions.]"]);
    assert_eq!(api.send(Method::GET, "/vms", "", &[("filter", "true")]).await.status, 200);
    let sim = {
        drop(sim);
        builder().start().await.unwrap()
    };
    let admin = Api::login(&sim).await;
    let path = format!("/vms/{}", id_of(&sim, "web-01"));
    assert!(admin.read(&path).await.contains("<host "));
    for answer in [
        admin.send(Method::GET, &path, "", &[("filter", "true")]).await,
        admin.get(&format!("{path}?filter=true")).await,
    ] {
        assert!(answer.status == 200 && !answer.text().contains("<host "));
    }
}

#[tokio::test]
async fn pages_by_name_forget_all_else_that_they_search_for() {
    let (_sim, api) = with_operator().await;
    let found = async |search: &str| names(&api.read(&format!("/vms?max=3&search={}", encoded(search))).await, "vm");
    assert_eq!(found("name=web-* sortby name desc").await, "web-04 web-03 web-02");
    assert_eq!(found("name=web-* sortby name asc").await, "batch-01 cache-01 database-02");
    assert_eq!(found("name=web-* sortby name asc page 2").await, "database-03 lb-01 web-01");
}

#[tokio::test]
async fn events_are_those_of_their_vms() {
    let (sim, api) = with_operator().await;
    sim.world().set_power("web-01", chaos_sim::Power::Off).unwrap();
    sim.world().set_power("database-01", chaos_sim::Power::Off).unwrap();
    let events = api.read("/events").await;
    assert!(child(&events, "event", "description").unwrap().starts_with("VM web-01 is down"), "{events}");
    assert_eq!((texts(&events, "event", "code").len(), events.contains("<host ")), (1, false));
}
