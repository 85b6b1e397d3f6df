//! The experiment as controls have left it: what they change is seen by each other, by the activities that follow, and by
//! the journal.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};

use crate::experiment::Experiment;
use crate::resolve::Bound;
use crate::substitute::Variables;

/// The lists of activities, which are bound to their VMs before the run.
const LISTS: [&str; 3] = ["/steady-state-hypothesis/probes", "/method", "/rollbacks"];

/// The experiment as it is now.
pub(super) struct Live {
    /// Whether there is any control at all.
    is_controlled: bool,
    now: Mutex<Now>,
}

/// A moment of it.
#[derive(Clone)]
pub(super) struct Now {
    pub(super) experiment: Map<String, Value>,
    pub(super) variables: Arc<Variables>,
    /// Whether activities may be others than those that were read.
    is_changed: bool,
    /// Whether the experiment is not the one that the journal begins with.
    pub(super) shows_otherwise: bool,
}

impl Live {
    /// `dry` is what the run was told to leave out.
    pub(super) fn new(experiment: &Experiment, dry: Option<&str>) -> Self {
        let late = &experiment.late;
        let controls = &experiment.controls;
        let own = experiment.activities().any(|activity| !activity.controls.is_empty());
        let is_controlled =
            own || !(controls.global.is_empty() && controls.top.is_empty() && controls.hypothesis.is_empty());
        let mut root = Map::new();
        let mut variables = Arc::default();
        if is_controlled {
            root.clone_from(&late.root);
            root.insert("dry".to_owned(), dry.into());
            variables = Arc::new(late.variables.clone());
        }
        let now = Now { experiment: root, variables, is_changed: false, shows_otherwise: false };
        Self { is_controlled, now: Mutex::new(now) }
    }

    pub(super) fn is_controlled(&self) -> bool {
        self.is_controlled
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Now {
        self.lock().clone()
    }

    /// Takes over what a control has changed, by name; says what of it cannot be taken over.
    pub(super) fn take(&self, changed: &Map<String, Value>) -> Vec<String> {
        let mut refused = Vec::new();
        let mut now = self.lock();
        for (name, value) in changed {
            let Value::Object(map) = value else {
                if name != "state" {
                    refused.push(format!("`{name}` is no mapping any more"));
                }
                continue;
            };
            match name.as_str() {
                "configuration" => {
                    Arc::make_mut(&mut now.variables).configuration = map.clone().into_iter().collect();
                }
                "secrets" => Arc::make_mut(&mut now.variables).secrets = map.clone().into_iter().collect(),
                "experiment" => {
                    let count = |root: &Map<String, Value>, list: &str| {
                        let list = Value::Object(root.clone()).pointer(list).and_then(Value::as_array).map(Vec::len);
                        list.unwrap_or_default()
                    };
                    if LISTS.iter().any(|list| count(&now.experiment, list) != count(map, list)) {
                        refused.push("activities cannot be added or taken away".to_owned());
                    }
                    if now.experiment.get("controls") != map.get("controls") {
                        refused.push("controls cannot be changed".to_owned());
                    }
                    now.experiment.clone_from(map);
                    now.shows_otherwise = true;
                }
                _ => continue,
            }
            now.is_changed = true;
        }
        refused
    }

    /// An activity as it is now; none if it is the one that was read.
    pub(super) fn bound(&self, experiment: &Experiment, bound: &Bound) -> Option<Bound> {
        let now = self.lock();
        if !now.is_changed {
            return None;
        }
        let now = now.clone();
        let activity = experiment.late.reread(&bound.activity, &now.experiment, &now.variables, &experiment.masker);
        Some(Bound { activity, on: bound.on.clone() })
    }
}
