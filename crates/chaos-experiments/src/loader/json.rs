//! JSON as Python reads it: `NaN` and `Infinity` are numbers, a key may occur twice, integers have any size.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::marks::Cursor;
use super::notes::Notes;
use super::number::{self, BEYOND_INTEGERS, NOT_FINITE, Unfit};
use super::{Inner, Loaded, MAX_DEPTH, Mark, Position, Refusal};

/// The value of a text, of which nothing but white space is left over.
pub(super) fn read(text: &str) -> Result<Loaded, Refusal> {
    let mut reader = Reader { text, offset: 0, depth: 0, cursor: Cursor::new(text), notes: Notes::default() };
    reader.skip_space();
    let at = reader.here();
    if reader.offset == text.len() {
        // An empty file holds nothing, in JSON as in YAML.
        return Ok(reader.notes.loaded(Value::Null, Mark { at, inner: Inner::Single }));
    }
    let (value, inner) = reader.value("a value")?;
    reader.skip_space();
    if reader.offset < text.len() {
        return Err(reader.unexpected("the end of the text"));
    }
    Ok(reader.notes.loaded(value, Mark { at, inner }))
}

struct Reader<'t> {
    text: &'t str,
    /// Always where a character begins.
    offset: usize,
    depth: usize,
    cursor: Cursor<'t>,
    notes: Notes,
}

