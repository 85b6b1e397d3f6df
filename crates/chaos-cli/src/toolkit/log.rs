//! The log of `run` and `validate`, in the form that Chaos Toolkit gives it: to stderr, and to a file that is written on.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chaos_core::{ActivityStatus, Error, EventSink, RunEvent, RunEventKind, RunId, RunStatus};
use jiff::Zoned;
use serde_json::json;

use crate::cli::{LogFormat, LogLevel, Logging, ToolkitArgs};
use crate::failure::Failure;
use crate::narrator::Narrator;
use crate::output::{Output, printable};

/// The log of one command. Cheap to clone.
#[derive(Clone)]
pub(crate) struct ToolkitLog(Arc<Inner>);

struct Inner {
    output: Output,
    is_json: bool,
    /// The least level that goes to stderr.
    least: LogLevel,
    file: Option<(Mutex<File>, LogLevel)>,
    /// Tells the lines of one command from those of others.
    context: RunId,
}

impl ToolkitLog {
    /// Opens the log file, if there is to be one.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn open(args: &ToolkitArgs, logging: &Logging, output: &Output) -> Result<Self, Failure> {
        let file = if args.no_log_file {
            None
        } else {
            let opened = OpenOptions::new().create(true).append(true).open(&args.log_file).map_err(|error| {
                Failure::usage(format!("cannot write the log file {}: {error}", args.log_file.display()))
                    .hint("name another one with --log-file before the command, or use --no-log-file")
            })?;
            Some((Mutex::new(opened), args.log_file_level))
        };
        Ok(Self(Arc::new(Inner {
            output: output.clone(),
            is_json: logging.log_format == LogFormat::Json,
            least: if logging.verbose > 0 { LogLevel::Debug } else { LogLevel::Info },
            file,
            context: RunId::random(),
        })))
    }

    pub(crate) fn info(&self, text: impl fmt::Display) {
        self.log(LogLevel::Info, &text.to_string());
    }

    pub(crate) fn warning(&self, text: impl fmt::Display) {
        self.log(LogLevel::Warning, &text.to_string());
    }

    pub(crate) fn error(&self, text: impl fmt::Display) {
        self.log(LogLevel::Error, &text.to_string());
    }

    fn log(&self, level: LogLevel, text: &str) {
        let Inner { output, is_json, least, file, context } = &*self.0;
        let now = Zoned::now();
        for line in text.lines() {
            let line = printable(line);
            let line = if *is_json {
                let at = now.timestamp().to_string();
                json!({"asctime": at, "levelname": word(level), "message": line, "context_id": context.as_str()})
                    .to_string()
            } else {
                format!("[{} {}] {line}", now.strftime("%Y-%m-%d %H:%M:%S"), word(level))
            };
            if level >= *least {
                output.note(&line);
            }
            if let Some((file, least)) = file
                && level >= *least
            {
                // A full disk must not end a run that goes on.
                let _ = writeln!(file.lock().unwrap_or_else(PoisonError::into_inner), "{line}");
            }
        }
    }
}

fn word(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Debug => "DEBUG",
        LogLevel::Info => "INFO",
        LogLevel::Warning => "WARNING",
        LogLevel::Error => "ERROR",
        LogLevel::Critical => "CRITICAL",
    }
}

/// Tells a run to the log. It cannot fail.
pub(crate) struct ToolkitNarrator {
    log: ToolkitLog,
    words: Narrator,
}

impl ToolkitNarrator {
    pub(crate) fn new(log: ToolkitLog) -> Self {
        let words = Narrator::new(log.0.output.clone());
        Self { log, words }
    }
}

#[async_trait]
impl EventSink for ToolkitNarrator {
    async fn record(&self, event: &RunEvent) -> Result<(), Error> {
        let level = match &event.event {
            RunEventKind::ActivityEnded { status: Some(ActivityStatus::Failed), .. } => LogLevel::Error,
            RunEventKind::HypothesisEnded { met: false, .. } | RunEventKind::Interrupted { .. } => LogLevel::Critical,
            RunEventKind::NotUndoable { .. } => LogLevel::Debug,
            _ => LogLevel::Info,
        };
        if let Some(line) = self.words.line(event) {
            self.log.log(level, &line);
        }
        // People look for these two lines.
        if let RunEventKind::RunEnded { status, deviated } = &event.event {
            let word = if *deviated { "deviated" } else { RunStatus::as_str(*status) };
            self.log.info(format_args!("Experiment ended with status: {word}"));
            if *deviated {
                self.log.info("The steady-state has deviated, a weakness may have been discovered");
            }
        }
        Ok(())
    }
}

impl fmt::Debug for ToolkitNarrator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolkitNarrator").finish_non_exhaustive()
    }
}
