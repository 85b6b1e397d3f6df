//! Configuration that is found out by a probe before the run: `{"type": "probe"}`.

use std::collections::BTreeMap;
use std::fmt;

use chaos_core::{Context, RunMode};
use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::activity::Call;
use crate::configuration;
use crate::document::Document;
use crate::error::Finding;
use crate::inputs::{Given, Inputs};
use crate::late::Late;
use crate::mask::Masker;
use crate::provider::{HttpClients, Place, PythonWorkers};

/// What the probes of the configuration have found, by key. `Debug` shows the keys only.
#[derive(Clone, Default)]
pub struct Measured(Option<BTreeMap<String, Result<Value, String>>>);

impl Measured {
    /// What was found for `key`: none if nobody has looked yet.
    pub(crate) fn get(&self, key: &str) -> Option<Result<&Value, &str>> {
        let found = self.0.as_ref()?.get(key)?;
        Some(found.as_ref().map_err(String::as_str))
    }
}

impl fmt::Debug for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().flat_map(BTreeMap::keys)).finish()
    }
}

/// What the probes are made with, all of them.
struct Means {
    clients: HttpClients,
    workers: PythonWorkers,
    masker: Masker,
}

impl Inputs {
    /// Makes the probes by which `document` finds out its configuration, one after the other, each with what is declared
    /// above it. Does nothing if there are none. A rehearsal makes them only with [`Inputs::rehearse_probes`].
    ///
    /// What goes wrong is told by [`Experiment::new`](crate::Experiment::new), which needs what was found.
    #[must_use]
    pub async fn measure(mut self, document: &Document, cx: &Context) -> Self {
        let declared = document.root().get("configuration").and_then(Value::as_object);
        let declared: IndexMap<&String, &Value> = declared.into_iter().flatten().collect();
        let is_measured = |(key, value): (&&String, &&Value)| {
            let given = self.overrides.get(key);
            let value = given.map_or_else(|| (*value).clone(), Given::plain);
            configuration::kind_of(&value) == Some("probe")
        };
        if !declared.iter().any(is_measured) || (self.mode == RunMode::Rehearsal && !self.rehearse_probes) {
            return self;
        }
        let masker = Masker::default();
        let workers = PythonWorkers::new(self.environment.clone(), masker.clone());
        let means = Means { clients: HttpClients::default(), workers, masker };
        let (mut found, mut above) = (BTreeMap::new(), Map::new());
        for (key, value) in declared.iter().map(|(key, value)| ((*key).clone(), (*value).clone())) {
            let value = self.overrides.get(&key).map_or(value, Given::plain);
            if configuration::kind_of(&value) == Some("probe") {
                self.measured = Measured(Some(found.clone()));
                let result = self.measure_one(document, &above, (&key, &value), &means, cx).await;
                found.insert(key.clone(), result);
            }
            above.insert(key, value);
        }
        means.workers.close().await;
        self.measured = Measured(Some(found));
        self
    }

    async fn measure_one(
        &self,
        document: &Document,
        above: &Map<String, Value>,
        (key, probe): (&str, &Value),
        Means { clients, workers, masker }: &Means,
        cx: &Context,
    ) -> Result<Value, String> {
        let mut root = document.root().clone();
        root.insert("configuration".to_owned(), Value::Object(above.clone()));
        let mut findings: Vec<Finding> = Vec::new();
        let variables = configuration::resolve(&root, self, &mut findings);
        masker.learn(&variables, []);
        let late = Late { root: Map::new(), inputs: self.clone(), variables };
        let provider = probe.get("provider").and_then(Value::as_object).ok_or("it has no `provider`")?;
        let output =
            match late.provider_at(provider, &format!("/configuration/{}/provider", configuration::escape(key)))? {
                Call::Provider(call) => {
                    let output = call.run(cx, clients, workers, Place::Foreground).await;
                    output.map_err(|error| masker.text(&error.words()))?
                }
                Call::Vm(_) => return Err("a VM function cannot be asked before the run".to_owned()),
                Call::NotRehearsed(_) => return Err("it is left out of the rehearsal".to_owned()),
                Call::Broken(broken) => return Err(broken.why),
            };
        let field = |name: &str| output.get(name).cloned().unwrap_or(Value::Null);
        match provider.get("type").and_then(Value::as_str) {
            Some("http") => Ok(field("body")),
            Some("process") if field("status") == 0 => {
                let stdout = field("stdout");
                Ok(stdout.as_str().unwrap_or_default().trim().into())
            }
            Some("process") => {
                let (status, stderr) = (field("status"), field("stderr"));
                let line = stderr.as_str().unwrap_or_default().trim().lines().last().unwrap_or_default().to_owned();
                Err(masker.text(&format!("its process ended with status {status}: {line}")))
            }
            _ => Ok(output),
        }
    }
}
