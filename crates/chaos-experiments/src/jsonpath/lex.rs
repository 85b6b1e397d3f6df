//! The tokens of a path.

use super::JsonPathError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// A sign such as `[` or `<=`.
    Sign(&'static str),
    /// A name or a reserved word.
    Word(&'t str),
    /// What stands between double quotes, escapes and all.
    Quoted(&'t str),
    Number(&'t str),
    End,
}

/// The longer ones first.
const SIGNS: [&str; 19] =
    ["..", ">=", "<=", "!=", "@", "$", ".", "*", "=", ">", "<", "{", "}", "[", "]", ":", ",", "(", ")"];

/// The tokens with their places in characters, the end last.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token<'_>, usize)>, JsonPathError> {
    let mut tokens = Vec::new();
    let (mut rest, mut offset) = (text, 0);
    loop {
        let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\r']);
        offset += rest.len() - trimmed.len();
        rest = trimmed;
        let Some(first) = rest.chars().next() else { break };
        let (token, length) = if let Some(sign) = SIGNS.iter().chain(&["?"]).find(|sign| rest.starts_with(**sign)) {
            (Token::Sign(sign), sign.len())
        } else if first == '"' {
            let inner = quoted(rest).ok_or(JsonPathError { offset, expected: "a key or text in double quotes" })?;
            (Token::Quoted(inner), inner.len() + 2)
        } else if first == '-' || first.is_ascii_digit() {
            let length = number(rest);
            if length == 0 {
                return Err(JsonPathError { offset, expected: "a digit after `-`" });
            }
            (Token::Number(&rest[..length]), length)
        } else if first == '_' || first.is_ascii_alphabetic() {
            let length = rest.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
            (Token::Word(&rest[..length]), length)
        } else {
            return Err(JsonPathError { offset, expected: "a part of a path; keys stand in double quotes" });
        };
        tokens.push((token, offset));
        offset += rest[..length].chars().count();
        rest = &rest[length..];
    }
    tokens.push((Token::End, offset));
    Ok(tokens)
}

/// What is quoted at the beginning of a text. Escapes have to be those of JSON, and stay as they are.
fn quoted(text: &str) -> Option<&str> {
    let inner = &text[1..];
    let mut characters = inner.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Some(&inner[..at]),
            '\\' => match characters.next()?.1 {
                '"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' => {}
                'u' => {
                    for _ in 0..4 {
                        characters.next().filter(|(_, c)| c.is_ascii_hexdigit())?;
                    }
                }
                _ => return None,
            },
            '\0'..='\x1f' => return None,
            _ => {}
        }
    }
    None
}

/// The length of the number at the beginning of a text, as JSON has it, though without zeros before an exponent.
fn number(text: &str) -> usize {
    let digits = |at: usize| text[at..].bytes().take_while(u8::is_ascii_digit).count();
    let whole = |at: usize| if text[at..].starts_with('0') { 1 } else { digits(at) };
    let sign = usize::from(text.starts_with('-'));
    let mut end = match whole(sign) {
        0 => return 0,
        length => sign + length,
    };
    if text[end..].starts_with('.') && digits(end + 1) > 0 {
        end += 1 + digits(end + 1);
    }
    if text[end..].starts_with(['e', 'E']) {
        let signed = end + 1 + usize::from(text[end + 1..].starts_with(['+', '-']));
        let length = whole(signed);
        if length > 0 {
            end = signed + length;
        }
    }
    end
}