impl Reader<'_> {
    fn here(&mut self) -> Position {
        self.cursor.at(self.offset)
    }

    fn rest(&self) -> &str {
        self.text.get(self.offset..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.offset).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.offset += 1;
        }
    }

    /// Goes over `word` if it is here.
    fn skip(&mut self, word: &str) -> bool {
        let is_here = self.rest().starts_with(word);
        if is_here {
            self.offset += word.len();
        }
        is_here
    }

    fn value(&mut self, expected: &str) -> Result<(Value, Inner), Refusal> {
        let at = self.here();
        let value = match self.peek() {
            Some(b'{') => return self.nested(Self::map),
            Some(b'[') => return self.nested(Self::list),
            Some(b'"') => Value::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number(expected, at)?,
            _ if self.skip("null") => Value::Null,
            _ if self.skip("true") => Value::Bool(true),
            _ if self.skip("false") => Value::Bool(false),
            _ if self.skip("NaN") => self.float(f64::NAN, at),
            _ if self.skip("Infinity") => self.float(f64::INFINITY, at),
            _ => return Err(self.unexpected(expected)),
        };
        Ok((value, Inner::Single))
    }

    fn nested(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<(Value, Inner), Refusal>,
    ) -> Result<(Value, Inner), Refusal> {
        if self.depth == MAX_DEPTH {
            return Err(Refusal::too_deep(self.here()));
        }
        self.offset += 1;
        self.depth += 1;
        self.skip_space();
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn list(&mut self) -> Result<(Value, Inner), Refusal> {
        let (mut items, mut marks) = (Vec::new(), Vec::new());
        if !self.skip("]") {
            let mut expected = "a value or `]`";
            loop {
                let at = self.here();
                let back = self.notes.enter(&items.len().to_string());
                let (item, inner) = self.value(expected)?;
                self.notes.leave(back);
                items.push(item);
                marks.push(Mark { at, inner });
                if self.ends("]")? {
                    break;
                }
                expected = "a value";
            }
        }
        Ok((Value::Array(items), Inner::List(Arc::new(marks))))
    }

    fn map(&mut self) -> Result<(Value, Inner), Refusal> {
        let (mut map, mut marks) = (Map::new(), HashMap::<String, Mark>::new());
        if !self.skip("}") {
            let mut expected = "a key in double quotes or `}`";
            loop {
                let at = self.here();
                if self.peek() != Some(b'"') {
                    return Err(self.unexpected(expected));
                }
                let key = self.string()?;
                if let Some(first) = marks.get(&key) {
                    self.notes.duplicate(&key, at, first.at);
                }
                self.skip_space();
                if !self.skip(":") {
                    return Err(self.unexpected("`:` after the key"));
                }
                self.skip_space();
                let back = self.notes.enter(&key);
                let (value, inner) = self.value("a value")?;
                self.notes.leave(back);
                marks.insert(key.clone(), Mark { at, inner });
                map.insert(key, value);
                if self.ends("}")? {
                    break;
                }
                expected = "a key in double quotes";
            }
        }
        Ok((Value::Object(map), Inner::Map(Arc::new(marks))))
    }

    /// Whether a list or mapping ends here; if not it goes on after a comma.
    fn ends(&mut self, end: &str) -> Result<bool, Refusal> {
        self.skip_space();
        if self.skip(end) {
            return Ok(true);
        }
        if !self.skip(",") {
            return Err(self.unexpected(&format!("`,` or `{end}`")));
        }
        self.skip_space();
        Ok(false)
    }

    fn number(&mut self, expected: &str, at: Position) -> Result<Value, Refusal> {
        let start = self.offset;
        let negative = self.skip("-");
        if negative && self.skip("Infinity") {
            return Ok(self.float(f64::NEG_INFINITY, at));
        }
        let whole = self.offset;
        if self.skip("0") {
            if self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                return Err(Refusal::new(at, "a number does not begin with 0: if it is a text, put it in quotes"));
            }
        } else if !self.skip_digits() {
            return Err(self.unexpected(if negative { "a digit after `-`" } else { expected }));
        }
        let digits = self.text.get(whole..self.offset).unwrap_or_default();
        let end = self.offset;
        if !(self.skip(".") && self.skip_digits()) {
            self.offset = end;
        }
        let end = self.offset;
        if !((self.skip("e") || self.skip("E")) && {
            let _sign = self.skip("+") || self.skip("-");
            self.skip_digits()
        }) {
            self.offset = end;
        }
        if self.offset > whole + digits.len() {
            let written = self.text.get(start..self.offset).unwrap_or_default();
            return Ok(self.float(written.parse().unwrap_or(f64::NAN), at));
        }
        match number::integer(negative, digits) {
            Ok((value, is_text)) => {
                if is_text {
                    self.notes.notice(BEYOND_INTEGERS, at);
                }
                Ok(value)
            }
            Err(Unfit::TooLong | Unfit::NoInteger) => Err(Refusal::new(at, Unfit::TooLong.message())),
        }
    }

    fn skip_digits(&mut self) -> bool {
        let start = self.offset;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.offset += 1;
        }
        self.offset > start
    }

    fn float(&mut self, float: f64, at: Position) -> Value {
        let (value, is_text) = number::float(float);
        if is_text {
            self.notes.notice(NOT_FINITE, at);
        }
        value
    }

    /// A text in double quotes; the first of them is here.
    fn string(&mut self) -> Result<String, Refusal> {
        let start = self.here();
        self.offset += 1;
        let mut string = String::new();
        loop {
            let rest = self.rest();
            let plain = rest.find(|c| matches!(c, '"' | '\\' | '\0'..='\x1f')).unwrap_or(rest.len());
            string.push_str(rest.get(..plain).unwrap_or_default());
            self.offset += plain;
            match self.peek() {
                Some(b'"') => {
                    self.offset += 1;
                    return Ok(string);
                }
                Some(b'\\') => {
                    let c = self.escaped(start)?;
                    string.push(c);
                }
                Some(byte) => {
                    let message = match byte {
                        b'\n' | b'\r' => "a text does not go over the end of a line: close it by `\"`, or write `\\n`",
                        b'\t' => "a tab inside of a text is written `\\t`",
                        _ => "a control character inside of a text is written `\\u` and four digits",
                    };
                    return Err(Refusal::new(self.here(), message));
                }
                None => return Err(self.without_end(start)),
            }
        }
    }

    fn escaped(&mut self, start: Position) -> Result<char, Refusal> {
        let at = self.offset;
        self.offset += 1;
        let Some(escape) = self.peek() else { return Err(self.without_end(start)) };
        let c = match escape {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.code_point(at),
            _ => {
                let at = self.cursor.at(at);
                return Err(Refusal::new(at, "this is no escape: a backslash itself is written `\\\\`"));
            }
        };
        self.offset += 1;
        Ok(c)
    }

    /// `\u` and four digits; two of them if the first is a high surrogate and the second a low one.
    fn code_point(&mut self, at: usize) -> Result<char, Refusal> {
        let unit = |offset: usize| {
            let digits = self.text.get(offset..)?.strip_prefix("\\u")?.get(..4)?;
            let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_hex.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
        };
        let (first, second) = (unit(at), unit(at + 6));
        let Some(first) = first else {
            return Err(Refusal::new(self.cursor.at(at), "after `\\u` there have to be four digits of 0-9 and a-f"));
        };
        self.offset = at + 6;
        if let (0xd800..0xdc00, Some(second @ 0xdc00..0xe000)) = (first, second) {
            self.offset += 6;
            return Ok(char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)).unwrap_or('\u{fffd}'));
        }
        Ok(char::from_u32(first).unwrap_or_else(|| {
            let at = self.cursor.at(at);
            self.notes.notice("half of a surrogate pair is no character: it is taken as U+FFFD", at);
            '\u{fffd}'
        }))
    }

    fn without_end(&mut self, start: Position) -> Refusal {
        let message = format!("the text that begins on line {}, column {}, has no end", start.line, start.column);
        self.offset = self.text.len();
        Refusal::new(self.here(), message)
    }

    /// Something else than `expected` is here. What it is tells what was meant.
    fn unexpected(&mut self, expected: &str) -> Refusal {
        let rest = self.rest();
        let word = rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        let after_comma = self.text.get(..self.offset).unwrap_or_default().trim_end().ends_with(',');
        let hint = match rest.chars().next() {
            _ if word == "True" => ": JSON writes `true`",
            _ if word == "False" => ": JSON writes `false`",
            _ if word == "None" => ": JSON writes `null`",
            Some('\'') => ": JSON has double quotes, no single ones",
            Some('#' | '/') => ": JSON has no comments",
            Some('+' | '.') if expected.contains("value") => ": a number begins with a digit or `-`",
            Some('}' | ']') if after_comma => ": the comma before it is one too many",
            Some('"' | '{' | '[' | '0'..='9' | '-') if expected.starts_with("`,`") => ": a comma is missing before it",
            Some(c) if c.is_alphabetic() && expected.starts_with("a ") => ": a text has to be in double quotes",
            _ => "",
        };
        let found = match rest.chars().next() {
            None => "the end of the text".to_owned(),
            Some(c) if c.is_control() || c.is_whitespace() => format!("the character U+{:04X}", u32::from(c)),
            Some(c) => format!("`{c}`"),
        };
        Refusal::new(self.here(), format!("{expected} is expected, not {found}{hint}"))
    }
}
