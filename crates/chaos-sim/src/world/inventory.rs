//! The objects of a world, how they hang together, and how they are built from a plan.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::chance;
use super::error::WorldError;
use super::estate::{DatacenterSpec, Estate, VmSpec};
use super::model::{
    App, AppId, Cluster, ClusterId, Datacenter, DatacenterId, Folder, FolderId, GuestPhase, Host, HostId, HostState,
    Place, Power, Reach, Vm, VmId, VmRole,
};

/// VMs that are added later get ids from here on, so that they never collide with those of the plan.
const FIRST_LATE_ID: u32 = 1_000_000;

/// Operating systems of VMs whose plan names none.
const GUEST_SYSTEMS: [&str; 4] = [
    "Ubuntu Linux (64-bit)",
    "Red Hat Enterprise Linux 9 (64-bit)",
    "Debian GNU/Linux 12 (64-bit)",
    "Microsoft Windows Server 2022 (64-bit)",
];

/// Everything that exists in a world.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    pub(crate) datacenters: BTreeMap<DatacenterId, Datacenter>,
    pub(crate) clusters: BTreeMap<ClusterId, Cluster>,
    pub(crate) hosts: BTreeMap<HostId, Host>,
    pub(crate) folders: BTreeMap<FolderId, Folder>,
    pub(crate) apps: BTreeMap<AppId, App>,
    pub(crate) vms: BTreeMap<VmId, Vm>,
    /// How many VMs were ever added.
    pub(crate) additions: u64,
    /// Which VMs are shown where.
    contents: BTreeMap<Place, BTreeSet<VmId>>,
    /// Names are unique in a place.
    names: HashMap<(Place, String), VmId>,
}

/// What building needs to know besides the plan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    pub(crate) seed: u64,
    pub(crate) start: Timestamp,
    pub(crate) revision: u64,
}

impl Inventory {
    /// Builds the inventory of a plan.
    pub(crate) fn build(estate: &Estate, origin: Origin) -> Result<Self, WorldError> {
        let mut inventory = Self::default();
        for spec in &estate.datacenters {
            let datacenter = inventory.add_datacenter(spec);
            for vm in &spec.vms {
                let id = VmId(number(inventory.vms.len()));
                inventory.insert_vm(id, datacenter, vm, origin)?;
            }
        }
        Ok(inventory)
    }

    fn add_datacenter(&mut self, spec: &DatacenterSpec) -> DatacenterId {
        let id = DatacenterId(number(self.datacenters.len()));
        self.datacenters.insert(id, Datacenter { id, name: spec.name.clone() });
        for (clusters, is_orphan) in [(&spec.clusters, false), (&spec.orphan_clusters, true)] {
            for cluster in clusters {
                let cluster_id = ClusterId(number(self.clusters.len()));
                let name = cluster.name.clone();
                self.clusters.insert(cluster_id, Cluster { id: cluster_id, name, datacenter: id, is_orphan });
                for host in &cluster.hosts {
                    self.add_host(host, id, Some(cluster_id));
                }
            }
        }
        for host in &spec.hosts {
            self.add_host(host, id, None);
        }
        if self.hosts.values().all(|host| host.datacenter != id) && !spec.vms.is_empty() {
            self.add_host("host-1", id, None);
        }
        for app in &spec.apps {
            self.app(id, &app.name, &app.folder);
        }
        id
    }

    fn add_host(&mut self, name: &str, datacenter: DatacenterId, cluster: Option<ClusterId>) {
        let id = HostId(number(self.hosts.len()));
        let host = Host { id, name: name.to_owned(), datacenter, cluster, state: HostState::Up, revision: 0 };
        self.hosts.insert(id, host);
    }

    /// Adds a VM to a world that is already there. Its id depends on its name and place alone.
    pub(crate) fn add_vm(&mut self, spec: &VmSpec, origin: Origin) -> Result<VmId, WorldError> {
        let datacenter = match &spec.datacenter {
            Some(name) => self.datacenters.values().find(|datacenter| datacenter.name == *name),
            None => self.datacenters.values().next(),
        };
        let datacenter = datacenter.map(|datacenter| datacenter.id).ok_or_else(|| WorldError::NoDatacenter {
            vm: spec.name.clone(),
            datacenter: spec.datacenter.clone().unwrap_or_default(),
        })?;
        let keys = [u64::from(datacenter.0), chance::key(&spec.folder), chance::key(&spec.name)];
        let drawn = chance::number(origin.seed, "late vm", &keys) % 100_000_000;
        let mut id = VmId(FIRST_LATE_ID + u32::try_from(drawn).unwrap_or_default());
        while self.vms.contains_key(&id) {
            id.0 += 1;
        }
        self.insert_vm(id, datacenter, spec, origin)?;
        Ok(id)
    }

