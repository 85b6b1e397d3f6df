//! An inventory in numbers.

use std::io::{self, Write};

use chaos_core::EnvironmentSummary;
use serde::Serialize;

use super::cells::{printable, table, write_table};
use super::structured::{write_csv, write_structured};
use super::vms::memory;
use crate::cli::Format;

/// One figure of the summary.
#[derive(Serialize)]
struct Figure {
    group: &'static str,
    name: String,
    value: u64,
}

/// The summary of an inventory.
pub(crate) fn write_summary(format: Format, summary: &EnvironmentSummary, to: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Json => write_structured(false, summary, to),
        Format::Yaml => write_structured(true, summary, to),
        Format::Csv => write_csv(&["group", "name", "value"], &figures(summary), to),
        Format::Table => write_tables(summary, to),
    }
}

fn figures(summary: &EnvironmentSummary) -> Vec<Figure> {
    let total = |name: &str, value| Figure { group: "total", name: name.to_owned(), value };
    let mut figures = vec![
        total("vms", summary.vms),
        total("templates", summary.templates),
        total("unmanageable", summary.unmanageable),
        total("cpu_count", summary.cpu_count),
        total("memory_mb", summary.memory_mb),
    ];
    let words = |group: &'static str, name: &str, value: u64| Figure { group, name: name.to_owned(), value };
    figures.extend(summary.by_state.iter().map(|(state, count)| words("state", state.as_str(), *count)));
    figures.extend(summary.by_tools.iter().map(|(status, count)| words("tools", status.as_str(), *count)));
    for (group, counts) in
        [("datacenter", &summary.by_datacenter), ("cluster", &summary.by_cluster), ("host", &summary.by_host)]
    {
        figures.extend(counts.iter().map(|(name, count)| words(group, name, *count)));
    }
    figures
}

fn write_tables(summary: &EnvironmentSummary, to: &mut dyn Write) -> io::Result<()> {
    writeln!(
        to,
        "VMs: {}, vCPUs: {}, memory: {}, templates: {}, unmanageable: {}",
        summary.vms,
        summary.cpu_count,
        memory(summary.memory_mb),
        summary.templates,
        summary.unmanageable
    )?;
    let figures = figures(summary);
    for group in ["state", "tools", "datacenter", "cluster", "host"] {
        writeln!(to)?;
        let mut table = table(&[&group.to_uppercase(), "VMS"]);
        for figure in figures.iter().filter(|figure| figure.group == group) {
            table.add_row([printable(&figure.name).into_owned(), figure.value.to_string()]);
        }
        write_table(&table, to)?;
    }
    Ok(())
}
