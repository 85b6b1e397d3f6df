//! Properties of a `VirtualMachine`.

use super::Scope;
use crate::vsphere::fault::power_state;
use crate::vsphere::mo::{Mo, escape_name};
use crate::vsphere::value::{Struct, Value};
use crate::world::{GuestPhase, HostState, Place, Power, Reach, Tools, Vm, VmRole};

/// The property `first` or, where `rest` is not empty, a member of it.
pub(super) fn property(scope: &Scope<'_>, vm: &Vm, first: &str, rest: &[&str]) -> Option<Value> {
    match first {
        "runtime" => runtime(scope, vm).at(rest),
        "guest" => guest(vm)?.at(rest),
        "config" => vm.has_config.then(|| config(scope, vm))?.at(rest),
        "summary" => summary(scope, vm, rest),
        "resourcePool" => {
            let host = scope.state.inventory.hosts.get(&vm.host)?;
            (vm.role != VmRole::Template).then(|| scope.reference(&Mo::Pool(super::compute::of_host(host))).into())
        }
        "parentVApp" => match vm.place {
            Place::App(app) => Some(scope.reference(&Mo::App(app)).into()),
            Place::Datacenter(_) | Place::Folder(_) => None,
        },
        "disabledMethod" => {
            let methods = disabled_methods(vm);
            Some(Value::List("string", methods.into_iter().map(Value::string).collect()))
        }
        "recentTask" => Some(Value::refs(vm.task.map(|task| scope.reference(&Mo::Task(task))))),
        "guestHeartbeatStatus" => Some(heartbeat(vm)),
        "overallStatus" => {
            Some(Value::constant("ManagedEntityStatus", if vm.is_reachable() { "green" } else { "gray" }))
        }
        "datastore" | "network" | "rootSnapshot" => Some(Value::refs([])),
        _ => None,
    }
}

/// Only the part that is asked for is built: `summary` is what large inventories are read by.
fn summary(scope: &Scope<'_>, vm: &Vm, rest: &[&str]) -> Option<Value> {
    match rest.split_first() {
        Some((&"runtime", rest)) => runtime(scope, vm).at(rest),
        Some((&"config", rest)) => summary_config(scope, vm).at(rest),
        Some((&"guest", rest)) => summary_guest(vm)?.at(rest),
        Some((&"quickStats", rest)) => quick_stats(scope, vm).at(rest),
        _ => Struct::new("VirtualMachineSummary")
            .with("vm", scope.reference(&Mo::Vm(vm.id)))
            .with("runtime", runtime(scope, vm))
            .with_some("guest", summary_guest(vm))
            .with("config", summary_config(scope, vm))
            .with("quickStats", quick_stats(scope, vm))
            .with("overallStatus", Value::constant("ManagedEntityStatus", "green"))
            .at(rest),
    }
}

fn runtime(scope: &Scope<'_>, vm: &Vm) -> Struct {
    let fault_tolerance = if vm.role == VmRole::FaultToleranceSecondary { "running" } else { "notConfigured" };
    Struct::new("VirtualMachineRuntimeInfo")
        .with("host", scope.reference(&Mo::Host(vm.host)))
        .with("connectionState", Value::constant("VirtualMachineConnectionState", connection_state(vm.reach)))
        .with("powerState", Value::constant("VirtualMachinePowerState", power_state(vm.power)))
        .with("faultToleranceState", Value::constant("VirtualMachineFaultToleranceState", fault_tolerance))
        .with("toolsInstallerMounted", false)
        .with_some("suspendTime", vm.suspend_time)
        .with_some("bootTime", vm.boot_time)
        .with_some("question", question(vm))
        .with("maxCpuUsage", Value::int(i64::from(vm.cpus) * 2400))
        .with("maxMemoryUsage", Value::int(vm.memory_mb))
        .with("numMksConnections", Value::int(0))
        .with("recordReplayState", Value::constant("VirtualMachineRecordReplayState", "inactive"))
        .with_some("cleanPowerOff", vm.clean_power_off)
        .with("onlineStandby", false)
        .with("consolidationNeeded", false)
}

fn question(vm: &Vm) -> Option<Struct> {
    let question = vm.question.as_ref()?;
    let choices = question.choices.iter().map(|(key, label)| {
        let choice = Struct::new("ElementDescription")
            .with("label", label.clone())
            .with("summary", label.clone())
            .with("key", key.clone());
        Value::from(choice)
    });
    let choice = Struct::new("ChoiceOption")
        .with("choiceInfo", Value::List("ElementDescription", choices.map(Value::typed).collect()))
        .with("defaultIndex", Value::int(0));
    let data = Struct::new("VirtualMachineQuestionInfo")
        .with("id", question.id.clone())
        .with("text", question.text.clone())
        .with("choice", choice);
    Some(data)
}

