//! The programs that a build leaves behind: `chaosmonkey` and the examples.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::workspace::Workspace;

/// The package of programs that run without arguments and come to an end.
const EXAMPLES: &str = "/examples/Cargo.toml";

/// Where the built programs are.
#[derive(Debug, Default)]
pub(crate) struct Programs {
    chaosmonkey: PathBuf,
    examples: Vec<(String, PathBuf)>,
}

impl Programs {
    /// The `chaosmonkey` binary.
    pub(crate) fn chaosmonkey(&self) -> &Path {
        &self.chaosmonkey
    }

    /// Every example program by name.
    pub(crate) fn examples(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.examples.iter().map(|(name, path)| (name.as_str(), path.as_path()))
    }
}

/// Builds all programs and tests of the workspace without optimisation.
///
/// The selection is the one that the test runners make, so that nothing is compiled twice for want of a feature.
pub(crate) fn build(workspace: &Workspace) -> Result<Programs> {
    run(workspace, &["--workspace", "--bins", "--examples", "--tests"])
}

/// Builds `chaosmonkey` alone, which is all that the shorter chores need.
pub(crate) fn build_chaosmonkey(workspace: &Workspace, optimised: bool) -> Result<Programs> {
    let release: &[&str] = if optimised { &["--release"] } else { &[] };
    run(workspace, &[&["--package", "chaos-cli", "--bin", "chaosmonkey"], release].concat())
}

fn run(workspace: &Workspace, selection: &[&str]) -> Result<Programs> {
    let output = workspace
        .cargo(["build", "--locked", "--message-format=json-render-diagnostics"])
        .args(selection)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo build")?;
    ensure!(output.status.success(), "cargo build failed");
    let programs = programs(&String::from_utf8_lossy(&output.stdout));
    ensure!(!programs.chaosmonkey.as_os_str().is_empty(), "the build made no program named chaosmonkey");
    Ok(programs)
}

fn programs(messages: &str) -> Programs {
    let mut programs = Programs::default();
    for message in messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let (Some(path), Some(name)) = (message["executable"].as_str(), message["target"]["name"].as_str()) else {
            continue;
        };
        // The test harness of a program is an executable of the same name.
        if message["profile"]["test"] == true {
            continue;
        }
        match message["target"]["kind"][0].as_str() {
            Some("bin") if name == "chaosmonkey" => programs.chaosmonkey = PathBuf::from(path),
            // Other examples, such as a server's, do not end by themselves.
            Some("example") if message["manifest_path"].as_str().is_some_and(|path| path.ends_with(EXAMPLES)) => {
                programs.examples.push((name.to_owned(), PathBuf::from(path)));
            }
            _ => {}
        }
    }
    programs.examples.sort();
    programs
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::programs;

    #[test]
    fn programs_are_told_from_their_test_harness_and_from_libraries() {
        let messages = r#"
{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"chaos_core"},"profile":{"test":false},"executable":null}
{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"chaosmonkey"},"profile":{"test":true},"executable":"/t/deps/chaosmonkey-1"}
{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"chaosmonkey"},"profile":{"test":false},"executable":"/t/chaosmonkey"}
{"reason":"compiler-artifact","manifest_path":"/r/examples/Cargo.toml","target":{"kind":["example"],"name":"vsphere_discover"},"profile":{"test":false},"executable":"/t/examples/vsphere_discover"}
{"reason":"compiler-artifact","manifest_path":"/r/crates/chaos-sim/Cargo.toml","target":{"kind":["example"],"name":"serve"},"profile":{"test":false},"executable":"/t/examples/serve"}
{"reason":"build-finished","success":true}"#;
        let programs = programs(messages);
        assert_eq!(programs.chaosmonkey(), Path::new("/t/chaosmonkey"));
        assert_eq!(
            programs.examples().collect::<Vec<_>>(),
            [("vsphere_discover", Path::new("/t/examples/vsphere_discover"))]
        );
    }
}
