//! From what is watched of a VM to the terms in which every platform decides.

use chaos_core::{PlatformKind, ToolsStatus, VMInfo};

use crate::vim::VmState;

/// The VM as far as power operations are concerned.
pub(super) fn info(id: &str, state: &VmState) -> VMInfo {
    let name = state.name.as_deref().map_or_else(|| id.to_owned(), decoded);
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
    vm.unmanageable = unreachable(state);
    vm
}

/// Why the VM cannot be managed, if so (`VirtualMachineConnectionState`).
fn unreachable(state: &VmState) -> Option<String> {
    match state.connection_state.as_deref()? {
        "connected" => None,
        other => Some(format!("its connection state is {other}")),
    }
}

fn decoded(name: &str) -> String {
    name.replace("%2f", "/").replace("%2F", "/").replace("%5c", "\\").replace("%5C", "\\").replace("%25", "%")
}
