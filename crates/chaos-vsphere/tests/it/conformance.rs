//! The conformance suite on a simulated vCenter and on a simulated ESXi host.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use chaos_core::{Context, Error, Platform, SharedClock, SystemClock, ToolsStatus, VMPowerState};
use chaos_sim::{
    ClusterSpec, DatacenterSpec, Estate, Flavour, Guest, OnReboot, OnShutdown, Power, Sim, Timing, Tools, VmId, VmRole,
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

struct Simulated {
    clock: SharedClock,
    flavour: Flavour,
}

fn vcenter_server() -> Simulated {
    Simulated { clock: SystemClock::shared(), flavour: Flavour::VCenter }
}

fn esxi_host() -> Simulated {
    Simulated { clock: SystemClock::shared(), flavour: Flavour::Esxi }
}

#[async_trait]
impl Harness for Simulated {
    fn cannot(&self) -> Vec<(Ability, &'static str)> {
        match self.flavour {
            Flavour::VCenter => Vec::new(),
            Flavour::Esxi => vec![
                (Ability::Places, "a host is a place of its own"),
                (Ability::StandaloneHosts, "a host knows no other"),
                (Ability::Folders, "a host has no folders"),
                (Ability::DuplicateNames, "names are unique within a folder"),
            ],
        }
    }

    fn clock(&self) -> SharedClock {
        Arc::clone(&self.clock)
    }

    async fn start(&self, estate: &EstateSpec) -> Box<dyn Server> {
        let sim = Sim::builder()
            .flavour(self.flavour)
            .estate(places(estate))
            .credentials(&estate.username, estate.password.expose_secret())
            .timing(Timing { jitter: 0.0, ..Timing::fast() })
            .start()
            .await
            .unwrap();
        let add = |vm: &VmSpec| {
            let vm = match self.flavour {
                Flavour::VCenter => simulated(vm),
                Flavour::Esxi => {
                    chaos_sim::VmSpec { datacenter: None, folder: String::new(), host: None, ..simulated(vm) }
                }
            };
            sim.world().add(&vm).unwrap().id
        };
        let vms = estate.vms.iter().map(add).collect();
        Box::new(Running { sim, vms, flavour: self.flavour, username: estate.username.clone() })
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
    flavour: Flavour,
    username: String,
}

impl Running {
    fn object_id(&self, vm: VmKey) -> String {
        match self.flavour {
            Flavour::VCenter => format!("vm-{}", self.vms[vm.0].0),
            Flavour::Esxi => self.vms[vm.0].0.to_string(),
        }
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
        let config = Config::new(self.sim.url(), &self.username, password.clone());
        Ok(Arc::new(VSphere::connect(cx, config).await?))
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

mod vcenter {
    use super::vcenter_server;

    chaos_testkit::conformance!(vcenter_server());
}

mod esxi {
    use super::esxi_host;

    chaos_testkit::conformance!(esxi_host());
}
