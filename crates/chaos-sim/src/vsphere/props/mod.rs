//! Properties of managed objects, read from the world at the moment of the question.

mod compute;
mod service;
mod task;
mod vm;

use super::mo::{Flavour, Mo, escape_name};
use super::session::Session;
use super::value::{Ref, Value};
use super::{Site, schema};
use crate::world::{DatacenterId, FolderId, State};

pub(super) use self::service::{service_content, user_session};

/// What a question about properties is asked of: the world, the server, and the session that asks.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) state: &'a State,
    pub(super) site: &'a Site,
    pub(super) session: Option<&'a Session>,
}

impl Scope<'_> {
    pub(super) fn flavour(&self) -> Flavour {
        self.site.flavour
    }

    pub(super) fn reference(&self, mo: &Mo) -> Ref {
        mo.reference(self.site.flavour)
    }

    /// Whether the object is there for this session.
    pub(super) fn exists(&self, mo: &Mo) -> bool {
        match mo {
            Mo::View(_, id) => self.session.is_some_and(|session| session.views.contains_key(id)),
            Mo::Collector(Some(id)) => self.session.is_some_and(|session| session.collectors.contains_key(id)),
            Mo::Filter(id) => self.session.is_some_and(|session| session.has_filter(id)),
            other => other.exists(self.state),
        }
    }

    /// The value of a property, none if it is unset. The path has been checked against the schema.
    pub(super) fn property(&self, mo: &Mo, path: &str) -> Option<Value> {
        let steps: Vec<&str> = path.split('.').collect();
        let (first, rest) = steps.split_first()?;
        let own = match mo {
            Mo::Vm(id) => vm::property(self, self.state.inventory.vms.get(id)?, first, rest),
            Mo::Host(id) => compute::host(self, self.state.inventory.hosts.get(id)?, first, rest),
            Mo::Compute(id) => compute::compute(self, *id, first, rest),
            Mo::Pool(id) => compute::pool(self, *id, first),
            Mo::App(id) => compute::app(self, self.state.inventory.apps.get(id)?, first),
            Mo::Task(id) if *first == "info" => task::info(self, self.state.tasks.get(id)?).at(rest),
            Mo::Root
            | Mo::Datacenter(_)
            | Mo::VmFolder(_)
            | Mo::HostFolder(_)
            | Mo::DatastoreFolder(_)
            | Mo::NetworkFolder(_)
            | Mo::Folder(_) => self.container(mo, first),
            Mo::View(_, id) if *first == "view" => {
                let view = self.session?.views.get(id)?;
                Some(Value::refs(view.members(self).iter().map(|mo| self.reference(mo))))
            }
            other => service::property(self, other, first, rest),
        };
        own.or_else(|| self.entity(mo, first))
    }

    /// What every entity of the inventory has.
    fn entity(&self, mo: &Mo, first: &str) -> Option<Value> {
        if !schema::is_a(mo.kind(), "ManagedEntity") {
            return None;
        }
        match first {
            "name" => self.name(mo).map(|name| escape_name(&name).into()),
            "parent" => self.parent(mo).map(|parent| self.reference(&parent).into()),
            "overallStatus" | "configStatus" => Some(Value::constant("ManagedEntityStatus", "green")),
            "alarmActionsEnabled" => Some(true.into()),
            "disabledMethod" => Some(Value::List("string", Vec::new())),
            "recentTask" => Some(Value::refs([])),
            "customValue" | "value" => Some(Value::List("CustomFieldValue", Vec::new())),
            "tag" => Some(Value::List("Tag", Vec::new())),
            "declaredAlarmState" | "triggeredAlarmState" => Some(Value::List("AlarmState", Vec::new())),
            "configIssue" => Some(Value::List("Event", Vec::new())),
            "effectiveRole" => Some(Value::List("int", vec![Value::int(-1)])),
            _ => None,
        }
    }

    /// The name of an entity, unescaped.
    pub(super) fn name(&self, mo: &Mo) -> Option<String> {
        let inventory = &self.state.inventory;
        let name = match mo {
            Mo::Root => (if self.flavour() == Flavour::Esxi { "ha-folder-root" } else { "Datacenters" }).to_owned(),
            Mo::VmFolder(_) => "vm".to_owned(),
            Mo::HostFolder(_) => "host".to_owned(),
            Mo::DatastoreFolder(_) => "datastore".to_owned(),
            Mo::NetworkFolder(_) => "network".to_owned(),
            Mo::Pool(_) => "Resources".to_owned(),
            Mo::Datacenter(id) => inventory.datacenters.get(id)?.name.clone(),
            Mo::Folder(id) => inventory.folders.get(id)?.name.clone(),
            Mo::App(id) => inventory.apps.get(id)?.name.clone(),
            Mo::Vm(id) => inventory.vms.get(id)?.name.clone(),
            Mo::Host(id) => inventory.hosts.get(id)?.name.clone(),
            Mo::Compute(id) => compute::name(inventory, *id)?,
            _ => return None,
        };
        Some(name)
    }

    /// The parent of an entity: a VM in a vApp has none.
    pub(super) fn parent(&self, mo: &Mo) -> Option<Mo> {
        let inventory = &self.state.inventory;
        match mo {
            Mo::Datacenter(_) => Some(Mo::Root),
            Mo::VmFolder(id) | Mo::HostFolder(id) | Mo::DatastoreFolder(id) | Mo::NetworkFolder(id) => {
                Some(Mo::Datacenter(*id))
            }
            Mo::Folder(id) => {
                let folder = inventory.folders.get(id)?;
                Some(folder.parent.map_or(Mo::VmFolder(folder.datacenter), Mo::Folder))
            }
            Mo::Vm(id) => match Mo::of_place(inventory.vms.get(id)?.place) {
                Mo::App(_) => None,
                folder => Some(folder),
            },
            Mo::Host(id) => Some(Mo::Compute(compute::of_host(inventory.hosts.get(id)?))),
            Mo::Compute(id) => Some(Mo::HostFolder(compute::datacenter(inventory, *id)?)),
            Mo::Pool(id) => Some(Mo::Compute(*id)),
            Mo::App(id) => Some(Mo::Pool(compute::of_app(inventory.apps.get(id)?))),
            _ => None,
        }
    }

    /// The entities directly below a folder or datacenter.
    pub(super) fn children(&self, mo: &Mo) -> Vec<Mo> {
        let inventory = &self.state.inventory;
        match mo {
            Mo::Root => inventory.datacenters.keys().map(|id| Mo::Datacenter(*id)).collect(),
            Mo::Datacenter(id) => {
                vec![Mo::VmFolder(*id), Mo::HostFolder(*id), Mo::DatastoreFolder(*id), Mo::NetworkFolder(*id)]
            }
            Mo::VmFolder(id) => self.folder_children(*id, None),
            Mo::Folder(id) => inventory
                .folders
                .get(id)
                .map(|folder| self.folder_children(folder.datacenter, Some(*id)))
                .unwrap_or_default(),
            Mo::HostFolder(id) => compute::in_datacenter(inventory, *id).into_iter().map(Mo::Compute).collect(),
            Mo::Compute(id) => {
                let hosts = compute::hosts(inventory, *id).map(|host| Mo::Host(host.id));
                hosts.chain([Mo::Pool(*id)]).collect()
            }
            Mo::Pool(id) => compute::apps(inventory, *id)
                .map(|app| Mo::App(app.id))
                .chain(compute::vms(inventory, *id).map(|vm| Mo::Vm(vm.id)))
                .collect(),
            Mo::App(id) => inventory.vms_in(crate::world::Place::App(*id)).map(|vm| Mo::Vm(vm.id)).collect(),
            _ => Vec::new(),
        }
    }

    fn folder_children(&self, datacenter: DatacenterId, folder: Option<FolderId>) -> Vec<Mo> {
        use crate::world::Place;
        let inventory = &self.state.inventory;
        let place = folder.map_or(Place::Datacenter(datacenter), Place::Folder);
        let folders = inventory.folders_in(datacenter, folder).map(|folder| Mo::Folder(folder.id));
        let apps = inventory.apps_in(datacenter, folder).map(|app| Mo::App(app.id));
        folders.chain(apps).chain(inventory.vms_in(place).map(|vm| Mo::Vm(vm.id))).collect()
    }

    /// Properties of folders and datacenters.
    fn container(&self, mo: &Mo, first: &str) -> Option<Value> {
        match (mo, first) {
            (Mo::Datacenter(id), "vmFolder") => Some(self.reference(&Mo::VmFolder(*id)).into()),
            (Mo::Datacenter(id), "hostFolder") => Some(self.reference(&Mo::HostFolder(*id)).into()),
            (Mo::Datacenter(id), "datastoreFolder") => Some(self.reference(&Mo::DatastoreFolder(*id)).into()),
            (Mo::Datacenter(id), "networkFolder") => Some(self.reference(&Mo::NetworkFolder(*id)).into()),
            (Mo::Datacenter(_), "datastore" | "network") => Some(Value::refs([])),
            (Mo::Datacenter(_), _) => None,
            (_, "childEntity") => Some(Value::refs(self.children(mo).iter().map(|child| self.reference(child)))),
            (_, "childType") => {
                let kinds: &[&'static str] = match mo {
                    Mo::Root => &["Folder", "Datacenter"],
                    Mo::HostFolder(_) => &["Folder", "ComputeResource"],
                    Mo::DatastoreFolder(_) => &["Folder", "Datastore"],
                    Mo::NetworkFolder(_) => &["Folder", "Network"],
                    _ => &["Folder", "VirtualMachine", "VirtualApp"],
                };
                Some(Value::List("string", kinds.iter().map(|kind| Value::string(*kind)).collect()))
            }
            _ => None,
        }
    }
}

/// The constant for a type's name, if the server knows the type.
pub(super) fn known_kind(kind: &str) -> &'static str {
    const KINDS: [&str; 12] = [
        "VirtualMachine",
        "HostSystem",
        "Folder",
        "Datacenter",
        "ComputeResource",
        "ClusterComputeResource",
        "ResourcePool",
        "VirtualApp",
        "Task",
        "ContainerView",
        "ListView",
        "PropertyFilter",
    ];
    match kind {
        "PropertyCollector" => "PropertyCollector",
        _ => KINDS.iter().find(|known| **known == kind).copied().unwrap_or("ManagedObject"),
    }
}

/// The constant for a fault's name; `SystemError` for names that are not in the list.
pub(super) fn known_fault(kind: &str) -> &'static str {
    const KINDS: [&str; 9] = [
        "InvalidState",
        "HostNotConnected",
        "HostCommunication",
        "InsufficientResourcesFault",
        "GenericVmConfigFault",
        "MethodDisabled",
        "NotSupported",
        "RestrictedVersion",
        "ToolsUnavailable",
    ];
    KINDS.iter().find(|known| **known == kind).copied().unwrap_or("SystemError")
}
