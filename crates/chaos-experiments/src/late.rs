//! What is read while the run goes on, because it depends on what came out before.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value};

use crate::activity::Call;
use crate::error::Severity;
use crate::inputs::Inputs;
use crate::native::Kind;
use crate::reading::Reader;
use crate::substitute::Variables;

/// The values that an experiment was read with. `Debug` shows none of them.
pub(crate) struct Late {
    pub(crate) inputs: Inputs,
    pub(crate) variables: Variables,
}

impl Late {
    /// A provider of a probe.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn provider(&self, provider: &Map<String, Value>) -> Result<Call, String> {
        self.provider_at(provider, "")
    }

    /// The same, declared at `place`.
    ///
    /// # Errors
    /// As [`Late::provider`].
    pub(crate) fn provider_at(&self, provider: &Map<String, Value>, place: &str) -> Result<Call, String> {
        let root = Map::new();
        let mut reader = Reader {
            root: &root,
            inputs: &self.inputs,
            variables: &self.variables,
            findings: Vec::new(),
            secrets: BTreeSet::new(),
        };
        let call = reader.provider(Some(Kind::Probe), Some(&Value::Object(provider.clone())), place);
        let why = || {
            let errors = reader.findings.iter().filter(|finding| finding.severity == Severity::Error);
            errors.map(|finding| finding.message.clone()).collect::<Vec<_>>().join("; ")
        };
        call.ok_or_else(why)
    }
}

impl fmt::Debug for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Late").finish_non_exhaustive()
    }
}
