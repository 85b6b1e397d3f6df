//! JSON, YAML and CSV: what programs read.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

/// JSON or YAML of anything that has a stable form.
pub(crate) fn write_structured<T: Serialize + ?Sized>(yaml: bool, value: &T, to: &mut dyn Write) -> io::Result<()> {
    if yaml {
        let mut to = to;
        serde_saphyr::to_io_writer(&mut to, &value).map_err(io_error)
    } else {
        serde_json::to_writer_pretty(&mut *to, value)?;
        writeln!(to)
    }
}

/// CSV with the given columns, which are field names of the rows. What is null is empty; a map or list is JSON.
pub(super) fn write_csv<T: Serialize>(columns: &[&str], rows: &[T], to: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(to);
    writer.write_record(columns).map_err(io_error)?;
    for row in rows {
        let row = serde_json::to_value(row)?;
        writer.write_record(columns.iter().map(|column| cell(&row[*column]))).map_err(io_error)?;
    }
    writer.flush()
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// Keeps the kind of an IO error, so that a broken pipe stays recognisable.
fn io_error(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<io::Error>() {
            return io::Error::new(io.kind(), error);
        }
        cause = inner.source();
    }
    io::Error::other(error)
}
