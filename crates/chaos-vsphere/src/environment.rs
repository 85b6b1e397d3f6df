//! Ready-made questions about an environment.

use chaos_core::{Context, Discovery, EnvironmentSummary, Error, NamePattern, Problem, Selector, VMPowerState};

use crate::discovery::discover;
use crate::session::Session;

/// Ready-made questions about the environment of a vCenter or ESXi host; made by
/// [`VSphere::discovery`](crate::VSphere::discovery).
///
/// Each answer takes one request and as many more as the server makes pages of it. Names may be globs and are compared
/// case-sensitively with decoded names.
#[derive(Clone, Copy, Debug)]
pub struct VSphereDiscovery<'p> {
    session: &'p Session,
}

/// An environment in numbers, and what could not be read of it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct EnvironmentReport {
    /// The numbers.
    pub summary: EnvironmentSummary,
    /// What could not be read, and is therefore not in the numbers.
    pub problems: Vec<Problem>,
}

impl<'p> VSphereDiscovery<'p> {
    pub(crate) fn new(session: &'p Session) -> Self {
        Self { session }
    }

    /// All VMs, templates and unmanageable ones included.
    pub async fn all(&self, cx: &Context) -> Result<Discovery, Error> {
        discover(self.session, cx, &Selector::all()).await
    }

    /// The VMs in a datacenter.
    pub async fn by_datacenter(&self, cx: &Context, datacenter: &str) -> Result<Discovery, Error> {
        let mut selector = Selector::all();
        selector.datacenter = Some(NamePattern::new(datacenter)?);
        discover(self.session, cx, &selector).await
    }

    /// The VMs on the hosts of a cluster.
    pub async fn by_cluster(&self, cx: &Context, cluster: &str) -> Result<Discovery, Error> {
        let mut selector = Selector::all();
        selector.cluster = Some(NamePattern::new(cluster)?);
        discover(self.session, cx, &selector).await
    }

    /// The VMs on a host.
    pub async fn by_host(&self, cx: &Context, host: &str) -> Result<Discovery, Error> {
        let mut selector = Selector::all();
        selector.host = Some(NamePattern::new(host)?);
        discover(self.session, cx, &selector).await
    }

    /// The VMs that are powered on.
    pub async fn powered_on(&self, cx: &Context) -> Result<Discovery, Error> {
        let mut selector = Selector::all();
        selector.power_state = Some(VMPowerState::PoweredOn);
        discover(self.session, cx, &selector).await
    }

    /// The environment in numbers: VMs by state, datacenter, cluster and host, vCPUs and memory, tools states,
    /// templates, unmanageable VMs.
    pub async fn summary(&self, cx: &Context) -> Result<EnvironmentReport, Error> {
        let Discovery { vms, problems, .. } = self.all(cx).await?;
        Ok(EnvironmentReport { summary: EnvironmentSummary::of(&vms), problems })
    }
}
