//! From what is watched of a VM to the terms in which every platform decides.

use chaos_core::{PlatformKind, ToolsStatus, VMInfo};

use crate::inventory::{CLUSTER_SERVICES, SECONDARY, connection_words, decode_name, extension_words};
use crate::vim::VmState;

/// The VM as far as power operations are concerned.
pub(super) fn info(id: &str, state: &VmState) -> VMInfo {
    let name = state.name.as_deref().map_or_else(|| id.to_owned(), decode_name);
    let mut vm = VMInfo::new(name, id, state.power(), PlatformKind::VSPHERE);
    if let Some(word) = &state.power_state {
        vm.native_state.clone_from(word);
    }
    vm.template = state.template == Some(true);
    vm.boot_time = state.boot_time;
    vm.tools_status = state.tools_running_status.as_deref().map(|word| match word {
        "guestToolsRunning" | "guestToolsExecutingScripts" => ToolsStatus::Running,
        "guestToolsNotRunning" => ToolsStatus::NotRunning,
        _ => ToolsStatus::Unknown,
    });
    vm.unmanageable = unmanageable(&vm, state);
    vm
}

/// Why the VM cannot be managed, if so, by the rules and in the words of a discovery.
fn unmanageable(vm: &VMInfo, state: &VmState) -> Option<String> {
    if let Some(connection) = state.connection_state.as_deref().filter(|word| *word != "connected") {
        return Some(connection_words(connection));
    }
    if let Some(extension) = &state.managed_by {
        return Some(extension_words(extension));
    }
    if state.secondary {
        return Some(SECONDARY.to_owned());
    }
    vm.name.starts_with("vCLS").then(|| CLUSTER_SERVICES.to_owned())
}
