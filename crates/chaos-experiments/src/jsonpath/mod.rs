//! JSONPath as Chaos Toolkit has it: the dialect of jsonpath2, which differs from others mainly in its filters.
//!
//! * A path is `$` and steps: `.name`, `.*`, `[…]`, each also after `..`, which goes to a node and all below it.
//! * In brackets stand `"key"`, `7`, `-1`, slices such as `1:-1:2`, `*`, paths whose results are keys or indices,
//!   functions, filters, and several of these with commas between them.
//! * A filter `[?(…)]` tests the node itself and not the nodes below it: `$.vms[*][?(@.state = "up")]`.
//! * `or` binds tighter than `and`.
//! * The functions are `length()`, `keys()`, `values()`, `entries()`, `charAt(n)` and `substring(from, to)`.

mod eval;
mod lex;
mod node;
mod parse;

use std::borrow::Cow;
use std::fmt;

use serde_json::{Map, Value};

/// A path that was parsed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct JsonPath(Path);

impl JsonPath {
    /// Parses a path.
    pub(crate) fn parse(text: &str) -> Result<Self, JsonPathError> {
        parse::parse(text).map(Self)
    }

    /// The values that the path finds, in order. What a function makes is owned.
    ///
    /// `without_case` is one mapping inside `root`, known by its address, whose keys are found in any case of their
    /// ASCII letters.
    ///
    /// # Errors
    /// In words for a person: the path asks for a step of zero, or finds too much.
    pub(crate) fn matches<'a>(
        &self,
        root: &'a Value,
        without_case: Option<&'a Map<String, Value>>,
    ) -> Result<Vec<Cow<'a, Value>>, String> {
        eval::matches(&self.0, root, without_case)
    }
}

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonPathError {
    /// Where it goes wrong, in characters from 0.
    offset: usize,
    /// What should be there.
    expected: &'static str,
}

impl fmt::Display for JsonPathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} at character {}", self.expected, self.offset + 1)
    }
}

impl std::error::Error for JsonPathError {}

#[derive(Debug, Clone, PartialEq)]
struct Path {
    /// Whether it begins at the root, or else at the node that a filter is about.
    from_root: bool,
    steps: Vec<Step>,
}

/// One step: what any of the subscripts gives, in their order.
#[derive(Debug, Clone, PartialEq)]
struct Step {
    /// Whether it is taken from all nodes below too.
    descend: bool,
    subscripts: Vec<Subscript>,
}

#[derive(Debug, Clone, PartialEq)]
enum Subscript {
    Key(String),
    Index(i64),
    Slice {
        start: Option<i64>,
        end: Option<i64>,
        step: Option<i64>,
    },
    Wildcard,
    Filter(Expression),
    /// The texts and whole numbers that it finds are keys and indices.
    Path(Path),
    Call(Function, Vec<Operand>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    CharAt,
    Entries,
    Keys,
    Length,
    Substring,
    Values,
}

#[derive(Debug, Clone, PartialEq)]
enum Expression {
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Not(Box<Expression>),
    Compare(Operand, Comparison, Operand),
    /// A path that finds something, or a literal that is true.
    Some(Operand),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, PartialEq)]
enum Operand {
    Path(Path),
    Literal(Value),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::any_json;
    use proptest::prelude::*;
    use serde_json::json;

    fn found(path: &str, value: &Value) -> Value {
        let path = JsonPath::parse(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        path.matches(value, None).unwrap().into_iter().map(Cow::into_owned).collect()
    }

    #[test]
    fn filters_are_about_the_node_itself() {
        let value = json!({"vms": [{"name": "a", "up": true}, {"name": "b", "up": false}]});
        assert_eq!(found(r"$.vms[?(@.up = true)]", &value), json!([]));
        assert_eq!(found(r"$.vms[*][?(@.up = true)].name", &value), json!(["a"]));
        assert_eq!(found(r"$.vms[*][?(@.up = true or @.up = false and false)]", &value), json!([]));
    }

    #[test]
    fn an_error_says_where_and_what() {
        for (path, offset) in [("", 0), ("a.b", 0), ("$.é", 2), ("$['a']", 2), ("$[?(@.a == 1)]", 9), ("$.a b", 4)] {
            let error = JsonPath::parse(path).unwrap_err();
            assert_eq!(error.offset, offset, "{path}: {error}");
        }
        assert_eq!(
            JsonPath::parse("$.vms[").unwrap_err().to_string(),
            "expected a key in double quotes, an index, a slice, `*`, `?(…)`, a path or a function at character 7"
        );
    }

    #[test]
    fn one_mapping_can_be_looked_up_without_case() {
        let value = json!({"headers": {"content-type": "text/plain", "X": 1, "x": 2}, "BODY": {"A": 1}});
        let headers = value["headers"].as_object();
        let found = |path: &str| {
            let found = JsonPath::parse(path).unwrap().matches(&value, headers).unwrap();
            found.into_iter().map(Cow::into_owned).collect::<Value>()
        };
        assert_eq!(found(r#"$.headers["Content-Type"]"#), json!(["text/plain"]));
        assert_eq!(found("$.headers.x"), json!([2]));
        assert_eq!(found("$.body"), json!([]));
        assert_eq!(found("$.BODY.a"), json!([]));
    }

    #[test]
    fn no_input_takes_the_stack_or_all_memory() {
        for open in ["$[", "$[?(", "(", "$[?([", "$[?(not ", "$.length(", "$[?({\"a\":"] {
            assert!(JsonPath::parse(&format!("$[?({}", open.repeat(100_000))).is_err());
        }
        assert!(JsonPath::parse(&format!("${}", ".a".repeat(100_000))).is_err());
        let nested = format!("${}.length()", ".entries()".repeat(511));
        assert_eq!(found(&nested, &json!({"a": 1})), json!([1]));
        let wide = Value::from(vec![json!([1, 2, 3]); 100]);
        let path = JsonPath::parse(&format!("$..*{}", "[*,*,*]".repeat(30))).unwrap();
        assert_eq!(path.matches(&wide, None), Ok(vec![]));
        let deep = (0..60).fold(json!(1), |value, _| json!([value]));
        let path = JsonPath::parse(&format!("${}", "[*,*]".repeat(60))).unwrap();
        assert!(path.matches(&deep, None).unwrap_err().contains("too much"));
        let path = JsonPath::parse(&format!("${}", "..*".repeat(40))).unwrap();
        assert!(path.matches(&deep, None).is_err());
    }

    proptest! {
        #[test]
        fn any_text_parses_or_is_refused(text in r#"\$?([$@.*\[\]?()=!<>,:{}"\-0-9ab ]|\.\.|and|or|not|true|null|length\(\)|keys\(\)|é){0,25}"#) {
            if let Ok(path) = JsonPath::parse(&text) {
                let _ = path.matches(&json!({"a": [1, {"b": "é"}], "b": null}), None);
            }
        }

        #[test]
        fn any_value_is_searched(
            path in r#"\$(\.a|\.\.b|\.\.\*|\[\*\]|\[-?[0-9]:-?[0-9]:-?[0-9]\]|\["a",-1\]|\[\?\(@\.a <= @\.\.b\)\]|\.entries\(\)|\[@\.\.\*\]|\.substring\(@\.\.\*,1\)){0,5}"#,
            value in any_json(),
        ) {
            let path = JsonPath::parse(&path).expect("it is built to be one");
            let _ = path.matches(&value, value.as_object());
        }
    }
}
