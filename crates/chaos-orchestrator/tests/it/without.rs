//! Builds with some kinds of platforms only: each opens what it has, understands the settings of all, and says what it lacks.

use std::time::Duration;

use chaos_core::{Connection, Context, ErrorKind, PlatformSource, Selector};
use chaos_orchestrator::{Finding, Kind, PlatformOrchestrator, Sources};
use chaos_sim::{Door, Sim};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_is_opened_or_refused_as_the_build_has_it() {
    let sim = Sim::builder().doors([Door::VSphere, Door::Olvm, Door::Dora]).start().await.unwrap();
    let port = sim.address().port();
    let settings = json!({"platforms": {
        "vsphere": {"server": sim.url(), "username": "chaos", "password": "chaos"},
        "olvm": {"url": sim.url(), "username": "chaos@internal", "password": "chaos"},
        "dora": {"host": "127.0.0.1", "api_port": port, "auth_port": port, "username": "chaos", "password": "chaos",
                 "environment": "Dev1", "host_filter": "omit"},
    }});
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a.json");
    std::fs::write(&file, settings.to_string()).unwrap();
    let orchestrator = PlatformOrchestrator::new(Sources::none().config(file).load().unwrap());
    let cx = Context::with_timeout(Duration::from_secs(30));
    for kind in Kind::ALL {
        let checkup = orchestrator.examine(&cx, kind.as_str(), Duration::from_secs(30)).await.unwrap();
        let opened = orchestrator.open(&cx, kind.as_str(), &Connection::default()).await;
        if kind.is_built_in() {
            assert!(!opened.unwrap().discover(&cx, &Selector::all()).await.unwrap().vms.is_empty(), "{kind}");
            assert!(checkup.worst() < Finding::Bad, "{checkup:?}");
        } else {
            let error = opened.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(error.to_string().contains(&format!("cargo feature `{kind}`")), "{error}");
            assert_eq!(checkup.worst(), Finding::Bad, "{checkup:?}");
        }
    }
    orchestrator.close(&cx).await.unwrap();
}