    fn insert_vm(
        &mut self,
        id: VmId,
        datacenter: DatacenterId,
        spec: &VmSpec,
        origin: Origin,
    ) -> Result<(), WorldError> {
        let host = self.host_for(datacenter, spec, origin.seed)?;
        let place = match &spec.app {
            Some(app) => Place::App(self.app(datacenter, app, &spec.folder)),
            None => self.folder(datacenter, &spec.folder).map_or(Place::Datacenter(datacenter), Place::Folder),
        };
        let name = (place, spec.name.clone());
        if self.names.contains_key(&name) {
            return Err(WorldError::NameTaken { vm: spec.name.clone() });
        }
        let mut vm = new_vm(id, place, host, spec, origin);
        if vm.role == VmRole::FaultToleranceSecondary
            && let Some(primary) = self.vms.values().find(|other| other.name == vm.name)
        {
            vm.bios_uuid.clone_from(&primary.bios_uuid);
        }
        self.names.insert(name, id);
        self.contents.entry(place).or_default().insert(id);
        self.vms.insert(id, vm);
        self.additions += 1;
        Ok(())
    }

    /// Removes a VM; false if it was not there.
    pub(crate) fn remove_vm(&mut self, id: VmId) -> bool {
        let Some(vm) = self.vms.remove(&id) else { return false };
        self.names.remove(&(vm.place, vm.name));
        if let Some(contents) = self.contents.get_mut(&vm.place) {
            contents.remove(&id);
        }
        true
    }

    fn host_for(&self, datacenter: DatacenterId, spec: &VmSpec, seed: u64) -> Result<HostId, WorldError> {
        let mut hosts = self.hosts.values().filter(|host| host.datacenter == datacenter);
        if let Some(name) = &spec.host {
            let found = hosts.find(|host| host.name == *name).map(|host| host.id);
            return found.ok_or_else(|| WorldError::NoHost { vm: spec.name.clone(), host: name.clone() });
        }
        let hosts: Vec<HostId> = hosts.map(|host| host.id).collect();
        let drawn = chance::number(seed, "host", &[chance::key(&spec.name)]);
        let index = usize::try_from(drawn % u64::try_from(hosts.len().max(1)).unwrap_or(1)).unwrap_or_default();
        hosts.get(index).copied().ok_or_else(|| WorldError::NoHost { vm: spec.name.clone(), host: String::new() })
    }

    /// The folder at a path below a datacenter, created where it is missing; none for the empty path.
    fn folder(&mut self, datacenter: DatacenterId, path: &str) -> Option<FolderId> {
        let mut parent = None;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let there = self
                .folders
                .values()
                .find(|folder| folder.datacenter == datacenter && folder.parent == parent && folder.name == name);
            let id = there.map_or_else(|| FolderId(number(self.folders.len())), |folder| folder.id);
            self.folders.entry(id).or_insert_with(|| Folder { id, name: name.to_owned(), datacenter, parent });
            parent = Some(id);
        }
        parent
    }

    /// The application of that name in a datacenter, created if it is missing.
    fn app(&mut self, datacenter: DatacenterId, name: &str, folder: &str) -> AppId {
        if let Some(app) = self.apps.values().find(|app| app.datacenter == datacenter && app.name == name) {
            return app.id;
        }
        let id = AppId(number(self.apps.len()));
        let folder = self.folder(datacenter, folder);
        // A datacenter has a host by now; its first one carries the application's resources.
        let host = self.hosts.values().find(|host| host.datacenter == datacenter);
        let (host, cluster) = host.map_or((HostId(0), None), |host| (host.id, host.cluster));
        self.apps.insert(id, App { id, name: name.to_owned(), datacenter, folder, cluster, host });
        id
    }

    /// The VMs shown directly in a place, in the order of their ids.
    pub(crate) fn vms_in(&self, place: Place) -> impl Iterator<Item = &Vm> {
        self.contents.get(&place).into_iter().flatten().filter_map(|id| self.vms.get(id))
    }

    /// The folders directly below a folder, or below the datacenter itself.
    pub(crate) fn folders_in(
        &self,
        datacenter: DatacenterId,
        parent: Option<FolderId>,
    ) -> impl Iterator<Item = &Folder> {
        self.folders.values().filter(move |folder| folder.datacenter == datacenter && folder.parent == parent)
    }

    /// The applications shown directly in a folder, or in the datacenter itself.
    pub(crate) fn apps_in(&self, datacenter: DatacenterId, folder: Option<FolderId>) -> impl Iterator<Item = &App> {
        self.apps.values().filter(move |app| app.datacenter == datacenter && app.folder == folder)
    }

    /// The VM of that name in that place.
    pub(crate) fn vm_named(&self, place: Place, name: &str) -> Option<&Vm> {
        self.names.get(&(place, name.to_owned())).and_then(|id| self.vms.get(id))
    }

    /// The datacenter of a place.
    pub(crate) fn datacenter_of(&self, place: Place) -> Option<&Datacenter> {
        let id = match place {
            Place::Datacenter(id) => id,
            Place::Folder(id) => self.folders.get(&id)?.datacenter,
            Place::App(id) => self.apps.get(&id)?.datacenter,
        };
        self.datacenters.get(&id)
    }

    /// The path of a VM as people write it: `/datacenter/folder/name`, names unescaped.
    pub(crate) fn path(&self, vm: &Vm) -> String {
        let mut names = vec![vm.name.as_str()];
        let mut place = Some(vm.place);
        while let Some(here) = place {
            let (name, next) = match here {
                Place::Datacenter(id) => (self.datacenters.get(&id).map(|it| it.name.as_str()), None),
                Place::Folder(id) => self.folders.get(&id).map_or((None, None), |folder| {
                    let up = folder.parent.map_or(Place::Datacenter(folder.datacenter), Place::Folder);
                    (Some(folder.name.as_str()), Some(up))
                }),
                Place::App(id) => self.apps.get(&id).map_or((None, None), |app| {
                    let up = app.folder.map_or(Place::Datacenter(app.datacenter), Place::Folder);
                    (Some(app.name.as_str()), Some(up))
                }),
            };
            names.extend(name);
            place = next;
        }
        names.reverse();
        format!("/{}", names.join("/"))
    }
}

