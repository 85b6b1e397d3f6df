//! VMs, hosts, clusters, datacenters and events as a search sees them.

use std::borrow::Cow;
use std::cell::OnceCell;

use super::event::Event;
use super::ids::{ClusterKey, ZERO};
use super::scene::Scene;
use super::search::{Kind, Row, Value};
use super::status::Status;
use super::view;
use crate::world::{Datacenter, Disks, Host, HostState, Vm};

/// A VM.
pub(super) struct VmRow<'s> {
    scene: &'s Scene<'s>,
    pub(super) vm: &'s Vm,
    /// Made once, since long chains of ids are compared with it.
    id: OnceCell<String>,
}

impl<'s> VmRow<'s> {
    pub(super) const fn new(scene: &'s Scene<'s>, vm: &'s Vm) -> Self {
        Self { scene, vm, id: OnceCell::new() }
    }
}

/// A host.
pub(super) struct HostRow<'s>(pub(super) &'s Scene<'s>, pub(super) &'s Host);
/// A cluster.
pub(super) struct ClusterRow<'s>(pub(super) &'s Scene<'s>, pub(super) ClusterKey);
/// A datacenter.
pub(super) struct DatacenterRow<'s>(pub(super) &'s Scene<'s>, pub(super) &'s Datacenter);
/// An event.
pub(super) struct EventRow<'s>(pub(super) &'s Scene<'s>, pub(super) Event<'s>);

type Related<'r> = Vec<Box<dyn Row + 'r>>;

impl Row for VmRow<'_> {
    fn value(&self, field: &str) -> Option<Value<'_>> {
        let Self { scene, vm, id } = self;
        let status = || scene.status(vm);
        let guest = || view::hears_agent(vm, status());
        Some(match field {
            "name" => vm.name.as_str().into(),
            "description" => vm.description.as_str().into(),
            "comment" => "".into(),
            "status" => status().search_word().into(),
            "id" => id.get_or_init(|| scene.engine.ids.vm(vm.id)).as_str().into(),
            "ip" => guest().then_some(vm.ip_address.as_str())?.into(),
            "fqdn" => guest().then(|| view::fqdn(vm))?.into(),
            "on_host" => scene.host_of(vm).filter(|_| status().has_host())?.name.as_str().into(),
            "uptime" => {
                let boot = vm.boot_time.filter(|_| status().has_process())?;
                Value::Number(scene.state.moment().duration_since(boot).as_secs_f64())
            }
            "os" => view::os_type(vm).into(),
            "creationdate" => scene.local(vm.creation_time).into(),
            "cpu_usage" | "network_usage" | "mem_usage" | "migration_progress_percent" => 0_u32.into(),
            "memory" | "guaranteed_memory" => vm.memory_mb.into(),
            "vcpus" => vm.cpus.into(),
            "cluster" => scene.cluster_name(scene.cluster_of(vm)?).into(),
            "datacenter" => scene.datacenter_of(scene.cluster_of(vm)?)?.name.as_str().into(),
            "tag" => {
                let paths = scene.tags.paths(vm.id).into_iter();
                Value::Tags(paths.map(|path| path.into_iter().map(Cow::Borrowed).collect()).collect())
            }
            "type" => "server".into(),
            "architecture" => "x86_64".into(),
            "compatibility_level" => view::cluster_level(scene).into(),
            "next_run_config_exists" => vm.has_next_run.into(),
            "has_illegal_images" => (vm.disks == Disks::Broken).into(),
            "bios_type" => "i440fx_sea_bios".into(),
            _ => return None,
        })
    }

    fn related(&self, kind: Kind) -> Related<'_> {
        let Self { scene, vm, .. } = self;
        match kind {
            Kind::Hosts => {
                let host = scene.host_of(vm).filter(|_| scene.status(vm).has_host());
                host.map(|host| Box::new(HostRow(scene, host)) as Box<dyn Row>).into_iter().collect()
            }
            Kind::Events => {
                let events = scene.events_after(0);
                let own = events.filter(|event| event.entry.vm.as_ref().is_some_and(|(id, _)| *id == vm.id));
                own.map(|event| Box::new(EventRow(scene, event)) as Box<dyn Row>).collect()
            }
            Kind::Vms | Kind::Clusters | Kind::Datacenters => Vec::new(),
        }
    }
}

