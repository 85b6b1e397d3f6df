//! What is wrong with the text of a selector, and where.

use std::fmt;

use crate::error::{Error, ErrorKind};

/// How many characters of a line are shown on each side of the mistake.
const AROUND: usize = 60;

/// A text that is no selector. `Display` is several lines: the message, the text, and a caret under the character.
///
/// ```
/// use chaos_core::Selection;
///
/// let error = "cluster:prod adn web-*".parse::<Selection>().unwrap_err();
/// assert_eq!(error.offset(), 13);
/// assert_eq!(error.to_string(), "\
/// `adn` stands where `and`, `or` or `take` is expected: did you mean `and`?
///   cluster:prod adn web-*
///                ^");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectorError {
    text: String,
    offset: usize,
    message: String,
}

impl SelectorError {
    pub(super) fn new(text: &str, offset: usize, message: impl Into<String>) -> Self {
        let offset = (0..=offset.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        Self { text: text.to_owned(), offset, message: message.into() }
    }

    /// The byte of the text at which the mistake begins; the length of the text if something is missing at its end.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The same place as the number of a character, from 1.
    #[must_use]
    pub fn character(&self) -> usize {
        self.text[..self.offset].chars().count() + 1
    }

    /// What is wrong, in one line.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Message and place in one line.
    pub(super) fn one_line(&self) -> String {
        format!("{} (at character {} of the selector)", self.message, self.character())
    }
}

/// A character as a terminal shows it in one column.
fn column(c: char) -> char {
    if c == '\t' {
        ' '
    } else if c.is_control() {
        '\u{fffd}'
    } else {
        c
    }
}

impl fmt::Display for SelectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, after) = self.text.split_at(self.offset);
        let before: Vec<char> = before.rsplit('\n').next().unwrap_or("").chars().collect();
        let after: Vec<char> = after.split('\n').next().unwrap_or("").chars().collect();
        let from = before.len().saturating_sub(AROUND);
        let mut line = String::from(if from > 0 { "…" } else { "" });
        line.extend(before[from..].iter().copied().map(column));
        let caret = line.chars().count();
        line.extend(after.iter().take(AROUND).copied().map(column));
        if after.len() > AROUND {
            line.push('…');
        }
        let line = format!("  {line}");
        write!(f, "{}\n{}\n  {:caret$}^", self.message, line.trim_end(), "")
    }
}

impl std::error::Error for SelectorError {}

impl From<SelectorError> for Error {
    fn from(error: SelectorError) -> Self {
        Self::new(ErrorKind::Configuration, error.one_line())
    }
}

/// A text of the user in one line.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(column).collect()
}

/// The same, and not too long.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(AROUND).map(column).collect();
    if text.chars().nth(AROUND).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_the_character_whatever_is_before_it() {
        let error = SelectorError::new("a and\n\tñ\u{1b} nad b\nor c", 11, "wrong");
        assert_eq!(error.to_string(), "wrong\n   ñ\u{fffd} nad b\n      ^");
        assert_eq!(error.character(), 11);
        assert_eq!(Error::from(error).to_string(), "wrong (at character 11 of the selector)");
    }

    #[test]
    fn a_long_line_is_cut_on_both_sides() {
        let text = format!("{}!{}", "a".repeat(100), "b".repeat(100));
        let error = SelectorError::new(&text, 100, "wrong").to_string();
        let lines: Vec<&str> = error.lines().collect();
        assert_eq!(lines[1], format!("  …{}!{}…", "a".repeat(60), "b".repeat(59)));
        assert_eq!(lines[2].chars().count(), 2 + 61 + 1);
    }

    #[test]
    fn an_offset_within_a_character_is_that_of_the_character() {
        assert_eq!(SelectorError::new("é", 1, "wrong").offset(), 0);
        assert_eq!(SelectorError::new("é", 9, "wrong").offset(), 2);
    }
}