fn new_vm(id: VmId, place: Place, host: HostId, spec: &VmSpec, origin: Origin) -> Vm {
    let keys = [u64::from(id.0), chance::key(&spec.name)];
    let draw = |purpose: &str, below: u64| chance::number(origin.seed, purpose, &keys) % below;
    let power = if spec.role == VmRole::Template { Power::Off } else { spec.power };
    let hours_up = i64::try_from(draw("uptime", 90 * 24)).unwrap_or_default() + 1;
    let began = origin.start.saturating_sub(SignedDuration::from_hours(hours_up)).unwrap_or(origin.start);
    let days_old = i64::try_from(draw("age", 700)).unwrap_or_default() + 91;
    let made = origin.start.saturating_sub(SignedDuration::from_hours(days_old * 24)).unwrap_or(origin.start);
    let system = usize::try_from(draw("system", GUEST_SYSTEMS.len() as u64)).unwrap_or_default();
    let cpus = spec.cpus.unwrap_or_else(|| 1 << draw("cpus", 4)).max(1);
    let dividing = |wanted: Option<u32>, all: u32| wanted.filter(|n| *n > 0 && all.is_multiple_of(*n)).unwrap_or(1);
    let sockets = dividing(spec.sockets, cpus);
    let threads = dividing(spec.threads, cpus / sockets);
    Vm {
        id,
        name: spec.name.clone(),
        place,
        host,
        power,
        phase: if power == Power::On { GuestPhase::Ready } else { GuestPhase::Down },
        guest: spec.guest.clone(),
        reach: spec.reach,
        condition: spec.condition,
        disks: spec.disks,
        hold: spec.hold,
        role: spec.role,
        has_config: !spec.without_config && !matches!(spec.reach, Reach::Inaccessible | Reach::Invalid),
        has_next_run: spec.has_next_run,
        hears_button: !spec.is_deaf,
        description: spec.description.clone(),
        cpus,
        sockets,
        threads,
        memory_mb: spec.memory_mb.unwrap_or_else(|| 1024 << draw("memory", 5)),
        guest_os: spec.guest_os.clone().unwrap_or_else(|| GUEST_SYSTEMS[system].to_owned()),
        bios_uuid: chance::uuid(origin.seed, "bios", &keys),
        instance_uuid: chance::uuid(origin.seed, "instance", &keys),
        ip_address: format!("10.{}.{}.{}", (id.0 >> 16) & 0xFF, (id.0 >> 8) & 0xFF, id.0 & 0xFF),
        creation_time: made,
        stop_time: (power != Power::On).then_some(began),
        stop_reason: None,
        boot_time: (power == Power::On).then_some(began),
        suspend_time: (power == Power::Suspended).then_some(began),
        clean_power_off: None,
        question: None,
        question_at_power_on: spec.question_at_power_on.clone(),
        task: None,
        is_rebooting: false,
        phase_since: std::time::Duration::ZERO,
        restarts_when_down: false,
        pauses_at_power_on: false,
        holds: 0,
        operations: 0,
        epoch: 0,
        revision: origin.revision,
    }
}

/// The next id of a kind, counted from one.
fn number(there: usize) -> u32 {
    u32::try_from(there).unwrap_or(u32::MAX - 1) + 1
}
