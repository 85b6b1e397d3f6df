//! The platform: it finds VMs and refuses to switch them.

use chaos_core::{
    ErrorKind, Fault, NamePattern, Platform, PlatformExt, PlatformIdentity, Selector, Stop, Target, VMRef,
};
use chaos_dora::{Dora, HostFilter};
use serde_json::json;

use crate::server::{config, cx, dev1, lists, requests, server};

async fn dora() -> (wiremock::MockServer, Dora) {
    let server = server().await;
    let vms = json!([
        {"name": "web-02", "path": "/DC/vms", "managedObjRef": "vm-2", "host": "/DC/host/A/esx-1", "state": "poweredOff"},
        {"name": "web-01", "path": "/DC/vms", "managedObjRef": "vm-1", "host": "/DC/host/A/esx-2", "state": "poweredOn"},
        {"name": "db-01", "path": "/DC/vms", "managedObjRef": "vm-3", "host": "/DC/host/B/esx-3", "state": "poweredOn"},
    ]);
    lists(&server, vms).await;
    let dora = Dora::connect(&cx(), config(&server), dev1(), HostFilter::default()).await.expect("the login is right");
    (server, dora)
}

#[tokio::test]
async fn discovery_and_lookup_work_by_name_id_path_and_filter() {
    let (_server, dora) = dora().await;
    let all = dora.discover(&cx(), &Selector::all()).await.unwrap().vms;
    let names: Vec<_> = all.iter().map(|vm| vm.name.as_str()).collect();
    assert_eq!(names, ["db-01", "web-01", "web-02"], "in order");
    for target in ["web-01", "id:vm-1", "path:/DC/vms/web-01"] {
        assert_eq!(dora.find(&cx(), target).await.unwrap().id, "vm-1", "{target}");
    }
    let mut selector = Selector::all();
    selector.cluster = Some("A".parse::<NamePattern>().unwrap());
    assert_eq!(dora.discover(&cx(), &selector).await.unwrap().vms.len(), 2);
    assert_eq!(dora.find(&cx(), "nobody").await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn vms_are_looked_up_in_the_order_asked_for_and_those_of_others_are_not() {
    let (server, dora) = dora().await;
    let there = |id: &str| VMRef::new(dora.identity(), id);
    let mut other: PlatformIdentity = dora.identity().clone();
    other.instance = "dora:elsewhere:1/VC".into();
    let asked = [there("vm-3"), there("vm-9"), VMRef::new(&other, "vm-1"), there("vm-1")];
    let before = requests(&server).await.len();
    let found = dora.get(&cx(), &asked).await;
    let names: Vec<_> =
        found.iter().map(|vm| vm.as_ref().map(|vm| vm.name.as_str()).map_err(chaos_core::Error::kind)).collect();
    assert_eq!(names, [Ok("db-01"), Err(ErrorKind::NotFound), Err(ErrorKind::NotFound), Ok("web-01")]);
    assert_eq!(requests(&server).await.len(), before + 1, "one listing for all");
    assert!(dora.get(&cx(), &[VMRef::new(&other, "vm-1")]).await[0].is_err());
    assert_eq!(requests(&server).await.len(), before + 1, "nothing is asked about VMs of others");
}

#[tokio::test]
async fn nothing_can_be_switched() {
    let (server, dora) = dora().await;
    assert!(dora.capabilities().operations.is_empty());
    let target = Target::Vm { vm: VMRef::new(dora.identity(), "vm-1") };
    let before = requests(&server).await.len();
    for fault in
        [Fault::power_on(), Fault::power_off(Stop::graceful()), Fault::reboot(Stop::graceful()), Fault::suspend()]
    {
        let prepared = dora.prepare(&cx(), std::slice::from_ref(&target), &fault).await.remove(0).unwrap_err();
        let applied = dora.apply(&cx(), &target, &fault).await.unwrap_err();
        for error in [prepared, applied] {
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.to_string().contains(fault.operation().words()), "{error}");
            assert!(error.to_string().contains("can only be read"), "{error}");
        }
    }
    assert_eq!(requests(&server).await.len(), before);
    dora.disconnect(&cx()).await.unwrap();
}

#[tokio::test]
async fn a_name_in_the_place_of_an_id_that_two_vms_have_is_ambiguous() {
    let server = server().await;
    lists(&server, json!([{"name": "web", "path": "/A/vms"}, {"name": "web", "path": "/B/vms"}])).await;
    let dora = Dora::connect(&cx(), config(&server), dev1(), HostFilter::default()).await.unwrap();
    let error = dora.get(&cx(), &[VMRef::new(dora.identity(), "web")]).await.remove(0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ambiguous);
    assert_eq!(error.candidates(), ["/A/vms/web", "/B/vms/web"]);
}

#[tokio::test]
async fn a_disconnected_platform_asks_nothing_more() {
    let (server, dora) = dora().await;
    dora.disconnect(&cx()).await.unwrap();
    dora.disconnect(&cx()).await.unwrap();
    let before = requests(&server).await.len();
    let error = dora.discover(&cx(), &Selector::all()).await.unwrap_err();
    assert!(error.to_string().contains("disconnected"), "{error}");
    assert_eq!(requests(&server).await.len(), before);
}

#[tokio::test]
async fn a_server_is_the_same_however_its_host_is_written() {
    let server = server().await;
    let mut instances = Vec::new();
    for host in ["localhost", " LocalHost "] {
        let mut config = config(&server);
        config.host = host.into();
        let dora = Dora::connect(&cx(), config, dev1(), HostFilter::default()).await.unwrap();
        instances.push(dora.identity().instance.clone());
    }
    assert_eq!(instances[0], instances[1]);
}

#[tokio::test]
async fn a_service_that_does_not_know_the_login_is_no_dora() {
    let server = wiremock::MockServer::start().await;
    let error = Dora::connect(&cx(), config(&server), dev1(), HostFilter::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "wiremock knows no path: {error}");
    assert!(error.to_string().contains("is this a Dora service"), "{error}");
}
