//! The client: listings of an environment.

use chaos_core::{Context, Error, ErrorKind, PlatformKind, VMInfo};
use chaos_http::StatusCode;
use jiff::Timestamp;

use crate::catalogue::Environment;
use crate::config::Config;
use crate::filter::HostFilter;
use crate::inventory::{EnvironmentData, Hypervisor, read_vm};
use crate::listing::{Item, items};
use crate::session::{Session, unexpected};
use crate::wire::{self, Listing};

/// A client of one Dora service. It logs in when it first has to, keeps its token, and gets a new one once when the service
/// rejects it. Cheap to clone; clones share the token.
///
/// There is no logout: a token is left to the service.
#[derive(Debug, Clone)]
pub struct Client(Session);

impl Client {
    /// A client that has connected to nothing yet.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for settings that cannot work.
    pub fn new(config: Config) -> Result<Self, Error> {
        Session::new(config).map(Self)
    }

    /// What it was made from.
    #[must_use]
    pub fn config(&self) -> &Config {
        self.0.config()
    }

    /// Logs in, to know whether the account is right.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthenticated`] for a refused login, which this client never tries again;
    /// [`ErrorKind::Unavailable`] and [`ErrorKind::Protocol`] if no Dora service answers.
    pub async fn log_in(&self, cx: &Context) -> Result<(), Error> {
        self.0.log_in(cx).await
    }

    /// The service as `HOST:PORT` of the inventory, in one spelling for every way to write the host.
    pub(crate) fn service(&self) -> String {
        let api = self.0.api();
        format!("{}:{}", api.host_str().unwrap_or_default(), self.config().api_port)
    }

    /// Forgets the token. Nothing can be asked afterwards.
    pub(crate) async fn close(&self, cx: &Context) -> Result<(), Error> {
        self.0.close(cx).await
    }

    /// The hypervisors of an environment.
    ///
    /// # Errors
    /// As [`log_in`](Self::log_in); [`ErrorKind::NotFound`] if the service does not know the environment;
    /// [`ErrorKind::Protocol`] for an answer that is not understood, with index and field.
    pub async fn hypervisors(
        &self,
        cx: &Context,
        environment: &Environment,
        filter: &HostFilter,
    ) -> Result<Vec<Hypervisor>, Error> {
        let items = self.list(cx, Listing::Hypervisors, environment, filter).await?;
        items.into_iter().map(Hypervisor::read).collect()
    }

    /// The VMs of an environment, as they were up to a minute ago. The metadata of each says its `environment` and its
    /// `vcenter`.
    ///
    /// # Errors
    /// As [`hypervisors`](Self::hypervisors).
    pub async fn vms(
        &self,
        cx: &Context,
        environment: &Environment,
        filter: &HostFilter,
    ) -> Result<Vec<VMInfo>, Error> {
        let items = self.list(cx, Listing::VirtualMachines, environment, filter).await?;
        items.into_iter().map(|item| read_vm(item, environment)).collect()
    }

    /// Hypervisors and VMs of an environment, asked for at the same time with one login.
    ///
    /// # Errors
    /// As [`hypervisors`](Self::hypervisors).
    pub async fn environment_data(
        &self,
        cx: &Context,
        environment: &Environment,
        filter: &HostFilter,
    ) -> Result<EnvironmentData, Error> {
        // Both to the end, so that of two failures always the same one is told.
        let (hypervisors, vms) =
            tokio::join!(self.hypervisors(cx, environment, filter), self.vms(cx, environment, filter));
        let (hypervisors, vms) = (hypervisors?, vms?);
        if let (true, true, Some(excuse)) = (hypervisors.is_empty(), vms.is_empty(), environment.excuse()) {
            let message = format!("the service has nothing in `{}`: {excuse}", environment.name);
            return Err(Error::new(ErrorKind::NotFound, message).platform(PlatformKind::DORA));
        }
        Ok(EnvironmentData { environment: environment.clone(), timestamp: Timestamp::now(), hypervisors, vms })
    }

    async fn list(
        &self,
        cx: &Context,
        listing: Listing,
        environment: &Environment,
        filter: &HostFilter,
    ) -> Result<Vec<Item>, Error> {
        let request = |root: &_, token: &_| wire::listing(root, listing, token, environment, filter);
        let answer = self.0.fetch(cx, request).await?;
        match (answer.status(), environment.excuse()) {
            (status, _) if status.is_success() => items(listing.name(), answer.bytes()),
            (StatusCode::NOT_FOUND, excuse) => {
                let Environment { name, vcenter, .. } = environment;
                let message = match excuse {
                    Some(excuse) => format!("the service does not know `{name}`: {excuse}"),
                    None => format!("the service does not know `{name}` (vCenter `{vcenter}`, {})", listing.name()),
                };
                Err(Error::new(ErrorKind::NotFound, message).platform(PlatformKind::DORA))
            }
            (status, _) => Err(unexpected(listing.name(), status)),
        }
    }
}
