//! Rules over fuzz/: a target that its manifest does not name is never built, and so never run.

use super::{Finding, Repository};

const TARGETS: &str = "fuzz/fuzz_targets/";
const MANIFEST: &str = "fuzz/Cargo.toml";

/// Every file of `fuzz/fuzz_targets` has its `[[bin]]`, of its own name.
pub(super) fn targets(repository: &Repository) -> Vec<Finding> {
    let manifest = repository.files.iter().find(|file| file.path == MANIFEST).map_or("", |file| file.text.as_str());
    let names: Vec<&str> = repository.files.iter().filter_map(|file| target(&file.path)).collect();
    let is_named = |name: &str| {
        manifest.split("[[").filter_map(|part| part.strip_prefix("bin]]")).any(|part| {
            // The part goes on to the next table.
            let table: Vec<&str> = part.lines().map(str::trim).take_while(|line| !line.starts_with('[')).collect();
            let has = |line: String| table.contains(&line.as_str());
            has(format!("name = \"{name}\"")) && has(format!("path = \"fuzz_targets/{name}.rs\""))
        })
    };
    let missing = |name: &&str| !is_named(name);
    let finding = |name: &str| {
        let message = format!("has no `[[bin]]` with its name and its path in {MANIFEST}, so that it is never run");
        Finding::new(format!("{TARGETS}{name}.rs"), message)
    };
    names.into_iter().filter(missing).map(finding).collect()
}

/// The name of a target by its path.
fn target(path: &str) -> Option<&str> {
    path.strip_prefix(TARGETS)?.strip_suffix(".rs").filter(|name| !name.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::super::{File, Repository};
    use super::targets;

    #[test]
    fn a_target_that_the_manifest_does_not_name_is_found() {
        let manifest = "[[bin]]\nname = \"a\"\npath = \"fuzz_targets/a.rs\"\ntest = false\n\n\
                        [[bin]]\nname = \"b\"\npath = \"fuzz_targets/a.rs\"\n\n[dependencies]\nname = \"c\"\n";
        let mut repository = Repository::of("fuzz/Cargo.toml", manifest);
        for name in ["fuzz_targets/a.rs", "fuzz_targets/b.rs", "fuzz_targets/c.rs", "value.rs"] {
            repository.files.push(File { path: format!("fuzz/{name}"), text: String::new() });
        }
        let found: Vec<String> = targets(&repository).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("fuzz/fuzz_targets/b.rs: has no `[[bin]]`"), "{found:?}");
        assert!(found[1].starts_with("fuzz/fuzz_targets/c.rs: has no `[[bin]]`"), "{found:?}");
    }
}
