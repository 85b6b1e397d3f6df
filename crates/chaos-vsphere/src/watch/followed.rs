//! One object that somebody follows: its state now, and the next one when it comes.

use std::sync::Arc;

use chaos_core::{Context, Error, ErrorKind, PlatformKind};
use tokio::sync::mpsc::UnboundedReceiver;

use super::pace::Fresh;
use super::roll::News;
use super::{Listed, Shared};
use crate::vim::MoRef;

/// An object that is followed until this is dropped.
#[derive(Debug)]
pub(crate) struct Followed<S: Listed> {
    shared: Arc<Shared>,
    object: MoRef,
    id: u64,
    news: UnboundedReceiver<News<S>>,
    fresh: Fresh,
    state: S,
}

/// Why nothing more is heard of an object.
#[derive(Debug, Clone)]
pub(crate) enum Lost {
    /// It does not exist, or no longer.
    Gone,
    /// The server refuses to be asked.
    Failed(Arc<Error>),
}

impl<S: Listed> Followed<S> {
    pub(super) fn new(
        shared: Arc<Shared>,
        object: MoRef,
        id: u64,
        news: UnboundedReceiver<News<S>>,
        fresh: Fresh,
    ) -> Self {
        Self { shared, object, id, news, fresh, state: S::default() }
    }

    pub(crate) fn object(&self) -> &MoRef {
        &self.object
    }

    /// The state as of the last [`Followed::settle`] or [`Followed::next`].
    pub(crate) fn state(&self) -> &S {
        &self.state
    }

    /// Whether a change of the last instant before [`Watch::follow`](super::Watch::follow) may be missing in what
    /// [`Followed::settle`] gave.
    pub(crate) fn is_nearly_fresh(&self) -> bool {
        self.fresh.nearly
    }

    /// Waits until the server has said what the object is like, as of the time when it was begun to be followed.
    pub(crate) async fn settle(&mut self) -> Result<&S, Lost> {
        let mut answered = self.shared.answered.subscribe();
        loop {
            if *answered.borrow_and_update() >= self.fresh.at && self.catch_up()? {
                return Ok(&self.state);
            }
            tokio::select! {
                // The sender lives in `shared`: it cannot be gone.
                _ = answered.changed() => {}
                news = self.news.recv() => {
                    if let Some(News::Failed(error)) = news {
                        return Err(Lost::Failed(error));
                    }
                }
            }
        }
    }

    /// Takes over what is known and skips the news that led there. False if nothing is known yet.
    pub(crate) fn catch_up(&mut self) -> Result<bool, Lost> {
        // News are sent under this lock, so that none can come in between.
        let mut board = self.shared.board();
        match S::roll(&mut board).known(&self.object) {
            None => Ok(false),
            Some(News::State(state)) => {
                self.state = state;
                while let Ok(news) = self.news.try_recv() {
                    if let News::Failed(error) = news {
                        return Err(Lost::Failed(error));
                    }
                }
                Ok(true)
            }
            Some(News::Gone) => Err(Lost::Gone),
            Some(News::Failed(error)) => Err(Lost::Failed(error)),
        }
    }

    /// Waits for the next state. None is left out, however fast they come.
    pub(crate) async fn next(&mut self) -> Result<&S, Lost> {
        match self.news.recv().await {
            Some(News::State(state)) => {
                self.state = state;
                Ok(&self.state)
            }
            // The sender goes only together with the entry, which lives as long as we follow it.
            Some(News::Gone) | None => Err(Lost::Gone),
            Some(News::Failed(error)) => Err(Lost::Failed(error)),
        }
    }

    /// Why nothing is heard at the moment, if so: to be told beside a time-out.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.shared.board().trouble.clone()
    }
}

impl<S: Listed> Drop for Followed<S> {
    fn drop(&mut self) {
        S::roll(&mut self.shared.board()).unfollow(&self.object, self.id);
    }
}

impl Lost {
    /// The error for a VM.
    pub(crate) fn of_vm(self) -> Error {
        match self {
            Self::Gone => {
                Error::new(ErrorKind::NotFound, "the VM does not exist any more").platform(PlatformKind::VSPHERE)
            }
            Self::Failed(error) => share(&error),
        }
    }
}

/// One cause, told to each of many who waited.
fn share(error: &Arc<Error>) -> Error {
    let shared =
        Error::new(error.kind(), error.message().to_owned()).retry(error.retry_class()).caused_by(Arc::clone(error));
    match error.platform_kind() {
        Some(kind) => shared.platform(kind.clone()),
        None => shared,
    }
}

impl Shared {
    /// The context that the driver works in: the clock and the run of whoever asked last.
    pub(super) fn asker(&self, limit: std::time::Duration) -> Context {
        self.board().asker.as_ref().map_or_else(|| Context::with_timeout(limit), |cx| cx.detached(limit))
    }
}
