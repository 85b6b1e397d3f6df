//! What is written about the settings and the commands: everything here follows from the table of settings and from the
//! command line itself, so that it cannot say anything else than the program does.

mod configuration;
mod env;
mod man;
mod stubs;
mod words;
mod yaml;

use std::io;
use std::path::PathBuf;

pub(crate) use env::example_env;
pub(crate) use stubs::pages as stubs;
pub(crate) use yaml::example_yaml;

/// A file of the reference.
#[derive(Debug)]
pub(crate) struct Page {
    /// Where it is, below the directory of the reference.
    pub(crate) path: PathBuf,
    /// What is in it.
    pub(crate) text: String,
}

impl Page {
    fn new(path: impl Into<PathBuf>, text: String) -> Self {
        Self { path: path.into(), text }
    }
}

/// The whole reference.
///
/// # Errors
/// A page that cannot be written as text.
pub(crate) fn pages() -> io::Result<Vec<Page>> {
    let mut pages = vec![
        Page::new("configuration.md", configuration::text()),
        Page::new("chaosmonkey.yaml", example_yaml()),
        Page::new(".env.platforms.example", example_env()),
    ];
    pages.extend(man::pages()?);
    Ok(pages)
}
