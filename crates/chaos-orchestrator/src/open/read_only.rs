//! A platform that can only be read, and knows where its VMs can be switched.

use std::sync::Arc;

use async_trait::async_trait;
use chaos_core::{
    Capabilities, Context, Discovery, Error, ErrorKind, Fault, Outcome, Platform, PlatformIdentity, Selector, Target,
    Undo, VMInfo, VMRef,
};

/// A platform that can only be read. Where it says so, this adds what can be done instead.
#[derive(Debug)]
pub(crate) struct ReadOnly {
    inner: Arc<dyn Platform>,
    /// Where its VMs can be switched.
    way_out: String,
}

impl ReadOnly {
    pub(crate) fn new(inner: Arc<dyn Platform>, way_out: String) -> Self {
        Self { inner, way_out }
    }

    fn add(&self, error: Error) -> Error {
        if error.kind() != ErrorKind::Unsupported {
            return error;
        }
        let mut told = Error::new(error.kind(), format!("{}: {}", error.message(), self.way_out));
        if let Some(platform) = error.platform_kind() {
            told = told.platform(platform.clone());
        }
        if let Some(operation) = error.operation_name() {
            told = told.operation(operation.to_owned());
        }
        if let Some(vm) = error.vm_name() {
            told = told.vm(vm);
        }
        told.retry(error.retry_class())
    }
}

#[async_trait]
impl Platform for ReadOnly {
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
        let prepared = self.inner.prepare(cx, targets, fault).await;
        prepared.into_iter().map(|undo| undo.map_err(|error| self.add(error))).collect()
    }

    async fn apply(&self, cx: &Context, target: &Target, fault: &Fault) -> Result<Outcome, Error> {
        self.inner.apply(cx, target, fault).await.map_err(|error| self.add(error))
    }

    async fn undo(&self, cx: &Context, undo: &Undo) -> Result<Outcome, Error> {
        self.inner.undo(cx, undo).await.map_err(|error| self.add(error))
    }

    async fn disconnect(&self, cx: &Context) -> Result<(), Error> {
        self.inner.disconnect(cx).await
    }
}
