//! JSON as Python writes it: keys in their order, numbers by their letters, `NaN` and `Infinity`.
//!
//! `serde_json` keeps neither the order nor the difference between `1` and `1.0` that the journals are compared for.

use std::fmt::{self, Write as _};

use anyhow::{Context, Result, bail, ensure};

/// A value, as it was written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    /// The digits as they came: a big integer stays exact.
    Integer(String),
    /// Everything with a fraction or an exponent, and the three that are not numbers of JSON.
    Float(f64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a whole document.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut reader = Reader { rest: text.trim_start_matches('\u{feff}') };
        let value = reader.value()?;
        reader.blanks();
        ensure!(reader.rest.is_empty(), "something follows the document: {:.40}", reader.rest);
        Ok(value)
    }

    /// A text.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// The value at a JSON pointer.
    pub(super) fn at(&self, pointer: &str) -> Option<&Self> {
        steps(pointer).try_fold(self, |value, step| value.member(&step))
    }

    /// The member of an object, or the item of a list.
    pub(super) fn member(&self, step: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(key, _)| key == step).map(|(_, value)| value),
            Self::List(items) => items.get(step.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub(super) fn member_mut(&mut self, step: &str) -> Option<&mut Self> {
        match self {
            Self::Object(members) => members.iter_mut().find(|(key, _)| key == step).map(|(_, value)| value),
            Self::List(items) => items.get_mut(step.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// Puts a value at a JSON pointer (`-` is behind the last item of a list), or removes what is there.
    pub(super) fn put(&mut self, pointer: &str, value: Option<Self>) -> Result<()> {
        let mut path: Vec<String> = steps(pointer).collect();
        let Some(last) = path.pop() else { bail!("the whole document cannot be changed") };
        let mut place = self;
        for step in &path {
            place = place.member_mut(step).with_context(|| format!("{pointer} leads nowhere"))?;
        }
        match (place, value) {
            (Self::Object(members), None) => members.retain(|(key, _)| *key != last),
            (Self::Object(members), Some(value)) => match members.iter_mut().find(|(key, _)| *key == last) {
                Some((_, old)) => *old = value,
                None => members.push((last, value)),
            },
            (Self::List(items), Some(value)) if last == "-" => items.push(value),
            (Self::List(items), value) => {
                let index: usize = last.parse().with_context(|| format!("{pointer} leads nowhere"))?;
                ensure!(index < items.len(), "{pointer} leads nowhere");
                match value {
                    Some(value) => items[index] = value,
                    None => drop(items.remove(index)),
                }
            }
            _ => bail!("{pointer} leads nowhere"),
        }
        Ok(())
    }

    /// How many values that hold no others are in it.
    pub(super) fn fields(&self) -> usize {
        match self {
            Self::List(items) => items.iter().map(Self::fields).sum::<usize>().max(1),
            Self::Object(members) => members.iter().map(|(_, value)| value.fields()).sum::<usize>().max(1),
            _ => 1,
        }
    }

    /// As it is shown in a message.
    pub(super) fn brief(&self) -> String {
        format!("{:.300}", self.to_string())
    }

    /// Whether `whole` has everything that is said here: an object may have more members there.
    pub(super) fn is_part_of(&self, whole: &Self) -> bool {
        match (self, whole) {
            (Self::Object(members), Self::Object(_)) => {
                members.iter().all(|(key, value)| whole.member(key).is_some_and(|other| value.is_part_of(other)))
            }
            (Self::List(items), Self::List(others)) => {
                items.len() == others.len() && items.iter().zip(others).all(|(item, other)| item.is_part_of(other))
            }
            _ => self.same(whole),
        }
    }

    /// Equality of values that hold no others; `NaN` is itself.
    pub(super) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Float(one), Self::Float(two)) => one.to_bits() == two.to_bits(),
            _ => self == other,
        }
    }
}

