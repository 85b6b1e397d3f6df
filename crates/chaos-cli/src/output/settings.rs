//! Settings with their origins.

use std::io::{self, Write};

use chaos_orchestrator::ShownValue;

use super::cells::{printable, table, write_table};
use super::structured::{write_csv, write_structured};
use crate::cli::Format;

/// Every value that counts. Secrets are masked already.
pub(crate) fn write_settings(format: Format, values: &[ShownValue], to: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Json => write_structured(false, values, to),
        Format::Yaml => write_structured(true, values, to),
        Format::Csv => write_csv(&["key", "value", "origin"], values, to),
        Format::Table => {
            let mut table = table(&["KEY", "VALUE", "ORIGIN"]);
            for value in values {
                let origin = value.origin.to_string();
                table.add_row([&value.key, &value.value, &origin].map(|cell| printable(cell).into_owned()));
            }
            write_table(&table, to)
        }
    }
}
