//! A VM.

use super::super::element::Element;
use super::super::follow::Follow;
use super::super::ids::ZERO;
use super::super::route::PARTS;
use super::super::scene::{Scene, href};
use super::super::status::Status;
use super::super::version::EngineVersion;
use super::{Depth, NothingToFollow, ovf, reference};
use crate::world::{Condition, Disks, GuestPhase, Vm, VmRole};

/// All actions have a link, whatever the status of the VM.
const ACTIONS: [&str; 24] = [
    "autopincpuandnumanodes",
    "cancelmigration",
    "clone",
    "commitsnapshot",
    "detach",
    "export",
    "freezefilesystems",
    "logon",
    "maintenance",
    "migrate",
    "previewsnapshot",
    "reboot",
    "reordermacaddresses",
    "reset",
    "screenshot",
    "shutdown",
    "start",
    "stop",
    "suspend",
    "thawfilesystems",
    "ticket",
    "undosnapshot",
    "upgrade",
    "reassigncluster",
];
const MIB: i64 = 1024 * 1024;

/// The engine's name for what a guest runs, as whoever made the VM chose it.
pub(in crate::ovirt) fn os_type(vm: &Vm) -> &'static str {
    const KNOWN: [(&str, &str); 10] = [
        ("Windows Server 2022", "windows_2022"),
        ("Windows Server 2019", "windows_2019x64"),
        ("Windows", "windows_10x64"),
        ("Red Hat Enterprise Linux 9", "rhel_9x64"),
        ("Red Hat Enterprise Linux 8", "rhel_8x64"),
        ("Red Hat Enterprise Linux 7", "rhel_7x64"),
        ("Oracle Linux", "rhel_8x64"),
        ("Ubuntu", "ubuntu_18_04"),
        ("Debian", "debian_9"),
        ("Linux", "other_linux"),
    ];
    KNOWN.iter().find(|(words, _)| vm.guest_os.contains(words)).map_or("other", |(_, name)| name)
}

/// Whether the agent of a VM's guest tells the engine what it knows.
pub(in crate::ovirt) fn hears_agent(vm: &Vm, status: Status) -> bool {
    let tells = vm.guest.tools.answers() && matches!(vm.phase, GuestPhase::Ready | GuestPhase::ShuttingDown);
    tells && status.has_process() && !matches!(status, Status::Unknown | Status::Unassigned)
}

/// The name of a guest in its network.
pub(in crate::ovirt) fn fqdn(vm: &Vm) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c.to_ascii_lowercase() } else { '-' };
    format!("{}.guests.example", vm.name.chars().map(plain).collect::<String>())
}

