//! `schema`: what an editor needs to complete and check experiments.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, write_structured};

/// Prints the schema.
pub(super) fn run(output: &Output) -> Result<Exit, Failure> {
    output.data(|to| write_structured(false, &chaos_experiments::schema(), to))?;
    Ok(Exit::Done)
}
