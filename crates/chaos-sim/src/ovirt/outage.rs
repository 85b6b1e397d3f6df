//! A restart of the engine, as its clients see it.

use std::time::Duration;

use super::page;
use crate::wire::Reply;

/// A restart, in world time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outage {
    /// Until then nobody answers behind the web server.
    down_until: Duration,
    /// From then on all is there again.
    up_from: Duration,
}

impl Outage {
    pub(super) fn new(now: Duration, down: Duration, deploying: Duration) -> Self {
        let down_until = now.saturating_add(down);
        Self { down_until, up_from: down_until.saturating_add(deploying) }
    }

    /// What every request gets now, if the engine is not back.
    pub(super) fn page(self, now: Duration) -> Option<Reply> {
        if now < self.down_until { Some(page::web_server(503)) } else { (now < self.up_from).then(page::not_found) }
    }
}
