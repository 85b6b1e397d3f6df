//! Whether an output is within a tolerance, and if not, why not.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::decimal::Decimal;
use super::{Search, Target, Tolerance};
use crate::python;

impl Tolerance {
    /// Whether `output` is within the tolerance; if not, why not, as words for a person.
    ///
    /// A list is compared with the `status` of a mapping by membership; else a list of two is a range, both bounds
    /// included, and any other list is membership. What cannot be compared is not met.
    #[cfg(test)]
    pub(crate) fn check(&self, output: &Value) -> Result<(), String> {
        self.check_in(output, None)
    }

    /// The same for an output in which there is one mapping, known by its address, whose keys a path finds in any case:
    /// the headers of an answer.
    pub(crate) fn check_in(&self, output: &Value, without_case: Option<&Map<String, Value>>) -> Result<(), String> {
        let status = output.as_object().and_then(|map| map.get("status"));
        match self {
            Self::Equal(wanted) => {
                let whole_number = wanted.is_i64() || wanted.is_u64();
                let value = if whole_number { status.unwrap_or(output) } else { output };
                met(python::equal(value, wanted), || format!("{} is not {wanted}", shown(value)))
            }
            Self::List(items) => match (status, items.as_slice()) {
                (None, [from, to]) => met(at_most(from, output) && at_most(output, to), || {
                    format!("{} is not from {from} to {to}", shown(output))
                }),
                (status, items) => {
                    let value = status.unwrap_or(output);
                    met(items.iter().any(|item| python::equal(item, value)), || {
                        format!("{} is none of {}", shown(value), Value::from(items.to_vec()))
                    })
                }
            },
            Self::Regex { pattern, target } => match target.of_output(output)? {
                Value::String(text) => met(pattern.is_found_in(text)?, || {
                    format!("`{}` does not match `{}`", shorten(text), pattern.as_str())
                }),
                other => Err(format!("{} is not a text that an expression could match", shown(other))),
            },
            Self::JsonPath(search) => search.check(output, without_case),
            Self::Range { bounds, target } => {
                let value = target.of_output(output)?;
                let [from, to] = &**bounds;
                match Decimal::of(value) {
                    None => Err(format!("{} is not a number", shown(value))),
                    Some(number) => met(from.exact <= number && number <= to.exact, || {
                        format!("{} is not from {} to {}", shown(value), from.written, to.written)
                    }),
                }
            }
        }
    }
}

impl Search {
    fn check(&self, output: &Value, without_case: Option<&Map<String, Value>>) -> Result<(), String> {
        let value = match self.target.of_output(output)? {
            // A text that is no JSON is searched as the text that it is.
            text @ Value::String(json) => serde_json::from_str(json).map_or(Cow::Borrowed(text), Cow::Owned),
            other => Cow::Borrowed(other),
        };
        let found = self.path.matches(&value, without_case)?;
        let is_met = match (&self.expect, &self.count) {
            (Some(expected), _) => {
                found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| python::equal(a, b))
            }
            (None, Some(count)) => python::equal(&found.len().into(), count),
            (None, None) => !found.is_empty(),
        };
        met(is_met, || {
            let what = match (&self.expect, &self.count) {
                (Some(expected), _) => format!("and not {}", shown(&expected.clone().into())),
                (None, Some(count)) => format!("and not {} of them", shown(count)),
                (None, None) => "and that is nothing".to_owned(),
            };
            let found: Vec<Value> = found.into_iter().map(Cow::into_owned).collect();
            format!("`{}` finds {}, {what}", shorten(&self.written), shown(&found.into()))
        })
    }
}

impl Target {
    /// The part of a mapping that is meant, or the whole where there is no such part.
    fn of_output<'a>(&self, output: &'a Value) -> Result<&'a Value, String> {
        match (self, output) {
            (Self::Whole, _) | (Self::Mapping, Value::Object(_)) => Ok(output),
            (Self::Key(key), Value::Object(map)) => Ok(map.get(key).unwrap_or(output)),
            (Self::Nothing, _) => Err("the `target` of the tolerance is no key".to_owned()),
            (Self::Key(_) | Self::Mapping, other) => {
                Err(format!("{} is not a mapping, in which `target` could be looked up", shown(other)))
            }
        }
    }
}

fn at_most(a: &Value, b: &Value) -> bool {
    matches!(python::order(a, b), Some(Ordering::Less | Ordering::Equal))
}

fn met(met: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if met { Ok(()) } else { Err(why()) }
}

fn shown(value: &Value) -> String {
    shorten(&value.to_string())
}

pub(super) fn shorten(text: &str) -> String {
    const MOST: usize = 200;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
