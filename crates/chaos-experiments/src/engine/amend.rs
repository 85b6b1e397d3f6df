//! What controls make of the record of a part of the run when it is over.

use chaos_core::{Context, RunEventKind, RunStatus, Section};
use serde_json::{Map, Value, json};

use crate::controls::Level;
use crate::engine::Running;
use crate::engine::activity::{Ended, Stopped};
use crate::engine::hooks::Part;
use crate::provider::Place;
use crate::resolve::Bound;

/// What of the journal a control may change beside the records of activities.
const RECORDS: [(&str, Section); 2] = [("run", Section::Method), ("rollbacks", Section::Rollbacks)];

impl Running<'_> {
    /// Tells controls that an activity is over, and what follows if they change its record.
    ///
    /// # Errors
    /// Those of `result`, and that a control has interrupted the run.
    pub(super) async fn after_activity(
        &self,
        cx: &Context,
        (section, bound): (Section, &Bound),
        part: &Part<'_>,
        started: Option<u64>,
        result: Result<Ended, Stopped>,
    ) -> Result<Ended, Stopped> {
        if part.place == Place::Background && self.abandon.is_cancelled() {
            return result;
        }
        let mut before = Value::Null;
        if let (Some(started), true) = (started, !matches!(result, Err(Stopped::Interrupted))) {
            before = self.recorder.record_of(started).await.unwrap_or_default();
            if let Value::Object(record) = &mut before {
                // Whether that is so is said later.
                record.shift_remove("tolerance_met");
            }
        }
        let changed = Box::pin(self.after(cx, part, before.clone())).await;
        let mut ended = result?;
        if let (Some(started), Some(Value::Object(mut record))) = (started, changed?) {
            if ["status", "output"].iter().any(|key| record.get(*key) != before.get(*key)) {
                ended = self.judge_again(cx, section, bound, &mut record).await;
            }
            self.amend(started, Value::Object(record)).await?;
        }
        Ok(ended)
    }

    /// How an activity ended whose record a control has changed.
    async fn judge_again(
        &self,
        cx: &Context,
        section: Section,
        bound: &Bound,
        record: &mut Map<String, Value>,
    ) -> Ended {
        let activity = &bound.activity;
        let tells = self.tells_tolerance(section, activity) && !record.contains_key("tolerance_met");
        let mut missed = None;
        let failed = record.get("status").and_then(Value::as_str) == Some("failed");
        if !failed
            && self.judges(section, activity, self.is_dry(activity))
            && let Some(tolerance) = &activity.tolerance
        {
            let output = record.get("output").unwrap_or(&Value::Null);
            missed = self.judge(cx, tolerance, output).await.err();
        }
        if tells {
            record.insert("tolerance_met".to_owned(), (!failed && missed.is_none()).into());
        }
        match missed {
            _ if failed => Ended::Failed(format!("`{}`: a control says that it failed", activity.name)),
            Some(why) => Ended::Missed(format!("`{}`: {why}", activity.name)),
            None => Ended::Well,
        }
    }

    async fn amend(&self, activity: u64, record: Value) -> Result<(), Stopped> {
        self.recorder.record(RunEventKind::ActivityAmended { activity, record }).await?;
        Ok(())
    }

    /// Takes over the records of a section that a control has changed.
    async fn amend_all(&self, section: Section, changed: Option<&Value>) -> Result<(), Stopped> {
        let changed = changed.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let records = self.recorder.records(section).await;
        if records.len() != changed.len() && !changed.is_empty() {
            tracing::warn!("a control has added or removed records, so that none that it has changed is taken over");
            return Ok(());
        }
        for ((number, before), after) in records.into_iter().zip(changed) {
            if before != *after && after.is_object() {
                self.amend(number, after.clone()).await?;
            }
        }
        Ok(())
    }

    /// Tells controls that the method or the rollbacks are over.
    ///
    /// # Errors
    /// Those of `result`, and that a control has interrupted the run.
    pub(super) async fn after_steps<T>(
        &self,
        cx: &Context,
        section: Section,
        is_begun: bool,
        result: Result<T, Stopped>,
    ) -> Result<T, Stopped> {
        let level = if section == Section::Rollbacks { Level::Rollback } else { Level::Method };
        let state = if is_begun {
            self.recorder.records(section).await.into_iter().map(|(_, record)| record).collect()
        } else {
            Value::Null
        };
        let changed = self.after(cx, &Part::of_experiment(level), state).await;
        let value = result?;
        self.amend_all(section, changed?.as_ref()).await?;
        Ok(value)
    }

    /// Tells controls that a check of the hypothesis is over.
    ///
    /// # Errors
    /// Those of `result`, and that a control has interrupted the run.
    pub(super) async fn after_hypothesis(
        &self,
        cx: &Context,
        part: &Part<'_>,
        is_begun: bool,
        result: Result<Ended, Stopped>,
    ) -> Result<Ended, Stopped> {
        let section = Section::HypothesisBefore;
        let probes: Vec<Value> = self.recorder.records(section).await.into_iter().map(|(_, record)| record).collect();
        let met = result.as_ref().ok().map(|ended| matches!(ended, Ended::Well));
        let state = if is_begun { json!({"steady_state_met": met, "probes": probes}) } else { Value::Null };
        let changed = self.after(cx, part, state).await;
        let ended = result?;
        let Some(changed) = changed? else { return Ok(ended) };
        self.amend_all(section, changed.get("probes")).await?;
        Ok(match (changed.get("steady_state_met").and_then(Value::as_bool), ended) {
            (Some(true), Ended::Missed(_) | Ended::Failed(_)) => Ended::Well,
            (Some(false), Ended::Well) => Ended::Missed("a control says so".to_owned()),
            (_, ended) => ended,
        })
    }

    /// Tells controls that everything is over, and has them clean up.
    pub(super) async fn end_controls(&self, cx: &Context, status: RunStatus, deviated: bool) {
        if !self.live.is_controlled() {
            return;
        }
        self.amend_experiment().await;
        let before = self.recorder.journal_ending(status, deviated).await;
        let before = serde_json::to_value(before).unwrap_or_default();
        let part = Part::of_experiment(Level::Experiment);
        if let Ok(Some(after)) = self.after(cx, &part, before.clone()).await {
            for (key, section) in RECORDS {
                // What cannot be written down is told at the end of the run.
                let _ = self.amend_all(section, after.get(key)).await;
            }
            let mut changes = Map::new();
            for (key, value) in after.as_object().into_iter().flatten() {
                let known = before.get(key);
                if known == Some(value) || RECORDS.iter().any(|(record, _)| record == key) {
                } else if known.is_none() || key == "experiment" {
                    changes.insert(key.clone(), value.clone());
                } else {
                    tracing::warn!("what a control has made of `{key}` is not taken over into the journal");
                }
            }
            if !changes.is_empty() {
                self.recorder.note(RunEventKind::JournalAmended { changes }).await;
            }
        }
        self.amend_experiment().await;
        self.clean_up_controls(cx).await;
    }

    /// Shows in the journal what controls have made of the experiment.
    async fn amend_experiment(&self) {
        let now = self.live.now();
        if now.shows_otherwise {
            let experiment = &self.resolved.experiment;
            // What the journal begins with is a copy: of a text or number, and of what is new, it does not know.
            let mut root = experiment.late.root.clone();
            root.insert("dry".to_owned(), now.experiment.get("dry").cloned().unwrap_or_default());
            for (key, value) in &mut root {
                if let Some(changed) = now.experiment.get(key).filter(|_| value.is_object() || value.is_array()) {
                    value.clone_from(changed);
                }
            }
            let shown = experiment.masker.document(&root);
            let changes = Map::from_iter([("experiment".to_owned(), shown)]);
            self.recorder.note(RunEventKind::JournalAmended { changes }).await;
        }
    }
}
