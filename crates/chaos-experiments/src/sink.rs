//! Sinks of run events: memory, and several at once. Those that survive a crash come from a
//! [`RunLog`](chaos_core::RunLog).

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chaos_core::{Error, EventSink, RunEvent};

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
