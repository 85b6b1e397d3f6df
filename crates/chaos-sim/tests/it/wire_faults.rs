//! What goes wrong between client and server, and whether the call was carried out.

use std::time::Duration;

use chaos_sim::{Outcome, Power, Sim, Timing, WireAction, WireFault};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::client::Client;

async fn still() -> (Sim, Client, u32) {
    let sim = Sim::builder().paused().timing(Timing::fast()).start().await.unwrap();
    let client = Client::login(&sim).await;
    let vm = sim.world().vm("web-01").unwrap().id.0;
    (sim, client, vm)
}

/// The power of the VM when all is over, and how many operations were accepted.
fn effect(sim: &Sim) -> (Power, u32) {
    sim.world().settle();
    let vm = sim.world().vm("web-01").unwrap();
    (vm.power, vm.operations)
}

#[tokio::test]
async fn a_reset_before_or_after_the_effect_looks_the_same_to_the_client() {
    for (action, power) in [(WireAction::ResetBefore, Power::On), (WireAction::ResetAfter, Power::Off)] {
        let (sim, client, vm) = still().await;
        sim.inject(WireFault::new(action.clone()).method("PowerOffVM_Task").object("web-01"));
        let broken = client.call("PowerOffVM_Task", ("VirtualMachine", &format!("vm-{vm}")), "").await;
        assert!(broken.is_err(), "{action:?}: {broken:?}");
        assert_eq!(effect(&sim), (power, u32::from(power == Power::Off)), "{action:?}");
        let call = &sim.calls_of("PowerOffVM_Task")[0];
        assert!(matches!(call.outcome, Outcome::Broken(_)) && call.status.is_none(), "{call:?}");
        assert_eq!(client.on_vm("RebootGuest", vm).await.status, if power == Power::On { 200 } else { 500 });
    }
}

/// What comes over a bare connection until it ends, and how it ends.
async fn raw(sim: &Sim) -> (String, std::io::Result<usize>) {
    let body = r#"<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body><RetrieveServiceContent xmlns="urn:vim25"><_this type="ServiceInstance">ServiceInstance</_this></RetrieveServiceContent></Body></Envelope>"#;
    let request = format!("POST /sdk HTTP/1.1\r\nhost: sim\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let mut stream = tokio::net::TcpStream::connect(sim.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut came = Vec::new();
    let ended = stream.read_to_end(&mut came).await;
    (String::from_utf8(came).unwrap(), ended)
}

#[tokio::test]
async fn a_cut_body_promises_more_than_it_sends() {
    let (sim, client, vm) = still().await;
    sim.inject(WireFault::new(WireAction::CutBody).method("PowerOffVM_Task"));
    assert!(client.call("PowerOffVM_Task", ("VirtualMachine", &format!("vm-{vm}")), "").await.is_err());
    assert_eq!(effect(&sim), (Power::Off, 1));

    sim.inject(WireFault::new(WireAction::CutBody));
    let (came, _) = raw(&sim).await;
    let (head, body) = came.split_once("\r\n\r\n").unwrap();
    let (_, length) = head.split_once("content-length: ").unwrap();
    let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
    assert!(head.starts_with("HTTP/1.1 200") && body.len() == length / 2 && length > 500, "{came}");
}

#[tokio::test]
async fn a_reset_connection_does_not_end_in_good_order() {
    let (sim, ..) = still().await;
    sim.inject(WireFault::new(WireAction::ResetAfter));
    let (came, ended) = raw(&sim).await;
    assert_eq!((came.as_str(), ended.unwrap_err().kind()), ("", std::io::ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn a_status_of_a_proxy_comes_before_or_after_the_effect() {
    for (after_effect, power) in [(false, Power::On), (true, Power::Off)] {
        let (sim, client, vm) = still().await;
        let action = WireAction::Status { code: 503, retry_after: Some(2), after_effect };
        sim.inject(WireFault::new(action));
        let answer = client.on_vm("PowerOffVM_Task", vm).await;
        assert_eq!((answer.status, &answer.headers["retry-after"]), (503, &"2".parse().unwrap()));
        assert_eq!(effect(&sim).0, power);
    }
}

#[tokio::test]
async fn a_login_page_of_a_proxy_is_html_with_status_200() {
    let (sim, client, vm) = still().await;
    sim.inject(WireFault::new(WireAction::Html { code: 200 }));
    let answer = client.on_vm("PowerOffVM_Task", vm).await;
    assert_eq!(answer.status, 200);
    assert!(answer.text().starts_with("<!DOCTYPE html>"));
    assert_eq!(effect(&sim), (Power::On, 0));
}

#[tokio::test]
async fn a_stalled_call_never_ends_and_hurts_no_other() {
    let (sim, client, vm) = still().await;
    sim.inject(WireFault::new(WireAction::Stall { after_effect: true }).method("PowerOffVM_Task"));
    let struck = async {
        while !sim.calls_of("PowerOffVM_Task").iter().any(|call| call.outcome == Outcome::Broken("stall")) {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = client.on_vm("PowerOffVM_Task", vm) => panic!("a stalled call has no answer"),
        () = struck => {}
    }
    assert_eq!(effect(&sim), (Power::Off, 1));
    assert_eq!(client.on_vm("PowerOnVM_Task", vm).await.status, 200);
}

#[tokio::test]
async fn a_session_can_be_killed_by_the_call_that_it_is_killed_for() {
    let (sim, client, vm) = still().await;
    sim.inject(WireFault::new(WireAction::KillSession).method("PowerOffVM_Task"));
    assert_eq!(client.on_vm("PowerOffVM_Task", vm).await.fault().as_deref(), Some("NotAuthenticated"));
    assert_eq!(effect(&sim), (Power::On, 0));
    assert_eq!(sim.sessions().len(), 0);
}

#[tokio::test]
async fn latency_delays_the_answer_by_real_time() {
    let (sim, client, vm) = still().await;
    let delay = Duration::from_millis(200);
    sim.inject(WireFault::new(WireAction::Latency { delay }).method("PowerOffVM_Task"));
    client.on_vm("PowerOffVM_Task", vm).await;
    assert!(sim.calls_of("PowerOffVM_Task")[0].took >= delay);
}

#[tokio::test]
async fn a_soap_fault_can_be_made_for_any_call() {
    let (sim, client, vm) = still().await;
    sim.inject(WireFault::new(WireAction::SoapFault { fault: "HostNotConnected".into() }).times(2));
    for expected in [Some("HostNotConnected"), Some("HostNotConnected"), None] {
        assert_eq!(client.on_vm("PowerOffVM_Task", vm).await.fault().as_deref(), expected);
    }
}

#[tokio::test]
async fn what_is_not_soap_gets_an_answer_of_its_kind() {
    let (_sim, client, _) = still().await;
    let send = |method, path, body: &str| client.send(method, path, body.to_owned(), &[]);
    assert_eq!(send(hyper::Method::GET, "/sdk", "").await.unwrap().status, 405);
    assert_eq!(send(hyper::Method::GET, "/elsewhere", "").await.unwrap().status, 404);
    for body in ["", "<a", "not xml", "<a/>"] {
        let answer = send(hyper::Method::POST, "/sdk", body).await.unwrap();
        assert_eq!((answer.status, answer.fault().as_deref()), (500, Some("InvalidRequest")), "{body:?}");
    }
    let misplaced =
        client.call("Login", ("SessionManager", "SessionManager"), "<password>x</password><userName>x</userName>");
    assert_eq!(misplaced.await.unwrap().fault().as_deref(), Some("InvalidRequest"));
}
