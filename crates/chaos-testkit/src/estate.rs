//! An estate to order, in words that no vendor owns: what a harness has to build on its server.

use std::time::Duration;

use chaos_core::{ToolsStatus, VMPowerState};
use secrecy::SecretString;

/// A server to build: its account and its VMs.
#[derive(Debug, Clone)]
pub struct EstateSpec {
    /// The only account.
    pub username: String,
    /// Its password.
    pub password: SecretString,
    /// The VMs, in the order of their [`VmKey`]s.
    pub vms: Vec<VmSpec>,
}

/// Which VM of an [`EstateSpec`]: names need not be unique, and object ids are the server's to choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VmKey(pub usize);

/// A VM to build. The default of every field but the name is a running Linux VM with an agent that answers, in the
/// first cluster of the first datacenter.
#[derive(Debug, Clone)]
pub struct VmSpec {
    /// Its name, decoded. May be that of another VM in another datacenter or folder.
    pub name: String,
    /// The names of its folders below the datacenter's VM folder, from the outside in. Left out by a harness without
    /// folders.
    pub folders: Vec<String>,
    /// Its datacenter.
    pub datacenter: String,
    /// Its cluster; none for a standalone host.
    pub cluster: Option<String>,
    /// Its host. A host belongs to one cluster.
    pub host: String,
    /// Whether it runs.
    pub power_state: VMPowerState,
    /// Virtual CPUs.
    pub cpu_count: u32,
    /// Memory in MiB.
    pub memory_mb: u64,
    /// Whether it is a template, which is never on.
    pub template: bool,
    /// Its guest.
    pub guest: Guest,
}

/// How a guest behaves. Times are those of the server's clock.
#[derive(Debug, Clone, Copy)]
pub struct Guest {
    /// Its agent, while the guest runs.
    pub tools: ToolsStatus,
    /// How long it takes to shut down.
    pub shutdown: Duration,
    /// How long it takes to come up.
    pub boot: Duration,
    /// It accepts to be shut down or restarted, and then does nothing.
    pub hangs: bool,
}

impl Default for Guest {
    fn default() -> Self {
        Self {
            tools: ToolsStatus::Running,
            shutdown: Duration::from_millis(40),
            boot: Duration::from_millis(40),
            hangs: false,
        }
    }
}

impl EstateSpec {
    /// An estate without VMs, with an account `chaos` and password `chaos`.
    #[must_use]
    pub fn new() -> Self {
        Self { username: "chaos".into(), password: "chaos".into(), vms: Vec::new() }
    }

    /// An estate of running VMs with these names.
    #[must_use]
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new().with(names.into_iter().map(VmSpec::new))
    }

    /// An estate of `count` running VMs `vm-0000`, `vm-0001` and so on, over two datacenters, four clusters, eight
    /// hosts and sixteen folders.
    #[must_use]
    pub fn many(count: usize) -> Self {
        Self::new().with((0..count).map(|n| {
            let (datacenter, cluster, host) = (n % 2, n % 4, n % 8);
            VmSpec::new(&format!("vm-{n:04}"))
                .datacenter(&format!("DC{datacenter}"))
                .cluster(Some(&format!("DC{datacenter}-C{cluster}")))
                .host(&format!("host-{host}"))
                .folder(&format!("folder-{}", n % 16))
        }))
    }

    /// Adds VMs.
    #[must_use]
    pub fn with(mut self, vms: impl IntoIterator<Item = VmSpec>) -> Self {
        self.vms.extend(vms);
        self
    }

    /// Replaces the password.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.password = password.into();
        self
    }

    /// Adds a VM and tells its key.
    pub fn add(&mut self, vm: VmSpec) -> VmKey {
        self.vms.push(vm);
        VmKey(self.vms.len() - 1)
    }

    /// The keys of all VMs.
    pub fn keys(&self) -> impl Iterator<Item = VmKey> + use<> {
        (0..self.vms.len()).map(VmKey)
    }
}

impl Default for EstateSpec {
    fn default() -> Self {
        Self::new()
    }
}

impl VmSpec {
    /// A running VM.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            folders: Vec::new(),
            datacenter: "DC0".to_owned(),
            cluster: Some("DC0-C0".to_owned()),
            host: "host-0".to_owned(),
            power_state: VMPowerState::PoweredOn,
            cpu_count: 2,
            memory_mb: 2048,
            template: false,
            guest: Guest::default(),
        }
    }

    /// In this state.
    #[must_use]
    pub fn state(mut self, state: VMPowerState) -> Self {
        self.power_state = state;
        self
    }

    /// Powered off.
    #[must_use]
    pub fn off(self) -> Self {
        self.state(VMPowerState::PoweredOff)
    }

    /// Suspended.
    #[must_use]
    pub fn suspended(self) -> Self {
        self.state(VMPowerState::Suspended)
    }

    /// A template.
    #[must_use]
    pub fn template(mut self) -> Self {
        self.template = true;
        self.off()
    }

    /// One folder further in.
    #[must_use]
    pub fn folder(mut self, name: &str) -> Self {
        self.folders.push(name.to_owned());
        self
    }

    /// In this datacenter.
    #[must_use]
    pub fn datacenter(mut self, name: &str) -> Self {
        name.clone_into(&mut self.datacenter);
        self
    }

    /// In this cluster, or on a standalone host.
    #[must_use]
    pub fn cluster(mut self, name: Option<&str>) -> Self {
        self.cluster = name.map(str::to_owned);
        self
    }

    /// On this host.
    #[must_use]
    pub fn host(mut self, name: &str) -> Self {
        name.clone_into(&mut self.host);
        self
    }

    /// Of this size.
    #[must_use]
    pub fn size(mut self, cpu_count: u32, memory_mb: u64) -> Self {
        self.cpu_count = cpu_count;
        self.memory_mb = memory_mb;
        self
    }

    /// With a guest agent in this state.
    #[must_use]
    pub fn tools(mut self, tools: ToolsStatus) -> Self {
        self.guest.tools = tools;
        self
    }

    /// With a guest that never does what it is asked to.
    #[must_use]
    pub fn hanging(mut self) -> Self {
        self.guest.hangs = true;
        self
    }

    /// With a guest that takes this long to shut down and as long to come up.
    #[must_use]
    pub fn slow(mut self, each_way: Duration) -> Self {
        self.guest.shutdown = each_way;
        self.guest.boot = each_way;
        self
    }
}
