//! Sinks of run events: a file that survives a crash, memory, and several at once.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chaos_core::{Error, ErrorKind, EventSink, RunEvent};

/// Run events in a file, one JSON object a line. Each is on the disk before [`EventSink::record`] returns.
#[derive(Debug)]
pub struct FileSink {
    path: PathBuf,
    /// None once a write has failed: what follows a torn line could not be read.
    file: Arc<Mutex<Option<File>>>,
}

impl FileSink {
    /// A new file that only its owner can read. An existing file is never written to.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if it exists already or cannot be created.
    pub fn create(path: &Path) -> Result<Self, Error> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let refused = |error: std::io::Error| {
            Error::new(ErrorKind::Configuration, format!("cannot create the run log {}", path.display()))
                .caused_by(error)
        };
        let file = options.open(path).map_err(refused)?;
        // The entry of the directory has to survive a crash as well.
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(refused)?;
        Ok(Self { path: path.to_owned(), file: Arc::new(Mutex::new(Some(file))) })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[async_trait]
impl EventSink for FileSink {
    async fn record(&self, event: &RunEvent) -> Result<(), Error> {
        let failed = |cause: Option<std::io::Error>| {
            let error = Error::new(ErrorKind::Failed, format!("cannot write the run log {}", self.path.display()));
            match cause {
                Some(cause) => error.caused_by(cause),
                None => error,
            }
        };
        let mut line = serde_json::to_vec(event).map_err(|error| failed(Some(error.into())))?;
        line.push(b'\n');
        let file = Arc::clone(&self.file);
        let written = tokio::task::spawn_blocking(move || {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            // Taken out while it is written, so that a failure leaves it closed for good.
            let Some(mut open) = file.take() else { return Err(None) };
            open.write_all(&line).and_then(|()| open.sync_data()).map_err(Some)?;
            *file = Some(open);
            Ok(())
        })
        .await;
        match written {
            Ok(result) => result.map_err(failed),
            Err(_) => Err(failed(None)),
        }
    }
}

/// Run events in memory.
#[derive(Debug, Default)]
pub struct MemorySink(Mutex<Vec<RunEvent>>);

impl MemorySink {
    /// What was recorded so far.
    #[must_use]
    pub fn events(&self) -> Vec<RunEvent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl EventSink for MemorySink {
    async fn record(&self, event: &RunEvent) -> Result<(), Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
        Ok(())
    }
}

/// Several sinks, one after the other: put those that can fail first.
#[derive(Debug, Default)]
pub struct Sinks(pub Vec<Arc<dyn EventSink>>);

#[async_trait]
impl EventSink for Sinks {
    async fn record(&self, event: &RunEvent) -> Result<(), Error> {
        for sink in &self.0 {
            sink.record(event).await?;
        }
        Ok(())
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use chaos_core::{RunEventKind, RunId};
    use jiff::Timestamp;

    #[tokio::test]
    async fn a_full_disk_fails_the_record_and_every_later_one() {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let sink = FileSink { path: "/dev/full".into(), file: Arc::new(Mutex::new(Some(full))) };
        let event = RunEvent::new(RunId::new("r"), 0, Timestamp::UNIX_EPOCH, RunEventKind::RollbacksStarted);
        let error = sink.record(&event).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Failed);
        assert!(error.with_causes().contains("No space left"), "{}", error.with_causes());
        assert!(sink.record(&event).await.is_err());
        assert!(sink.file.lock().unwrap().is_none(), "nothing follows a torn line");
    }
}
