//! Files that survive a crash: made private, synced with the directory that names them, replaced as a whole.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use chaos_core::{Error, ErrorKind};

/// How long is waited between two tries to get a lock.
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// Makes a directory that only its owner can enter, with all that it is in. The names of those that are new survive a crash.
pub(crate) fn make_directory(path: &Path) -> io::Result<()> {
    let new: Vec<&Path> = path.ancestors().take_while(|above| !above.exists()).collect();
    let mut private = DirBuilder::new();
    private.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut private, 0o700);
    private.create(path)?;
    new.iter().filter_map(|made| made.parent()).try_for_each(sync_directory)
}

/// Makes a new file that only its owner can read. One that is there is an error.
pub(crate) fn make_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Returns when the names in a directory survive a crash.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(path)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Writes a file as a whole: whoever reads it sees the old one or the new one, also after a crash. Only its owner can read it.
pub(crate) fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let partial = partial(path, text)?;
    partial.as_file().sync_all()?;
    partial.persist(path)?;
    sync_directory(directory(path))
}

/// Writes a file that can be made anew as a whole. After a crash it may hold anything.
pub(crate) fn swap(path: &Path, text: &[u8]) -> io::Result<()> {
    partial(path, text)?.persist(path)?;
    Ok(())
}

/// A file with this text that is to become the one at `path`.
fn partial(path: &Path, text: &[u8]) -> io::Result<tempfile::NamedTempFile> {
    let mut partial = tempfile::Builder::new().prefix(".partial-").tempfile_in(directory(path))?;
    partial.write_all(text)?;
    Ok(partial)
}

fn directory(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

/// The file of a lock. It is never removed, or two processes might hold two locks of one name.
pub(crate) fn lock_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        // To lock a file that is there, it need not be written.
        Err(error) if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) => {
            File::open(path)
        }
        opened => opened,
    }
}

/// Locks a file for this process alone, and waits for that at most `patience`; none if somebody else has it all the time.
pub(crate) fn lock(file: &File, patience: Duration) -> io::Result<bool> {
    let begin = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(fs::TryLockError::WouldBlock) if begin.elapsed() < patience => thread::sleep(LOCK_PAUSE),
            Err(fs::TryLockError::WouldBlock) => return Ok(false),
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Whether somebody has locked the file.
pub(crate) fn is_locked(path: &Path) -> io::Result<bool> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    match file.try_lock_shared() {
        // Given back when the file is closed.
        Ok(()) => Ok(false),
        Err(fs::TryLockError::WouldBlock) => Ok(true),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Something of the state directory that cannot be read or written.
pub(crate) fn failed(doing: &str, path: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::Configuration, format!("cannot {doing} {}", path.display())).caused_by(error)
}

/// Does what waits for a disk where nothing else waits for it.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let lost = |_| Error::new(ErrorKind::Failed, "the work on the state directory was lost");
    tokio::task::spawn_blocking(work).await.map_err(lost)?
}

/// The directories in a directory, by name; none if it is not there.
pub(crate) fn directories(path: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut all = Vec::new();
    for entry in entries {
        let entry = entry?;
        if let (Ok(name), true) = (entry.file_name().into_string(), entry.file_type()?.is_dir()) {
            all.push((name, entry.path()));
        }
    }
    all.sort();
    Ok(all)
}
