//! Tolerances: whether the output of a probe is what it should be, by the rules of Chaos Toolkit.

use std::cmp::Ordering;

use regex::Regex;
use serde_json::Value;

use crate::error::Finding;
use crate::python;
use crate::substitute::Variables;

/// What the output of a probe has to be.
#[derive(Debug, Clone)]
pub(crate) enum Tolerance {
    /// Equal to a value; a number is also compared with the `status` of a mapping.
    Equal(Value),
    /// One of several values, or within two bounds: see [`Tolerance::check`].
    List(Vec<Value>),
    /// A text in which the expression is found.
    Regex { regex: Regex, target: Option<String> },
    /// A number within two bounds, both included.
    Range { from: f64, to: f64, target: Option<String> },
}

impl Tolerance {
    /// Reads a declared tolerance. What is wrong with it goes to `findings`.
    pub(crate) fn parse(
        declared: &Value,
        variables: &Variables,
        place: &str,
        findings: &mut Vec<Finding>,
    ) -> Option<Self> {
        let mut refuse = |message: &str, hint: &str| {
            findings.push(Finding::error(place, message).hint(hint));
            None
        };
        match declared {
            Value::Bool(_) => Some(Self::Equal(declared.clone())),
            Value::Number(number) if !number.is_f64() => Some(Self::Equal(declared.clone())),
            Value::Number(_) | Value::Null => {
                refuse("a tolerance is not a fraction nor null", "use {\"type\": \"range\", \"range\": [from, to]}")
            }
            Value::String(_) => match variables.substitute(declared).value {
                Value::Array(items) => Some(Self::List(items)),
                Value::Object(_) => refuse("a tolerance cannot come from a mapping", "write it in its place"),
                value => Some(Self::Equal(value)),
            },
            Value::Array(items) => Some(Self::List(items.clone())),
            Value::Object(map) => {
                let target = map.get("target").and_then(Value::as_str).map(str::to_owned);
                match map.get("type").and_then(Value::as_str) {
                    Some("regex") => {
                        let Some(pattern @ Value::String(_)) = map.get("pattern") else {
                            return refuse("`pattern` has to be a text", "write {\"type\": \"regex\", \"pattern\": …}");
                        };
                        let pattern = python::text(&variables.substitute(pattern).value);
                        match Regex::new(&with_python_end(&pattern)) {
                            Ok(regex) => Some(Self::Regex { regex, target }),
                            Err(error) => {
                                let error = error.to_string();
                                let why = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
                                refuse(
                                    &format!("`{pattern}` cannot be used as an expression: {why}"),
                                    "look-around and back-references are not supported yet",
                                )
                            }
                        }
                    }
                    Some("range") => {
                        let bounds = map.get("range").and_then(Value::as_array).map(Vec::as_slice);
                        match bounds {
                            Some([from, to]) => match (from.as_f64(), to.as_f64()) {
                                (Some(from), Some(to)) => Some(Self::Range { from, to, target }),
                                _ => refuse("`range` has to be two numbers", "write [from, to]"),
                            },
                            _ => refuse("`range` has to be two numbers", "write [from, to]"),
                        }
                    }
                    Some(kind @ ("jsonpath" | "probe")) => refuse(
                        &format!("tolerances of type `{kind}` are not supported yet"),
                        "use a value, a list, a regex or a range",
                    ),
                    _ => refuse("the `type` of a tolerance is regex or range", "or write the value itself"),
                }
            }
        }
    }

    /// Whether `output` is within the tolerance; if not, why not, as words for a person.
    ///
    /// A list is compared with the `status` of a mapping by membership; else a list of two is a range, both bounds
    /// included, and any other list is membership. What cannot be compared is not met.
    pub(crate) fn check(&self, output: &Value) -> Result<(), String> {
        let shown = || shorten(&output.to_string());
        let status = output.as_object().and_then(|map| map.get("status"));
        match self {
            Self::Equal(wanted) => {
                let value = if wanted.is_number() { status.unwrap_or(output) } else { output };
                met(python::equal(value, wanted), || format!("{} is not {wanted}", shorten(&value.to_string())))
            }
            Self::List(items) => match (status, items.as_slice()) {
                (None, [from, to]) => {
                    let within = matches!(python::order(from, output), Some(Ordering::Less | Ordering::Equal))
                        && matches!(python::order(output, to), Some(Ordering::Less | Ordering::Equal));
                    met(within, || format!("{} is not from {from} to {to}", shown()))
                }
                (status, items) => {
                    let value = status.unwrap_or(output);
                    met(items.iter().any(|item| python::equal(item, value)), || {
                        format!("{} is none of {}", shorten(&value.to_string()), Value::from(items.to_vec()))
                    })
                }
            },
            Self::Regex { regex, target } => match targeted(output, target.as_deref()) {
                Value::String(text) => {
                    met(regex.is_match(text), || format!("`{}` does not match `{regex}`", shorten(text)))
                }
                other => Err(format!("{} is not a text that an expression could match", shorten(&other.to_string()))),
            },
            Self::Range { from, to, target } => {
                let value = targeted(output, target.as_deref());
                let number = match value {
                    Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
                    Value::String(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
                    other => other.as_f64(),
                };
                met(number.is_some_and(|number| (*from..=*to).contains(&number)), || {
                    format!("{} is not from {from} to {to}", shorten(&value.to_string()))
                })
            }
        }
    }
}

/// What Chaos Toolkit finds wrong with a tolerance before any substitution.
pub(crate) fn validate(_declared: &Value, _place: &str, _findings: &mut [Finding]) {}

fn met(met: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if met { Ok(()) } else { Err(why()) }
}

/// The part of a mapping that is meant, or the whole where there is no such part.
fn targeted<'a>(output: &'a Value, target: Option<&str>) -> &'a Value {
    target.and_then(|target| output.as_object()?.get(target)).unwrap_or(output)
}

fn shorten(text: &str) -> String {
    const MOST: usize = 200;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Python's `$` also matches before a newline at the very end.
fn with_python_end(pattern: &str) -> String {
    if pattern.contains("(?m") {
        return pattern.to_owned();
    }
    let (mut result, mut escaped, mut in_class) = (String::with_capacity(pattern.len()), false, false);
    for c in pattern.chars() {
        match c {
            '$' if !escaped && !in_class => result.push_str(r"(?:\n?\z)"),
            _ => result.push(c),
        }
        match c {
            '[' if !escaped => in_class = true,
            ']' if !escaped => in_class = false,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn is_met(tolerance: &Value, output: &Value) -> bool {
        let mut variables = Variables::default();
        variables.configuration.insert("off".into(), json!("powered_off"));
        variables.configuration.insert("many".into(), json!([1, 2, 3]));
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
            (json!([200, 299]), json!({"status": 250}), false),
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
            json!({"type": "jsonpath", "path": "$.a"}),
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
    fn an_unmet_tolerance_says_why_in_few_words() {
        let tolerance = Tolerance::Equal(json!("powered_off"));
        assert_eq!(tolerance.check(&json!("powered_on")).unwrap_err(), r#""powered_on" is not "powered_off""#);
        assert!(tolerance.check(&json!("x".repeat(5000))).unwrap_err().len() < 300);
    }
}
