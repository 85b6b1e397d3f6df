//! What experiments may say here that Chaos Toolkit does not know: one table, for the checks and for the documentation.

use serde::Serialize;

use crate::error::{Finding, Severity};
use crate::inputs::Inputs;
use crate::rules::Rules;

/// Something that an experiment may say beyond what Chaos Toolkit knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Extension {
    /// Its name, which is also that of its section in the documentation.
    pub name: &'static str,
    /// How it is written.
    pub written: &'static str,
    /// What Chaos Toolkit makes of it.
    pub reach: Reach,
}

/// What Chaos Toolkit makes of an experiment with an extension in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reach {
    /// It runs it and does not heed the extension. So do the compatible rules, with a warning.
    Ignored,
    /// It refuses it, or fails at it. The compatible rules refuse it too.
    Refused,
}

impl Extension {
    /// The output of a step in a later one.
    pub const OUTPUTS: Self =
        Self { name: "Outputs of earlier steps", written: "${steps.NAME.output.PATH}", reach: Reach::Ignored };
    /// Activities at once.
    pub const PARALLEL: Self = Self { name: "Activities at once", written: "parallel", reach: Reach::Refused };
    /// A probe that waits for what it looks for.
    pub const UNTIL: Self = Self { name: "Waiting until", written: "until", reach: Reach::Ignored };
    /// An activity that is tried again.
    pub const RETRY: Self = Self { name: "Trying again", written: "retry", reach: Reach::Ignored };
    /// A tolerance in the method.
    pub const ASSERTIONS: Self = Self { name: "Assertions", written: "tolerance", reach: Reach::Ignored };
    /// Probes without Python.
    pub const PROBES: Self =
        Self { name: "Probes without Python", written: "chaosmonkey.probes", reach: Reach::Refused };

    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 6] =
        [Self::OUTPUTS, Self::PARALLEL, Self::UNTIL, Self::RETRY, Self::ASSERTIONS, Self::PROBES];

    /// What is to be said of its use at `place`; nothing by the rules that know it.
    pub(crate) fn used(&self, place: impl Into<String>, inputs: &Inputs) -> Option<Finding> {
        self.used_by(place, (inputs.rules, inputs.names_extensions))
    }

    /// The same by such rules, and whether what they cannot run is only named.
    pub(crate) fn used_by(&self, place: impl Into<String>, (rules, only_names): (Rules, bool)) -> Option<Finding> {
        if rules.knows_extensions() {
            return None;
        }
        let hint = "the strict rules know it: `--strict`, or `chaosmonkey execute`";
        let (severity, message) = match self.reach {
            Reach::Ignored => (Severity::Warning, format!("`{}` is not heeded, as in Chaos Toolkit", self.written)),
            Reach::Refused => {
                let severity = if only_names { Severity::Warning } else { Severity::Error };
                (severity, format!("Chaos Toolkit itself cannot run this: `{}`", self.written))
            }
        };
        Some(Finding { severity, ..Finding::error(place, message) }.hint(hint))
    }
}
