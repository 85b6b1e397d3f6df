//! Ctrl-C and SIGTERM: the first stops and puts back, the second stops that too.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// Listens for both signals from [`Interrupts::listen`] until it is dropped.
pub(crate) struct Interrupts {
    first: CancellationToken,
    second: CancellationToken,
    listener: JoinHandle<()>,
}

impl Interrupts {
    /// Starts to listen. `on_first` is said when the first signal comes.
    pub(crate) fn listen(output: Output, on_first: &'static str) -> Result<Self, Failure> {
        let cannot = |error: std::io::Error| Failure::new(Exit::Failed, format!("cannot listen for signals: {error}"));
        let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
        let (first, second) = (CancellationToken::new(), CancellationToken::new());
        let tokens = (first.clone(), second.clone());
        let listener = tokio::spawn(async move {
            either(&mut interrupt, &mut terminate).await;
            output.note(on_first);
            tokens.0.cancel();
            either(&mut interrupt, &mut terminate).await;
            tokens.1.cancel();
        });
        Ok(Self { first, second, listener })
    }

    /// Cancelled by the first signal.
    pub(crate) fn first(&self) -> &CancellationToken {
        &self.first
    }

    /// Cancelled by the second signal.
    pub(crate) fn second(&self) -> &CancellationToken {
        &self.second
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
