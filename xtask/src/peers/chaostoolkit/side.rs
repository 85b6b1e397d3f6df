//! One side of the comparison: a program, run in a directory of its own, and what it leaves there.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::case::Case;
use super::json::Json;
use super::server::Server;

/// More than any case takes.
const LIMIT: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(5);
/// The file in which activities say that they ran.
const TRACE: &str = "trace";
/// The directory of a case's files that are put into the home directory.
const HOME: &str = "home";
/// In arguments and files of a case: the address of its server.
const ADDRESS: &str = "@SERVER@";

/// A program with the command line of `chaos`.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) program: PathBuf,
    /// The commands of the reference's virtual environment; its Python runs python activities on both sides.
    pub(super) commands: PathBuf,
    /// The corpus' own Python modules.
    pub(super) modules: PathBuf,
}

/// What a run left behind.
#[derive(Debug)]
pub(super) struct Outcome {
    /// The exit code; of a program that a signal ended, the signal below zero.
    pub(super) exit: i32,
    pub(super) stdout: String,
    /// Those of the case's texts that it wrote to stderr.
    pub(super) said: Vec<String>,
    /// The files of its directory and of those in it.
    pub(super) files: Vec<String>,
    pub(super) trace: Option<String>,
    /// The text of the journal.
    pub(super) journal: Option<String>,
}

impl Side {
    /// Runs a case in `directory`, which is made anew.
    pub(super) fn run(&self, case: &Case, directory: &Path) -> Result<Outcome> {
        let work = directory.join("work");
        if directory.exists() {
            fs::remove_dir_all(directory).with_context(|| format!("cannot remove {}", directory.display()))?;
        }
        for made in [&work, &directory.join(HOME)] {
            fs::create_dir_all(made).with_context(|| format!("cannot make {}", made.display()))?;
        }
        let server = Server::start(&work)?;
        let authority = server.authority();
        let source = prepare(case, &work, &authority)?;
        // Whoever runs this in the background ignores SIGINT, and so would each program that is started from here.
        let mut command = Command::new("env");
        command.arg("--default-signal=INT,QUIT").arg(&self.program);
        command.arg("--no-version-check").args(&case.globals).arg(&case.command);
        command.args(case.options.iter().map(|option| option.replace(ADDRESS, &authority)));
        command.args((!source.is_empty()).then(|| source.replace(ADDRESS, &authority)));
        self.surround(&mut command, directory, &authority)?;
        command.envs(case.environment.iter().map(|(name, value)| (name, value.replace(ADDRESS, &authority))));
        let (stdout, stderr) = (directory.join("stdout"), directory.join("stderr"));
        // Files, since what an activity leaves running would hold a pipe open.
        command.stdin(Stdio::null()).stdout(File::create(&stdout)?).stderr(File::create(&stderr)?);
        let child = command.spawn().with_context(|| format!("cannot start {}", self.program.display()))?;
        let status = ended(child)?;
        drop(server);
        let plain =
            |text: String| text.replace(&authority, "SERVER").replace(&*directory.to_string_lossy(), "DIRECTORY");
        let told = String::from_utf8_lossy(&fs::read(&stderr)?).into_owned();
        Ok(Outcome {
            exit: code(status),
            stdout: plain(fs::read_to_string(&stdout)?),
            said: case.says.iter().filter(|text| told.contains(text.as_str())).cloned().collect(),
            files: files(&work)?,
            trace: text(&work.join(TRACE))?.map(plain),
            journal: text(&work.join(&case.journal))?.map(plain),
        })
    }

    /// A directory and an environment in which nothing of this machine's user is seen.
    fn surround(&self, command: &mut Command, directory: &Path, authority: &str) -> Result<()> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let paths = std::iter::once(self.commands.clone()).chain(std::env::split_paths(&path));
        let path: OsString = std::env::join_paths(paths).context("a directory of PATH has a colon")?;
        command.current_dir(directory.join("work")).env_clear().env("PATH", path);
        command.env("HOME", directory.join(HOME)).env("LANG", "C.UTF-8");
        command.env("PYTHONPATH", &self.modules).env("PYTHONDONTWRITEBYTECODE", "1");
        command.env("SERVER", format!("http://{authority}")).env("NO_PROXY", "*");
        Ok(())
    }
}

/// Puts the files of a case into its directory and returns what is to be run.
fn prepare(case: &Case, work: &Path, authority: &str) -> Result<String> {
    let place = |name: &str, text: Vec<u8>| {
        // What is no UTF-8 is in the corpus on purpose, and has no address in it.
        let text = String::from_utf8(text)
            .map_or_else(std::string::FromUtf8Error::into_bytes, |text| text.replace(ADDRESS, authority).into());
        let path = placed(work, name);
        fs::create_dir_all(path.parent().unwrap_or(work))?;
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    for name in case.files.iter().chain([&case.experiment]) {
        let path = case.directory.join(name);
        let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        place(name, text)?;
        #[cfg(unix)]
        fs::set_permissions(placed(work, name), fs::metadata(&path)?.permissions())?;
    }
    if !case.changes.is_empty() {
        let text = fs::read_to_string(case.directory.join(&case.experiment))?;
        let mut document = Json::parse(&text).context("only an experiment in JSON can be changed")?;
        for (pointer, value) in &case.changes {
            document.put(pointer, value.clone())?;
        }
        place(&case.experiment, document.to_string().into_bytes())?;
    }
    Ok(case.source.clone().unwrap_or_else(|| case.experiment.clone()))
}

/// Where a file of a case goes.
fn placed(work: &Path, name: &str) -> PathBuf {
    if Path::new(name).starts_with(HOME) { work.with_file_name(name) } else { work.join(name) }
}

/// Waits for a program, and ends one that hangs.
fn ended(mut child: Child) -> Result<ExitStatus> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().context("cannot wait for a child process")? {
            return Ok(status);
        }
        if start.elapsed() > LIMIT {
            // One that has just ended cannot be killed, and need not be.
            let _ = child.kill();
            let _ = child.wait();
            bail!("ended after {} s without a result", LIMIT.as_secs());
        }
        thread::sleep(POLL);
    }
}

fn code(status: ExitStatus) -> i32 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return -signal;
    }
    status.code().unwrap_or(i32::MIN)
}

/// The text of a file; none if it is not there.
fn text(path: &Path) -> Result<Option<String>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

fn files(work: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    let mut open = vec![work.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).with_context(|| format!("cannot read {}", directory.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else {
                files.push(path.strip_prefix(work).unwrap_or(&path).to_string_lossy().into_owned());
            }
        }
    }
    files.sort();
    Ok(files)
}
