//! Checks against programs that this project did not write: govmomi's simulated vCenter, as clients pyvmomi and oVirt's
//! Python SDK, and Chaos Toolkit, whose experiments we run.
//!
//! Each check prints `ok NAME`, `not ok NAME: why` or `skip NAME: why`. A peer that cannot be installed is skipped on a
//! developer's machine and is a failure where `CI` is set.

mod acceptance;
mod chaostoolkit;
mod install;
mod message;
mod ovirtsdk;
mod proxy;
mod pyvmomi;
mod vcsim;

use std::fmt;
use std::path::PathBuf;

use anyhow::Result;

use crate::artifacts::Programs;
use crate::say;
use crate::tally::Tally;
use crate::workspace::Workspace;

/// Which peers, and of one what.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Options {
    /// The peer; all without a name.
    peer: Option<Peer>,
    /// Of chaostoolkit only the cases whose names begin so, or that cover this item (`TOL-05`); `templates` are the built-in
    /// experiments.
    #[arg(requires = "peer")]
    cases: Vec<String>,
    /// With chaostoolkit: put the reference on both sides, which shows whether the comparison itself is sound.
    #[arg(long, requires = "peer")]
    self_test: bool,
}

/// A program that we did not write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Peer {
    /// VMware's Python client, against our simulator.
    Pyvmomi,
    /// Our program against govmomi's simulator.
    Vcsim,
    /// oVirt's Python SDK, against our simulated engine.
    Ovirtsdk,
    /// Experiments run by Chaos Toolkit and by our program.
    Chaostoolkit,
}

impl Options {
    /// Whether a program of ours is needed at all.
    pub(crate) fn needs_programs(&self) -> bool {
        !self.self_test
    }

    fn has(&self, peer: Peer) -> bool {
        self.peer.is_none_or(|chosen| chosen == peer)
    }
}

/// The command of Chaos Toolkit, which is installed if it is not there.
pub(crate) fn chaos(workspace: &Workspace) -> Result<PathBuf> {
    Ok(install::chaostoolkit(workspace)?.join("bin/chaos"))
}

/// Runs the peers; one that fails does not keep the next from running.
pub(crate) fn run(workspace: &Workspace, programs: &Programs, options: &Options) -> Tally {
    let mut verdicts = Verdicts::default();
    if options.has(Peer::Pyvmomi) {
        pyvmomi_as_client(workspace, programs, &mut verdicts);
    }
    if options.has(Peer::Vcsim) {
        govmomi_as_server(workspace, programs, &mut verdicts);
    }
    if options.has(Peer::Ovirtsdk) {
        ovirt_as_client(workspace, programs, &mut verdicts);
    }
    // Not yet among all: it comes there with the commands that it checks.
    if options.has(Peer::Chaostoolkit) {
        chaostoolkit_as_reference(workspace, programs, options, &mut verdicts);
    }
    verdicts.tally
}

fn pyvmomi_as_client(workspace: &Workspace, programs: &Programs, verdicts: &mut Verdicts) {
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
}

fn govmomi_as_server(workspace: &Workspace, programs: &Programs, verdicts: &mut Verdicts) {
    say::line("--> chaosmonkey against govmomi's simulator, as pyvmomi sees it");
    match install::vcsim(workspace).and_then(|vcsim| Ok((vcsim, install::pyvmomi(workspace, "9")?))) {
        Ok((vcsim, library)) => {
            let run = acceptance::Run::new(workspace, programs, &vcsim, &library).and_then(|run| run.all(verdicts));
            if let Err(error) = run {
                verdicts.check("govmomi's simulator", &Err(error));
            }
        }
        Err(error) => verdicts.missing("govmomi's simulator", &error),
    }
}

fn ovirt_as_client(workspace: &Workspace, programs: &Programs, verdicts: &mut Verdicts) {
    say::line("--> oVirt's SDK against our simulated engine");
    match install::ovirt_sdk(workspace) {
        Ok(library) => {
            if let Err(error) = ovirtsdk::against_simulator(workspace, programs, &library, verdicts) {
                verdicts.check("oVirt's SDK", &Err(error));
            }
        }
        Err(error) => verdicts.missing("oVirt's SDK", &error),
    }
}

fn chaostoolkit_as_reference(workspace: &Workspace, programs: &Programs, options: &Options, verdicts: &mut Verdicts) {
    let ours = (!options.self_test).then(|| programs.chaosmonkey());
    say::line(format_args!(
        "--> experiments as Chaos Toolkit and {} run them",
        if options.self_test { "Chaos Toolkit again" } else { "chaosmonkey" }
    ));
    match install::chaostoolkit(workspace) {
        Ok(reference) => {
            if let Err(error) = chaostoolkit::run(workspace, ours, &reference, &options.cases, verdicts) {
                verdicts.check("chaostoolkit", &Err(error));
            }
        }
        Err(error) => verdicts.missing("chaostoolkit", &error),
    }
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
