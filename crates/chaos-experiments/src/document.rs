//! Loading: from a JSON or YAML text to a document whose keys keep their order.

use std::fmt;
use std::io::Read;
use std::path::Path;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::error::LoadError;

/// The largest file that is read, in bytes.
const MAX_SIZE: u64 = 8 * 1024 * 1024;

/// An experiment as it is written: parsed, its keys in order, nothing checked and nothing substituted.
///
/// `Debug` shows the name only: the document may hold secrets.
#[derive(Clone, PartialEq)]
pub struct Document {
    name: String,
    root: Map<String, Value>,
}

impl Document {
    /// Reads a `.json`, `.yaml` or `.yml` file. Blocks for the time that it takes to read a small file.
    ///
    /// # Errors
    /// [`LoadError`], with line and column where the parser knows them.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let name = path.display().to_string();
        let parse = match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => Self::from_json,
            Some("yaml" | "yml") => Self::from_yaml,
            _ => return Err(LoadError::Extension { path: path.to_owned() }),
        };
        let unreadable = |source| LoadError::Read { path: path.to_owned(), source };
        let size = std::fs::metadata(path).map_err(unreadable)?.len();
        if size > MAX_SIZE {
            return Err(LoadError::TooLarge { path: path.to_owned(), size, limit: MAX_SIZE });
        }
        let mut text = String::new();
        let file = std::fs::File::open(path).map_err(unreadable)?;
        // What is no ordinary file may have no size and no end.
        let read = file.take(MAX_SIZE + 1).read_to_string(&mut text).map_err(unreadable)? as u64;
        if read > MAX_SIZE {
            return Err(LoadError::TooLarge { path: path.to_owned(), size: read, limit: MAX_SIZE });
        }
        parse(&name, &text)
    }

    /// Parses a JSON text. `name` is what errors call it. A key that occurs twice is an error.
    ///
    /// # Errors
    /// [`LoadError::Syntax`] and [`LoadError::NotAMapping`].
    pub fn from_json(name: &str, text: &str) -> Result<Self, LoadError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let value: Unique = serde_json::from_str(text).map_err(|error| {
            // The parser puts the place at the end of its message; it is told in front here.
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
            LoadError::Syntax {
                document: name.to_owned(),
                line: (error.line() > 0).then_some(error.line() as u64),
                column: (error.line() > 0).then_some(error.column() as u64),
                message,
            }
        })?;
        Self::from_value(name, value.0)
    }

    /// Parses a YAML text of one document, with the words of YAML 1.1 (`yes` and `on` are true, `0755` is octal).
    /// A key that occurs twice is an error.
    ///
    /// # Errors
    /// As [`Document::from_json`].
    pub fn from_yaml(name: &str, text: &str) -> Result<Self, LoadError> {
        let options =
            serde_saphyr::options! { legacy_octal_numbers: true, reject_unsupported_tags: true, with_snippet: false };
        let value: Unique = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
            let location = error.location();
            let message = error.without_snippet().to_string();
            let message = match &location {
                // Said in front already.
                Some(place) => message.replace(&format!(" at line {}, column {}", place.line(), place.column()), ""),
                None => message,
            };
            // What follows is the parser's advice to programmers.
            let message = message.trim_start_matches("error: ").split([',', ';']).next().unwrap_or_default().to_owned();
            LoadError::Syntax {
                document: name.to_owned(),
                line: location.as_ref().map(serde_saphyr::Location::line),
                column: location.as_ref().map(serde_saphyr::Location::column),
                message,
            }
        })?;
        Self::from_value(name, value.0)
    }

    /// A document from a value that was made elsewhere.
    ///
    /// # Errors
    /// [`LoadError::NotAMapping`].
    pub fn from_value(name: &str, value: Value) -> Result<Self, LoadError> {
        let found = match value {
            Value::Object(root) if !root.is_empty() => return Ok(Self { name: name.to_owned(), root }),
            Value::Object(_) => "an empty mapping",
            Value::Null => "empty",
            Value::Array(_) => "a list",
            Value::Bool(_) | Value::Number(_) | Value::String(_) => "a single value",
        };
        Err(LoadError::NotAMapping { document: name.to_owned(), found })
    }

    /// The file or template that it came from.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is written in it. Inline secrets are in it as they were written.
    #[must_use]
    pub fn root(&self) -> &Map<String, Value> {
        &self.root
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Any value, in which no mapping has a key twice.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor).map(Self)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("NaN and infinity cannot be used here"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Unique(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if map.contains_key(&key) {
                return Err(A::Error::custom(format_args!("the key `{key}` occurs twice")));
            }
            let Unique(value) = entries.next_value()?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(result: Result<Document, LoadError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn keys_keep_their_order_in_both_formats() {
        let json = Document::from_json("e.json", r#"{"title":"t","b":1,"a":{"z":1,"y":2}}"#).unwrap();
        let yaml = Document::from_yaml("e.yaml", "title: t\nb: 1\na:\n  z: 1\n  y: 2\n").unwrap();
        assert_eq!(json.root(), yaml.root());
        assert_eq!(yaml.root().keys().collect::<Vec<_>>(), ["title", "b", "a"]);
    }

    #[test]
    fn a_syntax_error_names_file_line_and_column() {
        assert_eq!(message(Document::from_json("e.json", "{\n  \"a\": }")), "e.json:2:8: expected value");
        let yaml = message(Document::from_yaml("e.yaml", "title: t\nmethod: [\n"));
        assert!(yaml.starts_with("e.yaml:"), "{yaml}");
        assert!(!yaml.contains('\n'), "{yaml}");
    }

    #[test]
    fn a_key_that_occurs_twice_is_an_error() {
        assert_eq!(
            message(Document::from_json("e.json", "{\"a\":1,\"a\":2}")),
            "e.json:1:10: the key `a` occurs twice"
        );
        let yaml = message(Document::from_yaml("e.yaml", "a: 1\nb: 1\na: 2\n"));
        assert_eq!(yaml, "e.yaml:3:1: duplicate mapping key: a");
    }

    #[test]
    fn one_document_without_foreign_tags_is_taken() {
        assert_eq!(
            message(Document::from_yaml("e.yaml", "a: 1\n---\nb: 2\n")),
            "e.yaml:3:1: multiple YAML documents detected"
        );
        assert!(Document::from_yaml("e.yaml", "a: !!python/object:os.system x\n").is_err());
        assert_eq!(Document::from_yaml("e.yaml", "a: !!str 5\n").unwrap().root()["a"], "5");
    }

    #[test]
    fn only_a_mapping_is_an_experiment() {
        for text in ["[]", "{}", "null", "3"] {
            assert!(matches!(Document::from_json("e.json", text), Err(LoadError::NotAMapping { .. })), "{text}");
        }
        assert!(matches!(Document::from_yaml("e.yaml", ""), Err(LoadError::NotAMapping { .. })));
    }

    #[test]
    fn yaml_has_the_words_of_yaml_1_1() {
        let yaml = Document::from_yaml("e.yaml", "a: yes\nb: off\nc: 0755\nd: &x {p: 1}\ne: {<<: *x, q: 2}\n").unwrap();
        assert_eq!(
            Value::Object(yaml.root().clone()),
            serde_json::json!({"a": true, "b": false, "c": 493, "d": {"p": 1}, "e": {"p": 1, "q": 2}})
        );
    }

    #[test]
    fn what_is_too_deep_is_an_error_and_no_crash() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(Document::from_json("e.json", &deep).is_err());
        assert!(Document::from_yaml("e.yaml", &deep).is_err());
    }
}