impl Scene<'_> {
    /// A VM, with the links that are to be followed answered in it.
    pub(in crate::ovirt) fn vm(&self, vm: &Vm, depth: Depth, follow: &Follow) -> Result<Element, NothingToFollow> {
        let id = self.engine.ids.vm(vm.id);
        let address = href("vms", &id);
        let status = self.status(vm);
        let element = Element::reference("vm", address.clone(), id)
            .with([
                self.vm_actions(vm, &address),
                Element::text("name", vm.name.as_str()),
                Element::text("description", vm.description.as_str()),
                Element::text("comment", ""),
            ])
            .with(self.vm_links(vm, &address, follow))
            .with(self.configuration(vm, depth))
            .with(self.vm_places(vm, follow)?)
            .with(self.runtime(vm, status))
            .with(self.vm_references(vm, status, follow)?);
        let parts = PARTS.iter().filter_map(|part| Some((part, follow.link(part.root)?)));
        Ok(element.with(parts.map(|(part, _)| self.part(vm, part))))
    }

    /// A VM as the answer to an action has it: who it is and where to go from here.
    pub(in crate::ovirt) fn bare_vm(&self, vm: &Vm) -> Element {
        let id = self.engine.ids.vm(vm.id);
        let address = href("vms", &id);
        let actions = self.vm_actions(vm, &address);
        let links = self.vm_links(vm, &address, &Follow::default());
        Element::reference("vm", address, id).with([actions]).with(links)
    }

    fn vm_actions(&self, vm: &Vm, address: &str) -> Element {
        let version = self.engine.site.version;
        let there = ACTIONS.into_iter().filter(|action| match *action {
            "reset" => version.has_reset(),
            "screenshot" | "autopincpuandnumanodes" => version > EngineVersion::V43,
            _ => true,
        });
        let links = there.map(|action| Element::link(action, format!("{address}/{action}"))).collect();
        Element::of("actions", self.shuffled(links, u64::from(vm.id.0)))
    }

    fn vm_links(&self, vm: &Vm, address: &str, follow: &Follow) -> Vec<Element> {
        let links = PARTS.iter().filter(|part| follow.link(part.root).is_none());
        let links = links.map(|part| Element::link(part.path, format!("{address}/{}", part.path))).collect();
        self.shuffled(links, u64::from(vm.id.0) << 32)
    }

    /// What was set, in the order of its names.
    fn configuration(&self, vm: &Vm, depth: Depth) -> Vec<Element> {
        let memory = i64::from(vm.memory_mb) * MIB;
        let text = |name, text: &str| Element::text(name, text);
        let topology = Element::of(
            "topology",
            [
                Element::int("cores", vm.cores()),
                Element::int("sockets", vm.sockets),
                Element::int("threads", vm.threads),
            ],
        );
        let is_engine = vm.role == VmRole::ClusterService;
        let mut members = vec![Element::of(
            "bios",
            [Element::of("boot_menu", [Element::flag("enabled", false)]), text("type", "i440fx_sea_bios")],
        )];
        if depth == Depth::AllContent {
            members.push(Element::of("console", [Element::flag("enabled", false)]));
        }
        members.extend([
            Element::of("cpu", [text("architecture", "x86_64"), topology]),
            Element::int("cpu_shares", 0),
            self.moment("creation_time", vm.creation_time),
            Element::flag("delete_protected", false),
            self.display(vm),
            Element::of("high_availability", [Element::flag("enabled", false), Element::int("priority", 1)]),
            self.initialization(vm, depth),
            Element::of("io", [Element::int("threads", 1)]),
            Element::long("memory", memory),
            Element::of(
                "memory_policy",
                [
                    Element::flag("ballooning", true),
                    Element::long("guaranteed", memory),
                    Element::long("max", memory * 4),
                ],
            ),
            Element::of(
                "migration",
                [text("auto_converge", "inherit"), text("compressed", "inherit"), text("encrypted", "inherit")],
            ),
            Element::int("migration_downtime", -1),
            Element::flag("multi_queues_enabled", true),
            text("origin", if is_engine { "managed_hosted_engine" } else { "ovirt" }),
            Element::of(
                "os",
                [
                    Element::of("boot", [Element::of("devices", [member(text("device", "hd"))])]),
                    text("type", os_type(vm)),
                ],
            ),
        ]);
        if !self.is_filtered {
            members.push(Element::of("placement_policy", [text("affinity", "migratable")]));
        }
        if depth == Depth::AllContent {
            let rate = Element::of("rate", [Element::int("bytes", 0), Element::int("period", 0)]);
            members.push(Element::of("rng_device", [rate, text("source", "urandom")]));
            members.push(Element::flag("soundcard_enabled", false));
        }
        members.extend([
            Element::of(
                "sso",
                [Element::of(
                    "methods",
                    [member(Element { id: Some("guest_agent".into()), ..Element::new("method") })],
                )],
            ),
            Element::flag("start_paused", false),
            Element::flag("stateless", false),
            text("storage_error_resume_behaviour", "auto_resume"),
            Element::of("time_zone", [text("name", "Etc/GMT")]),
        ]);
        if depth == Depth::AllContent {
            members.push(Element::flag("tpm_enabled", false));
        }
        members.extend([text("type", "server"), Element::of("usb", [Element::flag("enabled", false)])]);
        if depth == Depth::AllContent {
            members.push(Element::of("virtio_scsi", [Element::flag("enabled", true)]));
        }
        members.push(Element::flag("virtio_scsi_multi_queues_enabled", false));
        members
    }

    fn display(&self, vm: &Vm) -> Element {
        let shown = self.status(vm).has_process() && !self.is_filtered;
        let host = self.host_of(vm).filter(|_| shown);
        Element::new("display")
            .with(host.map(|host| Element::text("address", super::address(host))))
            .with([
                Element::flag("allow_override", false),
                Element::flag("copy_paste_enabled", true),
                Element::text("disconnect_action", "LOCK_SCREEN"),
                Element::flag("file_transfer_enabled", true),
                Element::int("monitors", 1),
            ])
            .with(host.map(|_| Element::int("port", 5900 + vm.id.0 % 100)))
            .with([Element::flag("single_qxl_pci", false), Element::flag("smartcard_enabled", false)])
            .with([Element::text("type", "vnc")])
    }

    fn initialization(&self, vm: &Vm, depth: Depth) -> Element {
        let flags = [Element::flag("authorized_ssh_keys_present", false), Element::flag("regenerate_ssh_keys", false)];
        if depth == Depth::Usual {
            return Element::of("initialization", flags.into_iter().skip(1));
        }
        let configuration = Element::of(
            "configuration",
            [Element::text("data", ovf::of(vm, &self.engine.ids.vm(vm.id))), Element::text("type", "ovf")],
        );
        Element::of("initialization", [configuration].into_iter().chain(flags.into_iter().skip(1)))
    }

    /// References of the configuration.
    fn vm_places(&self, vm: &Vm, follow: &Follow) -> Result<Vec<Element>, NothingToFollow> {
        let Some(key) = self.cluster_of(vm) else { return Ok(Vec::new()) };
        let cluster = match follow.link("cluster") {
            Some(follow) => self.cluster(key, follow)?,
            None => reference("cluster", "clusters", self.engine.ids.cluster(key)),
        };
        let profile = reference("cpu_profile", "cpuprofiles", self.engine.ids.make("engine cpu profile", 1));
        if follow.link("quota").is_some() || follow.link("vm_pool").is_some() {
            return Err(NothingToFollow);
        }
        Ok(vec![cluster, profile])
    }

    /// What is so at the moment.
    fn runtime(&self, vm: &Vm, status: Status) -> Vec<Element> {
        let mut members = Vec::new();
        if hears_agent(vm, status) {
            members.push(Element::text("fqdn", fqdn(vm)));
            members.push(guest_system(vm));
            let zone = [Element::text("name", "Etc/UTC"), Element::text("utc_offset", "+00:00")];
            members.push(Element::of("guest_time_zone", zone));
        }
        members.push(Element::flag("has_illegal_images", vm.disks == Disks::Broken));
        members.push(Element::flag("next_run_configuration_exists", vm.has_next_run));
        members.push(Element::text("numa_tune_mode", "interleave"));
        let runs = status.has_process();
        members.extend(runs.then(|| Element::flag("run_once", false)));
        members.extend(vm.boot_time.filter(|_| runs).map(|moment| self.moment("start_time", moment)));
        members.extend(status.word().map(|word| Element::text("status", word)));
        members.extend(status_detail(vm, status).map(|detail| Element::text("status_detail", detail)));
        members.extend(vm.stop_reason.as_ref().map(|reason| Element::text("stop_reason", reason.as_str())));
        members.extend(vm.stop_time.map(|moment| self.moment("stop_time", moment)));
        members
    }

    /// References that only a VM has.
    fn vm_references(&self, vm: &Vm, status: Status, follow: &Follow) -> Result<Vec<Element>, NothingToFollow> {
        let host = self.host_of(vm).filter(|_| status.has_host() && !self.is_filtered);
        let host = match (host, follow.link("host")) {
            (Some(host), Some(follow)) => Some(self.host(host, follow)?),
            (Some(host), None) => Some(reference("host", "hosts", self.engine.ids.host(host.id))),
            (None, None) => None,
            (None, Some(_)) => return Err(NothingToFollow),
        };
        let template = |name: &'static str| {
            let template = reference(name, "templates", ZERO.to_owned());
            if follow.link(name).is_none() {
                return template;
            }
            template.with([Element::text("name", "Blank"), Element::text("description", "Blank template")])
        };
        Ok(host.into_iter().chain([template("original_template"), template("template")]).collect())
    }
}

