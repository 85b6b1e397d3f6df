//! The log: newest first, from where the reader was.

use chaos_sim::{OnShutdown, VmSpec};
use hyper::Method;

use super::{XML, attribute, child, encoded, id_of, pass, plain, texts, with};

/// The ids in a document, as numbers.
fn ids(document: &str) -> Vec<u64> {
    let parts = document.split("<event href=\"/ovirt-engine/api/events/").skip(1);
    parts.map(|part| part.split('"').next().unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn a_reader_gets_what_came_after_the_last_one_newest_first() {
    let (sim, api) = plain().await;
    let newest = api.read("/events?max=1").await;
    let [mark] = ids(&newest)[..] else { panic!("{newest}") };
    let vm = id_of(&sim, "web-01");
    api.act(&vm, "shutdown", "<action/>").await;
    pass(&sim, 10);
    let after = api.read(&format!("/events?from={mark}")).await;
    assert_eq!(texts(&after, "event", "code"), ["61", "73"]);
    assert!(ids(&after).is_sorted_by(|a, b| a > b) && ids(&after).iter().all(|id| *id > mark));
    let last = ids(&after)[0];
    assert!(
        api.read(&format!("/events?from={last}")).await.ends_with("<events/>\n"),
        "the mark itself is not told again"
    );
    let one = api.read(&format!("/events/{last}")).await;
    assert_eq!(
        child(&one, "event", "description").as_deref(),
        Some("VM web-01 is down. Exit message: User shut down from within the guest")
    );
    assert_eq!(api.get("/events/999999").await.status, 404);
    assert_eq!(api.get("/events?from=x").await.status, 400);
}

#[tokio::test]
async fn a_feed_is_searched_by_type_vm_severity_and_correlation() {
    let (sim, api, vm) = with(VmSpec::new("it").on_shutdown(OnShutdown::Ignores)).await;
    let call = [XML, ("correlation-id", "run-1")];
    api.send(Method::POST, &format!("/vms/{vm}/shutdown"), "<action/>", &call).await;
    api.act(&id_of(&sim, "web-01"), "stop", "<action/>").await;
    pass(&sim, 150);
    let codes = async |search: &str| {
        texts(&api.read(&format!("/events?search={}&max=1000", encoded(search))).await, "event", "code").join(" ")
    };
    assert_eq!(codes("type=61 or type=119 or type=147 or type=76").await, "147 61");
    assert_eq!(codes("event_vm=it").await, "147 73");
    assert_eq!(codes(&format!("_event_vm_id={vm} and severity>normal")).await, "147");
    assert_eq!(codes("correlation_id=run-1").await, "73", "the end of it is not the command's");
    assert_eq!(codes("vms.name=it and type=73 sortby time asc").await, "73");
    assert_eq!(codes("usrname=chaos@internal and type!=30").await, "33 73");
    assert_eq!(codes("nonsense=").await, "");
}

#[tokio::test]
async fn an_event_names_the_vm_as_long_as_it_is_there() {
    let (sim, api, vm) = with(VmSpec::new("it")).await;
    api.act(&vm, "stop", "<action/>").await;
    sim.world().settle();
    let read = async || api.read("/events?search=type%3D61").await;
    let there = read().await;
    assert_eq!(attribute(&there, "vm", "id"), Some(vm));
    for part in ["<cluster ", "<data_center ", "<host ", "<template ", "<severity>normal<", "<origin>oVirt<"] {
        assert!(there.contains(part), "{part} is not in {there}");
    }
    assert!(child(&there, "event", "time").unwrap().ends_with("+02:00"));
    sim.world().remove("it").unwrap();
    let gone = read().await;
    assert!(attribute(&gone, "vm", "id").is_none() && gone.contains("VM it is down"), "{gone}");
}

#[tokio::test]
async fn logins_and_logouts_are_in_it() {
    let (sim, api) = plain().await;
    let form = format!("scope=ovirt-app-api&token={}", super::Api::login(&sim).await.token);
    let headers = [("content-type", super::FORM)];
    api.client.send(Method::POST, "/ovirt-engine/services/sso-logout", form, &headers).await.unwrap();
    assert_eq!(texts(&api.read("/events").await, "event", "code"), ["31", "30", "30"]);
}
