//! Puts an inventory together: objects come in any order, and VMs with their places and hosts come out.

use std::collections::{BTreeMap, HashMap, HashSet};

use chaos_core::{PlatformKind, Problem, ToolsStatus, VMInfo, VMPowerState};
use chaos_xml::Node;

use crate::session::Collect;
use crate::soap::node::VimNode;
use crate::vim::{self, MoRef, ObjectContent};

/// The longest chain of folders that is followed.
const DEEPEST: usize = 128;
/// The most kinds of problems that are told apart.
const PROBLEMS: usize = 200;

/// What was read of an inventory.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    vms: Vec<FoundVm>,
    seen: HashSet<String>,
    hosts: HashMap<String, Host>,
    computes: HashMap<String, Compute>,
    places: HashMap<String, Place>,
    missing: BTreeMap<Missing, (u64, String)>,
}

/// A VM and what leads to its surroundings.
#[derive(Debug)]
struct FoundVm {
    info: VMInfo,
    /// The folder or vApp that it is in.
    place: Option<String>,
    host: Option<String>,
    config: ConfigSeen,
}

/// Whether a VM has a configuration: one whose files cannot be read has none, and nor has one that is being created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ConfigSeen {
    Yes,
    No,
    /// The account may not read it.
    Hidden,
}

#[derive(Debug)]
struct Host {
    name: String,
    compute: Option<String>,
    connection: Option<String>,
}

#[derive(Debug)]
struct Compute {
    name: String,
    /// A `ComputeResource` that is no cluster is a standalone host.
    is_cluster: bool,
}

/// A folder, datacenter or vApp.
#[derive(Debug)]
struct Place {
    name: String,
    is_datacenter: bool,
    parent: Option<String>,
}

/// A property that could not be read: of which type, which, and why.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Missing {
    kind: String,
    path: String,
    why: String,
}

/// Where a place is.
#[derive(Clone, Debug, Default)]
struct Whereabouts {
    /// The inventory path; none if the way to the root could not be read.
    path: Option<String>,
    datacenter: Option<String>,
}

impl Collect for Inventory {
    fn object(&mut self, object: ObjectContent<'_>) {
        let Some(MoRef { kind, id }) = object.object() else { return };
        let mut config_hidden = false;
        for mut missing in object.missing() {
            config_hidden |= missing.path.starts_with("summary");
            // The object is known, and a thousand VMs with one privilege missing are one problem.
            missing.fault.forget_object();
            self.note_missing(&kind, &id, missing.path, missing.fault.to_string());
        }
        match kind.as_str() {
            // A VM in a vApp may be met twice: by its folder and by its vApp.
            "VirtualMachine" if !self.seen.insert(id.clone()) => {}
            "VirtualMachine" => {
                let mut vm = read_vm(&id, object);
                if config_hidden && vm.config == ConfigSeen::No {
                    vm.config = ConfigSeen::Hidden;
                }
                self.vms.push(vm);
            }
            "HostSystem" => {
                let mut host = Host { name: id.clone(), compute: None, connection: None };
                for (path, value) in object.properties() {
                    match path {
                        "name" => host.name = decode_name(value.text()),
                        "parent" => host.compute = reference(value),
                        "runtime.connectionState" => host.connection = word(value),
                        _ => {}
                    }
                }
                self.hosts.insert(id, host);
            }
            "Folder" | "StoragePod" | "Datacenter" | "VirtualApp" => {
                let mut place = Place { name: id.clone(), is_datacenter: kind == "Datacenter", parent: None };
                let is_vapp = kind == "VirtualApp";
                for (path, value) in object.properties() {
                    match path {
                        "name" => place.name = decode_name(value.text()),
                        // A vApp's `parent` is a resource pool, which is no place.
                        "parent" if !is_vapp => place.parent = reference(value),
                        "parentFolder" | "parentVApp" if is_vapp => place.parent = reference(value).or(place.parent),
                        _ => {}
                    }
                }
                self.places.insert(id, place);
            }
            compute if compute.ends_with("ComputeResource") => {
                let mut compute = Compute { name: id.clone(), is_cluster: kind == "ClusterComputeResource" };
                for (path, value) in object.properties() {
                    if path == "name" {
                        compute.name = decode_name(value.text());
                    }
                }
                self.computes.insert(id, compute);
            }
            _ => {}
        }
    }
}

