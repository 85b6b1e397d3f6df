//! What is to be said of a text that can be read all the same.

use super::{Loaded, Mark, Position};
use crate::configuration::escape;
use crate::error::Finding;

/// No more than so many findings of a kind are kept: a text may give millions.
const MOST: usize = 100;

/// The findings, and the JSON pointer of what is being read.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pointer: String,
    duplicates: Vec<Finding>,
    notices: Vec<Finding>,
}

impl Notes {
    /// Goes down to a part, and gives what [`Notes::leave`] needs to come back.
    pub(super) fn enter(&mut self, part: &str) -> usize {
        let back = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(&escape(part));
        back
    }

    /// Comes back from a part.
    pub(super) fn leave(&mut self, back: usize) {
        self.pointer.truncate(back);
    }

    /// A key of the mapping that is being read occurs again.
    pub(super) fn duplicate(&mut self, key: &str, at: Position, first: Position) {
        if self.duplicates.len() < MOST {
            let place = format!("{}/{}", self.pointer, escape(key));
            let message = format!("the key `{key}` occurs twice: first on line {}", first.line);
            self.duplicates.push(Finding::error(place, message).hint("keep one of them").at(Some(at)));
        }
    }

    /// The value that is being read is not taken over as it is written.
    pub(super) fn notice(&mut self, message: impl Into<String>, at: Position) {
        if self.notices.len() < MOST {
            self.notices.push(Finding::warning(&self.pointer, message).at(Some(at)));
        }
    }

    /// The value with everything that is to be said of it.
    pub(super) fn loaded(self, value: serde_json::Value, mark: Mark) -> Loaded {
        Loaded { value, mark, duplicates: self.duplicates, notices: self.notices }
    }
}
