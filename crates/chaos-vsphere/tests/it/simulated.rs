//! Sessions and discovery against the simulated vCenter: what the wire tests script, behaved.

use std::time::Duration;

use chaos_core::{Context, Discovery, ErrorKind, Platform, Selector, ToolsStatus, VMInfo, VMPowerState};
use chaos_sim::{Builder, Estate, Flavour, Sim, WireAction, WireFault};
use chaos_vsphere::{Config, TlsTrust, VSphere};

use crate::scripted::cx;

async fn start(sim: Builder) -> (Sim, VSphere) {
    let sim = sim.start().await.unwrap();
    let vsphere = VSphere::connect(&cx(), config(&sim)).await.unwrap();
    (sim, vsphere)
}

fn config(sim: &Sim) -> Config {
    Config::new(sim.url(), "chaos", "chaos".into())
}

async fn all(vsphere: &VSphere, cx: &Context) -> Discovery {
    vsphere.discover(cx, &Selector::all()).await.unwrap()
}

fn named<'a>(found: &'a Discovery, name: &str) -> &'a VMInfo {
    found.vms.iter().find(|vm| vm.name == name).unwrap_or_else(|| panic!("{name} is missing"))
}

fn methods(sim: &Sim) -> Vec<String> {
    sim.calls().into_iter().map(|call| call.method).collect()
}

#[tokio::test]
async fn the_odd_estate_is_seen_as_it_is() {
    let (sim, vsphere) = start(Sim::builder().estate(Estate::odd())).await;
    let found = all(&vsphere, &cx()).await;
    assert_eq!(found.problems, []);
    assert_eq!(found.vms.len(), sim.world().vms().len());
    for vm in sim.world().vms() {
        assert!(found.vms.iter().any(|seen| seen.name == vm.name), "{}", vm.name);
    }
    let lonely = named(&found, "on standalone");
    assert_eq!((lonely.cluster.as_deref(), lonely.host.as_deref()), (None, Some("lonely")));
    assert_eq!(named(&found, "nested").path.as_deref(), Some("/north/vm/a/b/c/nested"));
    assert_eq!(named(&found, "a/b").path.as_deref(), Some("/north/vm/a/b"));
    assert_eq!(named(&found, "100% \\ <ok> & \"fine\"").cluster.as_deref(), Some("c1"));
    assert_eq!(named(&found, "Grün-日本").datacenter.as_deref(), Some("north"));
    assert_eq!(named(&found, "shop-front").path.as_deref(), Some("/north/vm/apps/shop/shop-front"));
    assert_eq!(named(&found, "suspended").power_state, VMPowerState::Suspended);
    assert!(named(&found, "golden").template);
    assert_eq!(named(&found, "no tools").tools_status, Some(ToolsStatus::NotInstalled));
    assert_eq!(named(&found, "stopped tools").tools_status, Some(ToolsStatus::NotRunning));
    for odd in ["vCLS-5b2e", "no config", "disconnected", "orphaned", "inaccessible"] {
        assert!(named(&found, odd).unmanageable.is_some(), "{odd}");
    }
    for fine in ["ordinary", "off", "golden", "hangs", "shop-back", "open tools"] {
        assert_eq!(named(&found, fine).unmanageable, None, "{fine}");
    }
    let pair: Vec<_> = found.vms.iter().filter(|vm| vm.name == "pair").map(|vm| vm.unmanageable.is_some()).collect();
    assert_eq!(pair.iter().filter(|secondary| **secondary).count(), 1, "one of the pair is the secondary");
    let twins: Vec<_> = found.vms.iter().filter(|vm| vm.name == "twin").map(VMInfo::display_path).collect();
    assert_eq!(twins, ["/north/vm/left/twin", "/north/vm/right/twin", "/south/vm/twin"]);
}

#[tokio::test]
async fn a_lookup_sees_what_the_walk_sees() {
    let (_sim, vsphere) = start(Sim::builder().estate(Estate::odd())).await;
    let found = all(&vsphere, &cx()).await;
    let refs: Vec<_> = found.vms.iter().map(|vm| chaos_core::VMRef::new(vsphere.identity(), &vm.id)).collect();
    for (vm, looked_up) in found.vms.iter().zip(vsphere.get(&cx(), &refs).await) {
        assert_eq!(&looked_up.unwrap(), vm);
    }
    for vm in &found.vms {
        let target = format!("path:{}", vm.display_path());
        let selector = Selector::targets([target.parse().unwrap()]);
        let by_path = vsphere.discover(&cx(), &selector).await.unwrap();
        assert_eq!(by_path.vms.iter().map(|vm| &vm.id).collect::<Vec<_>>(), [&vm.id], "{target}");
    }
}

