//! `sim serve`: a simulated platform for people and for other programs.

use crate::cli::Serve;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// Serves until a signal comes.
pub(super) fn serve(args: &Serve, output: &Output) -> Result<Exit, Failure> {
    output.note(format_args!("{}", args.vms));
    Err(Failure::usage("nothing can be simulated yet"))
}
