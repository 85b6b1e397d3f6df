//! Values that appear everywhere in vim25: references, times, and what to say when an answer lacks something.

use std::fmt;

use chaos_xml::Node;
use jiff::Timestamp;

use crate::soap::node::VimNode;

/// A managed object reference: the type of an object and its id, unique within one server.
///
/// `serverGuid` is left out on purpose: it may be present on one side of a comparison and missing on the other.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct MoRef {
    pub(crate) kind: String,
    pub(crate) id: String,
}

impl MoRef {
    pub(crate) fn new(kind: impl Into<String>, id: impl Into<String>) -> Self {
        Self { kind: kind.into(), id: id.into() }
    }

    pub(crate) fn vm(id: impl Into<String>) -> Self {
        Self::new("VirtualMachine", id)
    }

    /// Reads `<x type="VirtualMachine">vm-1</x>`; `None` without a type or an id.
    pub(crate) fn read(node: Node<'_>) -> Option<Self> {
        let kind = node.reference_type()?;
        let id = node.text().trim();
        (!id.is_empty()).then(|| Self::new(kind, id))
    }
}

impl fmt::Display for MoRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.id)
    }
}

/// An answer that is XML but not what the method promises.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer to {method} has no {missing}")]
pub(crate) struct ReadError {
    pub(crate) method: String,
    pub(crate) missing: &'static str,
}

/// Reads an `xsd:boolean`.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text.trim() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// Reads an `xsd:dateTime`. One without an offset is taken as UTC, which is what servers mean by it.
pub(crate) fn timestamp(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse().ok().or_else(|| {
        text.parse::<jiff::civil::DateTime>()
            .ok()?
            .to_zoned(jiff::tz::TimeZone::UTC)
            .ok()
            .map(|zoned| zoned.timestamp())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_forms_of_a_time() {
        let expected: Timestamp = "2026-11-23T03:24:54.782746493Z".parse().unwrap();
        assert_eq!(timestamp("2026-11-23T03:24:54.782746493Z"), Some(expected));
        assert_eq!(timestamp(" 2026-11-23T04:24:54.782746493+01:00 "), Some(expected));
        assert_eq!(timestamp("2026-11-23T03:24:54.782746493"), Some(expected));
        assert_eq!(timestamp("yesterday"), None);
    }
}
