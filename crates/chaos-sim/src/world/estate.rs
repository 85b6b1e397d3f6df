//! What a world holds when it begins: written in code, read from JSON, or one of the ready-made estates.

use serde::{Deserialize, Serialize};

use super::model::{Condition, Disks, Guest, Hold, OnReboot, OnShutdown, Power, Question, Reach, Tools, VmRole};

/// The plan of a world.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Estate {
    /// Its datacenters.
    pub datacenters: Vec<DatacenterSpec>,
}

/// The plan of a datacenter.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatacenterSpec {
    /// Its name.
    pub name: String,
    /// Its clusters.
    pub clusters: Vec<ClusterSpec>,
    /// Clusters that a platform which can tell shows as belonging to no datacenter.
    pub orphan_clusters: Vec<ClusterSpec>,
    /// Names of hosts that stand on their own.
    pub hosts: Vec<String>,
    /// Its applications (vApps). A VM that names one that is not listed creates it.
    pub apps: Vec<AppSpec>,
    /// Its VMs. Folders that they name are created.
    pub vms: Vec<VmSpec>,
}

/// The plan of a cluster.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClusterSpec {
    /// Its name.
    pub name: String,
    /// Names of its hosts.
    pub hosts: Vec<String>,
}

/// The plan of an application.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AppSpec {
    /// Its name.
    pub name: String,
    /// The folder that shows it, as a path such as `shop/front`; empty for the datacenter itself.
    pub folder: String,
}

/// The plan of a VM. What is not said is chosen from the seed and the name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VmSpec {
    /// Its name, unescaped: `a/b` is a fine name.
    pub name: String,
    /// The datacenter to put it in, where the plan does not say; the first one if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datacenter: Option<String>,
    /// Its folder as a path such as `shop/front`; empty for the datacenter itself.
    pub folder: String,
    /// Its application, if it is part of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// The name of its host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Its power.
    pub power: Power,
    /// What kind of VM it is. A template is always off.
    pub role: VmRole,
    /// Its reachability.
    pub reach: Reach,
    /// What it is besides running.
    pub condition: Condition,
    /// State of its disks.
    pub disks: Disks,
    /// What keeps others from it.
    pub hold: Hold,
    /// True for a VM whose configuration cannot be read.
    pub without_config: bool,
    /// True for a VM that takes over a changed configuration when it is next started.
    pub has_next_run: bool,
    /// True for a VM whose guest does not hear the power button: only an agent can ask it.
    pub is_deaf: bool,
    /// What people wrote about it.
    pub description: String,
    /// Its guest's behaviour.
    pub guest: Guest,
    /// Virtual processors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpus: Option<u32>,
    /// Sockets that they are in; one unless the number of processors is a multiple of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sockets: Option<u32>,
    /// Threads of each of their cores; one unless the processors of a socket are a multiple of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<u32>,
    /// Memory in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_mb: Option<u32>,
    /// Its operating system, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guest_os: Option<String>,
    /// A question that its next power on asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question_at_power_on: Option<Question>,
}

impl VmSpec {
    /// A running VM with a guest that behaves well.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Puts it into a folder, given as a path such as `shop/front`.
    #[must_use]
    pub fn folder(mut self, path: impl Into<String>) -> Self {
        self.folder = path.into();
        self
    }

    /// Puts it into a datacenter.
    #[must_use]
    pub fn datacenter(mut self, name: impl Into<String>) -> Self {
        self.datacenter = Some(name.into());
        self
    }

    /// Makes it a member of an application.
    #[must_use]
    pub fn app(mut self, name: impl Into<String>) -> Self {
        self.app = Some(name.into());
        self
    }

    /// Puts it on a host.
    #[must_use]
    pub fn host(mut self, name: impl Into<String>) -> Self {
        self.host = Some(name.into());
        self
    }

    /// Sets its power.
    #[must_use]
    pub fn power(mut self, power: Power) -> Self {
        self.power = power;
        self
    }

    /// Makes it another kind of VM.
    #[must_use]
    pub fn role(mut self, role: VmRole) -> Self {
        self.role = role;
        self
    }

    /// Makes it harder to reach.
    #[must_use]
    pub fn reach(mut self, reach: Reach) -> Self {
        self.reach = reach;
        self
    }