impl Inventory {
    /// Takes over what was read in another piece.
    pub(crate) fn absorb(&mut self, other: Self) {
        for vm in other.vms {
            if self.seen.insert(vm.info.id.clone()) {
                self.vms.push(vm);
            }
        }
        self.hosts.extend(other.hosts);
        self.computes.extend(other.computes);
        self.places.extend(other.places);
        for (missing, (count, first)) in other.missing {
            self.missing.entry(missing).or_insert((0, first)).0 += count;
        }
    }

    /// The VMs with everything that is known of them, and what could not be read. `root` is the folder that no path
    /// shows.
    pub(crate) fn join(self, root: &MoRef) -> (Vec<VMInfo>, Vec<Problem>) {
        let Self { vms, hosts, computes, places, missing, .. } = self;
        let mut known = HashMap::new();
        known.insert(root.id.clone(), Whereabouts { path: Some(String::new()), datacenter: None });
        let vms = vms
            .into_iter()
            .map(|vm| {
                let whereabouts =
                    vm.place.as_deref().map(|place| locate(place, &places, &mut known)).unwrap_or_default();
                let host = vm.host.as_deref().and_then(|host| hosts.get(host));
                let compute = host.and_then(|host| computes.get(host.compute.as_deref()?));
                finish_vm(vm, whereabouts, host, compute)
            })
            .collect();
        (vms, missing.into_iter().map(|(missing, (count, first))| missing.problem(count, &first)).collect())
    }

    fn note_missing(&mut self, kind: &str, id: &str, path: String, why: String) {
        let missing = Missing { kind: kind.to_owned(), path, why };
        if self.missing.len() < PROBLEMS || self.missing.contains_key(&missing) {
            self.missing.entry(missing).or_insert_with(|| (0, id.to_owned())).0 += 1;
        }
    }
}

impl Missing {
    fn problem(&self, count: u64, first: &str) -> Problem {
        let Self { kind, path, why } = self;
        let more = if count > 1 { format!(" (and of {} more)", count - 1) } else { String::new() };
        Problem::new(format!("{kind}:{first}"), format!("cannot read `{path}`{more}: {why}"))
    }
}

/// Finds out where a place is, and remembers it for all the others below the same folders.
fn locate(id: &str, places: &HashMap<String, Place>, known: &mut HashMap<String, Whereabouts>) -> Whereabouts {
    let mut unknown = Vec::new();
    let mut at = id;
    let mut base = loop {
        if let Some(known) = known.get(at) {
            break known.clone();
        }
        let Some(place) = places.get(at) else { break Whereabouts::default() };
        unknown.push((at, place));
        match &place.parent {
            Some(parent) if unknown.len() < DEEPEST => at = parent,
            _ => break Whereabouts::default(),
        }
    };
    for (id, place) in unknown.into_iter().rev() {
        if place.is_datacenter {
            base.datacenter = Some(place.name.clone());
        }
        base.path = base.path.map(|path| format!("{path}/{}", place.name));
        known.insert(id.to_owned(), base.clone());
    }
    base
}

fn finish_vm(vm: FoundVm, at: Whereabouts, host: Option<&Host>, compute: Option<&Compute>) -> VMInfo {
    let FoundVm { mut info, config, .. } = vm;
    info.path = at.path.map(|path| format!("{path}/{}", info.name));
    info.datacenter = at.datacenter;
    info.host = host.map(|host| host.name.clone());
    info.cluster = compute.filter(|compute| compute.is_cluster).map(|compute| compute.name.clone());
    if info.unmanageable.is_none()
        && let Some(host) = host
        && let Some(state) = host.connection.as_deref().filter(|state| *state != "connected")
    {
        info.unmanageable = Some(format!("its host {} is {state}", host.name));
    }
    if info.unmanageable.is_none() && config == ConfigSeen::No {
        info.unmanageable =
            Some("it has no configuration: it is being created, or its files cannot be read".to_owned());
    }
    info
}

