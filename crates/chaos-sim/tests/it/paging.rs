//! Large answers: pages, tokens, and objects that vanish in between.

use std::collections::BTreeSet;

use chaos_sim::Sim;

use crate::client::{COLLECTOR, Client, whole_inventory};

async fn page(client: &Client, token: &str) -> crate::client::Answer {
    client.ask("ContinueRetrievePropertiesEx", COLLECTOR, &format!("<token>{token}</token>")).await
}

fn names_and_hosts() -> String {
    let vms = whole_inventory("specSet", "VirtualMachine", &["name"]);
    format!("{vms}<options><maxObjects>1000</maxObjects></options>")
}

#[tokio::test]
async fn an_answer_is_cut_into_pages_of_a_hundred_whatever_is_asked_for() {
    let sim = Sim::builder().vms(250).start().await.unwrap();
    let client = Client::login(&sim).await;
    let mut answer = client.ask("RetrievePropertiesEx", COLLECTOR, &names_and_hosts()).await;
    let (mut sizes, mut names, mut tokens) = (Vec::new(), BTreeSet::new(), Vec::new());
    loop {
        sizes.push(answer.every("objects").len());
        names.extend(answer.every("val"));
        let Some(token) = answer.first("token") else { break };
        answer = page(&client, &token).await;
        tokens.push(token);
    }
    assert_eq!(sizes, [100, 100, 50]);
    assert_eq!(names.len(), 250);
    assert_eq!(tokens, ["0", "1"], "the first token is the text 0");
    assert_eq!(sim.sessions()[0].open_tokens, 0);
}

#[tokio::test]
async fn fewer_objects_can_be_asked_for_and_another_cap_can_be_set() {
    let sim = Sim::builder().vms(250).page_cap(200).start().await.unwrap();
    let client = Client::login(&sim).await;
    let all = whole_inventory("specSet", "VirtualMachine", &["name"]);
    for (options, expected) in
        [("<options></options>", 200), ("<options><maxObjects>30</maxObjects></options>", 30), ("", 200)]
    {
        let answer = client.ask("RetrievePropertiesEx", COLLECTOR, &format!("{all}{options}")).await;
        assert_eq!(answer.every("objects").len(), expected, "{options}");
    }
    let answer = client.ask("RetrieveProperties", COLLECTOR, &all).await;
    assert_eq!(answer.every("returnval").len(), 250, "the old method has no pages");
}

#[tokio::test]
async fn a_token_works_once_and_only_in_its_session_and_collector() {
    let sim = Sim::builder().vms(150).start().await.unwrap();
    let (client, other) = (Client::login(&sim).await, Client::login(&sim).await);
    let answer = client.ask("RetrievePropertiesEx", COLLECTOR, &names_and_hosts()).await;
    let token = answer.first("token").unwrap();
    assert_eq!(page(&other, &token).await.fault().as_deref(), Some("InvalidArgument"));
    let private = client.ask("CreatePropertyCollector", COLLECTOR, "").await.first("returnval").unwrap();
    let elsewhere = ("PropertyCollector", private.as_str());
    let answer = client.ask("ContinueRetrievePropertiesEx", elsewhere, &format!("<token>{token}</token>")).await;
    assert_eq!(answer.fault().as_deref(), Some("InvalidArgument"));
    assert_eq!(page(&client, &token).await.every("objects").len(), 50);
    assert_eq!(page(&client, &token).await.fault().as_deref(), Some("InvalidArgument"));
}

#[tokio::test]
async fn an_answer_that_nobody_reads_on_stays_open_until_it_is_cancelled() {
    let sim = Sim::builder().vms(150).start().await.unwrap();
    let client = Client::login(&sim).await;
    let answer = client.ask("RetrievePropertiesEx", COLLECTOR, &names_and_hosts()).await;
    assert_eq!(sim.sessions()[0].open_tokens, 1);
    let token = format!("<token>{}</token>", answer.first("token").unwrap());
    assert_eq!(client.ask("CancelRetrievePropertiesEx", COLLECTOR, &token).await.status, 200);
    assert_eq!(sim.sessions()[0].open_tokens, 0);
    let again = client.ask("CancelRetrievePropertiesEx", COLLECTOR, &token).await;
    assert_eq!(again.fault().as_deref(), Some("InvalidArgument"));
}

#[tokio::test]
async fn a_vm_that_is_deleted_between_two_pages_fails_the_walk() {
    let sim = Sim::builder().vms(150).start().await.unwrap();
    let client = Client::login(&sim).await;
    let answer = client.ask("RetrievePropertiesEx", COLLECTOR, &names_and_hosts()).await;
    let seen: BTreeSet<String> = answer.every("val").into_iter().collect();
    let unseen = sim.world().vms().into_iter().find(|vm| !seen.contains(&vm.name)).unwrap();
    sim.world().remove(&unseen.name).unwrap();
    let answer = page(&client, &answer.first("token").unwrap()).await;
    assert_eq!(answer.fault().as_deref(), Some("ManagedObjectNotFound"));
    let answer = client.ask("RetrievePropertiesEx", COLLECTOR, &names_and_hosts()).await;
    assert_eq!(answer.every("objects").len(), 100, "the next try works");
}

#[tokio::test]
async fn a_large_answer_comes_through_gzip_where_the_client_takes_it() {
    let sim = Sim::builder().vms(100).start().await.unwrap();
    let client = Client::login(&sim).await;
    let envelope = format!(
        r#"<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body><RetrievePropertiesEx xmlns="urn:vim25" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><_this type="PropertyCollector">propertyCollector</_this>{}</RetrievePropertiesEx></Body></Envelope>"#,
        names_and_hosts()
    );
    let send = |headers: &'static [(&str, &str)]| client.send(hyper::Method::POST, "/sdk", envelope.clone(), headers);
    let plain = send(&[]).await.unwrap();
    let packed = send(&[("accept-encoding", "deflate, gzip")]).await.unwrap();
    assert_eq!(plain.headers.get("content-encoding"), None);
    assert_eq!(packed.headers["content-encoding"], "gzip");
    assert!(packed.bytes.len() * 5 < plain.bytes.len());
    let mut unpacked = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&packed.bytes[..]), &mut unpacked).unwrap();
    assert_eq!(unpacked, plain.text());
}
