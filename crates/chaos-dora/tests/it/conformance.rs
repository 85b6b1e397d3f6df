//! The conformance suite on a simulated service, as far as it can be asked of a platform that can only be read.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use chaos_core::{Context, Error, Platform, SharedClock, SystemClock, VMPowerState};
use chaos_dora::{Config, Dora, HostFilter};
use chaos_sim::{ClusterSpec, DatacenterSpec, Door, Estate, Power, Sim, VmId, WireAction, WireFault};
use chaos_testkit::conformance::{Ability, Break, Harness, Outage, Server};
use chaos_testkit::{EstateSpec, VmKey, VmSpec};
use secrecy::{ExposeSecret, SecretString};

use crate::server::dev1;

const READ_ONLY: &str = "it can only be read";
/// All calls that there are but the login. None changes a VM.
const READS: [&str; 2] = ["GetVirtualMachines", "GetHypervisors"];
const LOGIN: &str = "GetLoginToken";

struct Simulated {
    bare_lists: bool,
}

#[async_trait]
impl Harness for Simulated {
    fn cannot(&self) -> Vec<(Ability, &'static str)> {
        vec![
            (Ability::PowerOn, READ_ONLY),
            (Ability::PowerOff, READ_ONLY),
            (Ability::Reboot, READ_ONLY),
            (Ability::Suspend, READ_ONLY),
            (Ability::Guests, READ_ONLY),
            (Ability::GuestAgentNeeded, READ_ONLY),
            (Ability::Templates, "it shows VMs alone"),
            (Ability::StandaloneHosts, "each is in a cluster of its own name"),
            (Ability::CountSessions, "there is no logout: a token that is forgotten stays open"),
        ]
    }

    fn clock(&self) -> SharedClock {
        SystemClock::shared()
    }

    async fn start(&self, estate: &EstateSpec) -> Box<dyn Server> {
        let mut sim = Sim::builder()
            .doors([Door::Dora])
            .estate(places(estate))
            .credentials(&estate.username, estate.password.expose_secret());
        if self.bare_lists {
            sim = sim.dora_bare_lists();
        }
        let sim = sim.start().await.unwrap();
        let vms = estate.vms.iter().map(|vm| sim.world().add(&simulated(vm)).unwrap().id).collect();
        Box::new(Running { sim, vms, username: estate.username.clone() })
    }
}

/// The datacenters, clusters and hosts that the VMs of an estate name.
fn places(estate: &EstateSpec) -> Estate {
    let mut datacenters: BTreeMap<&str, BTreeMap<Option<&str>, Vec<String>>> = BTreeMap::new();
    for vm in &estate.vms {
        let hosts = datacenters.entry(&vm.datacenter).or_default().entry(vm.cluster.as_deref()).or_default();
        if !hosts.contains(&vm.host) {
            hosts.push(vm.host.clone());
        }
    }
    let datacenter = |(name, clusters): (&str, BTreeMap<Option<&str>, Vec<String>>)| {
        let mut datacenter = DatacenterSpec { name: name.into(), ..DatacenterSpec::default() };
        for (cluster, hosts) in clusters {
            match cluster {
                Some(name) => datacenter.clusters.push(ClusterSpec { name: name.into(), hosts }),
                None => datacenter.hosts = hosts,
            }
        }
        datacenter
    };
    Estate { datacenters: datacenters.into_iter().map(datacenter).collect() }
}

fn simulated(vm: &VmSpec) -> chaos_sim::VmSpec {
    let mut simulated = chaos_sim::VmSpec::new(&vm.name)
        .datacenter(&vm.datacenter)
        .folder(vm.folders.join("/"))
        .host(&vm.host)
        .power(power(vm.power_state));
    simulated.cpus = Some(vm.cpu_count);
    simulated.memory_mb = Some(u32::try_from(vm.memory_mb).unwrap());
    simulated
}

fn power(state: VMPowerState) -> Power {
    match state {
        VMPowerState::PoweredOn => Power::On,
        VMPowerState::PoweredOff => Power::Off,
        VMPowerState::Suspended => Power::Suspended,
        VMPowerState::Unknown => panic!("a VM cannot be built in an unknown state"),
    }
}

struct Running {
    sim: Sim,
    vms: Vec<VmId>,
    username: String,
}

impl Running {
    fn which(&self, vm: VmKey) -> String {
        format!("id:{}", self.vms[vm.0].0)
    }
}

#[async_trait]
impl Server for Running {
    async fn connect(&self, cx: &Context, password: &SecretString) -> Result<Arc<dyn Platform>, Error> {
        let mut config = Config::new("127.0.0.1", &self.username, password.clone());
        (config.auth_port, config.api_port) = (self.sim.address().port(), self.sim.address().port());
        // The hosts of an estate have other names than those that the environment's filter means.
        Ok(Arc::new(Dora::connect(cx, config, dev1(), HostFilter::Omit).await?))
    }

    async fn id_of(&self, vm: VmKey) -> String {
        format!("vm-{}", self.vms[vm.0].0)
    }

    async fn power_state(&self, vm: VmKey) -> VMPowerState {
        match self.sim.world().vm(&self.which(vm)).unwrap().power {
            Power::On => VMPowerState::PoweredOn,
            Power::Off => VMPowerState::PoweredOff,
            Power::Suspended => VMPowerState::Suspended,
        }
    }

    async fn destructive_calls(&self, _: VmKey) -> usize {
        let calls = self.sim.calls();
        calls.iter().filter(|call| call.method != LOGIN && !READS.contains(&call.method.as_str())).count()
    }

    async fn hard_calls(&self, vm: VmKey) -> usize {
        self.destructive_calls(vm).await
    }

    async fn login_attempts(&self) -> usize {
        self.sim.calls_of(LOGIN).len()
    }

    async fn open_sessions(&self) -> usize {
        self.sim.sessions().len()
    }

    async fn kill_sessions(&self) {
        self.sim.kill_sessions();
    }

    async fn break_next(&self, what: Break) {
        let action = match what {
            Break::ReadCut => WireAction::CutBody,
            Break::ReadBusy => WireAction::Status { code: 503, retry_after: None, after_effect: false },
            Break::ReadNonsense => WireAction::Html { code: 200 },
            Break::PowerBeforeEffect | Break::PowerAfterEffect => panic!("there are no such calls"),
        };
        for method in READS {
            self.sim.inject(WireFault::new(action.clone()).method(method));
        }
    }

    async fn set_outage(&self, outage: Option<Outage>) {
        self.sim.clear_faults();
        match outage {
            None => {}
            Some(Outage::Refuses) => self.sim.inject(WireFault::new(WireAction::ResetBefore).always()),
            Some(Outage::Stalls) => self.sim.inject(WireFault::new(WireAction::Stall { after_effect: false }).always()),
        }
    }

    async fn set_power_state(&self, vm: VmKey, state: VMPowerState) {
        self.sim.world().set_power(&self.which(vm), power(state)).unwrap();
    }

    async fn delete(&self, vm: VmKey) {
        self.sim.world().remove(&self.which(vm)).unwrap();
    }
}

mod objects {
    use super::Simulated;

    chaos_testkit::conformance!(Simulated { bare_lists: false });
}

mod bare_lists {
    use super::Simulated;

    chaos_testkit::conformance!(Simulated { bare_lists: true });
}
