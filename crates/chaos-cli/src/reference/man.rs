//! Manual pages: one for the program and one for each of its commands, from the command line itself.

use std::io;

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use super::Page;
use crate::cli::Cli;

/// How roff is told what `\*(Aq` is.
const QUOTE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";

/// All pages. No page holds anything that depends on the day or on the machine.
///
/// # Errors
/// A page that cannot be written.
pub(super) fn pages() -> io::Result<Vec<Page>> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    add(&command, "chaosmonkey", &mut pages)?;
    Ok(pages)
}

fn add(command: &Command, name: &str, pages: &mut Vec<Page>) -> io::Result<()> {
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        add(inner, &format!("{name}-{}", inner.get_name()), pages)?;
    }
    let man = Man::new(command.clone());
    let mut text = Vec::new();
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut text)?;
    }
    if command.get_after_long_help().or_else(|| command.get_after_help()).is_some() {
        man.render_extra_section(&mut text)?;
    }
    let text = String::from_utf8(text).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    let mut page = format!("{QUOTE}.TH \"{}\" \"1\" \"\" \"chaosmonkey\" \"\"\n", name.to_uppercase());
    // Each section comes with its own definition of the quote.
    for line in text.replace(QUOTE, "").lines().map(str::trim_end) {
        match line {
            // Lines as they were set in the help text.
            ".SH EXTRA" => page.push_str(".SH NOTES\n.nf"),
            line => page.push_str(line),
        }
        page.push('\n');
    }
    pages.push(Page::new(format!("man/{name}.1"), page));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_that_can_be_found_has_a_page() {
        let pages = pages().unwrap();
        let names: Vec<_> = pages.iter().map(|page| page.path.display().to_string()).collect();
        for name in ["chaosmonkey", "chaosmonkey-platforms", "chaosmonkey-platforms-power-off", "chaosmonkey-execute"] {
            assert!(names.contains(&format!("man/{name}.1")), "{name}: {names:?}");
        }
        assert!(names.iter().all(|name| !name.contains("reference") && !name.contains("help")), "{names:?}");
    }

    #[test]
    fn a_page_names_its_command_and_its_options() {
        let pages = pages().unwrap();
        let page = pages.iter().find(|page| page.path.ends_with("chaosmonkey-platforms-power-off.1")).unwrap();
        for part in [
            ".TH \"CHAOSMONKEY-PLATFORMS-POWER-OFF\" \"1\" \"\"",
            "graceful\\-only",
            "chaosmonkey platforms power\\-off",
        ] {
            assert!(page.text.contains(part), "{part:?} is not in\n{}", page.text);
        }
    }
}
