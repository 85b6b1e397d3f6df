//! What cargo knows of the workspace: its root, its target directory, its packages.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::shell;

/// The workspace as `cargo metadata` tells it.
#[derive(Debug)]
pub(crate) struct Workspace {
    metadata: Value,
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn load() -> Result<Self> {
        let output = shell::cargo()
            .args(["metadata", "--format-version=1", "--locked"])
            .current_dir(here())
            .output()
            .context("cannot run cargo metadata")?;
        ensure!(output.status.success(), "cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(Self { metadata: serde_json::from_slice(&output.stdout).context("cargo metadata is not JSON")? })
    }

    /// The raw answer, for checks over packages and their graph.
    pub(crate) fn metadata(&self) -> &Value {
        &self.metadata
    }

    /// The directory of the root manifest.
    pub(crate) fn root(&self) -> &Path {
        Path::new(self.metadata["workspace_root"].as_str().unwrap_or("."))
    }

    /// The names of the packages that are made to be published.
    pub(crate) fn published(&self) -> impl Iterator<Item = &str> {
        let members = self.metadata["workspace_members"].as_array().into_iter().flatten();
        let packages = self.metadata["packages"].as_array().into_iter().flatten();
        let members: Vec<&Value> = members.collect();
        packages
            .filter(move |package| members.contains(&&package["id"]) && package["publish"].is_null())
            .filter_map(|package| package["name"].as_str())
    }

    /// Where everything that is produced goes.
    pub(crate) fn target(&self) -> PathBuf {
        PathBuf::from(self.metadata["target_directory"].as_str().unwrap_or("target"))
    }

    /// A directory below the target directory, made if it is missing.
    pub(crate) fn scratch(&self, name: &str) -> Result<PathBuf> {
        let path = self.target().join(name);
        std::fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(path)
    }

    /// A cargo command in the root directory.
    pub(crate) fn cargo<const N: usize>(&self, args: [&str; N]) -> Command {
        let mut command = shell::cargo();
        command.args(args).current_dir(self.root());
        command
    }
}

/// The directory of xtask's own manifest, from where cargo finds the workspace.
fn here() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from)
}
