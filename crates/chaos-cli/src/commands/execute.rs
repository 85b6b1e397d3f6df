//! `execute`: a whole experiment.

use crate::cli::Execute;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// Runs an experiment.
pub(super) fn run(args: &Execute, output: &Output) -> Result<Exit, Failure> {
    output.note(format_args!("{}", args.journal_path.display()));
    Err(Failure::usage("experiments cannot be run yet"))
}
