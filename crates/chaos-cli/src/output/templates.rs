//! The ready-made experiments.

use std::io::{self, Write};
use std::path::Path;

use chaos_experiments::{Parameter, Template};
use serde::Serialize;
use serde_json::Value;

use super::cells::{table, write_table};
use super::structured::{write_csv, write_structured};
use crate::cli::{Format, ReportFormat};

/// A template in a list.
#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    platform: Option<&'a str>,
    summary: &'a str,
    /// None: it is built in.
    file: Option<&'a Path>,
}

impl<'a> From<&'a Template> for Row<'a> {
    fn from(template: &'a Template) -> Self {
        Self {
            name: template.name(),
            platform: template.platform(),
            summary: template.summary(),
            file: template.file(),
        }
    }
}

/// A template with all that it takes.
#[derive(Serialize)]
struct Details<'a> {
    name: &'a str,
    platform: Option<&'a str>,
    summary: &'a str,
    file: Option<&'a Path>,
    parameters: Vec<Takes<'a>>,
    document: Value,
}

#[derive(Serialize)]
struct Takes<'a> {
    name: &'a str,
    required: bool,
    default: Option<&'a str>,
    summary: &'a str,
    form: String,
}

impl<'a> From<&'a Parameter> for Takes<'a> {
    fn from(parameter: &'a Parameter) -> Self {
        let Parameter { name, required, default, summary, .. } = parameter;
        Self { name, required: *required, default: default.as_deref(), summary, form: parameter.form() }
    }
}

pub(crate) fn write_templates<'t>(
    format: Format,
    templates: impl Iterator<Item = &'t Template>,
    to: &mut dyn Write,
) -> io::Result<()> {
    let rows: Vec<Row<'_>> = templates.map(Row::from).collect();
    match format {
        Format::Json => write_structured(false, &rows, to),
        Format::Yaml => write_structured(true, &rows, to),
        Format::Csv => write_csv(&["name", "platform", "summary", "file"], &rows, to),
        Format::Table => {
            let mut table = table(&["NAME", "PLATFORM", "FROM", "WHAT IT DOES"]);
            for row in rows {
                let from = row.file.map_or("built in".into(), Path::to_string_lossy);
                table.add_row([row.name, row.platform.unwrap_or("-"), &from, row.summary]);
            }
            write_table(&table, to)
        }
    }
}

pub(crate) fn write_template(format: ReportFormat, template: &Template, to: &mut dyn Write) -> io::Result<()> {
    let parameters: Vec<Takes<'_>> = template.parameters().iter().map(Takes::from).collect();
    let structured = |yaml, parameters, to: &mut dyn Write| {
        let (name, platform, summary) = (template.name(), template.platform(), template.summary());
        let (file, document) = (template.file(), template.document());
        write_structured(yaml, &Details { name, platform, summary, file, parameters, document }, to)
    };
    match format {
        ReportFormat::Json => return structured(false, parameters, to),
        ReportFormat::Yaml => return structured(true, parameters, to),
        ReportFormat::Table => {}
    }
    writeln!(to, "{}: {}\n", template.name(), template.summary())?;
    if let Some(file) = template.file() {
        writeln!(to, "From {}\n", file.display())?;
    }
    let mut table = table(&["PARAMETER", "DEFAULT", "MEANS", "FORM"]);
    for takes in &parameters {
        let default = takes.default.unwrap_or(if takes.required { "(needed)" } else { "-" });
        table.add_row([takes.name, default, takes.summary, &takes.form]);
    }
    write_table(&table, to)?;
    let needed: Vec<String> =
        parameters.iter().filter(|takes| takes.required).map(|takes| format!(" --override {}=…", takes.name)).collect();
    let (name, needed) = (template.name(), needed.concat());
    let directory = template.file().and_then(Path::parent);
    let directory = directory.map(|directory| format!(" --templates {}", directory.display())).unwrap_or_default();
    writeln!(to, "\nTry it on simulated VMs: chaosmonkey execute --chaos-type {name}{directory}{needed} --rehearse")
}
