//! A file that data is written to: proved to be writable before the work begins, and replaced as a whole at the end.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::exit::Exit;
use crate::failure::Failure;

/// A file that data is written to.
#[derive(Debug)]
pub(crate) struct OutputFile {
    path: PathBuf,
    /// Where the data is written first. None for what is no plain file, such as a device or a pipe, which must not be replaced.
    partial: Option<NamedTempFile>,
}

impl OutputFile {
    /// Proves that `path` can be written, by a file beside it. Nothing that is there is changed.
    ///
    /// # Errors
    /// It cannot.
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        // Some errors name the file beside it, which is nobody's business.
        let cannot = |error: io::Error| {
            let error = io::Error::from(error.kind());
            Failure::usage(format!("cannot write to {}: {error}", path.display()))
        };
        // A link stays a link.
        let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if std::fs::metadata(&target).is_ok_and(|found| !found.is_file()) {
            OpenOptions::new().write(true).open(&target).map_err(cannot)?;
            return Ok(Self { path: target, partial: None });
        }
        let directory = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !directory.is_dir() {
            let message = format!("cannot write to {}: there is no directory {}", path.display(), directory.display());
            return Err(Failure::usage(message));
        }
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
        // What the user's mask leaves of these.
        #[cfg(unix)]
        builder.permissions(permissions);
        let partial = builder.prefix(".chaosmonkey-").tempfile_in(directory).map_err(cannot)?;
        Ok(Self { path: target, partial: Some(partial) })
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the data in place of what was there.
    ///
    /// # Errors
    /// It cannot; then the old file is as it was.
    pub(crate) fn write(self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
        let Self { path, partial } = self;
        let written = match partial {
            Some(partial) => {
                let mut to = BufWriter::new(partial);
                let written = write(&mut to).and_then(|()| to.into_inner().map_err(io::IntoInnerError::into_error));
                written.and_then(|file| {
                    file.as_file().sync_all()?;
                    file.persist(&path).map(drop).map_err(|error| error.error)
                })
            }
            None => OpenOptions::new().write(true).open(&path).and_then(|file| {
                let mut to = BufWriter::new(file);
                write(&mut to)?;
                to.flush()
            }),
        };
        written.map_err(|error| Failure::new(Exit::Failed, format!("cannot write to {}: {error}", path.display())))
    }
}
