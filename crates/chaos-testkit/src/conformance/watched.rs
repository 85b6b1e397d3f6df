//! A wrapper of a platform that sees how many VMs are in transition at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use chaos_core::{
    Capabilities, Context, Discovery, Error, Fault, Outcome, Platform, PlatformIdentity, Selector, Target, Undo,
    VMInfo, VMRef,
};

/// A wrapper that counts the VMs that are in transition at the same time, and forwards everything.
#[derive(Debug)]
pub struct Watched {
    inner: Arc<dyn Platform>,
    now: AtomicUsize,
    peak: AtomicUsize,
}

impl Watched {
    /// Watches `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn Platform>) -> Self {
        Self { inner, now: AtomicUsize::new(0), peak: AtomicUsize::new(0) }
    }

    /// The most VMs that were in transition at the same time.
    #[must_use]
    pub fn peak(&self) -> usize {
        self.peak.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Platform for Watched {
    fn identity(&self) -> &PlatformIdentity {
        self.inner.identity()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn discover(&self, cx: &Context, selector: &Selector) -> Result<Discovery, Error> {
        self.inner.discover(cx, selector).await
    }

    async fn get(&self, cx: &Context, vms: &[VMRef]) -> Vec<Result<VMInfo, Error>> {
        self.inner.get(cx, vms).await
    }

    async fn prepare(&self, cx: &Context, targets: &[Target], fault: &Fault) -> Vec<Result<Undo, Error>> {
        self.inner.prepare(cx, targets, fault).await
    }

    async fn apply(&self, cx: &Context, target: &Target, fault: &Fault) -> Result<Outcome, Error> {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.peak.fetch_max(now, Ordering::SeqCst);
        // Also a call that is dropped half way is over.
        let _in_transition = InTransition(&self.now);
        self.inner.apply(cx, target, fault).await
    }

    async fn undo(&self, cx: &Context, undo: &Undo) -> Result<Outcome, Error> {
        self.inner.undo(cx, undo).await
    }

    async fn disconnect(&self, cx: &Context) -> Result<(), Error> {
        self.inner.disconnect(cx).await
    }
}

struct InTransition<'a>(&'a AtomicUsize);

impl Drop for InTransition<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
