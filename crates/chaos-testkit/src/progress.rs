//! A progress sink that remembers everything.

use std::sync::{Arc, Mutex, PoisonError};

use chaos_core::{Progress, ProgressSink, ProgressStep};

/// Remembers every [`Progress`] that was reported. Clones share the record.
#[derive(Debug, Clone, Default)]
pub struct RecordingProgress(Arc<Mutex<Vec<Progress>>>);

impl RecordingProgress {
    /// An empty record.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same record as a [`Context`](chaos_core::Context) takes it.
    #[must_use]
    pub fn sink(&self) -> Arc<dyn ProgressSink> {
        Arc::new(self.clone())
    }

    /// All that was reported, in order.
    #[must_use]
    pub fn all(&self) -> Vec<Progress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The steps of the VM with object id `id`, in order.
    #[must_use]
    pub fn steps_of(&self, id: &str) -> Vec<ProgressStep> {
        self.all().into_iter().filter(|progress| progress.vm.id == id).map(|progress| progress.step).collect()
    }
}

impl ProgressSink for RecordingProgress {
    fn report(&self, progress: Progress) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(progress);
    }
}
