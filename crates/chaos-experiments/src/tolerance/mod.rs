//! Tolerances: whether the output of a probe is what it should be, by the rules of Chaos Toolkit.

mod check;
mod class;
mod decimal;
mod flags;
mod item;
mod pattern;
mod translate;

use serde_json::{Map, Value};

use crate::error::Finding;
use crate::jsonpath::JsonPath;
use crate::python;
use crate::substitute::Variables;
use decimal::Decimal;
use pattern::Pattern;

/// The types that a tolerance which is a mapping may have.
pub(crate) const KINDS: [&str; 4] = ["regex", "jsonpath", "range", "probe"];

/// What the output of a probe has to be.
#[derive(Debug, Clone)]
pub(crate) enum Tolerance {
    /// Equal to a value; a whole number is also compared with the `status` of a mapping.
    Equal(Value),
    /// One of several values, or within two bounds: see [`Tolerance::check_in`].
    List(Vec<Value>),
    /// A text in which the expression is found.
    Regex { pattern: Box<Pattern>, target: Target },
    /// A value in which a path finds something.
    JsonPath(Box<Search>),
    /// A number within two bounds, both included.
    Range { bounds: Box<[Bound; 2]>, target: Target },
}

/// What a path has to find, and where.
#[derive(Debug, Clone)]
pub(crate) struct Search {
    path: JsonPath,
    /// The path as it was written.
    written: String,
    target: Target,
    /// How many values it has to find, if that is given. Any value, since only a number is ever equal.
    count: Option<Value>,
    /// The values that it has to find, if they are given: `count` does not matter then.
    expect: Option<Vec<Value>>,
}

/// An end of a range.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    written: Value,
    exact: Decimal,
}

/// The part of an output that is meant.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Target {
    /// All of it.
    Whole,
    /// The value of a key of a mapping, or the mapping where there is no such key.
    Key(String),
    /// A mapping as a whole: what is declared is no text, and no key of a mapping is that.
    Mapping,
    /// Nothing: what is declared can be no key at all.
    Nothing,
}

impl Target {
    fn of(map: &Map<String, Value>) -> Self {
        match map.get("target") {
            None => Self::Whole,
            Some(target) if !python::truthy(target) => Self::Whole,
            Some(Value::String(key)) => Self::Key(key.clone()),
            Some(Value::Array(_) | Value::Object(_)) => Self::Nothing,
            Some(_) => Self::Mapping,
        }
    }
}

