//! `reference`: the pages that the repository and packages hold, written from the program itself.

use std::fs;

use crate::cli::Reference;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::reference;

/// Writes all pages. What is there already is written over.
pub(super) fn run(args: &Reference, output: &Output) -> Result<Exit, Failure> {
    let pages = if args.stubs { Ok(reference::stubs()) } else { reference::pages() };
    let pages = pages.map_err(|error| Failure::new(Exit::Failed, format!("cannot make the reference: {error}")))?;
    for page in &pages {
        let path = args.out.join(&page.path);
        let directory = path.parent().unwrap_or(&args.out);
        fs::create_dir_all(directory)
            .and_then(|()| fs::write(&path, &page.text))
            .map_err(|error| Failure::new(Exit::Failed, format!("cannot write {}: {error}", path.display())))?;
    }
    output.note(format_args!("wrote {} files to {}", pages.len(), args.out.display()));
    Ok(Exit::Done)
}
