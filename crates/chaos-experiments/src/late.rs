//! What is read while the run goes on, because it depends on what came out before.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Value};

use crate::activity::{Activity, Breaks, Broken, Call, Judge};
use crate::error::{Finding, Severity};
use crate::inputs::Inputs;
use crate::mask::Masker;
use crate::native::Kind;
use crate::provider::{NATIVE_PROBES, ProviderCall};
use crate::reading::Reader;
use crate::substitute::{Variables, step_references, with_steps};

/// The values that an experiment was read with. `Debug` shows none of them.
pub(crate) struct Late {
    /// The document as it was loaded, secrets included, with its title in words.
    pub(crate) root: Map<String, Value>,
    pub(crate) inputs: Inputs,
    pub(crate) variables: Variables,
}

impl Late {
    /// A provider of a probe, declared at `place`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn provider_at(&self, provider: &Map<String, Value>, place: &str) -> Result<Call, String> {
        self.provider_with(Kind::Probe, provider, place, BTreeMap::new())
    }

    /// The same of an activity that takes what earlier steps gave.
    ///
    /// # Errors
    /// As [`Late::provider_at`].
    pub(crate) fn provider_with(
        &self,
        kind: Kind,
        provider: &Map<String, Value>,
        place: &str,
        steps: BTreeMap<String, Value>,
    ) -> Result<Call, String> {
        let provider = Value::Object(provider.clone());
        self.read(steps, |reader| reader.provider(Some(kind), Some(&provider), place))
    }

    /// A tolerance that depends on what earlier steps gave.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn judge(&self, declared: &Value, place: &str, steps: BTreeMap<String, Value>) -> Result<Judge, String> {
        let replaced = |value: &Value| with_steps(value, &steps);
        // What a tolerance does not replace names in takes outputs all the same.
        let declared = match declared {
            Value::Array(_) => replaced(declared),
            Value::Object(map) => {
                let plain = |key: &str| ["range", "count", "target"].contains(&key);
                let each = map
                    .iter()
                    .map(|(key, value)| (key.clone(), if plain(key) { replaced(value) } else { value.clone() }));
                Value::Object(each.collect())
            }
            other => other.clone(),
        };
        self.read(steps, |reader| reader.judge(&declared, place))
    }

    fn read<T>(
        &self,
        steps: BTreeMap<String, Value>,
        read: impl FnOnce(&mut Reader<'_>) -> Option<T>,
    ) -> Result<T, String> {
        let root = Map::new();
        let variables = Variables { steps, ..self.variables.clone() };
        let mut reader = Reader {
            root: &root,
            inputs: &self.inputs,
            variables: &variables,
            findings: Vec::new(),
            secrets: BTreeSet::new(),
        };
        let value = read(&mut reader);
        value.ok_or_else(|| errors(&reader.findings))
    }

    /// The provider of a control, with more environment variables for a process.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn foreign(
        &self,
        provider: &Map<String, Value>,
        place: &str,
        variables: &Variables,
        exported: impl IntoIterator<Item = (String, String)>,
        masker: &Masker,
    ) -> Result<ProviderCall, String> {
        let inputs = self.inputs.clone().export(exported);
        let root = Map::new();
        let (findings, secrets) = (Vec::new(), BTreeSet::new());
        let mut reader = Reader { root: &root, inputs: &inputs, variables, findings, secrets };
        let call = reader.provider(Some(Kind::Action), Some(&Value::Object(provider.clone())), place);
        masker.learn(variables, std::mem::take(&mut reader.secrets));
        match call {
            Some(Call::Provider(call)) => Ok(call),
            Some(_) => Err("it is no provider of a control".to_owned()),
            None => Err(errors(&reader.findings)),
        }
    }

    /// An activity as the document declares it now, with what names stand for now. What is wrong with it comes out when it
    /// is carried out. A function on VMs stays as it was: VMs are found before the run.
    pub(crate) fn reread(
        &self,
        activity: &Activity,
        root: &Map<String, Value>,
        variables: &Variables,
        masker: &Masker,
    ) -> Activity {
        let broken = |why: String| {
            let call = Call::Broken(Broken { why, how: Breaks::Run });
            Activity { call, ..activity.clone() }
        };
        let place = &activity.place;
        let document = Value::Object(root.clone());
        let Some(declared) = document.pointer(place).and_then(Value::as_object) else {
            return broken("a control has taken it out of the experiment".to_owned());
        };
        let (findings, secrets) = (Vec::new(), BTreeSet::new());
        let mut reader = Reader { root, inputs: &self.inputs, variables, findings, secrets };
        let Some(mut now) = reader.target(declared, place) else {
            return broken(errors(&reader.findings));
        };
        now.background = activity.background;
        now.tolerance.clone_from(&activity.tolerance);
        if activity.tolerance.is_some()
            && let Some(tolerance) = declared.get("tolerance")
        {
            now.tolerance = reader.judge(tolerance, &format!("{place}/tolerance")).or(now.tolerance);
        }
        masker.learn(variables, reader.secrets);
        if let Call::Vm(_) = &activity.call {
            let arguments = |declared: &Value, variables: &Variables| {
                declared.get("provider").map(|provider| variables.substitute(provider).value)
            };
            if arguments(&activity.declaration, &self.variables) != arguments(&now.declaration, variables) {
                let name = masker.text(&activity.name);
                tracing::warn!("a control cannot change what `{name}` does: VMs are found before the run");
                now.declaration.clone_from(&activity.declaration);
            }
            now.call = activity.call.clone();
        } else if let Call::Vm(_) = &now.call {
            return broken("a control cannot make it a function on VMs: they are found before the run".to_owned());
        }
        now
    }
}

fn errors(findings: &[Finding]) -> String {
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
    errors.map(|finding| finding.message.clone()).collect::<Vec<_>>().join("; ")
}

/// A provider as it can be read before the outputs are there that it takes: everything else in it is checked.
pub(crate) fn stand_in(provider: &Map<String, Value>) -> Map<String, Value> {
    let provider_is_native = provider.get("module").and_then(Value::as_str) == Some(NATIVE_PROBES);
    let mut provider = provider.clone();
    for (key, value) in &mut provider {
        *value = match (key.as_str(), &*value) {
            // Nothing is sent to it.
            ("url", Value::String(text)) if text.starts_with("${steps") => "http://steps.invalid/".into(),
            ("url" | "headers", value) => {
                let steps = step_references(value).into_iter().map(|reference| (reference, "0".into())).collect();
                with_steps(value, &steps)
            }
            ("arguments", value) if provider_is_native => {
                let steps = step_references(value).into_iter().map(|reference| (reference, "1".into())).collect();
                with_steps(value, &steps)
            }
            _ => continue,
        };
    }
    provider
}

impl fmt::Debug for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Late").finish_non_exhaustive()
    }
}
