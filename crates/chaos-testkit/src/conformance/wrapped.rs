//! Runs the suite through a wrapper of platforms, as an orchestrator hands them out.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chaos_core::{Context, Error, Platform, SharedClock, VMPowerState};
use secrecy::SecretString;

use super::harness::{Ability, Break, Harness, Outage, Server};
use crate::estate::{EstateSpec, VmKey};

type Wrap = Arc<dyn Fn(Arc<dyn Platform>) -> Arc<dyn Platform> + Send + Sync>;

/// A harness whose clients are wrapped: whatever the suite asks of a platform it then asks of the wrapper.
///
/// ```ignore
/// chaos_testkit::conformance!(Wrapped::new(my_harness(), |inner| Arc::new(Guarded::new(inner))));
/// ```
///
/// The trait [`Platform`] has no default bodies, so that the compiler sees to it that a wrapper forwards every method;
/// the suite sees to it that it forwards them to the right one.
pub struct Wrapped<H> {
    inner: H,
    wrap: Wrap,
}

impl<H: Harness> Wrapped<H> {
    /// The servers of `harness`, and their clients as `wrap` makes them.
    pub fn new(harness: H, wrap: impl Fn(Arc<dyn Platform>) -> Arc<dyn Platform> + Send + Sync + 'static) -> Self {
        Self { inner: harness, wrap: Arc::new(wrap) }
    }
}

impl<H> fmt::Debug for Wrapped<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wrapped").finish_non_exhaustive()
    }
}

#[async_trait]
impl<H: Harness> Harness for Wrapped<H> {
    fn cannot(&self) -> Vec<(Ability, &'static str)> {
        self.inner.cannot()
    }

    fn clock(&self) -> SharedClock {
        self.inner.clock()
    }

    async fn start(&self, estate: &EstateSpec) -> Box<dyn Server> {
        Box::new(WrappedServer { inner: self.inner.start(estate).await, wrap: Arc::clone(&self.wrap) })
    }
}

struct WrappedServer {
    inner: Box<dyn Server>,
    wrap: Wrap,
}

#[async_trait]
impl Server for WrappedServer {
    async fn connect(&self, cx: &Context, password: &SecretString) -> Result<Arc<dyn Platform>, Error> {
        Ok((self.wrap)(self.inner.connect(cx, password).await?))
    }

    async fn id_of(&self, vm: VmKey) -> String {
        self.inner.id_of(vm).await
    }

    async fn power_state(&self, vm: VmKey) -> VMPowerState {
        self.inner.power_state(vm).await
    }

    async fn destructive_calls(&self, vm: VmKey) -> usize {
        self.inner.destructive_calls(vm).await
    }

    async fn hard_calls(&self, vm: VmKey) -> usize {
        self.inner.hard_calls(vm).await
    }

    async fn login_attempts(&self) -> usize {
        self.inner.login_attempts().await
    }

    async fn open_sessions(&self) -> usize {
        self.inner.open_sessions().await
    }

    async fn kill_sessions(&self) {
        self.inner.kill_sessions().await;
    }

    async fn break_next(&self, what: Break) {
        self.inner.break_next(what).await;
    }

    async fn set_outage(&self, outage: Option<Outage>) {
        self.inner.set_outage(outage).await;
    }

    async fn set_power_state(&self, vm: VmKey, state: VMPowerState) {
        self.inner.set_power_state(vm, state).await;
    }

    async fn delete(&self, vm: VmKey) {
        self.inner.delete(vm).await;
    }
}