    /// Sets what it is besides running.
    #[must_use]
    pub fn condition(mut self, condition: Condition) -> Self {
        self.condition = condition;
        self
    }

    /// Sets the state of its disks.
    #[must_use]
    pub fn disks(mut self, disks: Disks) -> Self {
        self.disks = disks;
        self
    }

    /// Keeps others from it.
    #[must_use]
    pub fn hold(mut self, hold: Hold) -> Self {
        self.hold = hold;
        self
    }

    /// Lets it take over a changed configuration when it is next started.
    #[must_use]
    pub fn next_run(mut self) -> Self {
        self.has_next_run = true;
        self
    }

    /// Makes its guest deaf to the power button.
    #[must_use]
    pub fn deaf(mut self) -> Self {
        self.is_deaf = true;
        self
    }

    /// Sets its processors: so many sockets, cores in each, and threads in each core.
    #[must_use]
    pub fn topology(mut self, sockets: u32, cores: u32, threads: u32) -> Self {
        self.cpus = Some(sockets * cores * threads);
        self.sockets = Some(sockets);
        self.threads = Some(threads);
        self
    }

    /// Hides its configuration.
    #[must_use]
    pub fn without_config(mut self) -> Self {
        self.without_config = true;
        self
    }

    /// Sets its guest agent.
    #[must_use]
    pub fn tools(mut self, tools: Tools) -> Self {
        self.guest.tools = tools;
        self
    }

    /// Sets its answer to shutdown requests.
    #[must_use]
    pub fn on_shutdown(mut self, answer: OnShutdown) -> Self {
        self.guest.on_shutdown = answer;
        self
    }

    /// Sets its answer to reboot requests.
    #[must_use]
    pub fn on_reboot(mut self, answer: OnReboot) -> Self {
        self.guest.on_reboot = answer;
        self
    }

    /// Sets its guest's behaviour as a whole.
    #[must_use]
    pub fn guest(mut self, guest: Guest) -> Self {
        self.guest = guest;
        self
    }

    /// Lets its next power on wait for an answer to this question.
    #[must_use]
    pub fn asks(mut self, question: Question) -> Self {
        self.question_at_power_on = Some(question);
        self
    }
}

impl Estate {
    /// Reads a plan from JSON.
    ///
    /// # Errors
    /// What is wrong with the text, with line and column.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// A plain estate of `count` running VMs named `vm-00001` and so on: clusters of sixteen hosts, about forty VMs a host,
    /// folders of two hundred and fifty VMs, a datacenter for each 5,000 VMs, and one standalone host.
    #[must_use]
    pub fn of_size(count: usize) -> Self {
        let datacenters = (1..=count.div_ceil(5_000).max(1)).map(|number| plain_datacenter(number, count)).collect();
        Self { datacenters }
    }

    /// The demo estate of rehearsals: a web tier, databases, a few services and a template, on two clusters.
    #[must_use]
    pub fn demo() -> Self {
        let on = |name: &str, folder: &str, host: &str| VmSpec::new(name).folder(folder).host(host);
        Self {
            datacenters: vec![DatacenterSpec {
                name: "demo".into(),
                clusters: vec![cluster("frontend", &["esx-f1", "esx-f2"]), cluster("backend", &["esx-b1", "esx-b2"])],
                vms: vec![
                    on("web-01", "web", "esx-f1"),
                    on("web-02", "web", "esx-f2"),
                    on("web-03", "web", "esx-f1"),
                    on("web-04", "web", "esx-f2"),
                    on("lb-01", "web", "esx-f1"),
                    on("database-01", "data", "esx-b1"),
                    on("database-02", "data", "esx-b2"),
                    on("database-03", "data", "esx-b1"),
                    on("cache-01", "data", "esx-b2"),
                    on("batch-01", "", "esx-b2").power(Power::Off),
                    on("golden-image", "", "esx-b1").role(VmRole::Template),
                ],
                ..DatacenterSpec::default()
            }],
        }
    }