/// Unset where the configuration is: such a VM has no guest information either.
fn guest(vm: &Vm) -> Option<Struct> {
    if !vm.has_config {
        return None;
    }
    let up = vm.tools_answer();
    let ready = vm.obeys_soft_operations();
    let (guest_id, family) = guest_id(vm);
    let data = Struct::new("GuestInfo")
        .with("toolsStatus", Value::constant("VirtualMachineToolsStatus", tools_status(vm)))
        .with("toolsVersionStatus", tools_version(vm))
        .with("toolsVersionStatus2", tools_version(vm))
        .with("toolsRunningStatus", tools_running(vm))
        .with("toolsVersion", if vm.guest.tools == Tools::NotInstalled { "0" } else { "12389" })
        .with("guestId", guest_id)
        .with("guestFamily", family)
        .with("guestFullName", vm.guest_os.clone())
        .with_some("hostName", up.then(|| host_name(vm)))
        .with_some("ipAddress", up.then(|| vm.ip_address.clone()))
        .with("guestState", guest_state(vm))
        .with("guestOperationsReady", up && vm.phase == GuestPhase::Ready)
        .with("interactiveGuestOperationsReady", false)
        .with("guestStateChangeSupported", ready)
        .with("hwVersion", "vmx-19");
    Some(data)
}

fn config(scope: &Scope<'_>, vm: &Vm) -> Struct {
    let changed = scope.state.timestamp(std::time::Duration::ZERO);
    let (guest_id, _) = guest_id(vm);
    let hardware = Struct::new("VirtualHardware")
        .with("numCPU", Value::int(vm.cpus))
        .with("numCoresPerSocket", Value::int(1))
        .with("memoryMB", Value::int(vm.memory_mb));
    Struct::new("VirtualMachineConfigInfo")
        .with("changeVersion", changed.to_string())
        .with("modified", changed)
        .with("name", escape_name(&vm.name))
        .with("guestFullName", vm.guest_os.clone())
        .with("version", "vmx-19")
        .with("uuid", vm.bios_uuid.clone())
        .with("instanceUuid", vm.instance_uuid.clone())
        .with("template", vm.role == VmRole::Template)
        .with("guestId", guest_id)
        .with("alternateGuestName", "")
        .with("annotation", "")
        .with("files", Struct::new("VirtualMachineFileInfo").with("vmPathName", vm_path(vm)))
        .with("hardware", hardware)
        .with_some("ftInfo", fault_tolerance(scope, vm))
        .with_some("managedBy", managed_by(vm))
}

/// A VM without configuration keeps the members that the schema requires.
fn summary_config(scope: &Scope<'_>, vm: &Vm) -> Struct {
    let data = Struct::new("VirtualMachineConfigSummary")
        .with("name", escape_name(&vm.name))
        .with("template", vm.role == VmRole::Template)
        .with("vmPathName", vm_path(vm));
    if !vm.has_config {
        return data;
    }
    let (guest_id, _) = guest_id(vm);
    data.with("memorySizeMB", Value::int(vm.memory_mb))
        .with("numCpu", Value::int(vm.cpus))
        .with("numEthernetCards", Value::int(1))
        .with("numVirtualDisks", Value::int(1))
        .with("uuid", vm.bios_uuid.clone())
        .with("instanceUuid", vm.instance_uuid.clone())
        .with("guestId", guest_id)
        .with("guestFullName", vm.guest_os.clone())
        .with("annotation", "")
        .with_some("ftInfo", fault_tolerance(scope, vm))
        .with_some("managedBy", managed_by(vm))
        .with("hwVersion", "vmx-19")
}

/// The secondary of a fault tolerant pair names its primary: the VM that shares its BIOS UUID.
fn fault_tolerance(scope: &Scope<'_>, vm: &Vm) -> Option<Value> {
    if vm.role != VmRole::FaultToleranceSecondary {
        return None;
    }
    let mut others = scope.state.inventory.vms.values().filter(|other| other.id != vm.id);
    let primary = others.find(|other| other.bios_uuid == vm.bios_uuid);
    let info = Struct::new("FaultToleranceSecondaryConfigInfo")
        .with("role", Value::int(2))
        .with_some("primaryVM", primary.map(|primary| scope.reference(&Mo::Vm(primary.id))));
    Some(Value::from(info).typed())
}

fn summary_guest(vm: &Vm) -> Option<Struct> {
    let Struct { members, .. } = guest(vm)?;
    let kept = [
        "guestId",
        "guestFullName",
        "toolsStatus",
        "toolsVersionStatus",
        "toolsVersionStatus2",
        "toolsRunningStatus",
        "hostName",
        "ipAddress",
    ];
    let mut data = Struct::new("VirtualMachineGuestSummary");
    for name in kept {
        data.members.extend(members.iter().find(|(member, _)| *member == name).cloned());
    }
    Some(data)
}

