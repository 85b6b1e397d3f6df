//! Events: the log of the world in the engine's words.
//!
//! Source: API model, types `Event` and `EventCode`; the texts are the engine's own in English.

use super::element::Element;
use super::ids::ClusterKey;
use super::scene::{Scene, href};
use crate::world::{Condition, Happening, LogEntry, Operation};

/// Entries of the log become up to this many events.
const PER_ENTRY: u64 = 2;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Severity {
    Normal,
    Warning,
    Error,
}

impl Severity {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// An event, and the entry that it is made from.
#[derive(Debug, Clone)]
pub(super) struct Event<'a> {
    pub(super) number: u64,
    pub(super) code: u32,
    pub(super) severity: Severity,
    pub(super) text: String,
    pub(super) entry: &'a LogEntry,
}

impl Event<'_> {
    pub(super) fn user(&self) -> Option<&str> {
        match &self.entry.what {
            Happening::Note(note) => note.user.as_deref(),
            _ => None,
        }
    }

    pub(super) fn correlation(&self) -> Option<&str> {
        match &self.entry.what {
            Happening::Note(note) => note.correlation.as_deref(),
            _ => None,
        }
    }
}

impl<'a> Scene<'a> {
    /// The events after that number, newest first.
    pub(super) fn events_after(&self, number: u64) -> impl Iterator<Item = Event<'a>> {
        // An entry of which only the second event is new counts as well.
        let entries = self.state.log.after((number / PER_ENTRY).saturating_sub(1));
        entries.flat_map(|entry| self.events_of(entry).into_iter().rev()).filter(move |event| event.number > number)
    }

    /// The event of that number.
    pub(super) fn event(&self, number: u64) -> Option<Event<'a>> {
        let entry = self.state.log.get(number / PER_ENTRY)?;
        self.events_of(entry).into_iter().find(|event| event.number == number)
    }

    /// What an entry is told as, oldest first.
    fn events_of(&self, entry: &'a LogEntry) -> Vec<Event<'a>> {
        use Severity::{Error, Normal, Warning};
        let vm = entry.vm.as_ref().map(|(_, name)| name.as_str()).unwrap_or_default();
        let host = entry.host.and_then(|host| self.state.inventory.hosts.get(&host));
        let host = host.map(|host| host.name.as_str()).unwrap_or_default();
        let told: Vec<(u32, Severity, String)> = match &entry.what {
            Happening::Note(note) => {
                vec![(note.code, if note.is_error { Error } else { Normal }, note.text.clone())]
            }
            Happening::Started => vec![(32, Normal, format!("VM {vm} started on Host {host}"))],
            Happening::WentDown { clean: true } => {
                vec![(61, Normal, format!("VM {vm} is down. Exit message: User shut down from within the guest"))]
            }
            Happening::WentDown { clean: false } => {
                vec![(61, Normal, format!("VM {vm} is down. Exit message: Admin shut down from the engine"))]
            }
            Happening::Suspended => vec![(503, Normal, format!("VM {vm} on Host {host} is suspended."))],
            Happening::Failed(operation, _) => failures(*operation, vm, host),
            Happening::RefusedShutdown => vec![(147, Error, format!("Shutdown of VM {vm} failed."))],
            Happening::WentDownToRestart => {
                vec![(9611, Normal, format!("VM {vm} is down as a part of cold reboot process"))]
            }
            Happening::RestartFailed => {
                vec![(9612, Error, format!("Cold reboot of VM {vm} failed: it could not be started again."))]
            }
            Happening::Became { before, after } => became(*before, *after, vm, host),
            Happening::Lost => vec![(142, Warning, format!("VM {vm} was set to the Unknown status."))],
            Happening::Found => vec![(163, Normal, format!("VM {vm} status was restored to Up."))],
        };
        let numbered = told.into_iter().zip(0..PER_ENTRY);
        numbered
            .map(|((code, severity, text), place)| Event {
                number: entry.number * PER_ENTRY + place,
                code,
                severity,
                text,
                entry,
            })
            .collect()
    }

    /// An event as the API shows it.
    pub(super) fn event_element(&self, event: &Event<'_>) -> Element {
        let id = event.number.to_string();
        let inventory = &self.state.inventory;
        let vm = event.entry.vm.as_ref().and_then(|(id, _)| inventory.vms.get(id));
        let host = event.entry.host.and_then(|host| inventory.hosts.get(&host));
        let ids = &self.engine.ids;
        let reference = |name, collection, id: String| Element::reference(name, href(collection, &id), id);
        let cluster = host.map(ClusterKey::of);
        Element::reference("event", href("events", &id), id)
            .with([Element::text("description", event.text.as_str()), Element::int("code", event.code)])
            .with(event.correlation().map(|correlation| Element::text("correlation_id", correlation)))
            .with([
                Element::int("custom_id", -1),
                Element::int("flood_rate", 30),
                Element::text("origin", "oVirt"),
                Element::text("severity", event.severity.word()),
                self.moment_at("time", event.entry.at),
            ])
            .with(cluster.map(|key| reference("cluster", "clusters", ids.cluster(key))))
            .with(
                host.filter(|_| cluster.is_some_and(|key| self.datacenter_of(key).is_some()))
                    .map(|host| reference("data_center", "datacenters", ids.datacenter(host.datacenter))),
            )
            .with(host.filter(|_| !self.is_filtered).map(|host| reference("host", "hosts", ids.host(host.id))))
            .with(vm.map(|_| reference("template", "templates", super::ids::ZERO.to_owned())))
            .with(event.user().map(|user| reference("user", "users", ids.user(user))))
            .with(vm.map(|vm| reference("vm", "vms", ids.vm(vm.id))))
    }
}

