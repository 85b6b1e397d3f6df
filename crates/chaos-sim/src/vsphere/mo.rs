//! Managed objects: which objects of the world a vCenter or an ESXi host shows, and under which ids.

use super::schema;
use super::value::Ref;
use crate::world::{AppId, ClusterId, DatacenterId, FolderId, HostId, Place, State, TaskId, TaskOwner, VmId};

/// Which kind of server the door plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Flavour {
    /// A vCenter with datacenters, folders and clusters.
    #[default]
    VCenter,
    /// A single ESXi host.
    Esxi,
}

/// A cluster, or the compute resource that wraps a standalone host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum ComputeId {
    Cluster(ClusterId),
    Standalone(HostId),
}

/// The two kinds of views.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum ViewKind {
    Container,
    List,
}

/// A managed object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Mo {
    ServiceInstance,
    SessionManager,
    AuthorizationManager,
    ViewManager,
    SearchIndex,
    TaskManager,
    OptionManager,
    /// The collector that every session has, or a private one.
    Collector(Option<String>),
    View(ViewKind, String),
    Filter(String),
    Root,
    Datacenter(DatacenterId),
    VmFolder(DatacenterId),
    HostFolder(DatacenterId),
    DatastoreFolder(DatacenterId),
    NetworkFolder(DatacenterId),
    Folder(FolderId),
    Compute(ComputeId),
    Host(HostId),
    Pool(ComputeId),
    App(AppId),
    Vm(VmId),
    Task(TaskId),
}

/// Singletons: object, type, id on a vCenter, id on an ESXi host.
const SINGLETONS: [(Mo, &str, &str, &str); 9] = [
    (Mo::ServiceInstance, "ServiceInstance", "ServiceInstance", "ServiceInstance"),
    (Mo::SessionManager, "SessionManager", "SessionManager", "ha-sessionmgr"),
    (Mo::AuthorizationManager, "AuthorizationManager", "AuthorizationManager", "ha-authmgr"),
    (Mo::ViewManager, "ViewManager", "ViewManager", "ViewManager"),
    (Mo::SearchIndex, "SearchIndex", "SearchIndex", "ha-searchindex"),
    (Mo::TaskManager, "TaskManager", "TaskManager", "ha-taskmgr"),
    (Mo::OptionManager, "OptionManager", "VpxSettings", "HostAgentSettings"),
    (Mo::Collector(None), "PropertyCollector", "propertyCollector", "ha-property-collector"),
    (Mo::Root, "Folder", "group-d1", "ha-folder-root"),
];

/// The folders made by users get ids from here on; below are those that every datacenter has.
const FIRST_FOLDER: u32 = 1000;

