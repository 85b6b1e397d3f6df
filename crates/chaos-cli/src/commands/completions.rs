//! `completions`: what a shell needs to complete the command line.

use clap::CommandFactory;

use crate::cli::{Cli, Completions};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// Prints the script.
pub(super) fn run(args: &Completions, output: &Output) -> Result<Exit, Failure> {
    // Whole before it is written: the generator gives up by a panic where a reader goes away early.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "chaosmonkey", &mut script);
    output.data(|to| to.write_all(&script))?;
    Ok(Exit::Done)
}