fn failures(operation: Operation, vm: &str, host: &str) -> Vec<(u32, Severity, String)> {
    let failed = |code, what: &str| (code, Severity::Error, format!("Failed to {what} VM {vm} (Host: {host})."));
    match operation {
        Operation::PowerOn => vec![
            (119, Severity::Error, format!("VM {vm} is down with error. Exit message: the host could not run it.")),
            failed(54, "run"),
        ],
        Operation::PowerOff | Operation::Terminate => vec![failed(56, "power off")],
        Operation::Reset => vec![failed(222, "reset")],
        Operation::Suspend | Operation::StandbyGuest => {
            vec![(502, Severity::Error, format!("Failed to suspend VM {vm}."))]
        }
        Operation::ShutdownGuest => vec![failed(74, "initiate shutdown on")],
        Operation::RebootGuest => vec![failed(158, "reboot")],
    }
}

fn became(before: Condition, after: Condition, vm: &str, host: &str) -> Vec<(u32, Severity, String)> {
    use Severity::{Error, Normal, Warning};
    let told = match after {
        Condition::Paused => (1025, Normal, format!("VM {vm} has been paused.")),
        Condition::PausedForSpace => (138, Error, format!("VM {vm} has been paused due to no Storage space error.")),
        Condition::PausedForStorage => (145, Error, format!("VM {vm} has been paused due to storage I/O problem.")),
        Condition::Migrating => (62, Normal, format!("Migration started (VM: {vm}, Source: {host}).")),
        Condition::Unresponsive => (126, Warning, format!("VM {vm} is not responding.")),
        Condition::Unclear => (142, Warning, format!("VM {vm} was set to the Unassigned status.")),
        Condition::Normal if before.is_paused() => (40, Normal, format!("VM {vm} was resumed on Host {host}.")),
        Condition::Normal if before == Condition::Migrating => (63, Normal, format!("Migration completed (VM: {vm}).")),
        Condition::Normal => (163, Normal, format!("VM {vm} status was restored to Up.")),
    };
    vec![told]
}
