//! govmomi's simulated vCenter as a child process.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::say;

/// A running simulator, stopped when this is dropped.
#[derive(Debug)]
pub(super) struct Vcsim {
    child: Child,
    address: String,
}

impl Vcsim {
    /// The only user, and the password.
    pub(super) const LOGIN: &str = "chaos";

    /// Starts one with so many VMs in two datacenters and waits until it serves.
    pub(super) fn start(program: &Path, vms: usize) -> Result<Self> {
        let mut child = Command::new(program)
            .args(["-vms", &vms.to_string(), "-username", Self::LOGIN, "-password", Self::LOGIN])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let stdout = child.stdout.take().context("vcsim has no output")?;
        let mut url = String::new();
        let mut vcsim = Self { child, address: String::new() };
        // It prints one line when it serves; its end closes the pipe, so this cannot hang on a dead child.
        BufReader::new(stdout).read_line(&mut url).context("cannot read vcsim's URL")?;
        let address = url.trim().strip_prefix("http://").and_then(|rest| rest.strip_suffix("/sdk")).unwrap_or_default();
        ensure!(!address.is_empty(), "vcsim printed no URL: {url:?}");
        address.clone_into(&mut vcsim.address);
        Ok(vcsim)
    }

    /// `HOST:PORT`.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// `http://HOST:PORT/sdk`.
    pub(super) fn url(&self) -> String {
        format!("http://{}/sdk", self.address)
    }
}

impl Drop for Vcsim {
    fn drop(&mut self) {
        // It ends when its input does, and removes its temporary files then.
        drop(self.child.stdin.take());
        if let Err(error) = self.child.wait() {
            say::line(format_args!("cannot stop vcsim: {error}"));
        }
    }
}
