//! What an environment has, in our words.

use std::collections::BTreeMap;

use chaos_core::{Error, PlatformKind, VMInfo, VMPowerState};
use jiff::Timestamp;
use serde::Serialize;

use crate::catalogue::Environment;
use crate::listing::Item;

/// What an environment has, and when that was asked. What Dora knows is up to a minute older.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct EnvironmentData {
    /// The environment that was asked about.
    pub environment: Environment,
    /// When the answers were here.
    pub timestamp: Timestamp,
    /// Its hypervisors, in the order of the answer.
    pub hypervisors: Vec<Hypervisor>,
    /// Its VMs, in the order of the answer.
    pub vms: Vec<VMInfo>,
}

/// A hypervisor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Hypervisor {
    /// Its name.
    pub name: String,
    /// More that Dora knows, such as `ip_address`, `type` and `status`, by field name.
    pub metadata: BTreeMap<String, String>,
}

impl Hypervisor {
    pub(crate) fn read(mut item: Item) -> Result<Self, Error> {
        Ok(Self { name: item.name()?, metadata: item.rest() })
    }
}

/// Reads a VM.
///
/// The place of a host is `/DATACENTER/host/CLUSTER/HOST`; from a path of another form only the host's name is taken.
pub(crate) fn read_vm(mut item: Item, environment: &Environment) -> Result<VMInfo, Error> {
    let name = item.name()?;
    let id = item.text("managedObjRef")?.filter(|id| !id.is_empty()).unwrap_or_else(|| name.clone());
    let state = item.text("state")?;
    let mut vm = VMInfo::new(name, id, power_state(state.as_deref()), PlatformKind::DORA);
    if let Some(state) = state {
        vm.native_state = state;
    }
    if let Some(host) = item.text("host")? {
        let parts: Vec<&str> = host.split('/').filter(|part| !part.is_empty()).collect();
        vm.host = parts.last().map(|host| (*host).to_owned());
        if let [datacenter, "host", cluster, _] = parts.as_slice() {
            vm.datacenter = Some((*datacenter).to_owned());
            vm.cluster = Some((*cluster).to_owned());
        }
    }
    vm.cpu_count = item.number("cpus")?;
    vm.memory_mb = item.number("memMb")?;
    vm.guest_os = item.text("os")?;
    let folder = item.text("path")?;
    vm.path = folder.as_deref().map(|folder| format!("{}/{}", folder.trim_end_matches('/'), vm.name));
    vm.metadata = item.rest();
    let known = [
        ("path", folder),
        ("vcenter", Some(environment.vcenter.clone())),
        ("environment", Some(environment.name.clone())),
    ];
    vm.metadata.extend(known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    Ok(vm)
}

fn power_state(word: Option<&str>) -> VMPowerState {
    match word {
        Some("poweredOn") => VMPowerState::PoweredOn,
        Some("poweredOff") => VMPowerState::PoweredOff,
        Some("suspended") => VMPowerState::Suspended,
        _ => VMPowerState::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;
    use crate::listing::items;

    fn vm(json: &str) -> VMInfo {
        let item = items("GetVirtualMachines", format!("[{json}]").as_bytes()).unwrap().remove(0);
        read_vm(item, Catalogue::builtin().get("Dev1").unwrap()).unwrap()
    }

    #[test]
    fn every_field_has_its_place() {
        let vm = vm(
            r#"{"name": "biehd01p2.example.net", "path": "/ORA-DEV/ORA-DEV/vms", "host": "/ORA-DEV/host/ORA-QA/esx-07.example.net",
                "os": "AlmaLinux:8.10", "cpus": 16, "memMb": 65536, "state": "poweredOn", "managedObjRef": "vm-1042",
                "cpuUsagePerc": 4, "memUsagePerc": 5.0, "note": "x"}"#,
        );
        assert_eq!((vm.name.as_str(), vm.id.as_str()), ("biehd01p2.example.net", "vm-1042"));
        assert_eq!((vm.power_state, vm.native_state.as_str()), (VMPowerState::PoweredOn, "poweredOn"));
        assert_eq!(vm.host.as_deref(), Some("esx-07.example.net"));
        assert_eq!((vm.datacenter.as_deref(), vm.cluster.as_deref()), (Some("ORA-DEV"), Some("ORA-QA")));
        assert_eq!((vm.cpu_count, vm.memory_mb), (Some(16), Some(65536)));
        assert_eq!(vm.guest_os.as_deref(), Some("AlmaLinux:8.10"));
        assert_eq!(vm.path.as_deref(), Some("/ORA-DEV/ORA-DEV/vms/biehd01p2.example.net"));
        let metadata: Vec<_> = vm.metadata.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            metadata,
            [
                "cpuUsagePerc=4",
                "environment=Dev1",
                "memUsagePerc=5.0",
                "note=x",
                "path=/ORA-DEV/ORA-DEV/vms",
                "vcenter=OracleQA"
            ]
        );
    }

    #[test]
    fn what_is_not_said_is_not_known() {
        let vm = vm(r#""web-01""#);
        assert_eq!((vm.id.as_str(), vm.power_state), ("web-01", VMPowerState::Unknown));
        assert_eq!((&vm.host, &vm.cluster, vm.cpu_count, &vm.path), (&None, &None, None, &None));
    }

    #[test]
    fn states_and_places_of_another_form() {
        for (word, state) in [
            ("poweredOff", VMPowerState::PoweredOff),
            ("suspended", VMPowerState::Suspended),
            ("POWEREDON", VMPowerState::Unknown),
            ("", VMPowerState::Unknown),
        ] {
            assert_eq!(vm(&format!(r#"{{"name": "a", "state": "{word}"}}"#)).power_state, state, "{word}");
        }
        let vm = vm(r#"{"name": "a", "host": "/DC/folder/host/CL/esx-1", "managedObjRef": ""}"#);
        assert_eq!((vm.host.as_deref(), vm.datacenter, vm.id.as_str()), (Some("esx-1"), None, "a"));
    }
}
