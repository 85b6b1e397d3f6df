//! Everything that has to hold before a change is taken in, in one run that goes on after a failure.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::artifacts::{self, Programs};
use crate::tally::{Runner, Tally};
use crate::workspace::Workspace;
use crate::{bench, docs, peers, readme, say, shell, soak, test, tidy};

/// Longer than any single tool takes on a cold two-core machine.
const TOOL: Duration = Duration::from_hours(1);
/// An example program is a demonstration: it takes seconds.
const EXAMPLE: Duration = Duration::from_mins(2);

/// Runs every step; the sum of all counts is the verdict.
pub(crate) fn run(workspace: &Workspace) -> Tally {
    let mut report = Report::default();
    report.tool("format", workspace.cargo(["fmt", "--all", "--check"]));
    report.step("tidy", || tidy::run(workspace));
    report.tool(
        "clippy",
        with_args(workspace.cargo(["clippy", "--locked", "--workspace", "--all-targets"]), ["--", "-D", "warnings"]),
    );
    for arguments in [&[][..], &["--document-private-items"][..]] {
        let mut docs = workspace.cargo(["doc", "--locked", "--workspace", "--no-deps"]);
        docs.args(arguments).env("RUSTDOCFLAGS", "-D warnings");
        report.tool(if arguments.is_empty() { "docs" } else { "docs with private items" }, docs);
    }

    let mut programs = None;
    report.step("build", || {
        programs = Some(artifacts::build(workspace)?);
        Ok(Tally::check(true))
    });
    report.step("tests", || Ok(test::tests(workspace)));
    report.step("doctests", || Ok(test::doctests(workspace)));
    if let Some(programs) = &programs {
        report.step("documents of the program", || docs::check(workspace, programs));
        report.step("examples", || examples(workspace, programs));
        report.step("readme", || readme::run(workspace, programs));
        report.step("peak memory", || bench::peak_memory(workspace, programs));
        report.step("crash matrix", || Ok(soak::crash(workspace, soak::SAMPLE)));
        report.step("peers", || Ok(peers::run(workspace, programs, &peers::Options::default())));
    }
    report.step("each crate alone", || Ok(alone(workspace)));
    report.step("each kind of platform alone", || Ok(each_kind(workspace)));
    report.step("deny", || deny(workspace));
    report.close()
}

/// The example programs, each of which runs without arguments and without a server.
fn examples(workspace: &Workspace, programs: &Programs) -> Result<Tally> {
    let directory = workspace.scratch("xtask/examples")?;
    let mut tally = Tally::default();
    for (name, path) in programs.examples() {
        say::line(format_args!("--> example {name}"));
        tally += shell::count(Command::new(path).current_dir(&directory), Runner::Check, EXAMPLE);
    }
    Ok(tally)
}

/// In the workspace a crate may use a feature of a dependency that only its neighbour asks for; its users would miss it.
fn alone(workspace: &Workspace) -> Tally {
    let mut tally = Tally::default();
    for name in workspace.published() {
        let mut check = workspace.cargo(["check", "--locked", "--quiet", "--package", name]);
        tally += shell::count(&mut check, Runner::Check, TOOL);
    }
    tally
}

/// The kinds of platforms are cargo features: each alone builds, and passes its tests.
fn each_kind(workspace: &Workspace) -> Tally {
    let mut tally = Tally::default();
    for kind in ["vsphere", "olvm", "dora"] {
        say::line(format_args!("--> {kind}"));
        let only = ["--no-default-features", "--features", kind];
        for package in ["chaos-cli", "chaos-orchestrator"] {
            let mut tests = workspace.cargo(["test", "--locked", "--package", package]);
            tally += shell::count(tests.args(only), Runner::Libtest, TOOL);
        }
    }
    tally
}

/// Licences, banned crates and sources. The advisory database needs a network that not every machine has.
fn deny(workspace: &Workspace) -> Result<Tally> {
    let tools = workspace.scratch("tools")?;
    let program = installed(workspace, &tools, "cargo-deny")?;
    let mut command = Command::new(program);
    command.args(["--all-features", "check", "bans", "licenses", "sources"]).current_dir(workspace.root());
    Ok(shell::count(&mut command, Runner::Check, TOOL))
}

/// The path of a cargo tool, which is built below the target directory if the machine does not have it.
pub(crate) fn installed(workspace: &Workspace, tools: &Path, name: &str) -> Result<std::path::PathBuf> {
    let own = tools.join("bin").join(name);
    for candidate in [Path::new(name), &own] {
        if shell::works(Command::new(candidate).arg("--version")) {
            return Ok(candidate.to_owned());
        }
    }
    say::line(format_args!("{name} is not installed; building it"));
    let mut install = workspace.cargo(["install", "--locked", "--debug", "--root"]);
    // Warnings and debug information of somebody else's program are of no use here.
    install.arg(tools).arg(name).env("CARGO_PROFILE_DEV_DEBUG", "0");
    let status = shell::stream(&mut install, TOOL, |_| {})?;
    anyhow::ensure!(status.success(), "cannot install {name}: {status}");
    Ok(own)
}

fn with_args<const N: usize>(mut command: Command, args: [&str; N]) -> Command {
    command.args(args);
    command
}

/// The counts of the steps so far, and which of them failed.
#[derive(Debug, Default)]
struct Report {
    tally: Tally,
    failed: Vec<String>,
}

impl Report {
    /// A tool that succeeds or fails.
    fn tool(&mut self, name: &str, mut command: Command) {
        self.step(name, || Ok(shell::count(&mut command, Runner::Check, TOOL)));
    }

    /// A step with a count of its own; one that cannot be run counts as one failure.
    fn step(&mut self, name: &str, run: impl FnOnce() -> Result<Tally>) {
        say::heading(name);
        let start = Instant::now();
        let tally = run().unwrap_or_else(|error| {
            say::line(format_args!("{name}: {error:#}"));
            Tally::check(false)
        });
        say::line(format_args!("    {name}: {tally} in {:.1} s", start.elapsed().as_secs_f64()));
        if tally.failed > 0 {
            self.failed.push(name.to_owned());
        }
        self.tally += tally;
    }

    fn close(self) -> Tally {
        if !self.failed.is_empty() {
            say::line(format_args!("\nfailed: {}", self.failed.join(", ")));
        }
        say::line("");
        self.tally
    }
}