fn status_detail(vm: &Vm, status: Status) -> Option<&'static str> {
    if status != Status::Paused {
        return None;
    }
    Some(match vm.condition {
        Condition::PausedForSpace => "enospc",
        Condition::PausedForStorage => "eio",
        Condition::Paused | Condition::Normal | Condition::Migrating | Condition::Unresponsive | Condition::Unclear => {
            "none"
        }
    })
}

/// What the agent tells of the operating system.
fn guest_system(vm: &Vm) -> Element {
    let words = vm.guest_os.split(" (").next().unwrap_or_default();
    let (name, version) = match words.rsplit_once(' ') {
        Some((name, last)) if last.starts_with(|c: char| c.is_ascii_digit()) => (name, Some(last)),
        _ => (words, None),
    };
    let is_windows = words.contains("Windows");
    let number = |text: &str| Element::of("version", [Element::text("full_version", text)]);
    Element::new("guest_operating_system")
        .with([
            Element::text("architecture", "x86_64"),
            Element::text("codename", ""),
            Element::text("distribution", name),
            Element::text("family", if is_windows { "Windows" } else { "Linux" }),
        ])
        .with((!is_windows).then(|| Element::of("kernel", [number("5.14.0-362.el9.x86_64")])))
        .with(version.map(number))
}

fn member(element: Element) -> Element {
    Element { is_member: true, ..element }
}
