//! Rules over Rust sources: a module says what it is for, and one module writes to the terminal.

use super::{File, Finding, Repository};

/// A longer file says why it is in its module comment, in a sentence that begins with these words.
const LONG: usize = 600;
const REASON: &str = "Long because ";

/// The modules that may write to stdout and stderr.
const OUTPUT_MODULES: &[&str] = &["crates/chaos-cli/src/output.rs", "crates/chaos-cli/src/output/", "xtask/src/say.rs"];
const OUTPUT: &[&str] = &["print!", "println!", "eprint!", "eprintln!", "dbg!", "io::stdout", "io::stderr"];

/// Every module starts with a sentence; a long one gives its reason.
pub(super) fn module_comments(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in repository.with_extension("rs") {
        let comment: Vec<&str> = file.text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
        let first: Vec<&str> = comment.iter().copied().take_while(|line| !line.is_empty()).collect();
        if !first.join(" ").contains(['.', '?', ':']) {
            findings.push(Finding::at(file, 0, "does not start with a `//!` sentence on the module's purpose"));
        }
        let lines = file.text.lines().count();
        if lines > LONG && !comment.join(" ").contains(REASON) {
            let message = format!("{lines} lines: split it, or say why not in its module comment (`//! {REASON}…`)");
            findings.push(Finding::at(file, 0, message));
        }
    }
    findings
}

/// Only the output module of a program writes to the terminal; tests and their kit, benches and examples are free.
pub(super) fn output(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in repository.with_extension("rs").filter(|file| is_bound(file)) {
        for (number, line) in file.text.lines().enumerate() {
            let code = line.trim_start();
            if code.starts_with("//") {
                continue;
            }
            if let Some(word) = OUTPUT.iter().find(|word| has_word(code, word)) {
                findings.push(Finding::at(file, number, format!("`{word}` outside of the output module")));
            }
        }
    }
    findings
}

fn is_bound(file: &File) -> bool {
    let path = file.path.as_str();
    let product = path.starts_with("crates/") && !path.starts_with("crates/chaos-testkit/");
    let program = product && path.contains("/src/") || path.starts_with("xtask/src/");
    // The rule's own list of words.
    program && path != "xtask/src/tidy/sources.rs" && !OUTPUT_MODULES.iter().any(|module| path.starts_with(module))
}

/// Whether `word` stands in `code` and is not the end of a longer name.
fn has_word(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::super::Repository;
    use super::{module_comments, output};

    #[test]
    fn a_module_without_a_sentence_is_found() {
        assert_eq!(module_comments(&Repository::of("src/a.rs", "use std::fmt;\n")).len(), 1);
        assert_eq!(module_comments(&Repository::of("src/a.rs", "//! Errors\n\nuse std::fmt;\n")).len(), 1);
        assert!(
            module_comments(&Repository::of("src/a.rs", "//! Errors of\n//! the wire.\n\nuse std::fmt;\n")).is_empty()
        );
    }

    #[test]
    fn a_long_file_needs_a_reason() {
        let body = "fn f() {}\n".repeat(601);
        let long = format!("//! Functions.\n\n{body}");
        assert_eq!(module_comments(&Repository::of("src/a.rs", &long)).len(), 1);
        let reasoned = format!("//! Functions.\n//!\n//! Long because they are a table.\n\n{body}");
        assert!(module_comments(&Repository::of("src/a.rs", &reasoned)).is_empty());
    }

    #[test]
    fn output_is_for_the_output_module() {
        let text = "//! A.\nfn f() {\n    println!(\"x\");\n}\n";
        let found = output(&Repository::of("crates/chaos-core/src/a.rs", text));
        assert_eq!(found[0].to_string(), "crates/chaos-core/src/a.rs:3: `println!` outside of the output module");
        for free in [
            "crates/chaos-cli/src/output/mod.rs",
            "crates/chaos-core/tests/it/main.rs",
            "crates/chaos-testkit/src/suite.rs",
            "examples/a.rs",
        ] {
            assert!(output(&Repository::of(free, text)).is_empty(), "{free}");
        }
    }

    #[test]
    fn comments_and_longer_names_are_not_output() {
        let text = "//! A.\n/// println!(\"in a comment\")\nfn f() { my_println!(); }\n";
        assert!(output(&Repository::of("crates/chaos-core/src/a.rs", text)).is_empty());
    }
}
