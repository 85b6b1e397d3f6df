//! The fields of each kind of object, and the engine's own words that can be their values.

use super::vocabulary::{Field, Relations, Type};

const fn text(name: &'static str) -> Field {
    Field::new(name, Type::Text, Relations::Equality)
}

const fn exact(name: &'static str) -> Field {
    Field::new(name, Type::Exact, Relations::Equality)
}

const fn flag(name: &'static str) -> Field {
    Field::new(name, Type::Flag, Relations::Equality)
}

const fn id(name: &'static str) -> Field {
    Field::new(name, Type::Id, Relations::Equality)
}

const fn tag() -> Field {
    Field::new("tag", Type::Tag, Relations::Equality)
}

const fn quota() -> Field {
    Field::new("quota", Type::ExactAndFree, Relations::Equality)
}

const fn word(name: &'static str, words: &'static [&'static str]) -> Field {
    Field::new(name, Type::Word(words), Relations::Equality)
}

/// A whole number that can be less or more.
const fn amount(name: &'static str) -> Field {
    Field::new(name, Type::Integer, Relations::All)
}

/// A whole number that is only ever equal or not.
const fn number(name: &'static str) -> Field {
    Field::new(name, Type::Integer, Relations::Equality)
}

const fn decimal(name: &'static str) -> Field {
    Field::new(name, Type::Decimal, Relations::All)
}

/// Statuses of VMs. The words are those of the engine, not those of its API: `poweringup` is the API's `powering_up`.
const VM_STATUS: &[&str] = &[
    "unassigned",
    "down",
    "up",
    "poweringup",
    "paused",
    "migratingfrom",
    "migratingto",
    "unknown",
    "notresponding",
    "waitforlaunch",
    "rebootinprogress",
    "savingstate",
    "restoringstate",
    "suspended",
    "imageillegal",
    "imagelocked",
    "poweringdown",
];

const HOST_STATUS: &[&str] = &[
    "unassigned",
    "down",
    "maintenance",
    "up",
    "nonresponsive",
    "error",
    "installing",
    "installfailed",
    "reboot",
    "preparingformaintenance",
    "nonoperational",
    "pendingapproval",
    "initializing",
    "connecting",
    "installingos",
    "kdumping",
];

/// The API says `problematic` for what is `nonresponsive` here.
const DATACENTER_STATUS: &[&str] =
    &["uninitialized", "up", "maintenance", "notoperational", "nonresponsive", "contend"];

const SEVERITY: &[&str] = &["normal", "warning", "error", "alert"];
const EXTERNAL_STATUS: &[&str] = &["ok", "info", "warning", "error", "failure"];
const ARCHITECTURE: &[&str] = &["undefined", "x86_64", "ppc64", "ppc64le", "s390x", "x86", "ppc", "s390", "aarch64"];
const VM_TYPE: &[&str] = &["desktop", "server", "highperformance"];
const BIOS_TYPE: &[&str] = &["i440fx_sea_bios", "q35_sea_bios", "q35_ovmf", "q35_secure_boot"];
const HOST_TYPE: &[&str] = &["rhel", "ovirtvintagenode", "ovirtnode"];
const TEMPLATE_STATUS: &[&str] = &["ok", "locked", "illegal"];
const STORAGE_STATUS: &[&str] = &[
    "unknown",
    "uninitialized",
    "unattached",
    "active",
    "inactive",
    "locked",
    "maintenance",
    "preparingformaintenance",
    "detaching",
    "activating",
];

pub(super) static VM: &[Field] = &[
    text("name"),
    text("comment"),
    word("status", VM_STATUS),
    text("ip"),
    text("on_host"),
    text("fqdn"),
    Field::new("uptime", Type::Span, Relations::Order),
    Field::new("os", Type::Os, Relations::Equality),
    Field::new("creationdate", Type::Date, Relations::Order),
    text("address"),
    amount("cpu_usage"),
    amount("mem_usage"),
    amount("network_usage"),
    amount("memory"),
    amount("guaranteed_memory"),
    amount("migration_progress_percent"),
    amount("vcpus"),
    Field::new("apps", Type::Contained, Relations::Equality),
    text("cluster"),
    text("pool"),
    text("loggedinuser"),
    tag(),
    text("datacenter"),
    word("type", VM_TYPE),
    quota(),
    id("id"),
    text("description"),
    word("architecture", ARCHITECTURE),
    text("custom_emulated_machine"),
    text("custom_cpu_type"),
    text("compatibility_level"),
    exact("custom_compatibility_level"),
    id("created_by_user_id"),
    flag("next_run_config_exists"),
    flag("has_illegal_images"),
    word("bios_type", BIOS_TYPE),
    text("k8s_namespace"),
];

pub(super) static HOST: &[Field] = &[
    text("name"),
    text("comment"),
    word("status", HOST_STATUS),
    word("external_status", EXTERNAL_STATUS),
    text("cluster"),
    text("address"),
    amount("cpu_usage"),
    amount("mem_usage"),
    amount("network_usage"),
    decimal("load"),
    text("version"),
    amount("cpus"),
    amount("memory"),
    decimal("cpu_speed"),
    text("cpu_model"),
    amount("active_vms"),
    number("migrating_vms"),
    amount("committed_mem"),
    tag(),
    word("type", HOST_TYPE),
    text("datacenter"),
    word("architecture", ARCHITECTURE),
    flag("update_available"),
    number("ha_score"),
    number("spm_id"),
    id("hw_id"),
    id("id").unlisted(),
];

pub(super) static CLUSTER: &[Field] = &[
    text("name"),
    text("description"),
    text("comment"),
    word("architecture", ARCHITECTURE),
    exact("compatibility_level"),
    text("cpu_type"),
];

pub(super) static DATACENTER: &[Field] = &[
    text("name"),
    text("description"),
    flag("local"),
    word("status", DATACENTER_STATUS),
    text("comment"),
    text("compatibility_version"),
];

pub(super) static EVENT: &[Field] = &[
    number("type"),
    Field::new("severity", Type::Word(SEVERITY), Relations::All),
    text("message"),
    Field::new("time", Type::Day, Relations::Moment),
    text("usrname"),
    text("event_host"),
    text("event_vm"),
    text("event_template"),
    text("event_storage"),
    text("event_datacenter"),
    text("event_volume"),
    text("correlation_id"),
    text("origin"),
    number("custom_event_id"),
    flag("deleted"),
    text("_event_vm_id").unlisted(),
    text("_event_template_id").unlisted(),
    Field::new("_event_storage_id", Type::Text, Relations::None).unlisted(),
    text("_event_host_id").unlisted(),
    text("_event_datacenter_id").unlisted(),
    text("_event_quota_id").unlisted(),
    Field::new("usrid", Type::Text, Relations::None).unlisted(),
];

pub(super) static TEMPLATE: &[Field] = &[
    text("name"),
    text("comment"),
    Field::new("os", Type::Os, Relations::Equality),
    Field::new("creationdate", Type::Day, Relations::Moment),
    amount("childcount"),
    amount("mem"),
    text("description"),
    word("status", TEMPLATE_STATUS),
    flag("sealed"),
    text("cluster"),
    text("datacenter"),
    quota(),
    word("architecture", ARCHITECTURE),
    text("version_name"),
];

pub(super) static USER: &[Field] = &[
    text("name"),
    text("lastname"),
    text("usrname"),
    text("login"),
    text("directory"),
    text("department"),
    tag(),
    text("pool"),
    exact("type"),
];

pub(super) static STORAGE: &[Field] = &[
    text("name"),
    word("status", STORAGE_STATUS),
    word("external_status", EXTERNAL_STATUS),
    text("datacenter"),
    amount("free_size"),
    amount("used_size"),
    amount("total_size"),
    amount("committed"),
    text("comment"),
    text("description"),
    flag("wipe_after_delete"),
    flag("discard_after_delete"),
    flag("backup"),
];

/// What is asked of an object that the simulator has none of.
pub(super) static NETWORK_NAME: &[Field] = &[text("network_name")];
pub(super) static NAME: &[Field] = &[text("name")];
