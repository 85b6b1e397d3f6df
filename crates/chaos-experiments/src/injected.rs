//! The values that were handed to tolerances which are probes themselves.
//!
//! Chaos Toolkit puts the value into the arguments of such a tolerance, in the document that every record shares: its
//! journal shows the last value wherever the probe is shown. So does ours.

use serde_json::Value;

use crate::journal::{SteadyState, SteadyStates};

/// The last value of each probe whose tolerance is a probe.
#[derive(Debug, Clone, Default)]
pub(crate) struct Injected(Vec<(Value, Value)>);

impl Injected {
    /// Notes what a probe returned, if its tolerance takes it as an argument.
    pub(crate) fn note(&mut self, mut declaration: Value, output: &Value) {
        if arguments(&mut declaration).is_none() {
            return;
        }
        match self.0.iter_mut().find(|(known, _)| *known == declaration) {
            Some((_, value)) => *value = output.clone(),
            None => self.0.push((declaration, output.clone())),
        }
    }

    /// Whether there are any in a run of `experiment`: where no tolerance was checked, no value was handed to one.
    pub(crate) fn is_in(&self, experiment: &Value) -> bool {
        let dry = experiment.get("dry").and_then(Value::as_str);
        !self.0.is_empty() && !matches!(dry, Some("probes" | "activities"))
    }

    /// Shows them in the experiment and in each record.
    pub(crate) fn show(&self, experiment: &mut Value, states: &mut SteadyStates) {
        if let Some(Value::Array(probes)) = experiment.pointer_mut("/steady-state-hypothesis/probes") {
            for probe in probes {
                self.show_in(probe);
            }
        }
        let SteadyStates { before, after, during } = states;
        let each = before.iter_mut().chain(after).chain(during);
        for SteadyState { probes, .. } in each {
            for record in probes {
                self.show_in(&mut record.activity);
            }
        }
    }

    fn show_in(&self, activity: &mut Value) {
        let Some((_, value)) = self.0.iter().find(|(known, _)| known == activity) else { return };
        if let Some(arguments) = arguments(activity) {
            arguments.insert("value".to_owned(), value.clone());
        }
    }
}

/// The arguments of a tolerance that is a probe.
fn arguments(activity: &mut Value) -> Option<&mut serde_json::Map<String, Value>> {
    let tolerance = activity.get_mut("tolerance")?;
    if tolerance.get("type")?.as_str()? != "probe" {
        return None;
    }
    tolerance.pointer_mut("/provider/arguments")?.as_object_mut()
}
