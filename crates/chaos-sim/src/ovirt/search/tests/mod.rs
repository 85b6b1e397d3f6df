//! Tests of the search language as a client sees it: which rows a search finds.

mod hosts_and_others;
mod parser;
mod properties;
mod table;

use std::collections::BTreeMap;

use jiff::civil;

use super::{Invalid, Kind, Reading, Row, Value, parse};

/// A row made of what a test says about it.
#[derive(Debug, Clone, Default)]
struct Thing {
    values: BTreeMap<&'static str, Value<'static>>,
    related: Vec<(Kind, Thing)>,
}

impl Thing {
    fn new(name: &'static str) -> Self {
        Self::default().with("name", name)
    }

    fn with(mut self, field: &'static str, value: impl Into<Value<'static>>) -> Self {
        self.values.insert(field, value.into());
        self
    }

    fn tagged(self, tags: &[&[&'static str]]) -> Self {
        let tags = tags.iter().map(|path| path.iter().map(|tag| (*tag).into()).collect()).collect();
        self.with("tag", Value::Tags(tags))
    }

    fn to(mut self, kind: Kind, other: Thing) -> Self {
        self.related.push((kind, other));
        self
    }

    fn name(&self) -> String {
        match self.values.get("name") {
            Some(Value::Text(name)) => name.to_string(),
            _ => String::new(),
        }
    }
}

impl Row for Thing {
    fn value(&self, field: &str) -> Option<Value<'_>> {
        self.values.get(field).cloned()
    }

    fn related(&self, kind: Kind) -> Vec<Box<dyn Row + '_>> {
        let related = self.related.iter().filter(|(of, _)| *of == kind);
        related.map(|(_, thing)| Box::new(thing.clone()) as Box<dyn Row>).collect()
    }
}

/// A Wednesday afternoon.
const NOW: civil::DateTime = civil::date(2024, 1, 31).at(15, 30, 0, 0);

fn reading() -> Reading {
    Reading { case_sensitive: false, now: NOW }
}

/// The names that a search finds, one after the other.
fn found(text: &str, of: Kind, rows: &[Thing]) -> Result<String, Invalid> {
    paged(text, of, rows, None)
}

fn paged(text: &str, of: Kind, rows: &[Thing], max: Option<usize>) -> Result<String, Invalid> {
    let query = parse(text, of)?;
    let names: Vec<String> = query.select(rows.to_vec(), max, reading()).iter().map(Thing::name).collect();
    Ok(names.join(" "))
}