    /// The same VMs on a single host without folders, as a host that is managed on its own shows them.
    #[must_use]
    pub(crate) fn on_one_host(self) -> Self {
        let vms = self.datacenters.into_iter().flat_map(|datacenter| datacenter.vms).map(|vm| VmSpec {
            datacenter: None,
            folder: String::new(),
            app: None,
            host: None,
            ..vm
        });
        let datacenter = DatacenterSpec {
            name: "ha-datacenter".into(),
            hosts: vec!["localhost.localdomain".into()],
            vms: vms.collect(),
            ..DatacenterSpec::default()
        };
        Self { datacenters: vec![datacenter] }
    }

    /// One VM of every odd kind beside an ordinary one, with names that are easy to get wrong.
    #[must_use]
    pub fn odd() -> Self {
        let first = DatacenterSpec {
            name: "north".into(),
            clusters: vec![cluster("c1", &["n1", "n2"])],
            hosts: vec!["lonely".into()],
            apps: vec![AppSpec { name: "shop".into(), folder: "apps".into() }],
            vms: vec![
                VmSpec::new("ordinary").host("n1"),
                VmSpec::new("on standalone").host("lonely"),
                VmSpec::new("nested").folder("a/b/c"),
                VmSpec::new("twin").folder("left"),
                VmSpec::new("twin").folder("right"),
                VmSpec::new("a/b"),
                VmSpec::new("100% \\ <ok> & \"fine\""),
                VmSpec::new("db[1]"),
                VmSpec::new("Grün-日本"),
                VmSpec::new("shop-front").app("shop"),
                VmSpec::new("shop-back").app("shop"),
                VmSpec::new("off").power(Power::Off),
                VmSpec::new("suspended").power(Power::Suspended),
                VmSpec::new("golden").role(VmRole::Template),
                VmSpec::new("pair").host("n1"),
                VmSpec::new("pair").host("n2").role(VmRole::FaultToleranceSecondary).folder("ft"),
                VmSpec::new("vCLS-5b2e").role(VmRole::ClusterService).folder("vCLS").tools(Tools::Unmanaged),
                VmSpec::new("no config").without_config(),
                VmSpec::new("disconnected").reach(Reach::Disconnected),
                VmSpec::new("orphaned").reach(Reach::Orphaned),
                VmSpec::new("inaccessible").reach(Reach::Inaccessible).power(Power::Off),
                VmSpec::new("no tools").tools(Tools::NotInstalled),
                VmSpec::new("stopped tools").tools(Tools::Stopped),
                VmSpec::new("open tools").tools(Tools::Unmanaged),
                VmSpec::new("hangs").on_shutdown(OnShutdown::Hangs),
            ],
            ..DatacenterSpec::default()
        };
        let second = DatacenterSpec {
            name: "south".into(),
            clusters: vec![cluster("c1", &["s1"])],
            vms: vec![VmSpec::new("ordinary-south"), VmSpec::new("twin")],
            ..DatacenterSpec::default()
        };
        Self { datacenters: vec![first, second] }
    }
}

fn cluster(name: &str, hosts: &[&str]) -> ClusterSpec {
    ClusterSpec { name: name.into(), hosts: hosts.iter().map(|host| (*host).to_owned()).collect() }
}

/// The `number`th datacenter, counted from one, of a plain estate of `count` VMs.
fn plain_datacenter(number: usize, count: usize) -> DatacenterSpec {
    let first = (number - 1) * 5_000 + 1;
    let last = (number * 5_000).min(count);
    let hosts = (last + 1).saturating_sub(first).div_ceil(40).max(2);
    let host_name = |host: usize| format!("dc{number}-esx-{host:03}");
    let all: Vec<String> = (1..=hosts).map(host_name).collect();
    let clusters = all
        .chunks(16)
        .enumerate()
        .map(|(index, hosts)| ClusterSpec {
            name: format!("dc{number}-cluster-{:02}", index + 1),
            hosts: hosts.to_vec(),
        })
        .collect();
    let standalone = format!("dc{number}-standalone");
    let vms = (first..=last)
        .map(|vm| {
            // Every fiftieth VM is on the standalone host.
            let host = if vm % 50 == 0 { standalone.clone() } else { all[vm % all.len()].clone() };
            VmSpec::new(format!("vm-{vm:05}")).folder(format!("batch/{:03}", (vm - 1) / 250)).host(host)
        })
        .collect();
    DatacenterSpec { name: format!("DC{number}"), clusters, hosts: vec![standalone], vms, ..DatacenterSpec::default() }
}
