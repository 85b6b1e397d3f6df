//! The factory on a simulated vCenter: opens late, opens once, closes all, and sends no password astray.

use std::sync::Arc;
use std::time::Duration;

use chaos_core::{Connection, Context, ErrorKind, Origin, PlatformSource, Selector};
use chaos_orchestrator::{PlatformOrchestrator, Settings, Sources};
use chaos_sim::Sim;

fn orchestrator(sim: &Sim) -> PlatformOrchestrator {
    let variables = [("VSPHERE_SERVER", sim.url()), ("VSPHERE_USERNAME", "chaos"), ("VSPHERE_PASSWORD", "chaos")];
    PlatformOrchestrator::new(Sources::none().variables(variables).load().expect("these settings are right"))
}

fn cx() -> Context {
    Context::with_timeout(Duration::from_secs(30))
}

fn named(server: &Sim, origin: Origin) -> Connection {
    let mut connection = Connection::default();
    connection.endpoint = Some(server.url().to_owned());
    connection.origin = origin;
    connection
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_is_opened_when_it_is_needed_and_only_once() {
    let sim = Sim::builder().start().await.unwrap();
    let orchestrator = orchestrator(&sim);
    assert!(sim.calls().is_empty(), "nothing is opened at startup");

    let none = Connection::default();
    let (cx, other) = (cx(), cx());
    let (first, second) =
        tokio::join!(orchestrator.open(&cx, "vsphere", &none), orchestrator.open(&other, "vsphere", &none));
    let third = orchestrator.open(&cx, "vsphere", &named(&sim, Origin::ExperimentFile)).await.unwrap();
    let first = first.unwrap();
    assert!(
        Arc::ptr_eq(&first, &second.unwrap()) && Arc::ptr_eq(&first, &third),
        "the same server is the same platform"
    );
    assert_eq!(sim.calls_of("Login").len(), 1);

    assert!(!first.discover(&cx, &Selector::all()).await.unwrap().vms.is_empty());
    orchestrator.close(&cx).await.unwrap();
    assert!(sim.sessions().is_empty(), "the session is given back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_login_is_not_kept() {
    let sim = Sim::builder().start().await.unwrap();
    let orchestrator = orchestrator(&sim);
    let mut wrong = Connection::default();
    wrong.password = Some("wrong".into());
    for _ in 0..2 {
        let error = orchestrator.open(&cx(), "vsphere", &wrong).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    }
    assert!(orchestrator.open(&cx(), "vsphere", &Connection::default()).await.is_ok());
    orchestrator.close(&cx()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_goes_to_no_server_that_a_file_names() {
    let (own, other) = (Sim::builder().start().await.unwrap(), Sim::builder().start().await.unwrap());
    let orchestrator = orchestrator(&own);
    let error = orchestrator.open(&cx(), "vsphere", &named(&other, Origin::ExperimentFile)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(other.calls().is_empty(), "not even a connection");

    // The same server, named by the person who starts the run, is their own choice.
    let platform = orchestrator.open(&cx(), "vsphere", &named(&other, Origin::Override)).await.unwrap();
    assert_eq!(other.calls_of("Login").len(), 1);
    drop(platform);
    orchestrator.close(&cx()).await.unwrap();
}

#[cfg(all(feature = "olvm", feature = "dora"))]
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_platform_names_the_known_ones() {
    let orchestrator = PlatformOrchestrator::new(Settings::default());
    let error = orchestrator.open(&cx(), "nomad", &Connection::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("use one of dora, olvm, vsphere"), "{error}");
    let error = orchestrator.open(&cx(), "vshpere", &Connection::default()).await.unwrap_err();
    assert!(error.to_string().contains("did you mean `vsphere`?"), "{error}");
}

#[cfg(feature = "olvm")]
#[tokio::test]
async fn an_engine_and_a_vcenter_are_opened_side_by_side() {
    let sim = Sim::builder().doors([chaos_sim::Door::VSphere, chaos_sim::Door::Olvm]).start().await.unwrap();
    let engine = format!("{}/api", sim.url());
    let variables = [
        ("VSPHERE_SERVER", sim.url()),
        ("VSPHERE_USERNAME", "chaos"),
        ("VSPHERE_PASSWORD", "chaos"),
        ("OLVM_URL", &engine),
        ("OLVM_USERNAME", "chaos@internal"),
        ("OLVM_PASSWORD", "chaos"),
    ];
    let orchestrator = PlatformOrchestrator::new(Sources::none().variables(variables).load().unwrap());
    let none = Connection::default();
    assert_eq!(orchestrator.configured(), ["olvm", "vsphere"]);
    for name in ["vsphere", "olvm"] {
        let platform = orchestrator.open(&cx(), name, &none).await.unwrap();
        assert_eq!(platform.identity().kind.as_str(), name);
        assert!(!platform.discover(&cx(), &chaos_core::Selector::all()).await.unwrap().vms.is_empty(), "{name}");
    }
    orchestrator.close(&cx()).await.unwrap();
    assert_eq!(sim.sessions().len(), 0);
}

#[tokio::test]
async fn what_an_engine_lacks_is_named_by_its_own_variables() {
    let orchestrator = PlatformOrchestrator::new(Settings::default());
    let error = orchestrator.open(&cx(), "olvm", &Connection::default()).await.unwrap_err().to_string();
    assert!(error.contains("OLVM_URL") && error.contains("olvm_url"), "{error}");
}
