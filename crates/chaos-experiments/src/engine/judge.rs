//! Holds an output against a tolerance, also one that is a probe itself.

use chaos_core::Context;
use serde_json::{Map, Value};

use crate::activity::{Call, Judge};
use crate::engine::Running;
use crate::native::Kind;
use crate::provider::Place;
use crate::python::truthy;
use crate::substitute::step_references;

impl Running<'_> {
    /// Whether `output` is what it should be.
    ///
    /// # Errors
    /// Why it is not. What cannot be judged is not met.
    pub(super) async fn judge(&self, cx: &Context, judge: &Judge, output: &Value) -> Result<(), String> {
        match judge {
            // Names of headers have no case.
            Judge::Tolerance(tolerance) => tolerance.check_in(output, headers(output)),
            Judge::Later { declared, place } => self.judge_later(cx, declared, place, output).await,
            Judge::Never(why) => Err(why.clone()),
            Judge::Probe { name, provider, place } => self.probe(cx, (name, place), provider, output).await,
        }
    }

    async fn probe(
        &self,
        cx: &Context,
        (name, place): (&str, &str),
        provider: &Map<String, Value>,
        value: &Value,
    ) -> Result<(), String> {
        let references = provider.values().flat_map(step_references).collect();
        // Whoever comes here knows that they are there, if there are any.
        let steps = self.steps.values(&references).unwrap_or_default();
        let mut provider = provider.clone();
        if let Some(Value::Object(arguments)) = provider.get_mut("arguments") {
            // What comes from outside is no place for names: whoever wrote it would be told what they stand for.
            let replaces = !self.resolved.experiment.late.variables.is_empty() || !steps.is_empty();
            arguments.insert("value".to_owned(), if replaces { escaped(value) } else { value.clone() });
        }
        let call = self.resolved.experiment.late.provider_with(Kind::Probe, &provider, place, steps);
        let output = match call {
            Ok(Call::Provider(call)) => {
                let world = self.in_the_world(cx, None);
                let output = self.call(&world, &call, Place::Background).await;
                output.map_err(|unwell| format!("`{name}`: {}", unwell.why()))?
            }
            Ok(Call::NotRehearsed(_)) => return Ok(()),
            Ok(Call::Vm(_)) => return Err(format!("`{name}` is a VM function, and takes no `value`")),
            Ok(Call::Broken(broken)) => return Err(format!("`{name}`: {}", broken.why)),
            Err(why) => return Err(format!("`{name}`: {why}")),
        };
        if truthy(&output) { Ok(()) } else { Err(format!("`{name}` says no to it")) }
    }
}

/// A value that is itself after names are replaced in it.
fn escaped(value: &Value) -> Value {
    match value {
        Value::String(text) => text.replace('$', "$$").into(),
        Value::Array(items) => items.iter().map(escaped).collect(),
        Value::Object(map) => Value::Object(map.iter().map(|(key, value)| (key.clone(), escaped(value))).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// The headers in the answer to a request.
fn headers(output: &Value) -> Option<&Map<String, Value>> {
    let answer = output.as_object().filter(|answer| answer.contains_key("status") && answer.contains_key("body"))?;
    answer.get("headers")?.as_object()
}