fn read_vm(id: &str, object: ObjectContent<'_>) -> FoundVm {
    let info = VMInfo::new(id, id, VMPowerState::Unknown, PlatformKind::VSPHERE);
    let mut vm = FoundVm { info, place: None, host: None, config: ConfigSeen::No };
    let (mut tools_running, mut tools_version) = (None, None);
    for (path, value) in object.properties() {
        let info = &mut vm.info;
        match path {
            "name" => info.name = decode_name(value.text()),
            "parent" | "parentVApp" => vm.place = reference(value).or(vm.place),
            "runtime.host" => vm.host = reference(value),
            "runtime.powerState" => {
                value.text().trim().clone_into(&mut info.native_state);
                info.power_state = vim::power_state(&info.native_state);
            }
            "runtime.connectionState" => {
                if let Some(state) = word(value).filter(|state| state != "connected") {
                    info.unmanageable.get_or_insert_with(|| connection_words(&state));
                    info.metadata.insert("connection_state".to_owned(), state);
                }
            }
            "runtime.bootTime" => info.boot_time = vim::timestamp(value.text()),
            "runtime.question" => {
                let question = vim::Question::read(value);
                info.metadata.insert("question".to_owned(), question.text);
            }
            "guest.toolsRunningStatus" => tools_running = word(value),
            "guest.toolsVersionStatus2" => tools_version = word(value),
            "guest.ipAddress" => keep(info, "ip_address", word(value)),
            "guest.hostName" => keep(info, "host_name", word(value)),
            "summary.config" => read_config(&mut vm, value),
            _ => {}
        }
    }
    vm.info.tools_status = Some(tools_status(tools_running.as_deref(), tools_version.as_deref()));
    keep(&mut vm.info, "tools_version_status", tools_version);
    if vm.info.name.starts_with("vCLS") {
        vm.info.unmanageable.get_or_insert_with(|| CLUSTER_SERVICES.to_owned());
    }
    vm
}

/// Reads `VirtualMachineConfigSummary`.
fn read_config(vm: &mut FoundVm, config: Node<'_>) {
    let info = &mut vm.info;
    for field in config.children().filter(|field| !field.is_nil()) {
        match field.name() {
            "template" => info.template = vim::boolean(field.text()).unwrap_or(false),
            "numCpu" => info.cpu_count = field.text().trim().parse().ok(),
            "memorySizeMB" => info.memory_mb = field.text().trim().parse().ok(),
            "guestFullName" => info.guest_os = word(field),
            "instanceUuid" => info.instance_uuid = word(field),
            "uuid" => keep(info, "bios_uuid", word(field)),
            "guestId" => keep(info, "guest_id", word(field)),
            "hwVersion" => keep(info, "hardware_version", word(field)),
            "vmPathName" => keep(info, "vm_path_name", word(field)),
            "managedBy" => {
                if let Some(extension) = field.child_value("extensionKey").map(str::trim).filter(|key| !key.is_empty())
                {
                    info.unmanageable.get_or_insert_with(|| extension_words(extension));
                    keep(info, "managed_by", Some(extension.to_owned()));
                }
            }
            "ftInfo" => {
                // Role 1 is the primary (`FaultToleranceConfigInfo.role`).
                let role: u32 = field.child_value("role").and_then(|role| role.trim().parse().ok()).unwrap_or(0);
                if role > 1 {
                    info.unmanageable.get_or_insert_with(|| SECONDARY.to_owned());
                }
                if role > 0 {
                    let role = if role > 1 { "secondary" } else { "primary" };
                    keep(info, "fault_tolerance", Some(role.to_owned()));
                }
            }
            _ => {}
        }
    }
    if info.cpu_count.is_some() || info.memory_mb.is_some() {
        vm.config = ConfigSeen::Yes;
    }
}

