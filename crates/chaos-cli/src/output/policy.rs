//! What the rules of the guard say.

use std::io::{self, Write};

use super::cells::printable;
use super::structured::{write_csv, write_structured};
use crate::cli::Format;
use crate::commands::Ruling;

/// What each rule says.
pub(crate) fn write_rulings(format: Format, rulings: &[Ruling], to: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Json => write_structured(false, rulings, to),
        Format::Yaml => write_structured(true, rulings, to),
        Format::Csv => write_csv(&["rule", "allows", "target", "why", "way_out"], rulings, to),
        Format::Table => rulings.iter().try_for_each(|ruling| {
            let word = if ruling.allows { "ok" } else { "NO" };
            writeln!(to, "{word}  {}", printable(&ruling.rule))?;
            match &ruling.denial {
                Some(denied) => writeln!(to, "    {}: {}", printable(&denied.why), printable(&denied.way_out)),
                None => Ok(()),
            }
        }),
    }
}
