//! What became of a power operation, or what would.

use std::io::{self, Write};

use chaos_core::{PowerReport, VMPowerState};
use serde::Serialize;

use super::cells::{or_dash, printable, table, write_table};
use super::structured::{write_csv, write_structured};
use crate::cli::Format;

/// The columns of CSV: the field names of a report when serialised.
const COLUMNS: [&str; 10] =
    ["vm", "id", "path", "platform", "operation", "outcome", "previous_state", "state", "duration_seconds", "error"];

/// Something with the fields of a power report, for the table.
pub(crate) trait PowerRow: Serialize {
    /// VM, outcome, state before, state now, duration, and a remark: the error or a note.
    fn cells(&self) -> [String; 6];
}

impl PowerRow for PowerReport {
    fn cells(&self) -> [String; 6] {
        let (outcome, remark) = match &self.result {
            Ok(outcome) => (outcome.how.to_string(), outcome.note.clone()),
            Err(error) => ("failed".to_owned(), Some(error.with_causes())),
        };
        [
            printable(self.path.as_deref().unwrap_or(&self.name)).into_owned(),
            outcome,
            or_dash(self.previous_state.map(VMPowerState::as_str)),
            or_dash(self.state.map(VMPowerState::as_str)),
            format!("{:.1}s", self.duration.as_secs_f64()),
            printable(&remark.unwrap_or_default()).into_owned(),
        ]
    }
}

/// One row for each VM.
pub(crate) fn write_power<R: PowerRow>(format: Format, rows: &[R], to: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Json => write_structured(false, rows, to),
        Format::Yaml => write_structured(true, rows, to),
        Format::Csv => write_csv(&COLUMNS, rows, to),
        Format::Table => {
            let mut table = table(&["VM", "OUTCOME", "BEFORE", "NOW", "TOOK", "REMARK"]);
            for row in rows {
                table.add_row(row.cells());
            }
            write_table(&table, to)
        }
    }
}
