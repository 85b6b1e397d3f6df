//! Jobs: what the engine remembers of the commands that it was given.

use std::collections::VecDeque;
use std::time::Duration;

use super::element::Element;
use super::scene::{Scene, href};
use crate::world::{TaskId, TaskState};

/// The oldest jobs are forgotten beyond this many.
const KEPT: usize = 10_000;

/// A command that was accepted.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) id: String,
    pub(super) description: String,
    pub(super) correlation: String,
    pub(super) user: String,
    pub(super) begun: Duration,
    /// What it waits for, if it takes time.
    pub(super) task: Option<TaskId>,
    /// Whether it is at work until that is over, and not only until it has begun.
    pub(super) lasts: bool,
}

/// The jobs that are remembered, newest last.
#[derive(Debug, Default)]
pub(super) struct Jobs(VecDeque<Job>);

impl Jobs {
    pub(super) fn add(&mut self, job: Job) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(job);
    }

    pub(super) fn get(&self, id: &str) -> Option<&Job> {
        self.0.iter().find(|job| job.id == id)
    }

    /// Those that a search finds, newest first. It can be for `correlation_id` or a part of the description.
    pub(super) fn find(&self, search: &str) -> Vec<&Job> {
        let wanted = search.trim();
        let value = |text: &str| text.trim().trim_matches('"').to_lowercase();
        let fits = |job: &&Job| match wanted.split_once('=') {
            Some((field, text)) if field.trim().eq_ignore_ascii_case("correlation_id") => {
                job.correlation.to_lowercase() == value(text)
            }
            Some(_) => false,
            None => job.description.to_lowercase().contains(&value(wanted)),
        };
        self.0.iter().rev().filter(fits).collect()
    }
}

impl Scene<'_> {
    pub(super) fn job(&self, job: &Job) -> Element {
        let task = job.task.and_then(|task| self.state.tasks.get(&task));
        // A task that nobody remembers was over long ago.
        let status = match task.map(|task| &task.state) {
            Some(TaskState::Queued) => "started",
            Some(TaskState::Running { .. }) if job.lasts => "started",
            Some(TaskState::Failed(_)) if job.lasts => "failed",
            Some(TaskState::Running { .. } | TaskState::Succeeded | TaskState::Failed(_)) | None => "finished",
        };
        let ended = match task {
            Some(task) if job.lasts => task.finished,
            Some(task) => task.started,
            None => Some(job.begun),
        };
        let address = href("jobs", &job.id);
        let user = self.engine.ids.user(&job.user);
        Element::reference("job", address.clone(), job.id.clone())
            .with([
                Element::text("description", job.description.as_str()),
                Element::link("steps", format!("{address}/steps")),
                Element::flag("auto_cleared", true),
            ])
            .with(ended.filter(|_| status != "started").map(|ended| self.moment_at("end_time", ended)))
            .with([
                Element::flag("external", false),
                self.moment_at("last_updated", ended.unwrap_or(job.begun)),
                self.moment_at("start_time", job.begun),
                Element::text("status", status),
                Element::reference("owner", href("users", &user), user),
            ])
    }
}