fn keep(info: &mut VMInfo, key: &str, value: Option<String>) {
    if let Some(value) = value {
        info.metadata.insert(key.to_owned(), value);
    }
}

/// Why nobody should touch a VM whose name begins with `vCLS`.
pub(crate) const CLUSTER_SERVICES: &str = "it is a vSphere Cluster Services VM, which the vCenter itself looks after";
/// Why nobody should touch the second VM of a fault-tolerant pair.
pub(crate) const SECONDARY: &str = "it is the secondary of a fault-tolerant pair: act on the primary of the same name";

/// Why nobody should touch a VM that belongs to an extension.
pub(crate) fn extension_words(extension: &str) -> String {
    format!("it belongs to the extension {extension}")
}

/// `VirtualMachineConnectionState` in words.
pub(crate) fn connection_words(state: &str) -> String {
    match state {
        "disconnected" => "its host is not connected to the vCenter".to_owned(),
        "orphaned" => "it is registered in the vCenter and gone from its host (orphaned)".to_owned(),
        "inaccessible" => "its files cannot be reached (inaccessible)".to_owned(),
        "invalid" => "its configuration file cannot be read (invalid)".to_owned(),
        other => format!("its connection state is {other}"),
    }
}

/// Puts `guest.toolsRunningStatus` and `guest.toolsVersionStatus2` together.
fn tools_status(running: Option<&str>, version: Option<&str>) -> ToolsStatus {
    match (running, version) {
        (Some("guestToolsRunning" | "guestToolsExecutingScripts"), _) => ToolsStatus::Running,
        (_, Some("guestToolsNotInstalled")) => ToolsStatus::NotInstalled,
        (Some("guestToolsNotRunning"), _) => ToolsStatus::NotRunning,
        _ => ToolsStatus::Unknown,
    }
}

fn reference(value: Node<'_>) -> Option<String> {
    MoRef::read(value).map(|reference| reference.id)
}

fn word(value: Node<'_>) -> Option<String> {
    let text = value.text().trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Decodes the three characters that names carry escaped (`ManagedEntity.name`): `%2f`, `%5c`, `%25`.
pub(crate) fn decode_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let character = match rest.as_bytes().get(at + 1..at + 3) {
            Some(b"2f" | b"2F") => Some('/'),
            Some(b"5c" | b"5C") => Some('\\'),
            Some(b"25") => Some('%'),
            _ => None,
        };
        out.push(character.unwrap_or('%'));
        rest = &rest[at + if character.is_some() { 3 } else { 1 }..];
    }
    out.push_str(rest);
    out
}

/// Encodes a path for `FindByInventoryPath`. A `/` is taken for a separator.
pub(crate) fn encode_path(path: &str) -> String {
    path.replace('%', "%25").replace('\\', "%5c")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_decoded_once() {
        for (wire, name) in [
            ("a%2fb", "a/b"),
            ("a%2Fb", "a/b"),
            ("x%252fy", "x%2fy"),
            ("100%", "100%"),
            ("%5c%zz%", "\\%zz%"),
            ("é%25é", "é%é"),
        ] {
            assert_eq!(decode_name(wire), name);
        }
        assert_eq!(encode_path("DC0/vm/50% \\ x"), "DC0/vm/50%25 %5c x");
    }

    #[test]
    fn a_circle_of_folders_ends() {
        let place = |parent: &str| Place { name: "f".into(), is_datacenter: false, parent: Some(parent.into()) };
        let places = HashMap::from([("a".to_owned(), place("b")), ("b".to_owned(), place("a"))]);
        assert!(locate("a", &places, &mut HashMap::new()).path.is_none());
    }
}
