//! The VMs of one environment as a platform that can only be read.

use std::collections::HashMap;

use async_trait::async_trait;
use chaos_core::{
    Capabilities, Context, Discovery, Error, ErrorKind, Fault, Outcome, Platform, PlatformIdentity, PlatformKind,
    Selector, Target, Undo, VMInfo, VMRef,
};

use crate::catalogue::Environment;
use crate::client::Client;
use crate::config::Config;
use crate::filter::HostFilter;

/// The VMs of one environment as a platform that can only be read. Discoveries and lookups work; every power operation is
/// refused as [`ErrorKind::Unsupported`].
#[derive(Debug)]
pub struct Dora {
    client: Client,
    environment: Environment,
    filter: HostFilter,
    identity: PlatformIdentity,
}

impl Dora {
    /// Logs in: one request.
    ///
    /// # Errors
    /// As [`Client::new`] and [`Client::log_in`].
    pub async fn connect(
        cx: &Context,
        config: Config,
        environment: Environment,
        filter: HostFilter,
    ) -> Result<Self, Error> {
        let client = Client::new(config)?;
        client.log_in(cx).await?;
        let Config { entry, host, api_port, .. } = client.config();
        let identity = PlatformIdentity {
            kind: PlatformKind::DORA,
            entry: entry.clone(),
            // A managed object id is unique within its vCenter.
            instance: format!("dora:{host}:{api_port}/{}", environment.vcenter),
            description: format!("Dora at {host}, environment {} (read only)", environment.name),
        };
        Ok(Self { client, environment, filter, identity })
    }

    async fn vms(&self, cx: &Context) -> Result<Vec<VMInfo>, Error> {
        let vms = self.client.vms(cx, &self.environment, &self.filter).await?;
        match self.environment.excuse() {
            Some(excuse) if vms.is_empty() => {
                let message = format!("the service has no VMs in `{}`: {excuse}", self.environment.name);
                Err(Error::new(ErrorKind::NotFound, message).platform(PlatformKind::DORA))
            }
            _ => Ok(vms),
        }
    }

    fn read_only(fault: &Fault) -> Error {
        Error::unsupported(&PlatformKind::DORA, fault.operation().words())
    }
}

#[async_trait]
impl Platform for Dora {
    fn identity(&self) -> &PlatformIdentity {
        &self.identity
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new([])
    }

    async fn discover(&self, cx: &Context, selector: &Selector) -> Result<Discovery, Error> {
        Ok(Discovery::new(self.vms(cx).await?, Vec::new(), selector))
    }

    async fn get(&self, cx: &Context, vms: &[VMRef]) -> Vec<Result<VMInfo, Error>> {
        if !vms.iter().any(|vm| vm.is_on(&self.identity)) {
            return vms.iter().map(|vm| Err(not_here(vm))).collect();
        }
        let found = match self.vms(cx).await {
            Ok(found) => found,
            Err(error) => {
                let again = |vm: &VMRef| {
                    Error::new(error.kind(), error.message().to_owned())
                        .retry(error.retry_class())
                        .platform(PlatformKind::DORA)
                        .vm(vm.to_string())
                };
                return vms.iter().map(|vm| Err(again(vm))).collect();
            }
        };
        let found: HashMap<&str, &VMInfo> = found.iter().map(|vm| (vm.id.as_str(), vm)).collect();
        let one = |vm: &VMRef| match found.get(vm.id.as_str()) {
            Some(info) if vm.is_on(&self.identity) => Ok((*info).clone()),
            _ => Err(not_here(vm)),
        };
        vms.iter().map(one).collect()
    }

    async fn prepare(&self, _: &Context, targets: &[Target], fault: &Fault) -> Vec<Result<Undo, Error>> {
        targets.iter().map(|_| Err(Self::read_only(fault))).collect()
    }

    async fn apply(&self, _: &Context, _: &Target, fault: &Fault) -> Result<Outcome, Error> {
        Err(Self::read_only(fault))
    }

    async fn undo(&self, _: &Context, _: &Undo) -> Result<Outcome, Error> {
        Err(Error::unsupported(&PlatformKind::DORA, "undo"))
    }

    async fn disconnect(&self, _: &Context) -> Result<(), Error> {
        Ok(())
    }
}

fn not_here(vm: &VMRef) -> Error {
    Error::not_found(format!("id:{}", vm.id)).platform(PlatformKind::DORA)
}
