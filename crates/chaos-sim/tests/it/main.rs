//! What a client sees of a simulated vCenter, of a simulated engine and of a simulated Dora service, over real connections.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to fail")]

mod client;
mod control_door;
mod determinism;
mod dora;
mod dora_late;
mod dora_wire;
mod guests;
mod inventory;
mod ovirt;
mod paging;
mod power;
mod search;
mod sessions;
mod snapshots;
mod updates;
mod wire_faults;
