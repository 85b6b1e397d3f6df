//! Hosts, clusters and datacenters.

use super::super::element::Element;
use super::super::follow::Follow;
use super::super::ids::ClusterKey;
use super::super::scene::{Scene, href};
use super::super::status::Status;
use super::{NothingToFollow, level, reference};
use crate::world::{Datacenter, Host, HostState};

/// The memory of every host.
pub(in crate::ovirt) const HOST_MEMORY_MB: u32 = 512 * 1024;
/// The version of the agent on every host.
pub(in crate::ovirt) const VDSM: &str = "vdsm-4.40.100.2-1.el8";
/// The processors of every cluster.
pub(in crate::ovirt) const CPU_TYPE: &str = "Secure Intel Cascadelake Server Family";
const MIB: i64 = 1024 * 1024;

/// The address of a host in its network.
pub(in crate::ovirt) fn address(host: &Host) -> String {
    format!("{}.hosts.example", host.name)
}

/// What the API says of a host's state.
fn host_status(host: &Host) -> &'static str {
    match host.state {
        HostState::Up => "up",
        HostState::Maintenance => "maintenance",
        HostState::Disconnected | HostState::Crashed => "non_responsive",
    }
}

/// What the API says of a datacenter: it needs a host that is up.
pub(in crate::ovirt) fn datacenter_status(scene: &Scene<'_>, datacenter: &Datacenter) -> &'static str {
    let mut hosts = scene.state.inventory.hosts.values().filter(|host| host.datacenter == datacenter.id).peekable();
    if hosts.peek().is_none() {
        "uninitialized"
    } else if hosts.any(|host| host.state == HostState::Up) {
        "up"
    } else {
        "problematic"
    }
}

impl Scene<'_> {
    /// A host.
    pub(in crate::ovirt) fn host(&self, host: &Host, follow: &Follow) -> Result<Element, NothingToFollow> {
        let id = self.engine.ids.host(host.id);
        let at = href("hosts", &id);
        let key = ClusterKey::of(host);
        let cluster = match follow.link("cluster") {
            Some(follow) => self.cluster(key, follow)?,
            None => reference("cluster", "clusters", self.engine.ids.cluster(key)),
        };
        let link = |name| Element::link(name, format!("{at}/{name}"));
        let actions = ["activate", "deactivate", "fence", "forceselectspm", "install", "refresh", "upgrade"].map(link);
        let parts = ["nics", "permissions", "statistics", "storage", "tags", "numanodes", "devices"].map(link);
        let nonce = u64::from(host.id.0);
        let text = |name, text: &str| Element::text(name, text);
        let topology = [Element::int("cores", 16), Element::int("sockets", 2), Element::int("threads", 2)];
        let cpu = [
            text("name", "Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz"),
            Element::int("speed", 2100),
            Element::of("topology", topology),
            text("type", CPU_TYPE),
        ];
        let full_version = |version: &str| Element::of("version", [Element::text("full_version", version)]);
        Ok(Element::reference("host", at.clone(), id)
            .with([
                Element::of("actions", self.shuffled(actions.into(), nonce)),
                text("name", &host.name),
                text("comment", ""),
            ])
            .with(self.shuffled(parts.into(), nonce << 32))
            .with([
                text("address", &address(host)),
                text("auto_numa_status", "unknown"),
                Element::of("cpu", cpu),
                text("external_status", "ok"),
                text("kdump_status", "enabled"),
                Element::of("ksm", [Element::flag("enabled", false)]),
                Element::long("max_scheduling_memory", i64::from(HOST_MEMORY_MB) * MIB / 2),
                Element::long("memory", i64::from(HOST_MEMORY_MB) * MIB),
                Element::flag("numa_supported", true),
                Element::of("os", [text("type", "RHEL"), full_version("8.9 - 5.el8")]),
                Element::int("port", 54_321),
                text("protocol", "stomp"),
                Element::of(
                    "spm",
                    [Element::int("priority", 5), text("status", if self.is_manager(host) { "spm" } else { "none" })],
                ),
                text("status", host_status(host)),
                self.host_summary(host),
                text("type", "rhel"),
                Element::flag("update_available", false),
                Element::of(
                    "version",
                    [
                        Element::int("build", 100),
                        text("full_version", VDSM),
                        Element::int("major", 4),
                        Element::int("minor", 40),
                        Element::int("revision", 2),
                    ],
                ),
                cluster,
            ]))
    }

    fn host_summary(&self, host: &Host) -> Element {
        let (mut active, mut migrating, mut total) = (0, 0, 0);
        for vm in self.state.inventory.vms.values().filter(|vm| vm.host == host.id && self.shows(vm)) {
            let status = self.status(vm);
            active += u32::from(status.is_running());
            migrating += u32::from(status == Status::Migrating);
            total += u32::from(status.has_host());
        }
        let numbers = [("active", active), ("migrating", migrating), ("total", total)];
        Element::of("summary", numbers.map(|(name, number)| Element::int(name, number)))
    }

    /// Whether a host manages the storage of its datacenter.
    fn is_manager(&self, host: &Host) -> bool {
        let mut hosts = self.state.inventory.hosts.values();
        hosts.find(|other| other.datacenter == host.datacenter && other.state == HostState::Up).map(|it| it.id)
            == Some(host.id)
    }

    /// A cluster. One that is in no datacenter has no reference to follow.
    pub(in crate::ovirt) fn cluster(&self, key: ClusterKey, follow: &Follow) -> Result<Element, NothingToFollow> {
        let id = self.engine.ids.cluster(key);
        let at = href("clusters", &id);
        let datacenter = match (self.datacenter_of(key), follow.link("data_center")) {
            (Some(datacenter), Some(follow)) => Some(self.datacenter(datacenter, follow)?),
            (Some(datacenter), None) => {
                Some(reference("data_center", "datacenters", self.engine.ids.datacenter(datacenter.id)))
            }
            (None, None) => None,
            (None, Some(_)) => return Err(NothingToFollow),
        };
        let parts = ["affinitygroups", "cpuprofiles", "glusterhooks", "glustervolumes", "networks", "permissions"];
        let parts = parts.map(|name| Element::link(name, format!("{at}/{name}")));
        let text = |name, text: &str| Element::text(name, text);
        let percent = |number: i64| Element::of("over_commit", [Element::int("percent", number)]);
        let reset = Element::link("resetemulatedmachine", format!("{at}/resetemulatedmachine"));
        Ok(Element::reference("cluster", at.clone(), id)
            .with([
                Element::of("actions", [reset]),
                text("name", self.cluster_name(key)),
                text("description", ""),
                text("comment", ""),
            ])
            .with(self.shuffled(parts.into(), 0))
            .with([
                Element::flag("ballooning_enabled", true),
                Element::of("cpu", [text("architecture", "x86_64"), text("type", CPU_TYPE)]),
                Element::of("error_handling", [text("on_error", "migrate")]),
                Element::flag("gluster_service", false),
                Element::flag("ha_reservation", false),
                Element::of("ksm", [Element::flag("enabled", true), Element::flag("merge_across_nodes", true)]),
                Element::of("memory_policy", [percent(100)]),
                text("switch_type", "legacy"),
                Element::flag("threads_as_cores", false),
                Element::flag("trusted_service", false),
                Element::flag("tunnel_migration", false),
                level(self),
                Element::flag("virt_service", true),
            ])
            .with(datacenter))
    }

    /// A datacenter.
    pub(in crate::ovirt) fn datacenter(
        &self,
        datacenter: &Datacenter,
        follow: &Follow,
    ) -> Result<Element, NothingToFollow> {
        let id = self.engine.ids.datacenter(datacenter.id);
        let at = href("datacenters", &id);
        let parts = ["clusters", "networks", "permissions", "qoss", "quotas", "storagedomains"];
        let parts = parts.into_iter().filter(|name| follow.link(name).is_none());
        let parts = parts.map(|name| Element::link(name, format!("{at}/{name}"))).collect();
        let clusters = match follow.link("clusters") {
            Some(follow) => {
                let inside = self.clusters().into_iter();
                let inside = inside.filter(|key| self.datacenter_of(*key).is_some_and(|of| of.id == datacenter.id));
                let inside: Result<Vec<_>, _> = inside.map(|key| self.cluster(key, follow)).collect();
                Some(Element::list("clusters", inside?))
            }
            None => None,
        };
        let text = |name, text: &str| Element::text(name, text);
        let supported = Element::list("supported_versions", [level(self)]);
        Ok(Element::reference("data_center", at, id)
            .with([text("name", &datacenter.name), text("description", ""), text("comment", "")])
            .with(self.shuffled(parts, 0))
            .with([
                Element::flag("local", false),
                text("quota_mode", "disabled"),
                text("status", datacenter_status(self, datacenter)),
                text("storage_format", "v5"),
                supported,
                level(self),
            ])
            .with(clusters))
    }
}
