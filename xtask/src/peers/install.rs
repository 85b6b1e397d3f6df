//! Getting the peers: Debian's govmomi for the simulator, PyPI's pyvmomi, oVirt SDK and Chaos Toolkit, all below
//! the target directory.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::workspace::Workspace;
use crate::{say, shell};

/// Downloads and a build, on a slow line.
const LIMIT: Duration = Duration::from_mins(15);
const GOPATH: &str = "/usr/share/gocode";
const VCSIM_PACKAGES: [&str; 2] = ["golang-go", "golang-github-vmware-govmomi-dev"];
/// The last release of the oVirt SDK, and the libcurl that it speaks HTTP with.
const OVIRT_SDK: [&str; 2] = ["ovirt-engine-sdk-python==4.6.3", "pycurl==7.45.7"];
/// What the SDK's reader of XML, which is written in C, is built with.
const OVIRT_SDK_PACKAGES: [&str; 4] = ["gcc", "libc6-dev", "libxml2-dev", "python3-dev"];
/// The SDK's build looks for libxml2 nowhere else.
const LIBXML2_HEADERS: &str = "/usr/include/libxml2/libxml/xmlreader.h";
/// The reference of experiment files: the commands, the engine behind them, and what JSONPath tolerances need.
const CHAOSTOOLKIT: [&str; 3] = ["chaostoolkit==1.19.0", "chaostoolkit-lib==1.44.0", "jsonpath2==0.4.5"];
/// Prints the version and architecture that a Python extension is built for, and succeeds if one can be built.
const PYTHON_ABI: &str = "\
import os, sysconfig
print(sysconfig.get_config_var('SOABI'))
raise SystemExit(not os.path.isfile(os.path.join(sysconfig.get_path('include'), 'Python.h')))";

/// Whether a peer that is missing is a failure.
pub(super) fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !value.is_empty() && value != "false")
}

/// Builds the simulated vCenter from xtask/peers/vcsim, with Debian's packages, and returns its path.
pub(super) fn vcsim(workspace: &Workspace) -> Result<PathBuf> {
    let library = Path::new(GOPATH).join("src/github.com/vmware/govmomi/simulator");
    if !library.is_dir() || !shell::works(Command::new("go").arg("version")) {
        debian_packages(&VCSIM_PACKAGES)?;
    }
    let directory = workspace.scratch("peers")?;
    let program = directory.join("vcsim");
    let mut build = Command::new("go");
    build.arg("build").arg("-o").arg(&program).arg(".").current_dir(workspace.root().join("xtask/peers/vcsim"));
    build.env("GO111MODULE", "off").env("GOPATH", GOPATH).env("GOCACHE", directory.join("go-cache")).env("GOFLAGS", "");
    shell::capture(&mut build, LIMIT)?;
    Ok(program)
}

/// Installs one major version of pyvmomi and returns the directory to put on `PYTHONPATH`.
pub(super) fn pyvmomi(workspace: &Workspace, major: &str) -> Result<PathBuf> {
    let next: u32 = major.parse::<u32>().context("a major version is a number")? + 1;
    pip(workspace, &format!("pyvmomi-{major}"), &[&format!("pyvmomi>={major},<{next}")])
}

/// Builds the oVirt SDK and returns the directory to put on `PYTHONPATH`.
pub(super) fn ovirt_sdk(workspace: &Workspace) -> Result<PathBuf> {
    let can_build = Path::new(LIBXML2_HEADERS).is_file()
        && shell::works(Command::new("cc").arg("--version"))
        && shell::works(Command::new("python3").args(["-c", PYTHON_ABI]));
    if !can_build {
        debian_packages(&OVIRT_SDK_PACKAGES)?;
    }
    // An extension fits one version of Python only, so that another one has to build its own.
    let abi = shell::capture(Command::new("python3").args(["-c", PYTHON_ABI]), LIMIT)
        .context("Python cannot build extensions: its headers are missing")?;
    let [sdk, curl] = OVIRT_SDK;
    // Its wheel brings a libcurl; from source it would need the headers of one, and of that one's TLS library.
    pip(workspace, &format!("ovirtsdk-{}", abi.trim()), &["--only-binary=pycurl", sdk, curl])
}

/// Installs Chaos Toolkit into a virtual environment of its own and returns that one's directory.
pub(super) fn chaostoolkit(workspace: &Workspace) -> Result<PathBuf> {
    let directory = workspace.scratch("peers")?.join("chaostoolkit");
    // As with `pip` below: written last.
    let done = directory.join(".installed");
    let wanted = CHAOSTOOLKIT.join(" ");
    if std::fs::read_to_string(&done).is_ok_and(|installed| installed == wanted) {
        return Ok(directory);
    }
    if !shell::works(Command::new("python3").args(["-c", "import ensurepip, venv"])) {
        debian_packages(&["python3-venv"])?;
    }
    // Its Python runs the python activities of both sides, so that it has to know the packages.
    let mut venv = Command::new("python3");
    shell::capture(venv.args(["-m", "venv", "--clear"]).arg(&directory), LIMIT)?;
    let mut pip = Command::new(directory.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(CHAOSTOOLKIT);
    shell::capture(&mut pip, LIMIT)?;
    std::fs::write(&done, wanted).with_context(|| format!("cannot write {}", done.display()))?;
    Ok(directory)
}

/// Installs Python packages into a directory of their own below the target directory.
fn pip(workspace: &Workspace, directory: &str, packages: &[&str]) -> Result<PathBuf> {
    let directory = workspace.scratch("peers")?.join(directory);
    // Written last, so that an installation that was interrupted is not taken for one that is whole, nor an older one
    // for the one that is asked for.
    let done = directory.join(".installed");
    let wanted = packages.join(" ");
    if std::fs::read_to_string(&done).is_ok_and(|installed| installed == wanted) {
        return Ok(directory);
    }
    let mut pip = Command::new("python3");
    // A directory of its own needs no virtual environment and touches no other Python program.
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade", "--target"]);
    pip.arg(&directory).args(packages);
    shell::capture(&mut pip, LIMIT)?;
    std::fs::write(&done, wanted).with_context(|| format!("cannot write {}", done.display()))?;
    Ok(directory)
}

fn debian_packages(packages: &[&str]) -> Result<()> {
    install_debian(packages).with_context(|| format!("needs the Debian packages {}", packages.join(", ")))
}

fn install_debian(packages: &[&str]) -> Result<()> {
    ensure!(shell::works(Command::new("apt-get").arg("--version")), "there is no apt-get on this machine");
    let user = shell::capture(Command::new("id").arg("-u"), LIMIT)?;
    ensure!(user.trim() == "0", "only root can install them");
    say::line(format_args!("installing {}", packages.join(", ")));
    apt(&["update"])?;
    apt(&[&["install", "--yes", "--no-install-recommends"], packages].concat())
}

fn apt(arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    shell::capture(command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive"), LIMIT).map(drop)
}