#[tokio::test]
async fn pages_are_read_to_the_end() {
    let (sim, vsphere) = start(Sim::builder().vms(450)).await;
    sim.clear_calls();
    let found = all(&vsphere, &cx()).await;
    assert_eq!(found.vms.len(), 450);
    let pages = methods(&sim);
    assert_eq!(pages[0], "RetrievePropertiesEx");
    assert!(pages.len() >= 5 && pages[1..].iter().all(|page| page == "ContinueRetrievePropertiesEx"), "{pages:?}");
}

#[tokio::test]
async fn a_session_that_is_killed_between_pages_is_renewed() {
    let (sim, vsphere) = start(Sim::builder().vms(250)).await;
    sim.inject(WireFault::new(WireAction::KillSession).method("ContinueRetrievePropertiesEx"));
    assert_eq!(all(&vsphere, &cx()).await.vms.len(), 250);
    assert_eq!(sim.calls_of("Login").len(), 2);
    sim.kill_sessions();
    assert_eq!(all(&vsphere, &cx()).await.vms.len(), 250);
    assert_eq!(sim.calls_of("Login").len(), 3);
    vsphere.disconnect(&cx()).await.unwrap();
    assert!(sim.sessions().is_empty(), "nobody is left behind");
}

#[tokio::test]
async fn faults_on_the_wire_are_read_over_or_told_as_what_they_are() {
    let (sim, vsphere) = start(Sim::builder().vms(150)).await;
    let on_list = |action| WireFault::new(action).method("RetrievePropertiesEx");
    for passing in [
        WireAction::Status { code: 503, retry_after: None, after_effect: false },
        WireAction::CutBody,
        WireAction::ResetBefore,
        WireAction::ResetAfter,
    ] {
        sim.inject(on_list(passing.clone()));
        assert_eq!(all(&vsphere, &cx()).await.vms.len(), 150, "{passing:?}");
    }
    sim.inject(on_list(WireAction::Html { code: 200 }));
    let error = vsphere.discover(&cx(), &Selector::all()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    sim.inject(on_list(WireAction::Stall { after_effect: false }));
    let short = Context::with_timeout(Duration::from_millis(300));
    let error = vsphere.discover(&short, &Selector::all()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
}

#[tokio::test]
async fn a_host_is_spoken_to_as_well_as_a_vcenter() {
    let (sim, vsphere) = start(Sim::builder().flavour(Flavour::Esxi).vms(20)).await;
    let found = all(&vsphere, &cx()).await;
    assert_eq!(found.vms.len(), sim.world().vms().len());
    assert!(found.vms.iter().all(|vm| vm.cluster.is_none() && vm.host.is_some()), "{:?}", found.vms[0]);
    vsphere.disconnect(&cx()).await.unwrap();
}

#[tokio::test]
async fn tls_is_checked_against_a_ca_or_a_pinned_thumbprint() {
    let sim = Sim::builder().tls(true).start().await.unwrap();
    let error = VSphere::connect(&cx(), config(&sim)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");

    let folder = tempfile::tempdir().unwrap();
    let mut with_ca = config(&sim);
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, sim.ca_pem().unwrap()).unwrap();
    with_ca.trust = TlsTrust::CaFile(file);
    VSphere::connect(&cx(), with_ca).await.unwrap().disconnect(&cx()).await.unwrap();

    // The error shows the thumbprint that it would take.
    let text = error.to_string();
    let seen = text.split(|c: char| !(c.is_ascii_hexdigit() || c == ':')).find(|word| word.len() == 95).unwrap();
    let mut pinned = config(&sim);
    pinned.trust = TlsTrust::Thumbprint(seen.parse().unwrap());
    VSphere::connect(&cx(), pinned).await.unwrap().disconnect(&cx()).await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_is_one_attempt() {
    let sim = Sim::builder().start().await.unwrap();
    let mut config = config(&sim);
    config.password = "wrong".into();
    let error = VSphere::connect(&cx(), config).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert_eq!(sim.calls_of("Login").len(), 1);
}

#[tokio::test]
async fn an_idle_session_is_kept_alive_past_the_servers_limit() {
    let sim = Sim::builder().session_idle_limit(Duration::from_secs(2)).start().await.unwrap();
    let mut config = config(&sim);
    config.keep_alive = Duration::from_millis(100);
    let vsphere = VSphere::connect(&cx(), config).await.unwrap();
    let beyond = async {
        while sim.calls_of("CurrentTime").len() < 25 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), beyond).await.expect("25 signs of life");
    all(&vsphere, &cx()).await;
    assert_eq!(sim.calls_of("Login").len(), 1, "the session never died");
}
