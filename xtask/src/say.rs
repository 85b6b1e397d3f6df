//! The only place of xtask that writes to the terminal: progress, verdicts and the closing count go to stdout.
#![expect(clippy::print_stdout, reason = "the output module; everything else calls it")]

/// One line as it is.
pub(crate) fn line(text: impl std::fmt::Display) {
    println!("{text}");
}

/// The start of a step, set apart so that it is found in a long log.
pub(crate) fn heading(text: impl std::fmt::Display) {
    println!("\n==> {text}");
}