impl Mo {
    /// The name of its type.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::ServiceInstance => "ServiceInstance",
            Self::SessionManager => "SessionManager",
            Self::AuthorizationManager => "AuthorizationManager",
            Self::ViewManager => "ViewManager",
            Self::SearchIndex => "SearchIndex",
            Self::TaskManager => "TaskManager",
            Self::OptionManager => "OptionManager",
            Self::Collector(_) => "PropertyCollector",
            Self::View(ViewKind::Container, _) => "ContainerView",
            Self::View(ViewKind::List, _) => "ListView",
            Self::Filter(_) => "PropertyFilter",
            Self::Root
            | Self::VmFolder(_)
            | Self::HostFolder(_)
            | Self::DatastoreFolder(_)
            | Self::NetworkFolder(_)
            | Self::Folder(_) => "Folder",
            Self::Datacenter(_) => "Datacenter",
            Self::Compute(ComputeId::Cluster(_)) => "ClusterComputeResource",
            Self::Compute(ComputeId::Standalone(_)) => "ComputeResource",
            Self::Host(_) => "HostSystem",
            Self::Pool(_) => "ResourcePool",
            Self::App(_) => "VirtualApp",
            Self::Vm(_) => "VirtualMachine",
            Self::Task(_) => "Task",
        }
    }

    /// Its reference.
    pub(super) fn reference(&self, flavour: Flavour) -> Ref {
        Ref { kind: self.kind(), id: self.id(flavour) }
    }

    fn id(&self, flavour: Flavour) -> String {
        if let Some((_, _, vcenter, esxi)) = SINGLETONS.iter().find(|(mo, ..)| mo == self) {
            return (if flavour == Flavour::Esxi { *esxi } else { *vcenter }).to_owned();
        }
        if let Self::Collector(Some(id)) | Self::View(_, id) | Self::Filter(id) = self {
            return id.clone();
        }
        match flavour {
            Flavour::VCenter => self.vcenter_id(),
            Flavour::Esxi => self.esxi_id(),
        }
    }

    fn vcenter_id(&self) -> String {
        match self {
            Self::Datacenter(id) => format!("datacenter-{}", id.0),
            Self::VmFolder(id) => format!("group-v{}", id.0),
            Self::HostFolder(id) => format!("group-h{}", id.0),
            Self::DatastoreFolder(id) => format!("group-s{}", id.0),
            Self::NetworkFolder(id) => format!("group-n{}", id.0),
            Self::Folder(id) => format!("group-v{}", FIRST_FOLDER + id.0),
            Self::Compute(ComputeId::Cluster(id)) => format!("domain-c{}", id.0),
            Self::Compute(ComputeId::Standalone(id)) => format!("domain-s{}", id.0),
            Self::Host(id) => format!("host-{}", id.0),
            Self::Pool(ComputeId::Cluster(id)) => format!("resgroup-c{}", id.0),
            Self::Pool(ComputeId::Standalone(id)) => format!("resgroup-s{}", id.0),
            Self::App(id) => format!("resgroup-v{}", id.0),
            Self::Vm(id) => format!("vm-{}", id.0),
            Self::Task(TaskId { owner: TaskOwner::Vm(vm), number }) => format!("task-{}-{number}", vm.0),
            Self::Task(TaskId { owner: TaskOwner::Datacenter(id), number }) => format!("task-d{}-{number}", id.0),
            _ => String::new(),
        }
    }

    /// An ESXi host has one of each; its VMs are small numbers.
    fn esxi_id(&self) -> String {
        match self {
            Self::Datacenter(_) => "ha-datacenter".into(),
            Self::VmFolder(_) => "ha-folder-vm".into(),
            Self::HostFolder(_) => "ha-folder-host".into(),
            Self::DatastoreFolder(_) => "ha-folder-datastore".into(),
            Self::NetworkFolder(_) => "ha-folder-network".into(),
            Self::Compute(_) => "ha-compute-res".into(),
            Self::Host(_) => "ha-host".into(),
            Self::Pool(_) => "ha-root-pool".into(),
            Self::Vm(id) => id.0.to_string(),
            Self::Task(TaskId { owner: TaskOwner::Vm(vm), number }) => format!("haTask-{}-{number}", vm.0),
            _ => self.vcenter_id(),
        }
    }

    /// The object that a reference means, whether or not it exists; none if no object could have that id.
    pub(super) fn parse(kind: &str, id: &str, flavour: Flavour) -> Option<Self> {
        let esxi = flavour == Flavour::Esxi;
        let singleton = SINGLETONS
            .iter()
            .find(|(_, of, vcenter, of_esxi)| *of == kind && id == if esxi { *of_esxi } else { *vcenter });
        if let Some((mo, ..)) = singleton {
            return Some(mo.clone());
        }
        match kind {
            "PropertyCollector" => return Some(Self::Collector(Some(id.to_owned()))),
            "PropertyFilter" => return Some(Self::Filter(id.to_owned())),
            "ContainerView" => return Some(Self::View(ViewKind::Container, id.to_owned())),
            "ListView" => return Some(Self::View(ViewKind::List, id.to_owned())),
            _ => {}
        }
        let parsed = if esxi { Self::parse_esxi(id) } else { Self::parse_vcenter(id) }?;
        // A base type in the reference is as good as the type itself.
        schema::is_a(parsed.kind(), kind).then_some(parsed)
    }

    fn parse_vcenter(id: &str) -> Option<Self> {
        let (prefix, rest) = id.split_once('-')?;
        let letter = rest.chars().next()?;
        let number = |text: &str| text.parse::<u32>().ok();
        let numbered = || number(rest.get(1..)?);
        match (prefix, letter) {
            ("vm", _) => Some(Self::Vm(VmId(number(rest)?))),
            ("host", _) => Some(Self::Host(HostId(number(rest)?))),
            ("datacenter", _) => Some(Self::Datacenter(DatacenterId(number(rest)?))),
            ("group", 'v') => Some(match numbered()? {
                folder if folder > FIRST_FOLDER => Self::Folder(FolderId(folder - FIRST_FOLDER)),
                datacenter => Self::VmFolder(DatacenterId(datacenter)),
            }),
            ("group", 'h') => Some(Self::HostFolder(DatacenterId(numbered()?))),
            ("group", 's') => Some(Self::DatastoreFolder(DatacenterId(numbered()?))),
            ("group", 'n') => Some(Self::NetworkFolder(DatacenterId(numbered()?))),
            ("domain", 'c') => Some(Self::Compute(ComputeId::Cluster(ClusterId(numbered()?)))),
            ("domain", 's') => Some(Self::Compute(ComputeId::Standalone(HostId(numbered()?)))),
            ("resgroup", 'c') => Some(Self::Pool(ComputeId::Cluster(ClusterId(numbered()?)))),
            ("resgroup", 's') => Some(Self::Pool(ComputeId::Standalone(HostId(numbered()?)))),
            ("resgroup", 'v') => Some(Self::App(AppId(numbered()?))),
            ("task", _) => Self::parse_task(rest),
            _ => None,
        }
    }

    fn parse_task(rest: &str) -> Option<Self> {
        let (owner, number) = rest.split_once('-')?;
        let owner = match owner.strip_prefix('d') {
            Some(datacenter) => TaskOwner::Datacenter(DatacenterId(datacenter.parse().ok()?)),
            None => TaskOwner::Vm(VmId(owner.parse().ok()?)),
        };
        Some(Self::Task(TaskId { owner, number: number.parse().ok()? }))
    }

    fn parse_esxi(id: &str) -> Option<Self> {
        let (datacenter, host) = (DatacenterId(1), HostId(1));
        match id {
            "ha-datacenter" => Some(Self::Datacenter(datacenter)),
            "ha-folder-vm" => Some(Self::VmFolder(datacenter)),
            "ha-folder-host" => Some(Self::HostFolder(datacenter)),
            "ha-folder-datastore" => Some(Self::DatastoreFolder(datacenter)),
            "ha-folder-network" => Some(Self::NetworkFolder(datacenter)),
            "ha-compute-res" => Some(Self::Compute(ComputeId::Standalone(host))),
            "ha-host" => Some(Self::Host(host)),
            "ha-root-pool" => Some(Self::Pool(ComputeId::Standalone(host))),
            _ => match id.strip_prefix("haTask-") {
                Some(rest) => Self::parse_task(rest),
                None => id.parse().ok().map(|id| Self::Vm(VmId(id))),
            },
        }
    }

    /// Whether the world has this object. Objects of a session are not the world's.
    pub(super) fn exists(&self, state: &State) -> bool {
        let inventory = &state.inventory;
        match self {
            Self::Datacenter(id)
            | Self::VmFolder(id)
            | Self::HostFolder(id)
            | Self::DatastoreFolder(id)
            | Self::NetworkFolder(id) => inventory.datacenters.contains_key(id),
            Self::Folder(id) => inventory.folders.contains_key(id),
            Self::Compute(ComputeId::Cluster(id)) | Self::Pool(ComputeId::Cluster(id)) => {
                inventory.clusters.contains_key(id)
            }
            Self::Compute(ComputeId::Standalone(id)) | Self::Pool(ComputeId::Standalone(id)) => {
                inventory.hosts.get(id).is_some_and(|host| host.cluster.is_none())
            }
            Self::Host(id) => inventory.hosts.contains_key(id),
            Self::App(id) => inventory.apps.contains_key(id),
            Self::Vm(id) => inventory.vms.contains_key(id),
            Self::Task(id) => state.tasks.contains_key(id),
            Self::Collector(Some(_)) | Self::View(..) | Self::Filter(_) => false,
            Self::ServiceInstance
            | Self::SessionManager
            | Self::AuthorizationManager
            | Self::ViewManager
            | Self::SearchIndex
            | Self::TaskManager
            | Self::OptionManager
            | Self::Collector(None)
            | Self::Root => true,
        }
    }

    /// The world's count of changes when this object last changed; none if it does not tell.
    pub(super) fn revision(&self, state: &State) -> Option<u64> {
        match self {
            Self::Vm(id) => state.inventory.vms.get(id).map(|vm| vm.revision),
            Self::Task(id) => state.tasks.get(id).map(|task| task.revision),
            Self::Host(id) => state.inventory.hosts.get(id).map(|host| host.revision),
            _ => None,
        }
    }

    /// What a place in the world is called here.
    pub(super) const fn of_place(place: Place) -> Self {
        match place {
            Place::Datacenter(id) => Self::VmFolder(id),
            Place::Folder(id) => Self::Folder(id),
            Place::App(id) => Self::App(id),
        }
    }
}

