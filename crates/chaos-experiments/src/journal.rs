//! The Chaos Toolkit journal: a pure fold over run events.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use chaos_core::{
    ActivityStatus, Error, ErrorKind, HypothesisPhase, RunEvent, RunEventKind, RunStatus, Section, StopCause,
};
use jiff::Timestamp;
use jiff::tz::Offset;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::injected::Injected;

/// The journal of a run, with the keys of Chaos Toolkit in its order.
///
/// It is made from nothing but the events of the run, so that a run that was killed has one too: a run whose end is not
/// among the events counts as interrupted.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Journal {
    /// The engine and its version.
    #[serde(rename = "chaoslib-version")]
    pub version: String,
    /// Operating system and architecture.
    pub platform: String,
    /// The name of the machine.
    pub node: String,
    /// The experiment as it was loaded, secrets masked.
    pub experiment: Value,
    /// When the run began: UTC, ISO 8601, microseconds.
    pub start: String,
    /// How it ended.
    pub status: RunStatus,
    /// Whether the steady state was lost after the method.
    pub deviated: bool,
    /// What the checks of the hypothesis found.
    pub steady_states: SteadyStates,
    /// The activities of the method.
    pub run: Vec<ActivityRecord>,
    /// The declared rollbacks that were played.
    pub rollbacks: Vec<ActivityRecord>,
    /// When the run ended.
    pub end: String,
    /// How long it took, in seconds.
    pub duration: f64,
    /// What controls have added.
    #[serde(flatten)]
    pub more: Map<String, Value>,
    /// What stopped the run before its end, if something did. A key of ours, which Chaos Toolkit does not have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<StopRecord>,
}

/// What stopped a run before its end.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct StopRecord {
    /// What asked for it.
    pub cause: StopCause,
    /// In words.
    pub reason: String,
    /// When the cause arose: the begin of the look that found it, or the time at which a person gave the word.
    pub since: String,
    /// When the run had stopped, and began to put things back; not there if it died before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// From the one to the other, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reaction: Option<f64>,
}

/// What the checks of the hypothesis found.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SteadyStates {
    /// Before the method; none if it was not checked to the end.
    pub before: Option<SteadyState>,
    /// After the method; none if it was not checked to the end.
    pub after: Option<SteadyState>,
    /// While the method ran.
    pub during: Vec<SteadyState>,
}

/// One check of the hypothesis.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SteadyState {
    /// Whether every probe succeeded within its tolerance.
    pub steady_state_met: bool,
    /// The probes, up to the first that did not.
    pub probes: Vec<ActivityRecord>,
}

/// What became of one activity.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ActivityRecord {
    /// As it is declared, secrets masked.
    pub activity: Value,
    /// What it returned; null if nothing.
    pub output: Value,
    /// When it began.
    pub start: String,
    /// How it ended; not there if it was cut short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<ActivityStatus>,
    /// Why it failed; the last line carries the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exception: Option<Vec<String>>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    /// How long it took, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    /// What the controls of the activity have added.
    #[serde(flatten)]
    pub added: Map<String, Value>,
    /// Whether its output is within its tolerance, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance_met: Option<bool>,
    /// How many tries it took, if more than one. A key of ours, which Chaos Toolkit does not have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tries: Option<u64>,
    /// What other controls have added later.
    #[serde(flatten)]
    pub added_later: Map<String, Value>,
}

impl Journal {
    /// The journal of a run from its events, in order. Any beginning of a run's events gives a journal.
    pub fn fold<'a>(events: impl IntoIterator<Item = &'a RunEvent>) -> Self {
        let mut fold = JournalFold::default();
        for event in events {
            fold.apply(event);
        }
        fold.journal()
    }

    /// The text of the journal file: JSON, indented by two spaces.
    ///
    /// # Panics
    /// Never: texts, numbers and mappings with text keys are always JSON.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::to_string_pretty(self).expect("texts, numbers and mappings with text keys are always JSON")
    }
}

