//! The engine's log (API model, type `Event`): which lines matter here, and what they say.

use chaos_xml::Node;

/// A shutdown was carried out as a hard stop (`USER_STOPPED_VM_INSTEAD_OF_SHUTDOWN`).
pub(crate) const STOPPED_INSTEAD_OF_SHUTDOWN: u32 = 76;
/// A reboot was carried out (`USER_REBOOT_VM`).
pub(crate) const REBOOTED: u32 = 157;
/// A reset was carried out (`USER_RESET_VM`).
pub(crate) const RESET: u32 = 221;
/// Ways in which an operation fails after it was accepted: a VM that is down with an error, failed to run, to stop, to be
/// suspended, to be resumed.
pub(crate) const FAILURES: [u32; 8] = [119, 54, 56, 74, 502, 521, 158, 222];

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) code: u32,
    /// When it was written, by the engine's clock and in its zone.
    pub(crate) time: String,
    pub(crate) description: String,
}

impl Event {
    /// Reads an `<event>`.
    pub(crate) fn read(node: Node<'_>) -> Option<Self> {
        Some(Self {
            code: node.child_text("code")?.trim().parse().ok()?,
            time: node.child_text("time").unwrap_or("unknown time").trim().to_owned(),
            description: node
                .child_text("description")
                .unwrap_or_default()
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .trim_end_matches('.')
                .to_owned(),
        })
    }
}