/// Writes a name as the API does: `%`, `/` and `\` are escaped.
pub(super) fn escape_name(name: &str) -> String {
    name.replace('%', "%25").replace('/', "%2f").replace('\\', "%5c")
}

/// Reads a name as the API takes it.
pub(super) fn unescape_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(position) = rest.find('%') {
        out.push_str(&rest[..position]);
        let escape = rest.get(position..position + 3).map(str::to_ascii_lowercase);
        let (character, length) = match escape.as_deref() {
            Some("%2f") => ('/', 3),
            Some("%5c") => ('\\', 3),
            Some("%25") => ('%', 3),
            _ => ('%', 1),
        };
        out.push(character);
        rest = &rest[position + length..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_leads_back_to_its_object() {
        let (datacenter, host, cluster) = (DatacenterId(3), HostId(4), ClusterId(5));
        let objects = [
            Mo::Root,
            Mo::Datacenter(datacenter),
            Mo::VmFolder(datacenter),
            Mo::HostFolder(datacenter),
            Mo::Folder(FolderId(1)),
            Mo::Compute(ComputeId::Cluster(cluster)),
            Mo::Compute(ComputeId::Standalone(host)),
            Mo::Pool(ComputeId::Cluster(cluster)),
            Mo::App(AppId(9)),
            Mo::Host(host),
            Mo::Vm(VmId(77)),
            Mo::Task(TaskId { owner: TaskOwner::Vm(VmId(77)), number: 2 }),
            Mo::Task(TaskId { owner: TaskOwner::Datacenter(datacenter), number: 2 }),
        ];
        for object in objects {
            let reference = object.reference(Flavour::VCenter);
            assert_eq!(
                Mo::parse(reference.kind, &reference.id, Flavour::VCenter).as_ref(),
                Some(&object),
                "{reference:?}"
            );
        }
        assert_eq!(Mo::parse("VirtualMachine", "host-1", Flavour::VCenter), None);
        assert_eq!(Mo::parse("ManagedEntity", "vm-1", Flavour::VCenter), Some(Mo::Vm(VmId(1))));
        assert_eq!(Mo::parse("VirtualMachine", "vm-é", Flavour::VCenter), None);
    }

    #[test]
    fn names_survive_escaping() {
        proptest::proptest!(|(name in "[a/%25cfF\\\\é]{0,12}")| {
            proptest::prop_assert_eq!(unescape_name(&escape_name(&name)), name);
        });
        assert_eq!(escape_name("a/b"), "a%2fb");
        assert_eq!(unescape_name("a%2Fb"), "a/b");
    }
}
