//! The switch: a file that is there or not.

use std::fs;
use std::io::ErrorKind::NotFound;
use std::path::Path;

use async_trait::async_trait;
use chaos_core::{Clock, Error, Halt, HaltFlag};
use jiff::Timestamp;

use crate::files;
use crate::store::FileStore;

const FILE: &str = "halt.json";

#[async_trait]
impl HaltFlag for FileStore {
    async fn get(&self) -> Result<Option<Halt>, Error> {
        let path = self.root().join(FILE);
        files::blocking(move || read(&path)).await
    }

    async fn halt(&self, halt: &Halt) -> Result<Option<Halt>, Error> {
        let (path, halt) = (self.root().join(FILE), halt.clone());
        files::blocking(move || {
            if let Some(there) = read(&path)? {
                return Ok(Some(there));
            }
            let cannot = |error| files::failed("write", &path, error);
            let text = serde_json::to_vec_pretty(&halt).map_err(|error| cannot(error.into()))?;
            // On a disk that is full, a file with nothing in it halts too.
            let written =
                files::replace(&path, &text).or_else(|error| files::make_file(&path).map(drop).or(Err(error)));
            written.map_err(cannot)?;
            Ok(None)
        })
        .await
    }

    async fn resume(&self) -> Result<Option<Halt>, Error> {
        let path = self.root().join(FILE);
        files::blocking(move || {
            let there = read(&path)?;
            let removed = fs::remove_file(&path).and_then(|()| match path.parent() {
                Some(directory) => files::sync_directory(directory),
                None => Ok(()),
            });
            match removed {
                Err(error) if error.kind() != NotFound => Err(files::failed("remove", &path, error)),
                Ok(()) | Err(_) => Ok(there),
            }
        })
        .await
    }
}

fn read(path: &Path) -> Result<Option<Halt>, Error> {
    let text = match fs::read(path) {
        Ok(text) => text,
        // A link that leads nowhere was put there by somebody.
        Err(error) if error.kind() == NotFound && fs::symlink_metadata(path).is_ok() => Vec::new(),
        Err(error) if error.kind() == NotFound => return Ok(None),
        Err(error) => return Err(files::failed("read", path, error)),
    };
    // A file that is there halts, whatever is in it.
    let unclear = || {
        let now: Timestamp = chaos_core::SystemClock::new().now();
        let written = fs::metadata(path).and_then(|found| found.modified()).ok();
        let at = written.and_then(|at| Timestamp::try_from(at).ok()).unwrap_or(now);
        Halt::new(format!("{} cannot be understood", path.display()), "somebody", at)
    };
    Ok(Some(serde_json::from_slice(&text).unwrap_or_else(|_| unclear())))
}
