//! Sessions at a terminal against simulated servers, errors included: what people see.

use chaos_sim::{Builder, Door, Estate, Role, Sim, Timing, VmSpec, WireAction, WireFault};
use serde_json::json;
use wiremock::matchers::path_regex;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::lab::{PASSWORD, USER};
use crate::program::Program;
use crate::site::{Site, closed_port, dora, engine, vcenter};
use crate::transcript::Transcript;

fn small() -> Builder {
    let builder = Sim::builder().timing(Timing::fast()).credentials(USER, PASSWORD).estate(Estate::of_size(0));
    [VmSpec::new("web-01"), VmSpec::new("web-02")].into_iter().fold(builder, Builder::vm)
}

async fn inventory(builder: Builder) -> Sim {
    builder.doors([Door::VSphere, Door::Dora]).start().await.expect("the simulator starts")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_with_a_dora_service() {
    let sim = inventory(small()).await;
    let port = sim.address().port();
    let mut entry = dora(port);
    entry["environments"] = json!({
        "EPB-Prod": {"vcenter": "OracleQA", "pattern_path": "ORA-DEV", "vm_path": "ORA-DEV"},
        "Lab": {"vcenter": "OtherVC", "pattern_path": "x", "vm_path": "x", "host_filter": "^lab"},
    });
    let site = Site::new().entry("dora", entry).entry("site-vc", vcenter(&sim));
    let mut session = Transcript::of("dora");
    let mut run = |args: &[&str]| session.run(&site.program, args);
    run(&["platforms", "dora-environments"]);
    run(&["platforms", "dora-environments", "--format", "csv"]);
    run(&["platforms", "dora-discover", "EPB-Prod"]);
    run(&["platforms", "dora-discover", "EPB-Prod", "--output", "env.json"]);
    run(&["platforms", "dora-discover", "EPB-Prod", "--hostfilter", "nothing", "--format", "csv"]);
    run(&["platforms", "dora-discover", "EBP-Prod"]);
    run(&["platforms", "dora-discover", "Paytv"]);
    run(&["platforms", "dora-discover", "Lab"]);
    run(&["platforms", "dora-discover", "EPB-Prod", "--password", "wrong"]);
    run(&["platforms", "dora-discover", "EPB-Prod", "--output", "no/such/directory/env.json"]);
    run(&["platforms", "discover-vms", "--platform", "dora"]);
    let power_off = ["platforms", "power-off", "web-01", "--platform", "dora"];
    let of = ["--set", "platforms.dora.environment=EPB-Prod"];
    run(&[&power_off[..], &of].concat());
    run(&[&power_off[..], &of, &["--set", "platforms.dora.vcenters.OracleQA=sitevc"]].concat());
    run(&["platforms", "vm-info", "web-01", "--platform", "dora", "--set", "platforms.dora.environment=EPB-Prod"]);
    session.check();
    assert!(sim.world().vms().iter().all(|vm| vm.operations == 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dora_service_that_is_old_tired_down_or_wrong() {
    let mut session = Transcript::of("dora-trouble");
    let discover = ["platforms", "dora-discover", "Dev1", "--hostfilter", "omit", "--format", "csv"];

    session.note("an older server answers with a bare list");
    let old = inventory(small().dora_bare_lists()).await;
    session.run(&Site::new().entry("dora", dora(old.address().port())).program, &discover);

    session.note("the token dies before it is used: it is renewed");
    let tired = inventory(small()).await;
    tired.inject(WireFault::new(WireAction::KillSession).method("GetHypervisors"));
    session.run(&Site::new().entry("dora", dora(tired.address().port())).program, &discover);
    assert_eq!(tired.calls_of("GetLoginToken").len(), 2);

    session.note("nothing listens there");
    session.run(&Site::new().entry("dora", dora(closed_port())).program, &discover);

    session.note("a field of an item is of a wrong type");
    let wrong = MockServer::start().await;
    let token = ResponseTemplate::new(200).set_body_json(json!({"token": "t"}));
    Mock::given(path_regex("^/v1/GetLogin")).respond_with(token).mount(&wrong).await;
    let hosts = ResponseTemplate::new(200).set_body_json(json!([]));
    Mock::given(path_regex("^/v1/GetHyper")).respond_with(hosts).mount(&wrong).await;
    let vms = ResponseTemplate::new(200).set_body_json(json!([{"name": "a"}, {"name": "b", "cpus": "four"}]));
    Mock::given(path_regex("^/v1/GetVirtual")).respond_with(vms).mount(&wrong).await;
    session.run(&Site::new().entry("dora", dora(wrong.address().port())).program, &discover);

    session.note("something else listens there");
    let other = MockServer::start().await;
    session.run(&Site::new().entry("dora", dora(other.address().port())).program, &discover);
    session.check();
}

#[test]
fn a_session_about_settings() {
    let mut session = Transcript::of("config");
    let empty = Program::new();
    session.run(&empty, &["config", "check"]);
    session.run(&empty, &["doctor"]);
    session.run(&empty, &["config", "init"]);
    session.run(&empty, &["config", "check"]);
    session.run(&empty, &["config", "init"]);
    session.run(&empty, &["platforms", "discover-vms", "--all-platforms"]);
    let lab = json!({
        "type": "vsphere", "server": "https://lab.example.com:8443", "username": "ann",
        "password_command": ["pass", "show", "lab"], "thumbprint": "ab".repeat(32),
    });
    let program = Site::new().entry("lab", lab).entry("olvm", json!({"url": "engine"})).program;
    let site = program.env("OLVM_PASSWORD", "hunter2").env("VSPHERE_PASWORD", "hunter2");
    session.run(&site, &["config", "show"]);
    session.run(&site, &["config", "show", "--format", "csv", "--set", "platforms.olvm.insecure=yes"]);
    session.run(&site, &["platforms", "discover-vms"]);
    session.run(&site, &["platforms", "discover-vms", "--platform", "lba"]);
    session.run(&site, &["config", "check", "--set", "platforms.lab.port=https", "--set", "chaos.dryrun=1"]);
    session.run(&site, &["config", "check", "--config", "missing.yaml"]);
    session.check();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_with_the_doctor() {
    let account = |builder: Builder| builder.user("looker", PASSWORD, Role::ReadOnly);
    let good = account(small()).doors([Door::VSphere, Door::Olvm, Door::Dora]).start().await.unwrap();
    let own_authority = small().tls(true).start().await.unwrap();
    let slow = small().start().await.unwrap();
    let stall = WireFault::new(WireAction::Stall { after_effect: false });
    slow.inject(stall.method("Login"));
    let with = |mut entry: serde_json::Value, key: &str, value: &str| {
        entry[key] = json!(value);
        entry
    };
    let site = Site::new()
        .entry("dora", dora(good.address().port()))
        .entry("engine", engine(&good))
        .entry("good", vcenter(&good))
        .entry("wrong-password", with(vcenter(&good), "password", "wrong"))
        .entry("unknown-ca", vcenter(&own_authority))
        .entry("plain-http", with(vcenter(&good), "server", &good.url().replace("http:", "https:")))
        .entry("closed", with(vcenter(&good), "server", &format!("https://127.0.0.1:{}", closed_port())))
        .entry("slow", vcenter(&slow))
        .entry("no-rights", with(vcenter(&good), "username", "looker"))
        .entry("no-name", with(vcenter(&good), "server", "vcenter.invalid"))
        .entry("incomplete", json!({"type": "vsphere", "server": "vc.example.com"}));
    let mut session = Transcript::of("doctor");
    for entry in [
        "good",
        "engine",
        "dora",
        "no-rights",
        "wrong-password",
        "unknown-ca",
        "plain-http",
        "closed",
        "no-name",
        "incomplete",
    ] {
        session.run(&site.program, &["doctor", "--platform", entry]);
    }
    session.run(&site.program, &["doctor", "--platform", "slow", "--timeout", "1"]);
    session.run(&site.program, &["doctor", "--platform", "god"]);
    session.check();
    for sim in [&good, &own_authority] {
        let tokens = sim.sessions().into_iter().filter(|one| one.user == USER && one.calls == 0).count();
        assert_eq!(
            sim.sessions().len(),
            tokens,
            "all sessions are given back, but Dora's token, which cannot be: {:?}",
            sim.sessions()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_with_several_platforms() {
    let east = small().start().await.unwrap();
    let west = small().vm(VmSpec::new("db-01")).olvm().start().await.unwrap();
    let down = json!({"type": "vsphere", "server": format!("http://127.0.0.1:{}", closed_port()), "username": USER, "password": PASSWORD});
    let site = Site::new().entry("east", vcenter(&east)).entry("west", engine(&west)).entry("down", down);
    let mut session = Transcript::of("several");
    let mut run = |args: &[&str]| session.run(&site.program, args);
    run(&["platforms", "discover-vms", "--platform", "east,west"]);
    run(&["platforms", "discover-vms", "--all-platforms"]);
    run(&["platforms", "discover-vms", "--all-platforms", "--fail-on-partial"]);
    run(&["platforms", "discover-vms", "--platform", "down"]);
    run(&["platforms", "summary", "--platform", "east,west"]);
    run(&["platforms", "vm-info", "db-01", "--platform", "west"]);
    run(&["platforms", "power-off", "db-01", "--platform", "west", "--force"]);
    session.check();
    for sim in [&east, &west] {
        assert!(sim.sessions().is_empty(), "{:?}", sim.sessions());
    }
}