/// The steps of a JSON pointer.
fn steps(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"))
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Integer(digits) => f.write_str(digits),
            Self::Float(value) if value.is_nan() => f.write_str("NaN"),
            Self::Float(value) if value.is_infinite() => {
                f.write_str(if *value > 0.0 { "Infinity" } else { "-Infinity" })
            }
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Text(text) => quoted(f, text),
            Self::List(items) => {
                f.write_char('[')?;
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if index == 0 { "" } else { ", " })?;
                }
                f.write_char(']')
            }
            Self::Object(members) => {
                f.write_char('{')?;
                for (index, (key, value)) in members.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { ", " })?;
                    quoted(f, key)?;
                    write!(f, ": {value}")?;
                }
                f.write_char('}')
            }
        }
    }
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            c if c < ' ' => write!(f, "\\u{:04x}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn take(&mut self, token: &str) -> bool {
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn value(&mut self) -> Result<Json> {
        self.blanks();
        for (word, value) in [
            ("null", Json::Null),
            ("true", Json::Bool(true)),
            ("false", Json::Bool(false)),
            ("NaN", Json::Float(f64::NAN)),
            ("Infinity", Json::Float(f64::INFINITY)),
            ("-Infinity", Json::Float(f64::NEG_INFINITY)),
        ] {
            if self.take(word) {
                return Ok(value);
            }
        }
        if self.take("{") {
            return self.object();
        }
        if self.take("[") {
            return self.list();
        }
        if self.take("\"") {
            return self.string().map(Json::Text);
        }
        self.number()
    }

    fn object(&mut self) -> Result<Json> {
        let mut members = Vec::new();
        self.blanks();
        while !self.take("}") {
            ensure!(members.is_empty() || self.take(","), "`,` or `}}` is missing before {:.40}", self.rest);
            self.blanks();
            ensure!(self.take("\""), "a key is missing before {:.40}", self.rest);
            let key = self.string()?;
            self.blanks();
            ensure!(self.take(":"), "`:` is missing before {:.40}", self.rest);
            members.push((key, self.value()?));
            self.blanks();
        }
        Ok(Json::Object(members))
    }

    fn list(&mut self) -> Result<Json> {
        let mut items = Vec::new();
        self.blanks();
        while !self.take("]") {
            ensure!(items.is_empty() || self.take(","), "`,` or `]` is missing before {:.40}", self.rest);
            items.push(self.value()?);
            self.blanks();
        }
        Ok(Json::List(items))
    }

    /// The rest of a string behind its first quote; escapes are serde's to read.
    fn string(&mut self) -> Result<String> {
        let mut escaped = false;
        let end = self.rest.char_indices().find(|(_, c)| {
            let ends = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            ends
        });
        let (end, _) = end.context("a string has no end")?;
        let raw = &self.rest[..end];
        self.rest = &self.rest[end + 1..];
        serde_json::from_str(&format!("\"{raw}\"")).with_context(|| format!("{raw:.40} is not a string of JSON"))
    }

    fn number(&mut self) -> Result<Json> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit() && !"+-.eE".contains(c)).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        ensure!(!digits.is_empty(), "no value at {:.40}", self.rest);
        self.rest = rest;
        if digits.contains(['.', 'e', 'E']) {
            return Ok(Json::Float(digits.parse().with_context(|| format!("{digits} is not a number"))?));
        }
        let unsigned = digits.strip_prefix('-').unwrap_or(digits);
        ensure!(!unsigned.is_empty() && unsigned.chars().all(|c| c.is_ascii_digit()), "{digits} is not a number");
        Ok(Json::Integer(digits.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::Json;

    fn json(text: &str) -> Json {
        Json::parse(text).unwrap()
    }

    #[test]
    fn order_kinds_of_numbers_and_what_is_no_number_are_kept() {
        let text = r#"{"b": 1, "a": [1.0, NaN, -Infinity, 123456789012345678901234567890], "c": "é\n\"\\"}"#;
        assert_eq!(json(text).to_string(), text);
        assert!(!json("1").same(&json("1.0")) && json("1e3").same(&json("1000.0")) && json("NaN").same(&json("NaN")));
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in ["", "{", "[1,]", "{\"a\" 1}", "1 2", "nul", "\"a", "--1"] {
            assert!(Json::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_pointer_finds_puts_and_removes() {
        let mut value = json(r#"{"a": [{"b/c": 1}], "d": 2}"#);
        assert_eq!(value.at("/a/0/b~1c"), Some(&json("1")));
        value.put("/a/-", Some(json("3"))).unwrap();
        value.put("/d", None).unwrap();
        value.put("/a/0/new", Some(json("null"))).unwrap();
        assert_eq!(value.to_string(), r#"{"a": [{"b/c": 1, "new": null}, 3]}"#);
        assert!(value.put("/x/y", None).is_err() && value.at("/a/9").is_none());
        assert_eq!(value.fields(), 3);
    }

    #[test]
    fn a_part_may_leave_out_members_only() {
        let whole = json(r#"{"a": 1, "b": [{"c": 2, "d": 3}]}"#);
        assert!(json(r#"{"b": [{"d": 3}]}"#).is_part_of(&whole));
        assert!(!json(r#"{"b": []}"#).is_part_of(&whole) && !json(r#"{"a": 1.0}"#).is_part_of(&whole));
    }
}
