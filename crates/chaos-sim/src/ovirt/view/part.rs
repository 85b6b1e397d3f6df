//! Collections of a VM.

use super::super::element::Element;
use super::super::follow::Follow;
use super::super::ids::ZERO;
use super::super::route::Part;
use super::super::scene::{Scene, href};
use super::{Depth, hears_agent};
use crate::world::{Hold, Vm};

const MIB: i64 = 1024 * 1024;

impl Scene<'_> {
    /// A collection of a VM. There is nothing in those that the simulator does not have.
    pub(in crate::ovirt) fn part(&self, vm: &Vm, part: &Part) -> Element {
        let id = self.engine.ids.vm(vm.id);
        let at = href("vms", &id);
        match part.path {
            "tags" => {
                let tags: Vec<Element> = self.tags.of(vm.id).filter_map(|tag| self.tag(tag, Some(&at))).collect();
                Element::list(part.root, tags)
            }
            "snapshots" => Element::list(part.root, self.snapshots(vm, &at)),
            "statistics" => Element::list(part.root, self.statistics(vm, &at)),
            "reporteddevices" => Element::list(part.root, self.reported_device(vm, &at)),
            _ => Element::new(part.root),
        }
    }

    /// A member of a collection of a VM.
    pub(in crate::ovirt) fn part_member(&self, vm: &Vm, part: &Part, member: &str) -> Option<Element> {
        let super::super::element::Content::Elements(members) = self.part(vm, part).content else { return None };
        let found = members.into_iter().find(|element| element.id.as_deref() == Some(member))?;
        Some(Element { is_member: false, ..found })
    }

    fn snapshots(&self, vm: &Vm, at: &str) -> Vec<Element> {
        let snapshot = |purpose, description, status, kind, moment| {
            let id = self.engine.ids.make(purpose, u64::from(vm.id.0));
            let saved = self.vm(vm, Depth::Usual, &Follow::default());
            Element::reference("snapshot", format!("{at}/snapshots/{id}"), id)
                .with([
                    Element::text("description", description),
                    self.moment("date", moment),
                    Element::flag("persist_memorystate", false),
                    Element::text("snapshot_status", status),
                    Element::text("snapshot_type", kind),
                ])
                // What it saved is what there is: nothing but its power ever changes.
                .with(saved.ok())
        };
        let active = snapshot("engine active snapshot", "Active VM", "ok", "active", vm.creation_time);
        let made = (vm.hold == Hold::Snapshot).then(|| {
            let now = self.state.moment();
            snapshot("engine snapshot", "being made", "locked", "regular", now)
        });
        made.into_iter().chain([active]).collect()
    }

    fn statistics(&self, vm: &Vm, at: &str) -> Vec<Element> {
        let memory = i64::from(vm.memory_mb) * MIB;
        let status = self.status(vm);
        let boot = vm.boot_time.filter(|_| status.has_process());
        let up = boot.map_or(0, |boot| self.state.moment().duration_since(boot).as_secs());
        let used = if status.has_process() { memory / 2 } else { 0 };
        [
            ("memory.installed", "Total memory configured", "gauge", "bytes", memory),
            ("memory.used", "Memory used (agent)", "gauge", "bytes", used),
            ("cpu.current.guest", "CPU used by guest", "gauge", "percent", 0),
            ("cpu.current.hypervisor", "CPU overhead", "gauge", "percent", 0),
            ("cpu.current.total", "Total CPU used", "gauge", "percent", 0),
            ("elapsed.time", "Elapsed VM runtime", "counter", "seconds", up),
            ("migration.progress", "Migration Progress", "gauge", "percent", 0),
        ]
        .into_iter()
        .zip(1..)
        .map(|((name, description, kind, unit, datum), number)| {
            let id = self.engine.ids.make("engine statistic", number);
            let value = Element { is_member: true, ..Element::of("value", [Element::long("datum", datum)]) };
            Element::reference("statistic", format!("{at}/statistics/{id}"), id).with([
                Element::text("name", name),
                Element::text("description", description),
                Element::text("kind", kind),
                Element::text("type", "integer"),
                Element::text("unit", unit),
                Element::of("values", [value]),
            ])
        })
        .collect()
    }

    /// The network interface that the agent of the guest tells of.
    fn reported_device(&self, vm: &Vm, at: &str) -> Option<Element> {
        if !hears_agent(vm, self.status(vm)) {
            return None;
        }
        let id = self.engine.ids.make("engine device", u64::from(vm.id.0));
        let mac =
            format!("56:6f:{:02x}:{:02x}:{:02x}:00", (vm.id.0 >> 16) & 0xFF, (vm.id.0 >> 8) & 0xFF, vm.id.0 & 0xFF);
        let ip = [Element::text("address", vm.ip_address.as_str()), Element::text("version", "v4")];
        let ip = Element { is_member: true, ..Element::of("ip", ip) };
        let device = Element::reference("reported_device", format!("{at}/reporteddevices/{id}"), id);
        Some(device.with([
            Element::text("name", "eth0"),
            Element::of("ips", [ip]),
            Element::of("mac", [Element::text("address", mac)]),
            Element::text("type", "network"),
        ]))
    }

    /// All tags, the root first.
    pub(in crate::ovirt) fn all_tags(&self) -> Element {
        let ids = std::iter::once(ZERO).chain(self.tags.ids());
        Element::list("tags", ids.filter_map(|id| self.tag(id, None)).collect::<Vec<_>>())
    }
}
