//! `docs/configuration.md`: what the table does not say stands in a frame beside this file, the rest follows from the table.

use std::fmt::Write;

use chaos_orchestrator::{Key, SECTIONS};

/// What a person wrote, with a line in the place of the tables.
const FRAME: &str = include_str!("configuration.md.in");

/// The line in the place of the tables.
const TABLES: &str = "{{tables}}\n";

/// The text of the page.
pub(super) fn text() -> String {
    let mut tables = String::new();
    for section in SECTIONS {
        let _ = write!(
            tables,
            "### `{}`\n\n{}\n\n| key | form | default | variable | meaning |\n| --- | --- | --- | --- | --- |\n",
            section.path, section.about
        );
        for key in section.keys {
            let _ = writeln!(
                tables,
                "| `{}` | {} | {} | {} | {} |",
                key.name.replace('*', "NAME"),
                key.form,
                default(key),
                key.variable.map(|variable| format!("`{variable}`")).unwrap_or_default(),
                key.about.replace('|', "\\|"),
            );
        }
        tables.push('\n');
    }
    FRAME.replace(TABLES, tables.trim_start())
}

/// A default that could be written is code, one in words is not.
fn default(key: &Key) -> String {
    match key.default {
        Some(words) if words.contains(' ') => words.to_owned(),
        Some(value) => format!("`{value}`"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use chaos_orchestrator::{Entry, Kind, Sources};

    use super::*;

    #[test]
    fn the_example_of_the_page_is_right() {
        let (_, rest) = FRAME.split_once("```yaml\n").expect("there is an example");
        let (example, _) = rest.split_once("```").expect("it ends");
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join("chaosmonkey.yaml");
        std::fs::write(&file, example).expect("it can be written");
        let settings = Sources::none().config(&file).variables([("ENGINE_PASSWORD", "x")]).load().unwrap();
        let entries: Vec<_> = settings.entries().map(|entry| (entry.name.as_str(), entry.kind())).collect();
        assert_eq!(entries, [("east", Kind::VSphere), ("olvm", Kind::Olvm), ("west", Kind::VSphere)]);
        assert!(settings.entries().all(Entry::names_a_server) && settings.chaos.reports_path.is_some());
    }

    #[test]
    fn every_key_has_its_line() {
        let text = text();
        assert!(!text.contains("{{"), "the frame is filled");
        for section in SECTIONS {
            let (_, rest) = text.split_once(&format!("### `{}`", section.path)).expect("the section is there");
            let table = rest.split("\n### ").next().unwrap_or(rest);
            for key in section.keys {
                let start = format!("| `{}` | {} |", key.name.replace('*', "NAME"), key.form);
                let line = table.lines().find(|line| line.starts_with(&start));
                let line = line.unwrap_or_else(|| panic!("{start} is not in {}", section.path));
                assert!(line.contains(key.variable.unwrap_or_default()), "{line}");
            }
        }
    }
}
