//! What a client sees of a simulated engine.

mod actions;
mod doors;
mod events;
mod filtered;
mod follow;
mod login;
mod reading;
mod records;
mod restart;
mod rights;
mod searching;
mod sequences;
mod sessions;
mod versions;
mod wire;

use std::time::Duration;

use chaos_sim::{Builder, Estate, Sim, Timing, VmSpec};
use hyper::Method;

use crate::client::{Answer, Client};

const API: &str = "/ovirt-engine/api";
const TOKEN: &str = "/ovirt-engine/sso/oauth/token";
const FORM: &str = "application/x-www-form-urlencoded";
const XML: (&str, &str) = ("content-type", "application/xml");
const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";

/// A client of an engine with a token.
struct Api {
    client: Client,
    token: String,
}

impl Api {
    /// Logged in as the account that is there unless others are set.
    async fn login(sim: &Sim) -> Self {
        Self::login_as(sim, "chaos@internal", "chaos").await
    }

    async fn login_as(sim: &Sim, user: &str, password: &str) -> Self {
        let client = Client::stranger(sim);
        let answer = ask_for_token(&client, user, password).await;
        let told: serde_json::Value = serde_json::from_slice(&answer.bytes).unwrap();
        let token = told["access_token"].as_str().expect("a token").to_owned();
        Self { client, token }
    }

    async fn send(&self, method: Method, path: &str, body: &str, headers: &[(&'static str, &str)]) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let mut all = vec![("authorization", bearer.as_str())];
        all.extend_from_slice(headers);
        self.client.send(method, &format!("{API}{path}"), body.to_owned(), &all).await.unwrap()
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, "", &[]).await
    }

    /// The same for what must be there.
    async fn read(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.text().to_owned()
    }

    /// Asks for an action on a VM by its id.
    async fn act(&self, vm: &str, action: &str, body: &str) -> Answer {
        self.send(Method::POST, &format!("/vms/{vm}/{action}"), body, &[XML]).await
    }

    async fn status(&self, vm: &str) -> Option<String> {
        let answer = self.get(&format!("/vms/{vm}")).await;
        child(answer.text(), "vm", "status")
    }

    /// Names of the VMs that a search finds, one after the other.
    async fn found(&self, search: &str) -> String {
        names(&self.read(&format!("/vms?search={}", encoded(search))).await, "vm")
    }

    /// Codes of the events on a VM, oldest first.
    async fn codes(&self, vm: &str) -> Vec<u32> {
        let events = self.read(&format!("/events?search={}", encoded(&format!("_event_vm_id={vm}")))).await;
        let mut codes: Vec<u32> = texts(&events, "event", "code").iter().map(|code| code.parse().unwrap()).collect();
        codes.reverse();
        codes
    }
}

async fn ask_for_token(client: &Client, user: &str, password: &str) -> Answer {
    let form =
        format!("grant_type=password&scope=ovirt-app-api&username={}&password={}", encoded(user), encoded(password));
    let headers = [("content-type", FORM), ("accept", "application/json")];
    client.send(Method::POST, TOKEN, form, &headers).await.unwrap()
}

/// Text for a query: everything but letters and digits is escaped.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// The texts of a member of every element of one name, where that is only one level deeper.
fn texts(document: &str, element: &str, member: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut inside = None;
    for line in document.lines() {
        let depth = line.len() - line.trim_start().len();
        let line = line.trim_start();
        if line.starts_with(&format!("<{element} ")) || line == format!("<{element}>") {
            inside.get_or_insert(depth);
        } else if line == format!("</{element}>") && inside == Some(depth) {
            inside = None;
        } else if inside.is_some_and(|outer| depth == outer + 4)
            && let Some(text) = line.strip_prefix(&format!("<{member}>"))
            && let Some(text) = text.strip_suffix(&format!("</{member}>"))
        {
            found.push(text.to_owned());
        }
    }
    found
}

/// The text of a member of the only element of a name.
fn child(document: &str, element: &str, member: &str) -> Option<String> {
    texts(document, element, member).into_iter().next()
}

fn names(document: &str, element: &str) -> String {
    texts(document, element, "name").join(" ")
}

/// An attribute of the first element of a name.
fn attribute(document: &str, element: &str, attribute: &str) -> Option<String> {
    let (_, rest) = document.split_once(&format!("<{element} "))?;
    let (tag, _) = rest.split_once('>')?;
    let (_, value) = tag.split_once(&format!("{attribute}=\""))?;
    Some(value.split('"').next()?.to_owned())
}

/// Durations that are easy to step through, without jitter.
fn timing() -> Timing {
    Timing {
        queue: Duration::from_secs(1),
        power_on: Duration::from_secs(4),
        power_off: Duration::from_secs(2),
        suspend: Duration::from_secs(6),
        reset: Duration::from_secs(2),
        boot: Duration::from_secs(30),
        silent_boot: Duration::from_mins(1),
        shutdown: Duration::from_secs(10),
        refusal: Duration::from_secs(150),
        monitoring: Duration::from_secs(3),
        jitter: 0.0,
        ..Timing::default()
    }
}

fn builder() -> Builder {
    Sim::builder().olvm().estate(Estate::demo()).timing(timing()).paused()
}

/// An engine whose time stands still, with one VM more, and a client of it.
async fn with(vm: VmSpec) -> (Sim, Api, String) {
    let name = vm.name.clone();
    let sim = builder().vm(vm).start().await.unwrap();
    let api = Api::login(&sim).await;
    let id = sim.vm_uuid(sim.world().vm(&name).unwrap().id);
    (sim, api, id)
}

async fn plain() -> (Sim, Api) {
    let sim = builder().start().await.unwrap();
    let api = Api::login(&sim).await;
    (sim, api)
}

fn id_of(sim: &Sim, name: &str) -> String {
    sim.vm_uuid(sim.world().vm(name).unwrap().id)
}

fn pass(sim: &Sim, seconds: u64) {
    sim.world().step(Duration::from_secs(seconds));
}
