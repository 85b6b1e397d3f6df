//! A settings file as a tree of texts, each with its place: what a text means is decided by the key that it is the value of.

use secrecy::SecretString;

/// Where something stands in a file. Both count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// Finds places by offset.
pub(crate) struct Lines<'t> {
    text: &'t str,
    /// The offset at which each line begins.
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    /// The place of the byte at `offset`.
    pub(crate) fn place(&self, offset: usize) -> Place {
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts[line - 1];
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().count()) + 1;
        Place { line, column }
    }
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

/// A value. Any text may be a password, so every text is a secret.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Nothing,
    Text(SecretString),
    List(Vec<Node>),
    Map(Vec<Member>),
}

/// A key of a map, with its value.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) key: String,
    pub(crate) place: Place,
    pub(crate) node: Node,
}

impl Node {
    /// How many nodes there are from here on down.
    pub(crate) fn count(&self) -> usize {
        1 + match &self.value {
            Value::Nothing | Value::Text(_) => 0,
            Value::List(list) => list.iter().map(Self::count).sum(),
            Value::Map(members) => members.iter().map(|member| member.node.count()).sum(),
        }
    }
}

/// Why a file cannot be read, without a word of what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    pub(crate) place: Place,
    pub(crate) reason: String,
}

impl SyntaxError {
    pub(crate) fn new(place: Place, reason: impl Into<String>) -> Self {
        Self { place, reason: reason.into() }
    }

    /// A key that is there twice.
    pub(crate) fn twice(key: &str, first: Place, second: Place) -> Self {
        Self::new(second, format!("the key `{key}` is given twice, first in line {}: keep one", first.line))
    }
}
