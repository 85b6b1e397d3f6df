//! The entry point: what the engine is, what it has, and what time it is.

use super::super::access::Caller;
use super::super::element::Element;
use super::super::ids::ZERO;
use super::super::scene::{Scene, href};
use super::reference;
use crate::world::HostState;

/// Where one can go from the entry point.
const LINKS: [&str; 20] = [
    "affinitylabels",
    "bookmarks",
    "clusterlevels",
    "clusters",
    "cpuprofiles",
    "datacenters",
    "disks",
    "domains",
    "events",
    "groups",
    "hosts",
    "jobs",
    "networks",
    "roles",
    "storagedomains",
    "tags",
    "templates",
    "users",
    "vms",
    "vnicprofiles",
];

impl Scene<'_> {
    /// The links of the entry point: relation and address.
    pub(in crate::ovirt) fn entry_links(&self) -> Vec<Element> {
        let plain = LINKS.map(|rel| Element::link(rel, format!("/ovirt-engine/api/{rel}")));
        self.shuffled(plain.into(), 0)
    }

    /// The entry point.
    pub(in crate::ovirt) fn entry(&self, caller: &Caller) -> Element {
        let version = self.engine.site.version;
        let (minor, build, revision) = version.numbers();
        let user = self.engine.ids.user(&caller.user);
        let product = Element::of(
            "product_info",
            [
                Element::text("instance_id", self.engine.ids.make("engine instance", 0)),
                Element::text("name", "oVirt Engine"),
                Element::text("vendor", "ovirt.org"),
                Element::of(
                    "version",
                    [
                        Element::int("build", build),
                        Element::text("full_version", version.full()),
                        Element::int("major", 4),
                        Element::int("minor", minor),
                        Element::int("revision", revision),
                    ],
                ),
            ],
        );
        let special = [
            Element::reference("blank_template", href("templates", ZERO), ZERO.to_owned()),
            Element::reference("root_tag", href("tags", ZERO), ZERO.to_owned()),
        ];
        Element::new("api")
            .with(self.entry_links())
            .with([product, Element::of("special_objects", special)])
            .with((!self.is_filtered).then(|| self.summary()))
            .with([
                self.moment_at("time", self.state.now),
                reference("authenticated_user", "users", user.clone()),
                reference("effective_user", "users", user),
            ])
    }

    fn summary(&self) -> Element {
        let count = |name, active: usize, total: usize| {
            let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
            Element::of(name, [Element::int("active", number(active)), Element::int("total", number(total))])
        };
        let hosts = &self.state.inventory.hosts;
        let vms = self.vms();
        let running = vms.iter().filter(|vm| self.status(vm).is_running()).count();
        let up = hosts.values().filter(|host| host.state == HostState::Up).count();
        Element::of(
            "summary",
            [
                count("hosts", up, hosts.len()),
                count("storage_domains", 1, 1),
                count("users", 1, 1),
                count("vms", running, vms.len()),
            ],
        )
    }
}
