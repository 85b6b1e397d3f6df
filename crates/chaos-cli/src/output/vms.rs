//! VMs: a list, and everything about some of them.

use std::io::{self, Write};

use chaos_core::VMInfo;
use serde::Serialize;

use super::cells::{or_dash, printable, table, write_table};
use super::structured::{write_csv, write_structured};
use crate::cli::Format;

/// A VM and the entry of the settings that it was found through. Serialised as the fields of the VM and `entry`.
#[derive(Debug, Serialize)]
pub(crate) struct Listed {
    #[serde(flatten)]
    pub(crate) vm: VMInfo,
    pub(crate) entry: String,
}

/// The columns of CSV: the field names of [`Listed`] when serialised.
const COLUMNS: [&str; 19] = [
    "name",
    "id",
    "power_state",
    "platform",
    "host",
    "datacenter",
    "cluster",
    "cpu_count",
    "memory_mb",
    "guest_os",
    "tools_status",
    "path",
    "template",
    "instance_uuid",
    "boot_time",
    "native_state",
    "unmanageable",
    "metadata",
    "entry",
];

/// A list of VMs.
pub(crate) fn write_vms(format: Format, vms: &[Listed], to: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Json => write_structured(false, vms, to),
        Format::Yaml => write_structured(true, vms, to),
        Format::Csv => write_csv(&COLUMNS, vms, to),
        Format::Table => write_list(vms, to),
    }
}

/// Everything that is known about some VMs.
pub(crate) fn write_vm_details(format: Format, vms: &[Listed], to: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Table => write_each(vms, to),
        Format::Json | Format::Yaml | Format::Csv => write_vms(format, vms, to),
    }
}

fn write_list(vms: &[Listed], to: &mut dyn Write) -> io::Result<()> {
    let with_entries = vms.iter().any(|listed| listed.entry != vms[0].entry);
    let mut header = if with_entries { vec!["PLATFORM"] } else { Vec::new() };
    header.extend(["NAME", "STATE", "DATACENTER", "CLUSTER", "HOST", "CPU", "MEMORY", "GUEST OS", "TOOLS", "ID"]);
    let with_notes = vms.iter().any(|listed| note(&listed.vm).is_some());
    if with_notes {
        header.push("NOTE");
    }
    let mut table = table(&header);
    for Listed { vm, entry } in vms {
        let mut row = if with_entries { vec![entry.clone()] } else { Vec::new() };
        row.extend([
            printable(&vm.name).into_owned(),
            vm.power_state.to_string(),
            or_dash(vm.datacenter.as_deref()),
            or_dash(vm.cluster.as_deref()),
            or_dash(vm.host.as_deref()),
            vm.cpu_count.map_or_else(|| "-".to_owned(), |count| count.to_string()),
            vm.memory_mb.map_or_else(|| "-".to_owned(), memory),
            or_dash(vm.guest_os.as_deref()),
            vm.tools_status.map_or_else(|| "-".to_owned(), |status| status.to_string()),
            printable(&vm.id).into_owned(),
        ]);
        if with_notes {
            row.push(note(vm).unwrap_or_default());
        }
        table.add_row(row);
    }
    write_table(&table, to)
}

fn write_each(vms: &[Listed], to: &mut dyn Write) -> io::Result<()> {
    for (at, Listed { vm, entry }) in vms.iter().enumerate() {
        if at > 0 {
            writeln!(to)?;
        }
        let mut line = |name: &str, value: &str| writeln!(to, "{name:<21} {}", printable(value));
        let number = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        line("name", &vm.name)?;
        line("id", &vm.id)?;
        line("path", &text(&vm.path))?;
        line("state", &format!("{} ({})", vm.power_state, vm.native_state))?;
        line(
            "platform",
            &if entry == vm.platform.as_str() { entry.clone() } else { format!("{entry} ({})", vm.platform) },
        )?;
        line("datacenter", &text(&vm.datacenter))?;
        line("cluster", &text(&vm.cluster))?;
        line("host", &text(&vm.host))?;
        line("cpu", &number(vm.cpu_count.map(u64::from)))?;
        line("memory", &vm.memory_mb.map_or_else(|| "-".to_owned(), memory))?;
        line("guest os", &text(&vm.guest_os))?;
        line("tools", vm.tools_status.map_or("-", |status| status.as_str()))?;
        line("boot time", &vm.boot_time.map_or_else(|| "-".to_owned(), |time| time.to_string()))?;
        line("instance uuid", &text(&vm.instance_uuid))?;
        line("template", if vm.template { "yes" } else { "no" })?;
        if let Some(reason) = &vm.unmanageable {
            line("unmanageable", reason)?;
        }
        for (name, value) in &vm.metadata {
            line(&printable(name), value)?;
        }
    }
    Ok(())
}

/// Memory in the unit that people say it in.
pub(super) fn memory(mib: u64) -> String {
    if mib >= 1024 && mib.is_multiple_of(1024) { format!("{} GiB", mib / 1024) } else { format!("{mib} MiB") }
}

fn note(vm: &VMInfo) -> Option<String> {
    match (&vm.unmanageable, vm.template) {
        (Some(reason), _) => Some(format!("unmanageable: {}", printable(reason))),
        (None, true) => Some("template".to_owned()),
        (None, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use chaos_core::{PlatformKind, VMPowerState};

    use super::*;

    fn vms() -> Vec<Listed> {
        let mut web = VMInfo::new("web-01", "vm-1", VMPowerState::PoweredOn, PlatformKind::VSPHERE);
        web.cluster = Some("prod".into());
        web.cpu_count = Some(4);
        web.memory_mb = Some(8192);
        web.guest_os = Some("Debian, \"12\"".into());
        web.metadata.insert("version".into(), "vmx-19".into());
        let mut template = VMInfo::new("tpl\u{1b}[31m", "vm-2", VMPowerState::PoweredOff, PlatformKind::VSPHERE);
        template.template = true;
        template.memory_mb = Some(1536);
        [web, template].map(|vm| Listed { vm, entry: "vsphere".into() }).into()
    }

    fn written(format: Format) -> String {
        let mut text = Vec::new();
        write_vms(format, &vms(), &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn the_columns_of_csv_are_the_fields_of_json() {
        let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(&vms()[0]) else { panic!("an object") };
        let mut columns = COLUMNS.to_vec();
        columns.sort_unstable();
        let mut names: Vec<&str> = fields.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(columns, names);
    }

    #[test]
    fn a_list_in_every_format() {
        insta::assert_snapshot!("vms_table", written(Format::Table));
        insta::assert_snapshot!("vms_csv", written(Format::Csv));
        insta::assert_snapshot!("vms_yaml", written(Format::Yaml));
        let json: Vec<VMInfo> = serde_json::from_str(&written(Format::Json)).unwrap();
        assert_eq!(json, vms().into_iter().map(|listed| listed.vm).collect::<Vec<_>>());
    }

    #[test]
    fn the_entry_is_shown_where_there_are_several() {
        let mut vms = vms();
        vms[1].entry = "lab".into();
        let mut text = Vec::new();
        write_vms(Format::Table, &vms, &mut text).unwrap();
        insta::assert_snapshot!("vms_of_two_entries", String::from_utf8(text).unwrap());
    }

    #[test]
    fn the_details_of_a_vm() {
        let mut text = Vec::new();
        write_vm_details(Format::Table, &vms(), &mut text).unwrap();
        insta::assert_snapshot!("vm_details", String::from_utf8(text).unwrap());
    }
}
