//! The built-in experiments as Chaos Toolkit sees them: with stubs of our functions, its `validate` accepts each of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::peers::Verdicts;
use crate::shell;
use crate::workspace::Workspace;

/// Longer than a check of one file takes.
const LIMIT: Duration = Duration::from_mins(1);

/// What all checks have in common.
struct Checks<'p> {
    ours: &'p Path,
    /// The `chaos` of the reference.
    chaos: PathBuf,
    directory: PathBuf,
}

/// Checks every template, and that the check itself finds a mistake.
pub(super) fn run(workspace: &Workspace, ours: &Path, reference: &Path, verdicts: &mut Verdicts) -> Result<()> {
    let directory = workspace.scratch("xtask/chaostoolkit-templates")?;
    let checks = Checks { ours, chaos: reference.join("bin/chaos"), directory };
    let mut stubs = Command::new(ours);
    shell::capture(stubs.args(["reference", "--stubs", "--out"]).arg(checks.stubs()), LIMIT)?;
    let names = checks.ask(&["templates", "list", "--format", "json"])?;
    let names = names.as_array().context("the list of templates is no list")?;
    ensure!(!names.is_empty(), "there is no template");
    for (at, row) in names.iter().enumerate() {
        let name = row["name"].as_str().context("a template has no name")?;
        let result = checks.template(name).and_then(|document| {
            if at == 0 {
                checks.finds_mistakes(document)?;
            }
            Ok("valid for the reference".to_owned())
        });
        verdicts.check(format_args!("chaostoolkit templates.{name}"), &result);
    }
    Ok(())
}

impl Checks<'_> {
    fn stubs(&self) -> PathBuf {
        self.directory.join("stubs")
    }

    /// What our program says, in a directory without settings.
    fn ask(&self, args: &[&str]) -> Result<Value> {
        let said = shell::capture(Command::new(self.ours).args(args).current_dir(&self.directory), LIMIT)?;
        serde_json::from_str(&said).context("it does not say it in JSON")
    }

    fn template(&self, name: &str) -> Result<Value> {
        let shown = self.ask(&["templates", "show", name, "--format", "json"])?;
        let document = shown["document"].clone();
        ensure!(!document.to_string().contains("password"), "there is a password in it");
        self.validate(name, &document)?;
        Ok(document)
    }

    /// With a function that is not there, and with an argument that it does not take, the reference has to complain.
    fn finds_mistakes(&self, document: Value) -> Result<()> {
        let mut unknown = document.clone();
        unknown["method"][0]["provider"]["func"] = "vm_explode".into();
        ensure!(self.validate("unknown-function", &unknown).is_err(), "an unknown function is not noticed");
        let mut misspelt = document;
        misspelt["method"][0]["provider"]["arguments"]["gracefull"] = true.into();
        ensure!(self.validate("unknown-argument", &misspelt).is_err(), "an unknown argument is not noticed");
        Ok(())
    }

    fn validate(&self, name: &str, document: &Value) -> Result<()> {
        let file = self.directory.join(format!("{name}.json"));
        fs::write(&file, document.to_string()).with_context(|| format!("cannot write {}", file.display()))?;
        let mut chaos = Command::new(&self.chaos);
        chaos.args(["--no-version-check", "--no-log-file", "validate"]).arg(&file).current_dir(&self.directory);
        chaos.env("PYTHONPATH", self.stubs()).env("PYTHONDONTWRITEBYTECODE", "1").env("HOME", &self.directory);
        shell::capture(&mut chaos, LIMIT).map(drop)
    }
}
