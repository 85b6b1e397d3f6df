//! Tells a run on stderr while it happens, event by event.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use chaos_core::{ActivityStatus, CallResult, Error, EventSink, RunEvent, RunEventKind, Section, Undo, UndoAction};
use serde_json::Value;

use crate::output::Output;

/// An event sink for people. It cannot fail.
pub(crate) struct Narrator {
    output: Output,
    told: Mutex<Told>,
}

/// What was told so far.
#[derive(Default)]
struct Told {
    /// The section of the last activity.
    section: Option<Section>,
    /// What was prepared, by the number of its event.
    prepared: HashMap<u64, Undo>,
}

impl Told {
    fn name(&self, prepared: u64) -> &str {
        self.prepared.get(&prepared).map_or("a VM", |undo| undo.name.as_str())
    }
}

impl Narrator {
    pub(crate) fn new(output: Output) -> Self {
        Self { output, told: Mutex::default() }
    }

    /// Goes on after events that were told before, or that nobody needs to hear any more.
    pub(crate) fn after(output: Output, events: &[RunEvent]) -> Self {
        let narrator = Self::new(output);
        for event in events {
            let _ = narrator.line(event);
        }
        narrator
    }

    /// What is said of an event, if anything.
    pub(crate) fn line(&self, event: &RunEvent) -> Option<String> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        match &event.event {
            RunEventKind::RunStarted { experiment, .. } => {
                Some(format!("run {}: {}", event.run, text(&experiment["title"])))
            }
            RunEventKind::HypothesisEnded { met, .. } => (!met).then(|| "  it is not there".to_owned()),
            RunEventKind::ActivityStarted { section, activity } => {
                let heading = if told.section.replace(*section) == Some(*section) {
                    String::new()
                } else {
                    format!("{section}:\n")
                };
                let drawn = drawn(&activity["drawn"]).map(|drawn| format!("\n    {drawn}")).unwrap_or_default();
                Some(format!("{heading}  {} {}{drawn}", text(&activity["type"]), text(&activity["name"])))
            }
            RunEventKind::Prepared { undo, .. } => {
                let found = format!("    {} was found {}", undo.name, undo.found.power_state);
                let line = match &undo.action {
                    UndoAction::Impossible { why } => format!("{found} and cannot be put back: {why}"),
                    _ => found,
                };
                told.prepared.insert(event.sequence, undo.clone());
                Some(line)
            }
            RunEventKind::NotUndoable { .. } => Some("    what it does cannot be undone".to_owned()),
            RunEventKind::Sent { prepared } => {
                let undo = told.prepared.get(prepared)?;
                Some(format!("    {} {}", undo.operation.words(), undo.name))
            }
            RunEventKind::Outcome { prepared, result } => Some(match result {
                CallResult::Ok(outcome) => format!(
                    "    {} is {} ({}, {:.1}s)",
                    told.name(*prepared),
                    outcome.state,
                    outcome.how,
                    outcome.duration.as_secs_f64()
                ),
                CallResult::Error(failure) => format!("    failed: {}", failure.message),
            }),
            RunEventKind::ActivityTried { exception, .. } => {
                let why = exception.last().map(|line| line.trim()).unwrap_or_default();
                Some(format!("    failed, and is tried again: {why}"))
            }
            RunEventKind::ActivityEnded { status, exception, tolerance_met, .. } => match (status, tolerance_met) {
                (Some(ActivityStatus::Failed), _) => {
                    let why = exception.last().map(|line| line.trim()).unwrap_or_default();
                    Some(format!("    failed: {why}"))
                }
                (_, Some(false)) => Some("    not within its tolerance".to_owned()),
                (None, _) => Some("    cut short".to_owned()),
                (Some(ActivityStatus::Succeeded), _) => None,
            },
            RunEventKind::Undone { prepared, outcome } => {
                Some(format!("put back: {} is {}", told.name(*prepared), outcome.state))
            }
            RunEventKind::UndoDelayed { prepared, until, failure } => {
                let why = failure.as_ref().map(|failure| format!(" ({})", failure.message)).unwrap_or_default();
                Some(format!(
                    "still trying to put {} back, until {until:.0}{why}; an interrupt stops it and names what is left",
                    told.name(*prepared)
                ))
            }
            RunEventKind::UndoFailed { prepared, failure } => {
                Some(format!("NOT put back: {}: {}", told.name(*prepared), failure.message))
            }
            RunEventKind::Undoing { prepared } => Some(format!("putting {} back", told.name(*prepared))),
            RunEventKind::LeftAlone { prepared, why } => Some(format!("left alone: {}: {why}", told.name(*prepared))),
            RunEventKind::Interrupted { reason } => Some(format!("interrupted: {reason}")),
            // The summary tells the end; events may be added to the vocabulary.
            RunEventKind::HypothesisStarted { .. }
            | RunEventKind::RollbacksStarted
            | RunEventKind::RollbacksEnded
            | RunEventKind::RunEnded { .. }
            // What follows from it is told.
            | RunEventKind::StopRequested { .. }
            | RunEventKind::RecoveryStarted { .. }
            | RunEventKind::RecoveryEnded
            | RunEventKind::Abandoned { .. }
            | _ => None,
        }
    }
}

#[async_trait]
impl EventSink for Narrator {
    async fn record(&self, event: &RunEvent) -> Result<(), Error> {
        if let Some(line) = self.line(event) {
            self.output.note(line);
        }
        Ok(())
    }
}

impl fmt::Debug for Narrator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Narrator").finish_non_exhaustive()
    }
}

/// How many VMs are named that were chosen.
const NAMED: usize = 20;

/// What was chosen for an activity, if something was.
fn drawn(drawn: &Value) -> Option<String> {
    let vms: Vec<&str> = drawn["vms"].as_array()?.iter().filter_map(Value::as_str).collect();
    let from = text(&drawn["from"]);
    if vms.is_empty() {
        return Some(format!("no VM fits {from}"));
    }
    let how = match drawn["seed"].as_u64() {
        Some(seed) => format!("drawn from {from} with seed {seed}"),
        None => format!("taken from {from}"),
    };
    let named = vms.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    let more = vms.len().saturating_sub(NAMED);
    Some(if more > 0 { format!("{how}: {named} and {more} more") } else { format!("{how}: {named}") })
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}
