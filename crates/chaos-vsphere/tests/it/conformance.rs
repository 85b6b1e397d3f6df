//! The conformance suite on a simulated vCenter.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use chaos_core::{Context, Error, Platform, SharedClock, SystemClock, ToolsStatus, VMPowerState};
use chaos_sim::{
    ClusterSpec, DatacenterSpec, Estate, Guest, OnReboot, OnShutdown, Power, Sim, Timing, Tools, VmId, VmRole,
    WireAction, WireFault,
};
use chaos_testkit::conformance::{Ability, Break, Harness, Outage, Server};
use chaos_testkit::{EstateSpec, VmKey, VmSpec};
use chaos_vsphere::{Config, VSphere};
use secrecy::{ExposeSecret, SecretString};

/// The calls that change a VM, and whether they ask its guest.
const DESTRUCTIVE: [(&str, bool); 7] = [
    ("PowerOnVM_Task", false),
    ("PowerOffVM_Task", true),
    ("ResetVM_Task", true),
    ("SuspendVM_Task", false),
    ("ShutdownGuest", false),
    ("RebootGuest", false),
    ("StandbyGuest", false),
];

struct SimulatedVCenter {
    clock: SharedClock,
}

fn simulated_vcenter() -> SimulatedVCenter {
    SimulatedVCenter { clock: SystemClock::shared() }
}

#[async_trait]
impl Harness for SimulatedVCenter {
    fn cannot(&self) -> Vec<(Ability, &'static str)> {
        Vec::new()
    }

    fn clock(&self) -> SharedClock {
        Arc::clone(&self.clock)
    }

    async fn start(&self, estate: &EstateSpec) -> Box<dyn Server> {
        let sim = Sim::builder()
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
        on_reboot: if vm.guest.hangs { OnReboot::Ignores } else { OnReboot::Obeys },
        boot: Some(vm.guest.boot),
        shutdown: Some(vm.guest.shutdown),
    };
    let mut simulated = chaos_sim::VmSpec::new(&vm.name)
        .datacenter(&vm.datacenter)
        .folder(vm.folders.join("/"))
        .host(&vm.host)
        .power(power(vm.power_state))
        .role(if vm.template { VmRole::Template } else { VmRole::Ordinary })
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
    fn which(&self, vm: VmKey) -> String {
        format!("id:{}", self.vms[vm.0].0)
    }

    fn calls_on(&self, vm: VmKey, counts: impl Fn(&(&str, bool)) -> bool) -> usize {
        let id = format!("vm-{}", self.vms[vm.0].0);
        let counted: Vec<&str> = DESTRUCTIVE.iter().filter(|call| counts(call)).map(|(method, _)| *method).collect();
        self.sim.calls().iter().filter(|call| call.object == id && counted.contains(&call.method.as_str())).count()
    }
}

#[async_trait]
impl Server for Running {
    async fn connect(&self, cx: &Context, password: &SecretString) -> Result<Arc<dyn Platform>, Error> {
        let config = Config::new(self.sim.url(), &self.username, password.clone());
        Ok(Arc::new(VSphere::connect(cx, config).await?))
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

    async fn destructive_calls(&self, vm: VmKey) -> usize {
        self.calls_on(vm, |_| true)
    }

    async fn hard_calls(&self, vm: VmKey) -> usize {
        self.calls_on(vm, |(_, hard)| *hard)
    }

    async fn login_attempts(&self) -> usize {
        self.sim.calls_of("Login").len()
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
        let read = |action| self.sim.inject(WireFault::new(action).method("RetrievePropertiesEx"));
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

chaos_testkit::conformance!(simulated_vcenter());
