//! The wire: sizes, packing, headers, and what can be made to go wrong.

use std::io::Read as _;

use chaos_sim::{Outcome, Power, WireAction, WireFault};
use flate2::read::GzDecoder;
use hyper::Method;

use super::{Api, XML, builder, id_of, plain};

#[tokio::test]
async fn a_request_line_beyond_8190_bytes_is_414_and_a_packet_beyond_8192_is_400() {
    let (sim, api) = plain().await;
    let line = |length: usize| {
        let begin = "/ovirt-engine/api/vms?search=";
        format!("{begin}{}", "a".repeat(length - begin.len() - "GET  HTTP/1.1".len()))
    };
    for (length, padding, status) in [(8190, 0, 400), (8191, 0, 414), (7000, 0, 200), (7000, 1500, 400)] {
        let padding = "x".repeat(padding);
        let bearer = format!("Bearer {}", api.token);
        let headers = [("authorization", bearer.as_str()), ("x-padding", padding.as_str())];
        let answer = api.client.send(Method::GET, &line(length), String::new(), &headers).await.unwrap();
        assert_eq!(answer.status, status, "{length} {}", padding.len());
        assert_eq!(answer.text().starts_with("<!DOCTYPE HTML"), status != 200);
    }
    assert_eq!(sim.calls_of("vms").len(), 4, "what is refused is on record too");
}

#[tokio::test]
async fn answers_are_packed_on_demand() {
    let sim = builder().vms(200).start().await.unwrap();
    let api = Api::login(&sim).await;
    let plain = api.get("/vms").await;
    let packed = api.send(Method::GET, "/vms", "", &[("accept-encoding", "gzip, deflate")]).await;
    assert_eq!(packed.headers["content-encoding"], "gzip");
    assert!(packed.bytes.len() * 8 < plain.bytes.len(), "{} {}", packed.bytes.len(), plain.bytes.len());
    let mut text = String::new();
    GzDecoder::new(&packed.bytes[..]).read_to_string(&mut text).unwrap();
    assert_eq!(text.lines().count(), plain.text().lines().count());
}

#[tokio::test]
async fn the_correlation_id_comes_back_without_what_is_not_allowed_in_it() {
    let (_sim, api) = plain().await;
    for (sent, came) in
        [("run-7_x", "run-7_x"), ("a check: 1/2", "acheck12"), (&"x".repeat(50)[..], &"x".repeat(36)[..])]
    {
        let answer = api.send(Method::GET, "", "", &[("correlation-id", sent)]).await;
        assert_eq!(answer.headers["correlation-id"], came);
    }
    assert_eq!(api.get("?correlation_id=in-query").await.headers["correlation-id"], "in-query");
    let (first, second) = (api.get("").await, api.get("").await);
    assert_eq!(first.headers["correlation-id"].len(), 36);
    assert_ne!(first.headers["correlation-id"], second.headers["correlation-id"]);
}

#[tokio::test]
async fn calls_are_on_record_by_one_word_each() {
    let (sim, api) = plain().await;
    let vm = id_of(&sim, "web-01");
    let id = format!("/vms/{vm}");
    for path in ["", "/vms", &id, "/hosts", "/clusters", "/datacenters", "/events", "/jobs", "/tags"] {
        api.get(path).await;
    }
    for path in ["snapshots", "tags", "statistics"] {
        api.get(&format!("{id}/{path}")).await;
    }
    api.send(Method::POST, &format!("{id}/stop"), "<action/>", &[XML, ("correlation-id", "run-1")]).await;
    let words: Vec<String> = sim.calls().into_iter().map(|call| call.method).collect();
    let expected = "token api vms vm hosts clusters datacenters events jobs tags snapshots tags statistics stop";
    assert_eq!(words.join(" "), expected);
    let stop = sim.calls_of("stop").pop().unwrap();
    assert_eq!((stop.object, stop.object_name.as_deref()), (vm, Some("web-01")));
    assert_eq!((stop.operation_id.as_deref(), stop.status), (Some("run-1"), Some(200)));
    let again = api.act(&stop.object_name.unwrap(), "stop", "<action/>").await.status;
    assert_eq!((again, sim.calls_of("stop").pop().unwrap().outcome), (404, Outcome::Fault("not found".into())));
}

#[tokio::test]
async fn faults_strike_by_word_and_by_id_or_name_of_the_vm() {
    for (action, power, status) in [
        (WireAction::ResetBefore, Power::On, None),
        (WireAction::ResetAfter, Power::Off, None),
        (WireAction::CutBody, Power::Off, None),
        (WireAction::Status { code: 503, retry_after: None, after_effect: false }, Power::On, Some(503)),
        (WireAction::Status { code: 502, retry_after: None, after_effect: true }, Power::Off, Some(502)),
        (WireAction::Html { code: 200 }, Power::On, Some(200)),
        (WireAction::SoapFault { fault: "SystemError".into() }, Power::Off, Some(200)),
    ] {
        let (sim, api) = plain().await;
        let vm = id_of(&sim, "web-01");
        let object = if power == Power::On { vm.clone() } else { "web-01".into() };
        sim.inject(WireFault::new(action.clone()).method("stop").object(object));
        let bearer = format!("Bearer {}", api.token);
        let path = format!("/ovirt-engine/api/vms/{vm}/stop");
        let headers = [("authorization", bearer.as_str()), XML];
        let answer = api.client.send(Method::POST, &path, "<action/>".into(), &headers).await;
        assert_eq!(answer.ok().map(|answer| answer.status), status, "{action:?}");
        sim.world().settle();
        assert_eq!(sim.world().vm("web-01").unwrap().power, power, "{action:?}");
    }
}

#[tokio::test]
async fn health_and_the_certificate_need_no_login() {
    let (_sim, api) = plain().await;
    let get = async |path: &str| api.client.send(Method::GET, path, String::new(), &[]).await.unwrap();
    let health = get("/ovirt-engine/services/health").await;
    assert_eq!((health.status, health.text()), (200, "DB Up!Welcome to Health Status!"));
    let resource = "/ovirt-engine/services/pki-resource?resource=ca-certificate&format=X509-PEM-CA";
    assert_eq!(get(resource).await.status, 404, "without TLS there is none");
}
