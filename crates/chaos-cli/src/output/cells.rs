//! Tables for people, and text that cannot play tricks with their terminal.

use std::borrow::Cow;
use std::io::{self, Write};

use comfy_table::{Table, presets};

/// A table without lines; column names in capitals.
pub(super) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header.iter().copied());
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

/// Writes a table without blanks at the ends of lines.
pub(super) fn write_table(table: &Table, to: &mut dyn Write) -> io::Result<()> {
    table.lines().try_for_each(|line| writeln!(to, "{}", line.trim_end()))
}

/// A text as it may be shown: control characters, such as the escapes that steer a terminal, are made visible.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_unsafe) {
        let safe = |c: char| if is_unsafe(c) { c.escape_unicode().to_string() } else { c.to_string() };
        Cow::Owned(text.chars().map(safe).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// Control characters, and those that change the direction of what follows.
fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text that may be unknown.
pub(super) fn or_dash(text: Option<&str>) -> String {
    text.filter(|text| !text.is_empty()).map_or_else(|| "-".to_owned(), |text| printable(text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        assert_eq!(printable("web\u{1b}[2Jx\r\n"), "web\\u{1b}[2Jx\\u{d}\\u{a}");
        assert_eq!(printable("größe-01"), "größe-01");
    }
}
