//! `chaosmonkey sim serve` as a child process, for the chores that need a server of ours.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::say;

/// From the start of the process to the last line of its environment.
const START: Duration = Duration::from_mins(1);
/// What a client needs of its environment, on each platform.
const VSPHERE: [&str; 3] = ["VSPHERE_SERVER", "VSPHERE_USERNAME", "VSPHERE_PASSWORD"];
const OLVM: [&str; 4] = ["OLVM_URL", "OLVM_USERNAME", "OLVM_PASSWORD", "OLVM_CA_FILE"];

/// A simulated vCenter or oVirt engine, stopped when this is dropped.
#[derive(Debug)]
pub(crate) struct Simulator {
    child: Child,
    environment: Vec<(String, String)>,
    reader: Option<JoinHandle<()>>,
}

impl Simulator {
    /// Starts a vCenter on a free port and waits until it has told how to reach it.
    pub(crate) fn start(program: &Path, directory: &Path, arguments: &[&str]) -> Result<Self> {
        Self::serve(program, directory, &VSPHERE, &[&["--platform", "vsphere"], arguments].concat())
    }

    /// Starts an oVirt engine on a free port, with TLS as each engine has it, and waits until it has told how to reach it.
    pub(crate) fn start_engine(program: &Path, directory: &Path, arguments: &[&str]) -> Result<Self> {
        Self::serve(program, directory, &OLVM, &[&["--platform", "olvm", "--tls"], arguments].concat())
    }

    fn serve(program: &Path, directory: &Path, needed: &[&str], arguments: &[&str]) -> Result<Self> {
        let mut child = Command::new(program)
            .args(["sim", "serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .current_dir(directory)
            // It is not asked to stop but killed, and then the file with its certificate authority stays.
            .env("TMPDIR", directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {} sim serve", program.display()))?;
        let stdout = child.stdout.take();
        let (sender, lines) = mpsc::channel();
        // Reads to the end, so that the simulator never waits for a full pipe.
        let reader = thread::spawn(move || {
            for line in stdout.into_iter().flat_map(|pipe| BufReader::new(pipe).lines()).map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let mut simulator = Self { child, environment: Vec::new(), reader: Some(reader) };
        let deadline = Instant::now() + START;
        while needed.iter().any(|name| simulator.variable(name).is_none()) {
            match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => simulator.environment.extend(variable(&line)),
                Err(RecvTimeoutError::Disconnected) => bail!("sim serve ended without printing {}", needed.join(", ")),
                Err(RecvTimeoutError::Timeout) => {
                    bail!("sim serve did not print {} within {} s", needed.join(", "), START.as_secs())
                }
            }
        }
        Ok(simulator)
    }

    /// The variables that point a client at it.
    pub(crate) fn environment(&self) -> impl Iterator<Item = (&str, &str)> {
        self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// One of these variables.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.environment().find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            say::line(format_args!("cannot stop the simulator: {error}"));
        }
        if let Some(reader) = self.reader.take() {
            // It ends with the pipe; a panic in it has been shown.
            let _ = reader.join();
        }
    }
}

/// `NAME=value` or `export NAME='value'`.
fn variable(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    let (name, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
    let known = !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    known.then(|| (name.to_owned(), value.trim_matches(['\'', '"']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::variable;

    #[test]
    fn environment_lines_are_read_with_and_without_quotes() {
        let server = Some(("VSPHERE_SERVER".to_owned(), "http://127.0.0.1:8443".to_owned()));
        assert_eq!(variable("VSPHERE_SERVER=http://127.0.0.1:8443"), server);
        assert_eq!(variable("export VSPHERE_SERVER='http://127.0.0.1:8443'"), server);
        assert_eq!(variable("listening on port=80"), None);
    }
}
