//! Where the parts of a document are written.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Position {
    /// The line, from 1.
    pub line: u64,
    /// The column in characters, from 1.
    pub column: u64,
}

impl Position {
    /// The first character of a text.
    pub(crate) const START: Self = Self { line: 1, column: 1 };
}

/// Where a value is written. Of a mapping's entry it is the place of the key.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    pub(crate) at: Position,
    pub(crate) inner: Inner,
}

/// Where the parts of a value are written. Shared, so that what is named by an alias costs nothing.
#[derive(Debug, Clone)]
pub(crate) enum Inner {
    /// The value has no parts.
    Single,
    /// One mark for each item.
    List(Arc<Vec<Mark>>),
    /// One mark for each key.
    Map(Arc<HashMap<String, Mark>>),
}

impl Mark {
    /// The place of the value that a JSON pointer names, or else of the nearest one above it that is there. None if the
    /// pointer is no pointer.
    pub(crate) fn position(&self, pointer: &str) -> Option<Position> {
        let mut mark = self;
        if pointer.is_empty() {
            return Some(mark.at);
        }
        for part in pointer.strip_prefix('/')?.split('/') {
            let part = part.replace("~1", "/").replace("~0", "~");
            let next = match &mark.inner {
                // As in RFC 6901 an index has no sign and no leading zero.
                Inner::List(items) if part == "0" || !part.starts_with(['0', '+']) => {
                    part.parse().ok().and_then(|at: usize| items.get(at))
                }
                Inner::Single | Inner::List(_) => None,
                Inner::Map(entries) => entries.get(&part),
            };
            match next {
                Some(next) => mark = next,
                None => break,
            }
        }
        Some(mark.at)
    }
}

/// Turns byte offsets of a text, asked for mostly in their order, into positions.
#[derive(Debug)]
pub(super) struct Cursor<'t> {
    text: &'t str,
    offset: usize,
    position: Position,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, offset: 0, position: Position::START }
    }

    /// The position of the character at `offset`, which has to be where a character begins, or the end.
    pub(super) fn at(&mut self, offset: usize) -> Position {
        if offset < self.offset {
            *self = Self::new(self.text);
        }
        for c in self.text.get(self.offset..offset).unwrap_or_default().chars() {
            if c == '\n' {
                self.position = Position { line: self.position.line + 1, column: 1 };
            } else {
                self.position.column += 1;
            }
        }
        self.offset = offset;
        self.position
    }
}
