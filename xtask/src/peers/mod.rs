//! Checks against programs that this project did not write: govmomi's simulated vCenter, and as clients pyvmomi and
//! oVirt's Python SDK.
//!
//! Each check prints `ok NAME`, `not ok NAME: why` or `skip NAME: why`. A peer that cannot be installed is skipped on a
//! developer's machine and is a failure where `CI` is set.

mod acceptance;
mod install;
mod message;
mod ovirtsdk;
mod proxy;
mod pyvmomi;
mod vcsim;

use std::fmt;

use anyhow::Result;

use crate::artifacts::Programs;
use crate::say;
use crate::tally::Tally;
use crate::workspace::Workspace;

/// Runs every peer; one that fails does not keep the next from running.
pub(crate) fn run(workspace: &Workspace, programs: &Programs) -> Tally {
    let mut verdicts = Verdicts::default();
    for version in pyvmomi::VERSIONS {
        say::line(format_args!("--> pyvmomi {version} against our simulator"));
        match install::pyvmomi(workspace, version) {
            Ok(library) => match pyvmomi::against_simulator(workspace, programs, &library) {
                Ok(tally) => verdicts.add(tally),
                Err(error) => verdicts.check(format_args!("pyvmomi {version}"), &Err(error)),
            },
            Err(error) => verdicts.missing(format_args!("pyvmomi {version}"), &error),
        }
    }
    say::line("--> chaosmonkey against govmomi's simulator, as pyvmomi sees it");
    match install::vcsim(workspace).and_then(|vcsim| Ok((vcsim, install::pyvmomi(workspace, "9")?))) {
        Ok((vcsim, library)) => {
            let run =
                acceptance::Run::new(workspace, programs, &vcsim, &library).and_then(|run| run.all(&mut verdicts));
            if let Err(error) = run {
                verdicts.check("govmomi's simulator", &Err(error));
            }
        }
        Err(error) => verdicts.missing("govmomi's simulator", &error),
    }
    say::line("--> oVirt's SDK against our simulated engine");
    match install::ovirt_sdk(workspace) {
        Ok(library) => {
            if let Err(error) = ovirtsdk::against_simulator(workspace, programs, &library, &mut verdicts) {
                verdicts.check("oVirt's SDK", &Err(error));
            }
        }
        Err(error) => verdicts.missing("oVirt's SDK", &error),
    }
    verdicts.tally
}

/// The count of checks, each of which is one line of output.
#[derive(Debug, Default)]
struct Verdicts {
    tally: Tally,
}

impl Verdicts {
    /// A check that held (with what was seen) or did not (with why).
    fn check(&mut self, name: impl fmt::Display, result: &Result<String>) {
        match result {
            Ok(seen) => say::line(format_args!("ok {name}: {seen}")),
            Err(error) => say::line(format_args!("not ok {name}: {error:#}")),
        }
        self.tally += Tally::check(result.is_ok());
    }

    /// A peer that could not be installed.
    fn missing(&mut self, name: impl fmt::Display, error: &anyhow::Error) {
        if install::is_ci() {
            say::line(format_args!("not ok {name}: {error:#}"));
            self.tally += Tally::check(false);
        } else {
            say::line(format_args!("skip {name}: NOT CHECKED, since it cannot be installed: {error:#}"));
            self.tally += Tally::skip();
        }
    }

    /// The count of a script that printed its own lines.
    fn add(&mut self, tally: Tally) {
        self.tally += tally;
    }
}