impl Row for HostRow<'_> {
    fn value(&self, field: &str) -> Option<Value<'_>> {
        let Self(scene, host) = self;
        let running = || scene.state.inventory.vms.values().filter(|vm| vm.host == host.id);
        Some(match field {
            "name" => host.name.as_str().into(),
            "comment" => "".into(),
            "address" => view::address(host).into(),
            "status" => match host.state {
                HostState::Up => "up",
                HostState::Maintenance => "maintenance",
                HostState::Disconnected | HostState::Crashed => "nonresponsive",
            }
            .into(),
            "external_status" => "ok".into(),
            "id" => scene.engine.ids.host(host.id).into(),
            "cluster" => scene.cluster_name(ClusterKey::of(host)).into(),
            "datacenter" => scene.datacenter_of(ClusterKey::of(host))?.name.as_str().into(),
            "active_vms" => {
                let active = running().filter(|vm| scene.status(vm).is_running()).count();
                u32::try_from(active).unwrap_or(u32::MAX).into()
            }
            "migrating_vms" => {
                let migrating = running().filter(|vm| scene.status(vm) == Status::Migrating).count();
                u32::try_from(migrating).unwrap_or(u32::MAX).into()
            }
            "cpus" => 64_u32.into(),
            "memory" => view::HOST_MEMORY_MB.into(),
            "type" => "rhel".into(),
            "architecture" => "x86_64".into(),
            "version" => view::VDSM.into(),
            "update_available" => false.into(),
            _ => return None,
        })
    }

    fn related(&self, kind: Kind) -> Related<'_> {
        let Self(scene, host) = self;
        if kind != Kind::Vms {
            return Vec::new();
        }
        let here = scene.vms().into_iter().filter(|vm| vm.host == host.id && scene.status(vm).has_host());
        here.map(|vm| Box::new(VmRow::new(scene, vm)) as Box<dyn Row>).collect()
    }
}

impl Row for ClusterRow<'_> {
    fn value(&self, field: &str) -> Option<Value<'_>> {
        let Self(scene, key) = self;
        Some(match field {
            "name" => scene.cluster_name(*key).into(),
            "description" | "comment" => "".into(),
            "architecture" => "x86_64".into(),
            "compatibility_level" => view::cluster_level(scene).into(),
            "cpu_type" => view::CPU_TYPE.into(),
            _ => return None,
        })
    }

    fn related(&self, kind: Kind) -> Related<'_> {
        let Self(scene, key) = self;
        let datacenter = scene.datacenter_of(*key).filter(|_| kind == Kind::Datacenters);
        datacenter.map(|datacenter| Box::new(DatacenterRow(scene, datacenter)) as Box<dyn Row>).into_iter().collect()
    }
}

impl Row for DatacenterRow<'_> {
    fn value(&self, field: &str) -> Option<Value<'_>> {
        let Self(scene, datacenter) = self;
        Some(match field {
            "name" => datacenter.name.as_str().into(),
            "description" | "comment" => "".into(),
            "local" => false.into(),
            "status" => match view::datacenter_status(scene, datacenter) {
                "problematic" => "nonresponsive",
                status => status,
            }
            .into(),
            "compatibility_version" => view::cluster_level(scene).into(),
            _ => return None,
        })
    }

    fn related(&self, kind: Kind) -> Related<'_> {
        let Self(scene, datacenter) = self;
        if kind != Kind::Clusters {
            return Vec::new();
        }
        let inside = scene.clusters().into_iter();
        let inside = inside.filter(|key| scene.datacenter_of(*key).is_some_and(|of| of.id == datacenter.id));
        inside.map(|key| Box::new(ClusterRow(scene, key)) as Box<dyn Row>).collect()
    }
}

impl Row for EventRow<'_> {
    fn value(&self, field: &str) -> Option<Value<'_>> {
        let Self(scene, event) = self;
        let inventory = &scene.state.inventory;
        let host = || event.entry.host.and_then(|host| inventory.hosts.get(&host));
        let vm = || event.entry.vm.as_ref();
        Some(match field {
            "type" => event.code.into(),
            "severity" => event.severity.word().into(),
            "message" => event.text.as_str().into(),
            "time" => scene.local(scene.state.timestamp(event.entry.at)).into(),
            "usrname" => event.user()?.into(),
            "event_vm" => vm()?.1.as_str().into(),
            "_event_vm_id" => scene.engine.ids.vm(vm()?.0).into(),
            "event_host" => host()?.name.as_str().into(),
            "_event_host_id" => scene.engine.ids.host(host()?.id).into(),
            "event_template" => vm().map(|_| "Blank")?.into(),
            "_event_template_id" => vm().map(|_| ZERO)?.into(),
            "event_datacenter" => scene.datacenter_of(ClusterKey::of(host()?))?.name.as_str().into(),
            "_event_datacenter_id" => {
                let datacenter = scene.datacenter_of(ClusterKey::of(host()?))?.id;
                scene.engine.ids.datacenter(datacenter).into()
            }
            "correlation_id" => event.correlation()?.into(),
            "origin" => "oVirt".into(),
            "custom_event_id" => Value::Number(-1.0),
            "deleted" => false.into(),
            _ => return None,
        })
    }

    fn related(&self, kind: Kind) -> Related<'_> {
        let Self(scene, event) = self;
        let inventory = &scene.state.inventory;
        let vm = event.entry.vm.as_ref().and_then(|(id, _)| inventory.vms.get(id));
        let host = event.entry.host.and_then(|host| inventory.hosts.get(&host));
        let row: Option<Box<dyn Row>> = match kind {
            Kind::Vms => vm.map(|vm| Box::new(VmRow::new(scene, vm)) as Box<dyn Row>),
            Kind::Hosts => host.map(|host| Box::new(HostRow(scene, host)) as Box<dyn Row>),
            Kind::Clusters => host.map(|host| Box::new(ClusterRow(scene, ClusterKey::of(host))) as Box<dyn Row>),
            Kind::Datacenters | Kind::Events => None,
        };
        row.into_iter().collect()
    }
}
