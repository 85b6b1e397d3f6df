//! `${steps.NAME.output.PATH}`: what an activity gave, in one that comes later.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

/// What stands behind the `${` of such a reference.
const WORD: &str = "steps";

/// What each step gave that has ended.
#[derive(Debug, Default)]
pub(crate) struct Steps(Mutex<BTreeMap<String, Step>>);

/// What a step gave.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) output: Value,
    /// `succeeded` or `failed`.
    pub(crate) status: &'static str,
    /// Whether it was only taken as done, so that it gave nothing.
    pub(crate) left_out: bool,
}

/// Why a reference stands for nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Gap {
    /// The step was left out, and so is what needs it.
    LeftOut,
    /// In words.
    Missing(String),
}

impl Steps {
    /// A step has ended. One that runs again gives something else.
    pub(crate) fn note(&self, name: &str, step: Step) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), step);
    }

    /// What each of these references stands for.
    pub(crate) fn values(&self, references: &BTreeSet<String>) -> Result<BTreeMap<String, Value>, Gap> {
        let steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut values = BTreeMap::new();
        for text in references {
            let missing = |why: &str| Gap::Missing(format!("`${{{text}}}` stands for nothing: {why}"));
            let reference = Reference::parse(text).map_err(|why| missing(&why))?;
            let name = &reference.step;
            let step = steps.get(name).ok_or_else(|| missing(&format!("`{name}` has not ended")))?;
            values.insert(text.clone(), reference.value(step, missing)?);
        }
        Ok(values)
    }
}

/// A reference, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) step: String,
    /// Whether it asks how the step ended, and not what it gave.
    is_status: bool,
    path: Vec<String>,
}

impl Reference {
    /// Takes the text between `${` and `}` apart.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let form = || {
            "write `steps.NAME.output`, `steps.NAME.output.KEY` or `steps.NAME.status`, and a name with other \
                       characters as `steps[\"NAME\"]`"
        };
        let mut parts = parts(text.strip_prefix(WORD).unwrap_or_default()).ok_or_else(form)?.into_iter();
        let (step, what) = parts.next().zip(parts.next()).ok_or_else(form)?;
        let path: Vec<String> = parts.collect();
        match what.as_str() {
            "output" => Ok(Self { step, is_status: false, path }),
            "status" if path.is_empty() => Ok(Self { step, is_status: true, path }),
            _ => Err(form().to_owned()),
        }
    }

    fn value(&self, step: &Step, missing: impl Fn(&str) -> Gap) -> Result<Value, Gap> {
        if step.left_out {
            return Err(Gap::LeftOut);
        }
        if self.is_status {
            return Ok(step.status.into());
        }
        if step.status != "succeeded" {
            return Err(missing(&format!("`{}` has failed", self.step)));
        }
        let mut value = &step.output;
        for key in &self.path {
            value = match value {
                Value::Object(map) => map.get(key),
                Value::Array(items) => key.parse::<usize>().ok().and_then(|at| items.get(at)),
                _ => None,
            }
            .ok_or_else(|| missing(&format!("there is no `{key}` in what `{}` gave", self.step)))?;
        }
        Ok(value.clone())
    }
}

/// The parts of `.a.b[0]["c d"]`.
fn parts(text: &str) -> Option<Vec<String>> {
    let (mut rest, mut parts) = (text, Vec::new());
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            parts.push(after.get(..end).filter(|part| !part.is_empty())?.to_owned());
            rest = &after[end..];
        } else {
            let inner = rest.strip_prefix('[')?;
            let length = if inner.starts_with('"') { quoted(inner)? } else { inner.find(']')? };
            let part = &inner[..length];
            parts.push(if part.starts_with('"') {
                serde_json::from_str(part).ok()?
            } else {
                part.parse::<usize>().ok()?.to_string()
            });
            rest = inner[length..].strip_prefix(']')?;
        }
    }
    Some(parts)
}

/// The length of the JSON text that `text` begins with, quotes included.
fn quoted(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// The reference in what stands behind a `${`, up to the brace that ends it.
pub(crate) fn reference(inner: &str) -> Option<&str> {
    let after = inner.strip_prefix(WORD)?;
    if !after.starts_with(['.', '[']) {
        return None;
    }
    let mut at = WORD.len();
    while let Some(byte) = inner.as_bytes().get(at) {
        match byte {
            b'}' => return Some(&inner[..at]),
            b'"' => at += quoted(&inner[at..])?,
            _ => at += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_reference_is_found_up_to_its_brace() {
        for (inner, expected) in [
            ("steps.a.output}x", Some("steps.a.output")),
            (r#"steps["a } b"].output} }"#, Some(r#"steps["a } b"].output"#)),
            ("steps}", None),
            ("stepson.a}", None),
            ("steps.a.output", None),
            (r#"steps["a}"#, None),
        ] {
            assert_eq!(reference(inner), expected, "{inner}");
        }
    }

    #[test]
    fn the_table_of_references() {
        let steps = Steps::default();
        let output = json!({"status": 201, "body": {"id": 7, "list": [{"k": "v"}], "a.b": null}});
        steps.note("make", Step { output, status: "succeeded", left_out: false });
        steps.note("a step", Step { output: Value::Null, status: "failed", left_out: false });
        steps.note("dry", Step { output: Value::Null, status: "succeeded", left_out: true });
        for (text, expected) in [
            ("steps.make.output.body.id", Ok(json!(7))),
            ("steps.make.output.body.list.0.k", Ok(json!("v"))),
            ("steps.make.output.body.list[0]", Ok(json!({"k": "v"}))),
            (r#"steps.make.output.body["a.b"]"#, Ok(json!(null))),
            ("steps.make.status", Ok(json!("succeeded"))),
            (r#"steps["a step"].status"#, Ok(json!("failed"))),
            (r#"steps["a step"].output"#, Err("`a step` has failed")),
            ("steps.make.output.body.list.1", Err("no `1`")),
            ("steps.make.output.status.x", Err("no `x`")),
            ("steps.later.output", Err("`later` has not ended")),
            ("steps.make", Err("write `steps.NAME.output`")),
            ("steps.make.status.x", Err("write `steps.NAME.output`")),
            ("steps..output", Err("write `steps.NAME.output`")),
            ("steps.make.output[x]", Err("write `steps.NAME.output`")),
        ] {
            let found = steps.values(&[text.to_owned()].into());
            match (found, expected) {
                (Ok(values), Ok(expected)) => assert_eq!(values[text], expected, "{text}"),
                (Err(Gap::Missing(why)), Err(part)) => assert!(why.contains(part), "{text}: {why}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
        assert_eq!(steps.values(&["steps.dry.output.x".to_owned()].into()), Err(Gap::LeftOut));
    }

    proptest! {
        #[test]
        fn any_text_is_taken_apart_without_a_crash(text in r#"steps[.\["\\\]}a0é]{0,12}"#) {
            let _ = Reference::parse(&text);
            let _ = reference(&text);
        }
    }
}
