//! Loading: from a JSON or YAML text to a document whose keys keep their order.

use std::fmt;
use std::io::Read;
use std::path::Path;

use serde_json::{Map, Value};

use crate::error::{Finding, LoadError};
use crate::loader::{self, Loaded, Mark, Position, Refusal};

/// The largest file that is read, in bytes.
const MAX_SIZE: u64 = 8 * 1024 * 1024;

/// An experiment as it is written: parsed, its keys in order, nothing checked and nothing substituted.
///
/// `Debug` shows the name only: the document may hold secrets.
#[derive(Clone)]
pub struct Document {
    name: String,
    root: Map<String, Value>,
    mark: Option<Mark>,
    duplicates: Vec<Finding>,
    notices: Vec<Finding>,
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

    /// Parses a JSON text as Python does: `NaN` is a number, and of a key that occurs twice the last one counts. `name` is
    /// what errors call it.
    ///
    /// # Errors
    /// [`LoadError::Syntax`] and [`LoadError::NotAMapping`].
    pub fn from_json(name: &str, text: &str) -> Result<Self, LoadError> {
        Self::of(name, loader::json(text))
    }

    /// Parses a YAML text of one document, with the words of YAML 1.1 (`yes` and `on` are true, `0755` is octal). Of a key
    /// that occurs twice the last one counts.
    ///
    /// # Errors
    /// As [`Document::from_json`].
    pub fn from_yaml(name: &str, text: &str) -> Result<Self, LoadError> {
        Self::of(name, loader::yaml(text))
    }

    fn of(name: &str, loaded: Result<Loaded, Refusal>) -> Result<Self, LoadError> {
        let loaded = loaded.map_err(|Refusal { position, message }| LoadError::Syntax {
            document: name.to_owned(),
            line: Some(position.line),
            column: Some(position.column),
            message,
        })?;
        let Loaded { value, mark, duplicates, notices } = loaded;
        Ok(Self { mark: Some(mark), duplicates, notices, ..Self::from_value(name, value)? })
    }

    /// A document from a value that was made elsewhere. It knows no positions.
    ///
    /// # Errors
    /// [`LoadError::NotAMapping`].
    pub fn from_value(name: &str, value: Value) -> Result<Self, LoadError> {
        let found = match value {
            Value::Object(root) if !root.is_empty() => {
                let (duplicates, notices) = (Vec::new(), Vec::new());
                return Ok(Self { name: name.to_owned(), root, mark: None, duplicates, notices });
            }
            Value::Object(_) => "an empty mapping",
            Value::Null => "empty",
            Value::Array(_) => "a list",
            Value::Bool(_) | Value::Number(_) | Value::String(_) => "a single value",
        };
        Err(LoadError::NotAMapping { document: name.to_owned(), found })
    }

    /// The same document with something else in it. Where that `moved` values of lists, it knows no positions.
    pub(crate) fn with_root(&self, root: Map<String, Value>, moved: bool) -> Self {
        let mut changed = Self { root, ..self.clone() };
        if moved {
            changed.mark = None;
        }
        changed
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

    /// Where the text holds the value that a JSON pointer (RFC 6901) names; of a mapping's entry it is the place of the
    /// key. For a value that is not there it is the place of the nearest one above it. None if the document was made from
    /// a value, or if the pointer is no pointer.
    #[must_use]
    pub fn position(&self, pointer: &str) -> Option<Position> {
        self.mark.as_ref()?.position(pointer)
    }

    /// Each further occurrence of a key in one mapping, as an error: [`Document::root`] has the last one only. No more than
    /// 100 are told. Keys are in it as they were written.
    #[must_use]
    pub fn duplicates(&self) -> &[Finding] {
        &self.duplicates
    }

    /// What could not be taken over as it is written, such as a number that is too large. No more than 100 are told.
    #[must_use]
    pub fn notices(&self) -> &[Finding] {
        &self.notices
    }
}

impl PartialEq for Document {
    /// Whether the same is written in both, wherever it stands.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.root == other.root
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("name", &self.name).finish_non_exhaustive()
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
        let json = message(Document::from_json("e.json", "{\n  \"a\": }"));
        assert_eq!(json, "e.json:2:8: a value is expected, not `}`");
        let yaml = message(Document::from_yaml("e.yaml", "title: t\nmethod: [\n"));
        assert_eq!(yaml, "e.yaml:2:9: unclosed bracket '['");
    }

    #[test]
    fn of_a_key_that_occurs_twice_the_last_one_counts_and_it_is_told() {
        let json = Document::from_json("e.json", "{\"a\":1,\n\"a\":2}").unwrap();
        let yaml = Document::from_yaml("e.yaml", "a: 1\na: 2\n").unwrap();
        for document in [json, yaml] {
            assert_eq!(document.root()["a"], 2);
            assert_eq!(document.duplicates()[0].place, "/a");
            assert_eq!(document.duplicates()[0].position, Some(Position { line: 2, column: 1 }));
            assert_eq!(document.position("/a"), Some(Position { line: 2, column: 1 }));
            let told = document.duplicates()[0].within("e").to_string();
            assert_eq!(told, "e:2:1: /a: the key `a` occurs twice: first on line 1 (keep one of them)");
        }
    }

    #[test]
    fn one_document_without_foreign_tags_is_taken() {
        let second = message(Document::from_yaml("e.yaml", "a: 1\n---\nb: 2\n"));
        assert_eq!(second, "e.yaml:2:1: a second document begins here: an experiment is a file of its own");
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
