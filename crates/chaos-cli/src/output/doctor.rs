//! What was found out about platforms.

use std::io::{self, Write};

use chaos_orchestrator::{Check, Checkup, Finding};
use serde::Serialize;

use super::cells::printable;
use super::structured::{write_csv, write_structured};
use crate::cli::Format;

/// One check, with the platform that it belongs to.
#[derive(Serialize)]
struct Row<'c> {
    entry: &'c str,
    #[serde(flatten)]
    check: &'c Check,
}

/// What was found out about some platforms.
pub(crate) fn write_checkups(format: Format, checkups: &[Checkup], to: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Json => write_structured(false, checkups, to),
        Format::Yaml => write_structured(true, checkups, to),
        Format::Csv => {
            let rows: Vec<Row<'_>> = checkups
                .iter()
                .flat_map(|checkup| checkup.checks.iter().map(|check| Row { entry: &checkup.entry, check }))
                .collect();
            write_csv(&["entry", "step", "finding", "says", "cure", "details"], &rows, to)
        }
        Format::Table => checkups.iter().enumerate().try_for_each(|(at, checkup)| {
            if at > 0 {
                writeln!(to)?;
            }
            write_checkup(checkup, to)
        }),
    }
}

fn write_checkup(checkup: &Checkup, to: &mut dyn Write) -> io::Result<()> {
    match checkup.kind.as_str() {
        kind if kind == checkup.entry => writeln!(to, "{kind}")?,
        kind => writeln!(to, "{} ({kind})", printable(&checkup.entry))?,
    }
    for check in &checkup.checks {
        let word = match check.finding {
            Finding::Good => "ok",
            Finding::Doubtful => "look",
            Finding::Bad => "BAD",
            // `Finding` may grow: what is not known to be good is not.
            Finding::Unknown | _ => "-",
        };
        writeln!(to, "  {word:<4} {:<10} {}", check.step, printable(&check.says))?;
        if let Some(cure) = &check.cure {
            writeln!(to, "       {:<10} -> {}", "", printable(cure))?;
        }
        // The certificates matter where something about them does.
        for detail in check.details.iter().filter(|_| check.finding != Finding::Good) {
            writeln!(to, "       {:<10} {}", "", printable(detail))?;
        }
    }
    Ok(())
}
