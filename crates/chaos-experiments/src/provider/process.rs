//! Provider `process`: which program with which arguments, as Chaos Toolkit takes them.

use std::ffi::OsStr;
use std::fmt::Write;
use std::io::IsTerminal;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;

use super::{FOR_EVER, Fields};
use crate::inputs::Environment;
use crate::native::seconds;
use crate::python;

/// How long a process may take where nothing else is said.
const LIMIT: Duration = Duration::from_hours(1);

/// Where programs are looked for if the environment does not say.
pub(super) const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// A process to run.
#[derive(Debug, Clone)]
pub(crate) struct ProcessCall {
    /// As it is written.
    path: String,
    /// Where it is.
    program: PathBuf,
    arguments: Arguments,
    /// Beside the environment of this process.
    exported: Environment,
    /// Whether it may read what this program may.
    has_input: bool,
    pub(super) limit: Duration,
}

#[derive(Debug, Clone)]
enum Arguments {
    /// Handed over one by one.
    List(Vec<String>),
    /// The rest of a line for `/bin/sh`.
    Shell(String),
}

impl ProcessCall {
    pub(super) fn read(fields: &mut Fields<'_, '_>) -> Option<Self> {
        let path = fields.required_text("path");
        let program = path.and_then(|path| {
            let program = find(&expand_home(path));
            if program.is_none() {
                fields.refuse("path", format!("there is no program `{path}` that this user can run"));
            }
            program
        });
        let arguments = read_arguments(fields);
        let limit = match fields.get("timeout") {
            None => Some(if fields.reading.rules.limits_providers() { LIMIT } else { FOR_EVER }),
            Some(timeout) => {
                let limit = seconds(timeout).filter(|limit| !limit.is_zero());
                if limit.is_none() {
                    fields.refuse("timeout", "this has to be seconds, more than 0");
                }
                limit
            }
        };
        let exported = fields.reading.exported.clone();
        let has_input = !fields.reading.rules.closes_input();
        let (path, program, arguments, limit) = (path?.to_owned(), program?, arguments?, limit?);
        Some(Self { path, program, arguments, exported, has_input, limit })
    }

    /// What is started, without where its input and output go.
    pub(super) fn command(&self) -> Command {
        let mut command = match &self.arguments {
            Arguments::List(arguments) => {
                let mut command = Command::new(&self.program);
                command.args(arguments);
                command
            }
            Arguments::Shell(rest) => {
                let mut command = Command::new("/bin/sh");
                command.arg("-c").arg(format!("{} {rest}", quoted(&self.program.to_string_lossy())));
                command
            }
        };
        command.envs(self.exported.iter());
        command
    }

    /// The same with nothing to read.
    pub(super) fn without_input(self) -> Self {
        Self { has_input: false, ..self }
    }

    /// What it reads. From a terminal that is nothing: as it is in a group of its own, reading would stop it for good.
    pub(super) fn input(&self) -> Stdio {
        if self.has_input && !std::io::stdin().is_terminal() { Stdio::inherit() } else { Stdio::null() }
    }

    /// The program as it is written, for messages.
    pub(super) fn name(&self) -> &str {
        &self.path
    }

    /// The program with its arguments, for people. May hold secrets.
    pub(super) fn command_line(&self) -> String {
        let mut line = self.path.clone();
        match &self.arguments {
            Arguments::List(arguments) => {
                for argument in arguments {
                    let _ = write!(line, " {}", quoted(argument));
                }
            }
            Arguments::Shell(rest) => {
                let _ = write!(line, " {rest}");
            }
        }
        line
    }
}

/// A list is handed over item by item without those that are empty, a mapping as its keys and values. A text is for the
/// shell.
fn read_arguments(fields: &mut Fields<'_, '_>) -> Option<Arguments> {
    let items = match fields.substituted("arguments") {
        None => Vec::new(),
        Some(Value::String(text)) => return Some(Arguments::Shell(text)),
        Some(Value::Array(items)) => items,
        Some(Value::Object(map)) => {
            fields.warn("arguments", "arguments as a mapping are deprecated", "write them as a list");
            map.into_iter().flat_map(|(key, value)| [Value::String(key), value]).collect()
        }
        Some(Value::Bool(_) | Value::Number(_) | Value::Null) => {
            fields.refuse("arguments", "arguments are a list, or one text for the shell");
            return None;
        }
    };
    let texts = items.iter().filter(|item| !item.is_null()).map(python::text);
    Some(Arguments::List(texts.filter(|text| !text.is_empty()).collect()))
}

fn expand_home(path: &str) -> PathBuf {
    match (path.strip_prefix('~'), std::env::home_dir()) {
        (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => home.join(rest.trim_start_matches('/')),
        _ => PathBuf::from(path),
    }
}

/// Whether `path` means a program that this user can run. `~` is a name like any other here.
pub(crate) fn is_program(path: &str) -> bool {
    find(Path::new(path)).is_some()
}

/// The program that `path` means: a path, or a name that is looked for where the shell looks.
fn find(path: &Path) -> Option<PathBuf> {
    find_in(path, std::env::var_os("PATH").as_deref())
}

/// The same where the environment says where to look.
pub(super) fn find_in(path: &Path, places: Option<&OsStr>) -> Option<PathBuf> {
    let runs = |path: &Path| {
        std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    if path.components().count() > 1 || path.is_absolute() {
        return runs(path).then(|| path.to_owned());
    }
    std::env::split_paths(places.unwrap_or(OsStr::new(DEFAULT_PATH)))
        .map(|place| place.join(path))
        .find(|candidate| runs(candidate))
}

/// `text` as one word of a shell.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
