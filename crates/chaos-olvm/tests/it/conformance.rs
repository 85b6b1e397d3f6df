//! The conformance suite on a simulated engine, as it is now and as it was two versions before.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chaos_core::{Context, Error, Platform, SharedClock, SystemClock, ToolsStatus, VMPowerState};
use chaos_olvm::{Config, Olvm};
use chaos_sim::{
    ClusterSpec, DatacenterSpec, EngineVersion, Estate, Guest, OnReboot, OnShutdown, Power, Sim, Timing, Tools, VmId,
    WireAction, WireFault,
};
use chaos_testkit::conformance::{Ability, Break, Harness, Outage, Server};
use chaos_testkit::{EstateSpec, VmKey, VmSpec};
use secrecy::{ExposeSecret, SecretString};

/// The calls that change a VM, and whether they do so without asking its guest.
const DESTRUCTIVE: [(&str, bool); 6] =
    [("start", false), ("stop", true), ("reset", true), ("suspend", false), ("shutdown", false), ("reboot", false)];

struct Simulated {
    clock: SharedClock,
    version: EngineVersion,
}

fn engine(version: EngineVersion) -> Simulated {
    Simulated { clock: SystemClock::shared(), version }
}

#[async_trait]
impl Harness for Simulated {
    fn cannot(&self) -> Vec<(Ability, &'static str)> {
        vec![
            (Ability::Templates, "templates are no VMs"),
            (Ability::Folders, "there are no folders"),
            (Ability::StandaloneHosts, "every host is in a cluster"),
            (Ability::HostsOfStoppedVms, "a VM has a host only while it runs"),
            (Ability::GuestAgentNeeded, "guests are asked by ACPI too"),
        ]
    }

    fn clock(&self) -> SharedClock {
        Arc::clone(&self.clock)
    }

    async fn start(&self, estate: &EstateSpec) -> Box<dyn Server> {
        let sim = Sim::builder()
            .olvm()
            .engine_version(self.version)
            .estate(places(estate))
            .credentials(&estate.username, estate.password.expose_secret())
            .timing(Timing { jitter: 0.0, ..Timing::fast() })
            .start()
            .await
            .unwrap();
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
    let tools = match vm.guest.tools {
        ToolsStatus::NotInstalled => Tools::NotInstalled,
        ToolsStatus::NotRunning => Tools::Stopped,
        _ => Tools::Running,
    };
    let guest = Guest {
        tools,
        on_shutdown: if vm.guest.hangs { OnShutdown::Hangs } else { OnShutdown::Obeys },
        on_reboot: if vm.guest.hangs { OnReboot::Hangs } else { OnReboot::Obeys },
        boot: Some(vm.guest.boot),
        shutdown: Some(vm.guest.shutdown),
    };
    let mut simulated = chaos_sim::VmSpec::new(&vm.name)
        .datacenter(&vm.datacenter)
        .host(&vm.host)
        .power(power(vm.power_state))
        .guest(guest);
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
    fn object_id(&self, vm: VmKey) -> String {
        self.sim.vm_uuid(self.vms[vm.0])
    }

    fn which(&self, vm: VmKey) -> String {
        format!("id:{}", self.vms[vm.0].0)
    }

    fn calls_on(&self, vm: VmKey, counts: impl Fn(&(&str, bool)) -> bool) -> usize {
        let id = self.object_id(vm);
        let counted: Vec<&str> = DESTRUCTIVE.iter().filter(|call| counts(call)).map(|(method, _)| *method).collect();
        self.sim.calls().iter().filter(|call| call.object == id && counted.contains(&call.method.as_str())).count()
    }
}

#[async_trait]
impl Server for Running {
    async fn connect(&self, cx: &Context, password: &SecretString) -> Result<Arc<dyn Platform>, Error> {
        let mut config = Config::new(self.sim.url(), &self.username, password.clone());
        config.shortest_tick = Duration::from_millis(20);
        config.longest_tick = Duration::from_millis(100);
        Ok(Arc::new(Olvm::connect(cx, config).await?))
    }

    async fn id_of(&self, vm: VmKey) -> String {
        self.object_id(vm)
    }

    async fn power_state(&self, vm: VmKey) -> VMPowerState {
        match self.sim.world().vm(&self.which(vm)).unwrap().power {
            Power::On => VMPowerState::PoweredOn,
            Power::Off => VMPowerState::PoweredOff,
            Power::Suspended => VMPowerState::Suspended,
        }
    }

    async fn destructive_calls(&self, vm: VmKey) -> usize {
        self.calls_on(vm, |_| true)
    }

    async fn hard_calls(&self, vm: VmKey) -> usize {
        self.calls_on(vm, |(_, hard)| *hard)
    }

    async fn login_attempts(&self) -> usize {
        self.sim.calls_of("token").len()
    }

    async fn open_sessions(&self) -> usize {
        self.sim.sessions().len()
    }

    async fn kill_sessions(&self) {
        self.sim.kill_sessions();
    }

    async fn break_next(&self, what: Break) {
        let power_call = |action: &WireAction| {
            for (method, _) in DESTRUCTIVE {
                self.sim.inject(WireFault::new(action.clone()).method(method));
            }
        };
        let read = |action: WireAction| {
            for method in ["vms", "vm"] {
                self.sim.inject(WireFault::new(action.clone()).method(method));
            }
        };
        match what {
            Break::PowerBeforeEffect => power_call(&WireAction::ResetBefore),
            Break::PowerAfterEffect => power_call(&WireAction::ResetAfter),
            Break::ReadCut => read(WireAction::CutBody),
            Break::ReadBusy => read(WireAction::Status { code: 503, retry_after: None, after_effect: false }),
            Break::ReadNonsense => read(WireAction::Html { code: 200 }),
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

mod v45 {
    use super::{EngineVersion, engine};

    chaos_testkit::conformance!(engine(EngineVersion::V45));
}

mod v44 {
    use super::{EngineVersion, engine};

    chaos_testkit::conformance!(engine(EngineVersion::V44));
}
