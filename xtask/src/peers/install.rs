//! Getting the peers: Debian's govmomi for the simulator, PyPI's pyvmomi, all of it built below the target directory.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::workspace::Workspace;
use crate::{say, shell};

/// Downloads and a build, on a slow line.
const LIMIT: Duration = Duration::from_mins(15);
const GOPATH: &str = "/usr/share/gocode";
const PACKAGES: [&str; 2] = ["golang-go", "golang-github-vmware-govmomi-dev"];

/// Whether a peer that is missing is a failure.
pub(super) fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !value.is_empty() && value != "false")
}

/// Builds the simulated vCenter from xtask/peers/vcsim, with Debian's packages, and returns its path.
pub(super) fn vcsim(workspace: &Workspace) -> Result<PathBuf> {
    let library = Path::new(GOPATH).join("src/github.com/vmware/govmomi/simulator");
    if !library.is_dir() || !shell::works(Command::new("go").arg("version")) {
        debian_packages().with_context(|| format!("needs the Debian packages {}", PACKAGES.join(" and ")))?;
    }
    let directory = workspace.scratch("peers")?;
    let program = directory.join("vcsim");
    let mut build = Command::new("go");
    build.arg("build").arg("-o").arg(&program).arg(".").current_dir(workspace.root().join("xtask/peers/vcsim"));
    build.env("GO111MODULE", "off").env("GOPATH", GOPATH).env("GOCACHE", directory.join("go-cache")).env("GOFLAGS", "");
    shell::capture(&mut build, LIMIT)?;
    Ok(program)
}

fn debian_packages() -> Result<()> {
    ensure!(shell::works(Command::new("apt-get").arg("--version")), "there is no apt-get on this machine");
    let user = shell::capture(Command::new("id").arg("-u"), LIMIT)?;
    ensure!(user.trim() == "0", "only root can install them");
    say::line(format_args!("installing {}", PACKAGES.join(", ")));
    apt(&["update"])?;
    apt(&["install", "--yes", "--no-install-recommends", PACKAGES[0], PACKAGES[1]])
}

fn apt(arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    shell::capture(command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive"), LIMIT).map(drop)
}

/// Installs one major version of pyvmomi and returns the directory to put on `PYTHONPATH`.
pub(super) fn pyvmomi(workspace: &Workspace, major: &str) -> Result<PathBuf> {
    let directory = workspace.scratch("peers")?.join(format!("pyvmomi-{major}"));
    // Written last by pip, so that an installation that was interrupted is not taken for one that is whole.
    let done = directory.join(".installed");
    if done.is_file() {
        return Ok(directory);
    }
    let next: u32 = major.parse::<u32>().context("a major version is a number")? + 1;
    let mut pip = Command::new("python3");
    // A directory of its own needs no virtual environment and touches no other Python program.
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade", "--target"]);
    pip.arg(&directory).arg(format!("pyvmomi>={major},<{next}"));
    shell::capture(&mut pip, LIMIT)?;
    std::fs::write(&done, "").with_context(|| format!("cannot write {}", done.display()))?;
    Ok(directory)
}
