//! A VM as an answer describes it (API model, type `Vm`). Only direct children are read.

use std::collections::BTreeMap;

use chaos_core::{PlatformKind, ToolsStatus, VMInfo};
use chaos_xml::Node;
use jiff::Timestamp;

use super::status::Status;

/// The origins of the VM that the engine itself runs in.
const HOSTED_ENGINE: [&str; 2] = ["hosted_engine", "managed_hosted_engine"];
const ENGINE_ITSELF: &str = "the engine itself runs in it";

/// Texts that are taken over as they are: the child of the element, and the name in the metadata.
const TEXTS: &[&str] = &[
    "description",
    "comment",
    "fqdn",
    "status_detail",
    "stop_reason",
    "type",
    "origin",
    "creation_time",
    "stop_time",
    "delete_protected",
    "has_illegal_images",
    "next_run_configuration_exists",
    "run_once",
];

/// A VM, with references to where it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Vm {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) status: Status,
    /// The host that it runs on, by id. None while it does not run, and in a filtered view.
    pub(crate) host: Option<String>,
    pub(crate) cluster: Option<String>,
    pub(crate) cpu_count: Option<u32>,
    pub(crate) memory_bytes: Option<u64>,
    pub(crate) guest_os: Option<String>,
    pub(crate) start_time: Option<Timestamp>,
    /// Something that only the guest's agent can know was told.
    pub(crate) agent_was_heard: bool,
    pub(crate) is_hosted_engine: bool,
    pub(crate) metadata: BTreeMap<String, String>,
}

impl Vm {
    /// Reads a `<vm>`. None if it has no id, which no VM lacks.
    pub(crate) fn read(node: Node<'_>) -> Option<Self> {
        let text = |name| told(node.child_text(name));
        let status = Status::parse(node.child_text("status").unwrap_or_default().trim());
        let guest = node.child("guest_operating_system").and_then(guest_system);
        let agent_was_heard = guest.is_some() || text("fqdn").is_some();
        let os = node.child("os").and_then(|os| told(os.child_text("type")));
        let mut metadata: BTreeMap<String, String> =
            TEXTS.iter().filter_map(|name| Some(((*name).to_owned(), text(name)?))).collect();
        if let Some(os) = &os {
            metadata.insert("os_type".to_owned(), os.clone());
        }
        if let Some(zone) = node.child("guest_time_zone").and_then(|zone| told(zone.child_text("name"))) {
            metadata.insert("guest_time_zone".to_owned(), zone);
        }
        if let Some(enabled) = node.child("high_availability").and_then(|it| told(it.child_text("enabled"))) {
            metadata.insert("high_availability".to_owned(), enabled);
        }
        Some(Self {
            id: told(node.attribute("id"))?,
            name: node.child_text("name").unwrap_or_default().to_owned(),
            host: reference(node, "host"),
            cluster: reference(node, "cluster"),
            cpu_count: cpu_count(node, &status),
            memory_bytes: node.child_text("memory").and_then(|text| text.trim().parse().ok()),
            guest_os: guest.or(os),
            start_time: node.child_text("start_time").and_then(|text| text.trim().parse().ok()),
            agent_was_heard,
            is_hosted_engine: text("origin").is_some_and(|origin| HOSTED_ENGINE.contains(&origin.as_str())),
            metadata,
            status,
        })
    }

    /// The VM in the terms of every platform, without the names of its places.
    pub(crate) fn info(&self) -> VMInfo {
        let mut vm = VMInfo::new(&*self.name, &*self.id, self.status.power(), PlatformKind::OLVM);
        self.status.word().clone_into(&mut vm.native_state);
        vm.cpu_count = self.cpu_count;
        vm.memory_mb = self.memory_bytes.map(|bytes| bytes >> 20);
        vm.guest_os.clone_from(&self.guest_os);
        vm.boot_time = self.start_time;
        vm.tools_status = self.tools();
        vm.unmanageable = self.is_hosted_engine.then(|| ENGINE_ITSELF.to_owned());
        vm.metadata.clone_from(&self.metadata);
        vm
    }

    /// The engine does not say whether there is an agent: only what it tells shows that it is there, and only while the VM
    /// runs.
    fn tools(&self) -> Option<ToolsStatus> {
        let runs = self.status.is_launched();
        runs.then_some(if self.agent_was_heard { ToolsStatus::Running } else { ToolsStatus::Unknown })
    }
}

/// A text that is there and not empty.
fn told(text: Option<&str>) -> Option<String> {
    text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The id that a child refers to.
fn reference(node: Node<'_>, name: &str) -> Option<String> {
    told(node.child(name)?.attribute("id"))
}

/// Virtual CPUs: sockets × cores × threads. While a VM runs that is resized to its host (`resize_and_pin_numa`), what it has
/// is told apart from what is configured.
fn cpu_count(node: Node<'_>, status: &Status) -> Option<u32> {
    let topology = |of: &str| node.child(of)?.child("topology");
    let resized = node.child_text("cpu_pinning_policy").map(str::trim) == Some("resize_and_pin_numa");
    let effective = if resized && status.is_launched() { topology("dynamic_cpu") } else { None };
    let topology = effective.or_else(|| topology("cpu"))?;
    // A factor that is left out is 1, but not all of them are.
    let mut count: Option<u32> = None;
    for factor in ["sockets", "cores", "threads"] {
        if let Some(text) = topology.child_text(factor) {
            count = Some(count.unwrap_or(1).checked_mul(text.trim().parse().ok()?)?);
        }
    }
    count
}

/// The operating system as the guest's agent reports it, such as `Oracle Linux Server 8.9`.
fn guest_system(node: Node<'_>) -> Option<String> {
    let name = told(node.child_text("distribution")).or_else(|| told(node.child_text("family")))?;
    match node.child("version").and_then(|version| told(version.child_text("full_version"))) {
        Some(version) => Some(format!("{name} {version}")),
        None => Some(name),
    }
}