impl ActivityRecord {
    /// Takes over what a control has made of it. What is not of its type stays as it was.
    pub(crate) fn amend(&mut self, amended: &Map<String, Value>) {
        let text = |key: &str| amended.get(key).and_then(Value::as_str).map(str::to_owned);
        self.output = amended.get("output").cloned().unwrap_or_default();
        self.status = match text("status").as_deref() {
            Some("succeeded") => Some(ActivityStatus::Succeeded),
            Some("failed") => Some(ActivityStatus::Failed),
            Some(_) => self.status,
            None => None,
        };
        let lines = amended.get("exception").and_then(Value::as_array);
        self.exception = lines.map(|lines| lines.iter().filter_map(|line| line.as_str().map(str::to_owned)).collect());
        self.end = text("end");
        self.duration = amended.get("duration").and_then(Value::as_f64);
        if let Some(activity) = amended.get("activity") {
            self.activity = activity.clone();
        }
        if let Some(start) = text("start") {
            self.start = start;
        }
        if let Some(met) = amended.get("tolerance_met").and_then(Value::as_bool) {
            self.tolerance_met = Some(met);
        }
        self.added.clear();
        self.added_later.clear();
        let mut list = &mut self.added;
        for (key, value) in amended {
            match key.as_str() {
                // What comes behind it was added when it was known.
                "tolerance_met" => list = &mut self.added_later,
                "activity" | "output" | "start" | "status" | "exception" | "end" | "duration" => {}
                _ => {
                    list.insert(key.clone(), value.clone());
                }
            }
        }
    }
}

/// The fold in progress.
#[derive(Debug, Clone, Default)]
pub(crate) struct JournalFold {
    started: Option<(Timestamp, RunStart)>,
    last: Option<Timestamp>,
    ended: Option<(RunStatus, bool)>,
    lost: bool,
    steady_states: SteadyStates,
    hypothesis: Vec<ActivityRecord>,
    run: Vec<ActivityRecord>,
    rollbacks: Vec<ActivityRecord>,
    stop: Option<(Timestamp, StopRecord)>,
    is_dead: bool,
    injected: Injected,
    /// What controls have changed beside the records of activities.
    changes: Map<String, Value>,
    /// Where the activity of an [`RunEventKind::ActivityStarted`] is.
    places: HashMap<u64, (Section, usize, Timestamp)>,
}

#[derive(Debug, Clone)]
struct RunStart {
    engine: String,
    system: String,
    node: String,
    experiment: Value,
}