fn quick_stats(scope: &Scope<'_>, vm: &Vm) -> Struct {
    let uptime = vm.boot_time.map(|boot| scope.state.moment().as_second().saturating_sub(boot.as_second()));
    Struct::new("VirtualMachineQuickStats")
        .with("guestHeartbeatStatus", heartbeat(vm))
        .with("uptimeSeconds", Value::int(uptime.unwrap_or(0)))
}

fn heartbeat(vm: &Vm) -> Value {
    Value::constant("ManagedEntityStatus", if vm.tools_answer() { "green" } else { "gray" })
}

fn managed_by(vm: &Vm) -> Option<Struct> {
    (vm.role == VmRole::ClusterService)
        .then(|| Struct::new("ManagedByInfo").with("extensionKey", "com.vmware.vim.eam").with("type", "cluster-agent"))
}

const fn connection_state(reach: Reach) -> &'static str {
    match reach {
        Reach::Connected => "connected",
        Reach::Disconnected => "disconnected",
        Reach::Orphaned => "orphaned",
        Reach::Inaccessible => "inaccessible",
        Reach::Invalid => "invalid",
    }
}

const fn tools_status(vm: &Vm) -> &'static str {
    match vm.guest.tools {
        Tools::NotInstalled => "toolsNotInstalled",
        Tools::Stopped => "toolsNotRunning",
        Tools::Running | Tools::Unmanaged | Tools::WithoutScripts => {
            if matches!(vm.phase, GuestPhase::Ready | GuestPhase::ShuttingDown) { "toolsOk" } else { "toolsNotRunning" }
        }
    }
}

const fn tools_version(vm: &Vm) -> &'static str {
    match vm.guest.tools {
        Tools::NotInstalled => "guestToolsNotInstalled",
        Tools::Unmanaged => "guestToolsUnmanaged",
        Tools::Stopped | Tools::Running | Tools::WithoutScripts => "guestToolsCurrent",
    }
}

fn tools_running(vm: &Vm) -> &'static str {
    if vm.tools_answer() { "guestToolsRunning" } else { "guestToolsNotRunning" }
}

/// Without an agent nobody tells what the guest does.
const fn guest_state(vm: &Vm) -> &'static str {
    match vm.phase {
        GuestPhase::Ready if vm.guest.tools.answers() => "running",
        GuestPhase::ShuttingDown => "shuttingDown",
        GuestPhase::Restarting => "resetting",
        GuestPhase::Ready | GuestPhase::Down | GuestPhase::Booting | GuestPhase::Hung => "notRunning",
    }
}

fn guest_id(vm: &Vm) -> (&'static str, &'static str) {
    let os = &vm.guest_os;
    if os.contains("Windows") {
        ("windows2022srvNext_64Guest", "windowsGuest")
    } else if os.contains("Ubuntu") {
        ("ubuntu64Guest", "linuxGuest")
    } else if os.contains("Red Hat") {
        ("rhel9_64Guest", "linuxGuest")
    } else if os.contains("Debian") {
        ("debian12_64Guest", "linuxGuest")
    } else {
        ("otherGuest64", "otherGuestFamily")
    }
}

fn host_name(vm: &Vm) -> String {
    let letters =
        vm.name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' });
    format!("{}.example.test", letters.collect::<String>())
}

fn vm_path(vm: &Vm) -> String {
    let directory = escape_name(&vm.name);
    format!("[datastore1] {directory}/{directory}.vmx")
}

/// The methods that the server refuses in the VM's present state.
fn disabled_methods(vm: &Vm) -> Vec<&'static str> {
    let mut methods = Vec::new();
    if !vm.is_reachable() || matches!(vm.role, VmRole::Template | VmRole::FaultToleranceSecondary) {
        methods.extend(["PowerOnVM_Task", "PowerOffVM_Task", "SuspendVM_Task", "ResetVM_Task", "TerminateVM"]);
        methods.extend(["ShutdownGuest", "RebootGuest", "StandbyGuest"]);
        return methods;
    }
    match vm.power {
        Power::On => methods.push("PowerOnVM_Task"),
        Power::Off => methods.extend(["PowerOffVM_Task", "SuspendVM_Task", "ResetVM_Task", "TerminateVM"]),
        Power::Suspended => methods.extend(["SuspendVM_Task", "ResetVM_Task", "TerminateVM"]),
    }
    if !vm.obeys_soft_operations() {
        methods.extend(["ShutdownGuest", "RebootGuest", "StandbyGuest"]);
    }
    if vm.question.is_none() {
        methods.push("AnswerVM");
    }
    methods
}

/// The API's words for the state of a host's connection.
pub(super) const fn host_connection(state: HostState) -> &'static str {
    match state {
        HostState::Up | HostState::Maintenance => "connected",
        HostState::Disconnected => "disconnected",
        HostState::Crashed => "notResponding",
    }
}
