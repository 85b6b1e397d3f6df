//! Text that reads back from XML as it was.

/// Escapes text so that it reads back as it was in an element and, but for tabs and line feeds, in a double-quoted
/// attribute.
///
/// A carriage return would be read back as a line feed unless it is written as a reference (XML 1.0, 2.11). Characters
/// that XML cannot hold at all become U+FFFD, which no name on a server can equal.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    push_escaped(&mut escaped, text);
    escaped
}

/// Adds what [`escape`] makes of `text` to `out`.
pub fn push_escaped(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            '\t' | '\n' => out.push(character),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
}