impl JournalFold {
    pub(crate) fn apply(&mut self, event: &RunEvent) {
        // What comes behind the end belongs to no part of the journal, unless another process takes the run up again.
        if self.ended.is_none() || self.is_dead || matches!(event.event, RunEventKind::RecoveryStarted { .. }) {
            self.last = Some(event.at);
        }
        match &event.event {
            RunEventKind::RunStarted { engine, system, node, experiment, .. } => {
                let start = RunStart {
                    engine: engine.clone(),
                    system: system.clone(),
                    node: node.clone(),
                    experiment: experiment.clone(),
                };
                self.started = Some((event.at, start));
            }
            RunEventKind::HypothesisStarted { .. } => {
                self.hypothesis.clear();
                self.places.retain(|_, (section, ..)| matches!(section, Section::Method | Section::Rollbacks));
            }
            RunEventKind::HypothesisEnded { phase, met } => {
                let state = SteadyState { steady_state_met: *met, probes: std::mem::take(&mut self.hypothesis) };
                match phase {
                    HypothesisPhase::Before => self.steady_states.before = Some(state),
                    HypothesisPhase::After => {
                        self.steady_states.after = Some(state);
                        self.lost = !met;
                    }
                    _ => self.steady_states.during.push(state),
                }
            }
            RunEventKind::ActivityStarted { section, activity } => {
                let record = ActivityRecord {
                    activity: activity.clone(),
                    output: Value::Null,
                    start: time(event.at),
                    status: None,
                    exception: None,
                    end: None,
                    duration: None,
                    added: Map::new(),
                    tolerance_met: None,
                    tries: None,
                    added_later: Map::new(),
                };
                let list = self.list(*section);
                list.push(record);
                let at = list.len() - 1;
                self.places.insert(event.sequence, (*section, at, event.at));
            }
            RunEventKind::ActivityTried { activity, .. } => {
                let Some((section, at, _)) = self.places.get(activity).copied() else { return };
                if let Some(record) = self.list(section).get_mut(at) {
                    record.tries = Some(record.tries.unwrap_or(1).saturating_add(1));
                }
            }
            RunEventKind::ActivityEnded { activity, status, output, exception, tolerance_met } => {
                let Some((section, at, began)) = self.places.get(activity).copied() else { return };
                let Some(record) = self.list(section).get_mut(at) else { return };
                record.output = output.clone();
                record.status = *status;
                record.exception = (!exception.is_empty()).then(|| exception.clone());
                record.end = Some(time(event.at));
                record.duration = Some(seconds_between(began, event.at));
                record.tolerance_met = *tolerance_met;
                if *status == Some(ActivityStatus::Succeeded)
                    && !matches!(section, Section::Method | Section::Rollbacks)
                {
                    let declaration = record.activity.clone();
                    self.injected.note(declaration, output);
                }
            }
            RunEventKind::ActivityAmended { activity, record: Value::Object(amended) } => {
                if let Some(record) = self.record_mut(*activity) {
                    record.amend(amended);
                }
            }
            RunEventKind::JournalAmended { changes } => self.changes.extend(changes.clone()),
            RunEventKind::StopRequested { cause, reason, since } => {
                let record = StopRecord {
                    cause: *cause,
                    reason: reason.clone(),
                    since: time(*since),
                    stopped: None,
                    reaction: None,
                };
                self.stop = Some((*since, record));
            }
            RunEventKind::RecoveryStarted { .. } => self.is_dead = true,
            // What a recovery says of a run that died is no reaction of that run.
            RunEventKind::Interrupted { .. } if !self.is_dead => {
                if let Some((since, record)) = &mut self.stop {
                    record.stopped.get_or_insert_with(|| time(event.at));
                    record.reaction.get_or_insert_with(|| seconds_between(*since, event.at));
                }
            }
            RunEventKind::RunEnded { status, deviated } => self.ended = Some((*status, *deviated)),
            // What was done to which VM is in the run log; the journal has no place for it.
            _ => {}
        }
    }

    fn record_mut(&mut self, activity: u64) -> Option<&mut ActivityRecord> {
        let (section, at, _) = self.places.get(&activity).copied()?;
        self.list(section).get_mut(at)
    }

    /// The record of an activity, by the number of its begin.
    pub(crate) fn record(&self, activity: u64) -> Option<&ActivityRecord> {
        let (section, at, _) = self.places.get(&activity)?;
        let list = match section {
            Section::Method => &self.run,
            Section::Rollbacks => &self.rollbacks,
            _ => &self.hypothesis,
        };
        list.get(*at)
    }

    /// The records of the method, of the rollbacks, or of the check of the hypothesis that is under way, with their numbers.
    pub(crate) fn records(&self, section: Section) -> Vec<(u64, &ActivityRecord)> {
        let kind = |section| match section {
            Section::Method => 0,
            Section::Rollbacks => 1,
            _ => 2,
        };
        let mut numbers: Vec<u64> =
            self.places.iter().filter(|(_, (of, ..))| kind(*of) == kind(section)).map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        numbers.into_iter().filter_map(|number| Some((number, self.record(number)?))).collect()
    }

    fn list(&mut self, section: Section) -> &mut Vec<ActivityRecord> {
        match section {
            Section::Method => &mut self.run,
            Section::Rollbacks => &mut self.rollbacks,
            _ => &mut self.hypothesis,
        }
    }

