//! All tests of the workspace, by nextest where it is installed, and the doctests, which nextest cannot run.

use std::time::Duration;

use crate::tally::{Runner, Tally};
use crate::workspace::Workspace;
use crate::{say, shell};

/// Longer than any run of the tests, building included.
const LIMIT: Duration = Duration::from_hours(1);

/// Tests and doctests.
pub(crate) fn run(workspace: &Workspace) -> Tally {
    let mut tally = tests(workspace);
    tally += doctests(workspace);
    tally
}

/// Unit and integration tests of every crate.
pub(crate) fn tests(workspace: &Workspace) -> Tally {
    let nextest = shell::works(workspace.cargo(["nextest", "--version"]).env("NEXTEST_SHOW_PROGRESS", "none"));
    let (mut command, runner) = if nextest {
        say::heading("tests (cargo nextest)");
        let args =
            ["nextest", "run", "--locked", "--workspace", "--no-fail-fast", "--no-tests=pass", "--status-level=fail"];
        (workspace.cargo(args), Runner::Nextest)
    } else {
        say::heading("tests (cargo test)");
        let args = ["test", "--locked", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests", "--examples"];
        (workspace.cargo(args), Runner::Libtest)
    };
    // A snapshot that differs is a failure, never a new file.
    command.env("INSTA_UPDATE", "no");
    shell::count(&mut command, runner, LIMIT)
}

/// Examples in the documentation of every library.
pub(crate) fn doctests(workspace: &Workspace) -> Tally {
    say::heading("doctests");
    let mut command = workspace.cargo(["test", "--locked", "--workspace", "--no-fail-fast", "--doc"]);
    shell::count(&mut command, Runner::Libtest, LIMIT)
}
