//! The only module that writes: data to stdout, all else to stderr. A reader that goes away early is no error.

mod cells;
mod doctor;
#[cfg(feature = "dora")]
mod dora;
mod policy;
mod power;
mod run;
mod runs;
mod settings;
mod structured;
mod summary;
mod templates;
mod vms;

use std::fmt;
use std::io::{self, BufRead, BufWriter, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use chaos_core::Problem;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use secrecy::SecretString;
use tracing_subscriber::fmt::MakeWriter;

use crate::exit::Exit;
use crate::failure::Failure;

pub(crate) use cells::printable;
pub(crate) use doctor::write_checkups;
#[cfg(feature = "dora")]
pub(crate) use dora::{write_environment_data, write_environments};
pub(crate) use policy::write_rulings;
pub(crate) use power::{PowerRow, write_power};
pub(crate) use run::{write_plan, write_run};
pub(crate) use runs::{write_halted, write_recoveries, write_run_details, write_runs};
pub(crate) use settings::write_settings;
pub(crate) use structured::write_structured;
pub(crate) use summary::write_summary;
pub(crate) use templates::{write_template, write_templates};
pub(crate) use vms::{Listed, write_vm_details, write_vms};

/// The answer to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Yes,
    No,
    /// There is no terminal to ask at.
    NobodyThere,
}

/// What came of asking for a password.
#[derive(Debug)]
pub(crate) enum Typed {
    Text(SecretString),
    /// Ctrl-C, or the terminal went away.
    GaveUp,
    /// There is no terminal to ask at.
    NobodyThere,
}

/// Where everything goes. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Output {
    bars: MultiProgress,
}

impl Output {
    /// Progress bars are shown only if stderr is a terminal.
    pub(crate) fn new() -> Self {
        let target =
            if io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self { bars: MultiProgress::with_draw_target(target) }
    }

    /// Writes data to stdout. If nobody reads it any more, that is the reader's choice and a success.
    pub(crate) fn data(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
        let mut stdout = BufWriter::new(io::stdout().lock());
        let written = self.bars.suspend(|| write(&mut stdout).and_then(|()| stdout.flush()));
        match written {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                // What is still buffered must not be tried again when the writer is dropped.
                let _ = stdout.into_parts();
                Ok(())
            }
            Err(error) => Err(Failure::new(Exit::Failed, format!("cannot write to stdout: {error}"))),
        }
    }

    /// Says something to the person at the terminal.
    pub(crate) fn note(&self, text: impl fmt::Display) {
        self.line(format_args!("{text}"));
    }

    /// Says something that may need attention.
    pub(crate) fn warning(&self, text: impl fmt::Display) {
        self.line(format_args!("warning: {text}"));
    }

    /// Tells what a discovery could not read.
    pub(crate) fn problems(&self, problems: &[Problem]) {
        for problem in problems {
            self.warning(format_args!("{}: {}", problem.subject, problem.message));
        }
    }

    /// Says why the command ends early, and gives the exit code.
    pub(crate) fn failure(&self, failure: &Failure) -> Exit {
        self.line(format_args!("error: {}", failure.message));
        for hint in &failure.hints {
            self.line(format_args!("hint: {hint}"));
        }
        failure.exit
    }

    /// Asks a question at the terminal. Waits for the person, so nothing else may depend on this thread.
    pub(crate) fn ask(&self, question: &str) -> Answer {
        if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
            return Answer::NobodyThere;
        }
        let terminal = dialoguer::console::Term::stderr();
        let asked = dialoguer::Confirm::new().with_prompt(question).default(false);
        match self.bars.suspend(|| asked.interact_on(&terminal)) {
            Ok(true) => Answer::Yes,
            Ok(false) => Answer::No,
            Err(_) => {
                // Ctrl-C at the question, or a terminal that went away in the meantime.
                let _ = terminal.show_cursor();
                let _ = terminal.write_line("");
                Answer::No
            }
        }
    }

    /// Asks for a password at a terminal that does not show what is typed.
    pub(crate) fn ask_password(prompt: &str) -> Typed {
        if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
            return Typed::NobodyThere;
        }
        let terminal = dialoguer::console::Term::stderr();
        // Not within `suspend`: others have something to say meanwhile, such as that it was interrupted.
        let mut line = String::new();
        let read = terminal
            .write_str(&format!("{}: ", printable(prompt)))
            .and_then(|()| io::stdin().lock().read_line(&mut line))
            .and_then(|_| terminal.write_line(""));
        line.truncate(line.trim_end_matches(['\r', '\n']).len());
        match read {
            Ok(()) if !line.is_empty() => Typed::Text(SecretString::from(line)),
            // Ctrl-D, nothing, or a terminal that went away in the meantime.
            Ok(()) | Err(_) => Typed::GaveUp,
        }
    }

    /// A bar for `length` things of which some are done; invisible without a terminal.
    pub(crate) fn bar(&self, length: usize) -> ProgressBar {
        let bar = ProgressBar::new(length.try_into().unwrap_or(u64::MAX));
        let style = ProgressStyle::with_template("{spinner} {pos}/{len} [{elapsed}] {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let bar = self.bars.add(bar);
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }

    fn line(&self, text: fmt::Arguments<'_>) {
        let text = text.to_string();
        self.bars.suspend(|| {
            let mut stderr = io::stderr().lock();
            for line in text.lines() {
                // Nothing can be said about a stderr that is gone.
                let _ = writeln!(stderr, "{}", printable(line));
            }
        });
    }
}

/// Log lines go to stderr, above the progress bar.
impl<'a> MakeWriter<'a> for Output {
    type Writer = LogWriter;

    fn make_writer(&'a self) -> LogWriter {
        LogWriter { bars: self.bars.clone() }
    }
}

/// Writes one log line.
pub(crate) struct LogWriter {
    bars: MultiProgress,
}

impl Write for LogWriter {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.bars.suspend(|| io::stderr().lock().write(text))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}

/// Prints what clap has to say: help and version to stdout, usage errors to stderr.
pub(crate) fn arguments(error: &clap::Error) -> ExitCode {
    let exit = match error.print() {
        _ if error.use_stderr() => Exit::Usage,
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Exit::Failed,
        // A reader that went away has seen what it wanted.
        Ok(()) | Err(_) => Exit::Done,
    };
    exit.into()
}