    pub(crate) fn journal(&self) -> Journal {
        let (status, deviated) = self.ended.unwrap_or((RunStatus::Interrupted, self.lost));
        let start = self.started.as_ref().map(|(at, _)| *at).or(self.last).unwrap_or(Timestamp::UNIX_EPOCH);
        let end = self.last.unwrap_or(start);
        let described = self.started.as_ref().map(|(_, start)| start);
        let mut experiment = described.map_or(Value::Null, |start| start.experiment.clone());
        let mut steady_states = self.steady_states.clone();
        if self.injected.is_in(&experiment) {
            self.injected.show(&mut experiment, &mut steady_states);
        }
        let mut more = self.changes.clone();
        if let Some(changed) = more.shift_remove("experiment") {
            experiment = changed;
        }
        Journal {
            version: described.map_or_else(String::new, |start| start.engine.clone()),
            platform: described.map_or_else(String::new, |start| start.system.clone()),
            node: described.map_or_else(String::new, |start| start.node.clone()),
            experiment,
            start: time(start),
            status,
            deviated,
            steady_states,
            run: self.run.clone(),
            rollbacks: self.rollbacks.clone(),
            end: time(end),
            duration: seconds_between(start, end),
            more,
            stop: self.stop.as_ref().map(|(_, record)| record.clone()),
        }
    }
}

/// UTC with microseconds, which are left out when they are exactly 0.
fn time(at: Timestamp) -> String {
    let text = at.to_zoned(Offset::UTC.to_time_zone());
    let format = if at.subsec_microsecond() == 0 && at.subsec_millisecond() == 0 {
        "%Y-%m-%dT%H:%M:%S+00:00"
    } else {
        "%Y-%m-%dT%H:%M:%S.%6f+00:00"
    };
    text.strftime(format).to_string()
}

fn seconds_between(from: Timestamp, to: Timestamp) -> f64 {
    // Rounded to the microseconds that the times are shown with.
    let micros = to.duration_since(from).as_micros();
    #[expect(clippy::cast_precision_loss, reason = "exact for runs of up to 285 years")]
    let micros = micros as f64;
    micros / 1e6
}

/// The file that a journal will be written to: proved to be writable before a run begins.
#[derive(Debug)]
pub struct JournalFile {
    /// As it was asked for.
    path: PathBuf,
    /// Where the journal is written first. None for what is no plain file, such as a device or a pipe, which must not
    /// be replaced.
    partial: Option<PathBuf>,
    /// What it then replaces: a link stays a link.
    target: PathBuf,
}

impl JournalFile {
    /// Proves that `path` can be written by writing an empty file beside it, which takes its place in the end.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if it cannot.
    pub fn create(path: &Path) -> Result<Self, Error> {
        let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let plain = std::fs::metadata(&target).map_or(true, |found| found.is_file());
        let partial = plain.then(|| {
            let mut name = target.file_name().unwrap_or_default().to_owned();
            name.push(".partial");
            target.with_file_name(name)
        });
        let file = Self { path: path.to_owned(), partial, target };
        let written = match &file.partial {
            Some(partial) => std::fs::write(partial, ""),
            None => OpenOptions::new().write(true).open(&file.target).map(|_| ()),
        };
        match written {
            Ok(()) => Ok(file),
            Err(error) => Err(file.failed(ErrorKind::Configuration, error)),
        }
    }

    /// Writes the journal over whatever was there.
    ///
    /// # Errors
    /// [`ErrorKind::Failed`].
    pub fn write(self, journal: &Journal) -> Result<(), Error> {
        let text = journal.to_text();
        let written = match &self.partial {
            Some(partial) => std::fs::write(partial, text).and_then(|()| std::fs::rename(partial, &self.target)),
            None => std::fs::write(&self.target, text),
        };
        written.map_err(|error| self.failed(ErrorKind::Failed, error))
    }

    fn failed(&self, kind: ErrorKind, error: std::io::Error) -> Error {
        Error::new(kind, format!("the journal cannot be written to {}", self.path.display())).caused_by(error)
    }
}

impl Drop for JournalFile {
    fn drop(&mut self) {
        // Renamed away if the journal was written; else an empty file that nobody needs.
        if let Some(partial) = &self.partial {
            let _ = std::fs::remove_file(partial);
        }
    }
}