/// Why a declaration is no tolerance, and the way out.
type Refused = (String, &'static str);

const REGEX: &str = "write {\"type\": \"regex\", \"pattern\": …}";
const JSONPATH: &str = "write {\"type\": \"jsonpath\", \"path\": …}";
const RANGE: &str = "use {\"type\": \"range\", \"range\": [from, to]}";

/// Checks a tolerance as it is declared, before names are replaced in it: a path or a bound that is only a name is none,
/// while an expression that is one is correct. What a tolerance of type `probe` declares is left to the caller.
pub(crate) fn validate(declared: &Value, place: &str, findings: &mut Vec<Finding>) {
    let refused = match declared {
        Value::Number(_) | Value::Null => literal(declared).err(),
        Value::Bool(_) | Value::String(_) | Value::Array(_) => None,
        Value::Object(map) => match map.get("type").and_then(Value::as_str) {
            Some("probe") => None,
            Some("regex") => pattern_of(map.get("pattern")).err(),
            Some("jsonpath") => {
                let stripped = map.get("path").and_then(Value::as_str).map(|path| python::trim(path).into());
                path_of(stripped.as_ref()).err()
            }
            Some("range") => bounds_of(map).err(),
            _ => Some(unknown_type()),
        },
    };
    findings.extend(refused.map(|(message, hint)| Finding::error(place, message).hint(hint)));
}

impl Tolerance {
    /// Reads a declared tolerance. What is wrong with it goes to `findings`.
    pub(crate) fn parse(
        declared: &Value,
        variables: &Variables,
        place: &str,
        findings: &mut Vec<Finding>,
    ) -> Option<Self> {
        let read = match declared {
            // A name may stand for anything, also for what could not be written in its place.
            Value::String(_) => match variables.substitute_always(declared).value {
                Value::Object(map) => Self::mapping(&map, variables),
                Value::Array(items) => Ok(Self::List(items)),
                value => Ok(Self::Equal(value)),
            },
            Value::Object(map) => Self::mapping(map, variables),
            Value::Array(items) => Ok(Self::List(items.clone())),
            Value::Bool(_) | Value::Number(_) | Value::Null => literal(declared).map(Self::Equal),
        };
        match read {
            Ok(tolerance) => Some(tolerance),
            Err((message, hint)) => {
                findings.push(Finding::error(place, message).hint(hint));
                None
            }
        }
    }

    fn mapping(map: &Map<String, Value>, variables: &Variables) -> Result<Self, Refused> {
        let target = Target::of(map);
        let replaced = |key: &str| map.get(key).map(|value| variables.substitute_always(value).value);
        match map.get("type").and_then(Value::as_str) {
            Some("regex") => {
                let pattern = Box::new(pattern_of(replaced("pattern").as_ref())?);
                Ok(Self::Regex { pattern, target })
            }
            Some("jsonpath") => {
                let (path, written) = path_of(replaced("path").as_ref())?;
                let count = map.get("count").filter(|count| !count.is_null()).cloned();
                let expect = replaced("expect").map(|expect| match expect {
                    Value::Array(items) => items,
                    value => vec![value],
                });
                Ok(Self::JsonPath(Box::new(Search { path, written, target, count, expect })))
            }
            Some("range") => Ok(Self::Range { bounds: Box::new(bounds_of(map)?), target }),
            Some("probe") => Err((
                "tolerances of type `probe` are read elsewhere".to_owned(),
                "write a value, a list, a regex, a path or a range",
            )),
            _ => Err(unknown_type()),
        }
    }
}

fn literal(declared: &Value) -> Result<Value, Refused> {
    match declared {
        Value::Null => Err(("a tolerance is not a fraction nor null".to_owned(), RANGE)),
        Value::Number(number) if number.is_f64() => Err(("a tolerance is not a fraction nor null".to_owned(), RANGE)),
        other => Ok(other.clone()),
    }
}

fn unknown_type() -> Refused {
    ("the `type` of a tolerance is regex, jsonpath, range or probe".to_owned(), "or write the value itself")
}

fn pattern_of(declared: Option<&Value>) -> Result<Pattern, Refused> {
    let Some(Value::String(pattern)) = declared else { return Err(("`pattern` has to be a text".to_owned(), REGEX)) };
    Pattern::new(pattern).map_err(|why| {
        let hint = "the syntax is that of Python's `re`";
        (format!("`{}` cannot be used as an expression: {why}", check::shorten(pattern)), hint)
    })
}

fn path_of(declared: Option<&Value>) -> Result<(JsonPath, String), Refused> {
    let Some(Value::String(path)) = declared else { return Err(("`path` has to be a text".to_owned(), JSONPATH)) };
    match JsonPath::parse(path) {
        Ok(parsed) => Ok((parsed, path.clone())),
        Err(error) => {
            let hint = "the syntax is that of jsonpath2: keys in double quotes, one `=`, filters on `[*]`";
            Err((format!("`{}` is no path: {error}", check::shorten(path)), hint))
        }
    }
}

fn bounds_of(map: &Map<String, Value>) -> Result<[Bound; 2], Refused> {
    let bound = |written: &Value| {
        let exact = Decimal::of(written).filter(|_| written.is_number() || written.is_boolean())?;
        Some(Bound { written: written.clone(), exact })
    };
    let bounds = match map.get("range") {
        Some(Value::Array(bounds)) => match bounds.as_slice() {
            [from, to] => bound(from).zip(bound(to)),
            _ => None,
        },
        _ => None,
    };
    bounds.map(|(from, to)| [from, to]).ok_or(("`range` has to be two numbers".to_owned(), RANGE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn is_met(tolerance: &Value, output: &Value) -> bool {
        let mut variables = Variables::default();
        variables.configuration.insert("off".into(), json!("powered_off"));
        variables.configuration.insert("many".into(), json!([1, 2, 3]));
        variables.configuration.insert("half".into(), json!(0.5));
        variables.configuration.insert("range".into(), json!({"type": "range", "range": [1, 2]}));
        let mut findings = Vec::new();
        let parsed = Tolerance::parse(tolerance, &variables, "/t", &mut findings);
        parsed.unwrap_or_else(|| panic!("{tolerance}: {findings:?}")).check(output).is_ok()
    }

    #[test]
    fn the_table_of_tolerances() {
        for (tolerance, output, expected) in [
            (json!(true), json!(true), true),
            (json!(true), json!(1), true),
            (json!(true), json!(1.0), true),
            (json!(true), json!({"status": true}), false),
            (json!(false), json!(null), false),
            (json!(200), json!({"status": 200}), true),
            (json!(200), json!({"status": "200"}), false),
            (json!(0), json!(false), true),
            (json!(0), json!({"other": 0}), false),
            (json!("powered_on"), json!("powered_on"), true),
            (json!("OK"), json!({"status": "OK"}), false),
            (json!("${off}"), json!("powered_off"), true),
            (json!("${many}"), json!(2), true),
            (json!("${half}"), json!(0.5), true),
            (json!("${half}"), json!({"status": 0.5}), false),
            (json!("${range}"), json!(1.5), true),
            (json!("$$"), json!("$"), true),
            (json!([200, 299]), json!({"status": 250}), false),
            (json!({"type": "jsonpath", "path": "$.a[*]", "target": "body"}), json!({"body": "{\"a\": [1]}"}), true),
            (json!({"type": "jsonpath", "path": "$[*]", "count": 2}), json!([1, 2]), true),
            (json!({"type": "jsonpath", "path": "$[*]", "count": "2"}), json!([1, 2]), false),
            (
                json!({"type": "jsonpath", "path": "$[*]", "count": 9, "expect": ["${off}"]}),
                json!(["powered_off"]),
                true,
            ),
            (json!({"type": "jsonpath", "path": "$[::0]"}), json!([1]), false),
            (json!([200, 299]), json!({"status": 299}), true),
            (json!([200, 299]), json!(250), true),
            (json!(["a", "c"]), json!("b"), true),
            (json!([0, 9]), json!(null), false),
            (json!([0, 9]), json!("5"), false),
            (json!([1, 2, 3]), json!(2.0), true),
            (json!([]), json!([]), false),
            (json!([5]), json!(5), true),
            (json!({"type": "regex", "pattern": "^ok$"}), json!("ok\n"), true),
            (json!({"type": "regex", "pattern": "^ok$"}), json!("ok\nno"), false),
            (json!({"type": "regex", "pattern": "[$]5"}), json!("costs $5"), true),
            (json!({"type": "regex", "pattern": "^${off}$"}), json!("powered_off"), true),
            (json!({"type": "regex", "pattern": "5"}), json!(5), false),
            (json!({"type": "regex", "pattern": "5", "target": "body"}), json!({"body": "5"}), true),
            (json!({"type": "regex", "pattern": "5", "target": "body"}), json!({"other": "5"}), false),
            (json!({"type": "range", "range": [2, 3.5]}), json!("3.5"), true),
            (json!({"type": "range", "range": [2, 3.5]}), json!(4), false),
            (json!({"type": "range", "range": [0, 1]}), json!(true), true),
            (json!({"type": "range", "range": [0, 1]}), json!(null), false),
            (json!({"type": "range", "range": [0, 1]}), json!("nan"), false),
            (json!({"type": "range", "range": [200, 299], "target": "status"}), json!({"status": 204}), true),
        ] {
            assert_eq!(is_met(&tolerance, &output), expected, "{tolerance} {output}");
        }
    }

    #[test]
    fn what_is_no_tolerance_is_found() {
        for declared in [
            json!(1.5),
            json!(null),
            json!({"type": "jsonpath", "path": "a"}),
            json!({"type": "jsonpath", "path": "${nothing}"}),
            json!({"type": "probe"}),
            json!({"type": "regex", "pattern": "("}),
            json!({"type": "range", "range": [1]}),
            json!({}),
        ] {
            let mut findings = Vec::new();
            assert!(Tolerance::parse(&declared, &Variables::default(), "/t", &mut findings).is_none());
            assert_eq!(findings.len(), 1, "{declared}");
        }
    }

    #[test]
    fn headers_are_found_in_any_case() {
        let declared = json!({"type": "jsonpath", "path": "$.headers.Server"});
        let output = json!({"headers": {"server": "x"}});
        let tolerance = Tolerance::parse(&declared, &Variables::default(), "/t", &mut Vec::new()).unwrap();
        assert!(tolerance.check(&output).is_err());
        assert_eq!(tolerance.check_in(&output, output["headers"].as_object()), Ok(()));
    }

    #[test]
    fn validation_is_of_what_is_written() {
        for (declared, valid) in [
            (json!({"type": "regex", "pattern": "${p}"}), true),
            (json!({"type": "jsonpath", "path": "${p}"}), false),
            (json!({"type": "jsonpath", "path": " $.a\u{a0}"}), true),
            (json!({"type": "jsonpath", "path": "  "}), false),
            (json!({"type": "range", "range": ["${a}", 9]}), false),
            (json!({"type": "range", "range": [false, 9.5]}), true),
            (json!({"type": "probe"}), true),
        ] {
            let mut findings = Vec::new();
            validate(&declared, "/t", &mut findings);
            assert_eq!(findings.is_empty(), valid, "{declared} {findings:?}");
        }
    }

    #[test]
    fn an_unmet_tolerance_says_why_in_few_words() {
        let tolerance = Tolerance::Equal(json!("powered_off"));
        assert_eq!(tolerance.check(&json!("powered_on")).unwrap_err(), r#""powered_on" is not "powered_off""#);
        assert!(tolerance.check(&json!("x".repeat(5000))).unwrap_err().len() < 300);
    }
}
