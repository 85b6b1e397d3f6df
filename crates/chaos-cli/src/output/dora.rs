//! What a Dora service knows: its environments, and what is in one.

use std::io::{self, Write};

use chaos_orchestrator::{DoraEnvironment, EnvironmentData};

use super::cells::{or_dash, printable, table, write_table};
use super::structured::{write_csv, write_structured};
use super::vms::{Listed, write_vms};
use crate::cli::Format;

/// The environments that are known by name.
pub(crate) fn write_environments(
    format: Format,
    environments: &[&DoraEnvironment],
    to: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Json => write_structured(false, environments, to),
        Format::Yaml => write_structured(true, environments, to),
        Format::Csv => {
            let columns = ["name", "vcenter", "pattern_path", "vm_path", "host_filter", "placeholder"];
            write_csv(&columns, environments, to)
        }
        Format::Table => {
            let mut table = table(&["NAME", "VCENTER", "HYPERVISORS", "VMS", "HOST FILTER", "NOTE"]);
            for environment in environments {
                let texts = [&environment.vcenter, &environment.pattern_path, &environment.vm_path];
                let mut row = vec![printable(&environment.name).into_owned()];
                row.extend(texts.map(|text| printable(text).into_owned()));
                row.push(or_dash(environment.host_filter.as_deref()));
                row.push(if environment.is_placeholder { "placeholder" } else { "" }.to_owned());
                table.add_row(row);
            }
            write_table(&table, to)
        }
    }
}

/// What is in an environment. `entry` is that of the Dora service.
pub(crate) fn write_environment_data(
    format: Format,
    data: &EnvironmentData,
    entry: &str,
    to: &mut dyn Write,
) -> io::Result<()> {
    let listed =
        || -> Vec<Listed> { data.vms.iter().map(|vm| Listed { vm: vm.clone(), entry: entry.to_owned() }).collect() };
    match format {
        Format::Json => write_structured(false, data, to),
        Format::Yaml => write_structured(true, data, to),
        Format::Csv => write_vms(format, &listed(), to),
        Format::Table => {
            let environment = &data.environment;
            let place = format!("{} (vCenter {}) at {}", environment.name, environment.vcenter, data.timestamp);
            writeln!(to, "{}\n", printable(&place))?;
            writeln!(to, "{} hypervisors", data.hypervisors.len())?;
            let mut hypervisors = table(&["NAME", "MORE"]);
            for hypervisor in &data.hypervisors {
                let more: Vec<String> =
                    hypervisor.metadata.iter().map(|(name, value)| format!("{name}={value}")).collect();
                hypervisors.add_row([&hypervisor.name, &more.join(" ")].map(|cell| printable(cell).into_owned()));
            }
            if !data.hypervisors.is_empty() {
                write_table(&hypervisors, to)?;
            }
            writeln!(to, "\n{} VMs", data.vms.len())?;
            if data.vms.is_empty() { Ok(()) } else { write_vms(format, &listed(), to) }
        }
    }
}
