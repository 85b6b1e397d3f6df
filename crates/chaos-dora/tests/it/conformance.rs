//! The conformance suite on a service in memory, as far as it can be asked of a platform that can only be read.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chaos_core::{Context, Error, Platform, SharedClock, SystemClock, VMPowerState};
use chaos_dora::{Config, Dora, HostFilter};
use chaos_testkit::conformance::{Ability, Break, Harness, Outage, Server};
use chaos_testkit::{EstateSpec, VmKey, VmSpec};
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::server::dev1;

const READ_ONLY: &str = "it can only be read";

struct InMemory;

#[async_trait]
impl Harness for InMemory {
    fn cannot(&self) -> Vec<(Ability, &'static str)> {
        vec![
            (Ability::PowerOn, READ_ONLY),
            (Ability::PowerOff, READ_ONLY),
            (Ability::Reboot, READ_ONLY),
            (Ability::Suspend, READ_ONLY),
            (Ability::Guests, READ_ONLY),
            (Ability::GuestAgentNeeded, READ_ONLY),
            (Ability::Templates, "it does not tell them from VMs"),
            (Ability::StandaloneHosts, "it shows them as clusters of their own"),
            (Ability::CountSessions, "there is no logout: a token that is forgotten stays open"),
            (Ability::Outages, "an undo is refused without asking anybody"),
        ]
    }

    fn clock(&self) -> SharedClock {
        SystemClock::shared()
    }

    async fn start(&self, estate: &EstateSpec) -> Box<dyn Server> {
        let server = MockServer::start().await;
        let service = Service(Arc::new(Mutex::new(State {
            username: estate.username.clone(),
            password: estate.password.clone(),
            vms: estate.vms.iter().cloned().map(Some).collect(),
            tokens: Vec::new(),
            logins: 0,
            broken: None,
        })));
        Mock::given(any()).respond_with(service.clone()).mount(&server).await;
        Box::new(Running { server, service })
    }
}

#[derive(Clone)]
struct Service(Arc<Mutex<State>>);

struct State {
    username: String,
    password: SecretString,
    /// None where one was deleted.
    vms: Vec<Option<VmSpec>>,
    tokens: Vec<String>,
    logins: usize,
    broken: Option<Break>,
}

impl Respond for Service {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut state = self.0.lock().unwrap();
        let decode = |part: &str| percent_decode_str(part).decode_utf8().unwrap().into_owned();
        let parts: Vec<String> = request.url.path_segments().unwrap().map(decode).collect();
        match parts.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["v1", "GetLoginToken", username, password] => {
                state.logins += 1;
                if (*username, *password) != (state.username.as_str(), state.password.expose_secret()) {
                    return ResponseTemplate::new(401);
                }
                let token = format!("token/{}", state.logins);
                state.tokens.push(token.clone());
                ResponseTemplate::new(200).set_body_json(json!({"token": token}))
            }
            ["v1", "GetVirtualMachines", token, "OracleQA", "ORA-DEV"] => {
                if !state.tokens.iter().any(|known| known == token) {
                    return ResponseTemplate::new(401);
                }
                let vms = state.vms.iter().enumerate().filter_map(|(at, vm)| Some(item(at, vm.as_ref()?)));
                let items = json!({"items": vms.collect::<Vec<_>>()}).to_string();
                match state.broken.take() {
                    None => ResponseTemplate::new(200).set_body_string(items),
                    Some(Break::ReadCut) => ResponseTemplate::new(200).set_body_string(&items[..items.len() / 2]),
                    Some(Break::ReadBusy) => ResponseTemplate::new(503),
                    Some(Break::ReadNonsense) => ResponseTemplate::new(200).set_body_string("<html>"),
                    Some(power) => panic!("{power:?} of a service that has no such calls"),
                }
            }
            _ => ResponseTemplate::new(404),
        }
    }
}

fn item(at: usize, vm: &VmSpec) -> Value {
    let VmSpec { name, datacenter, host, .. } = vm;
    let cluster = vm.cluster.as_deref().unwrap_or(host);
    let folder: String = [datacenter.as_str(), "vm"]
        .into_iter()
        .chain(vm.folders.iter().map(String::as_str))
        .fold(String::new(), |path, part| path + "/" + part);
    let state = match vm.power_state {
        VMPowerState::PoweredOn => "poweredOn",
        VMPowerState::PoweredOff => "poweredOff",
        VMPowerState::Suspended => "suspended",
        VMPowerState::Unknown => "unknown",
    };
    json!({
        "name": name, "path": folder, "host": format!("/{datacenter}/host/{cluster}/{host}"), "os": "Linux",
        "cpus": vm.cpu_count, "memMb": vm.memory_mb, "state": state, "managedObjRef": id(at), "cpuUsagePerc": 4,
    })
}

fn id(at: usize) -> String {
    format!("vm-{}", at + 1000)
}

struct Running {
    server: MockServer,
    service: Service,
}

#[async_trait]
impl Server for Running {
    async fn connect(&self, cx: &Context, password: &SecretString) -> Result<Arc<dyn Platform>, Error> {
        let username = self.service.0.lock().unwrap().username.clone();
        let mut config = Config::new("127.0.0.1", username, password.clone());
        (config.auth_port, config.api_port) = (self.server.address().port(), self.server.address().port());
        Ok(Arc::new(Dora::connect(cx, config, dev1(), HostFilter::default()).await?))
    }

    async fn id_of(&self, vm: VmKey) -> String {
        id(vm.0)
    }

    async fn power_state(&self, vm: VmKey) -> VMPowerState {
        self.service.0.lock().unwrap().vms[vm.0].as_ref().expect("not deleted").power_state
    }

    async fn destructive_calls(&self, _: VmKey) -> usize {
        let calls = self.server.received_requests().await.unwrap();
        let reads = ["/v1/GetLoginToken/", "/v1/GetVirtualMachines/"];
        calls.iter().filter(|call| !reads.iter().any(|read| call.url.path().starts_with(read))).count()
    }

    async fn hard_calls(&self, vm: VmKey) -> usize {
        self.destructive_calls(vm).await
    }

    async fn login_attempts(&self) -> usize {
        self.service.0.lock().unwrap().logins
    }

    async fn open_sessions(&self) -> usize {
        self.service.0.lock().unwrap().tokens.len()
    }

    async fn kill_sessions(&self) {
        self.service.0.lock().unwrap().tokens.clear();
    }

    async fn break_next(&self, what: Break) {
        self.service.0.lock().unwrap().broken = Some(what);
    }

    async fn set_outage(&self, outage: Option<Outage>) {
        panic!("declared missing: {outage:?}");
    }

    async fn set_power_state(&self, vm: VmKey, state: VMPowerState) {
        self.service.0.lock().unwrap().vms[vm.0].as_mut().expect("not deleted").power_state = state;
    }

    async fn delete(&self, vm: VmKey) {
        self.service.0.lock().unwrap().vms[vm.0] = None;
    }
}

chaos_testkit::conformance!(InMemory);
