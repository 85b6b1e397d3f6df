//! The VMs of one environment as a platform that can only be read.

use std::collections::HashMap;
use std::slice;

use async_trait::async_trait;
use chaos_core::{
    Capabilities, Context, Discovery, Error, ErrorKind, Fault, How, Outcome, Platform, PlatformIdentity, PlatformKind,
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
        let (entry, service) = (&client.config().entry, client.service());
        let identity = PlatformIdentity {
            kind: PlatformKind::DORA,
            entry: entry.clone(),
            // A managed object id is unique within its vCenter.
            instance: format!("dora:{service}/{}", environment.vcenter),
            description: format!("Dora at {service}, environment {} (read only)", environment.name),
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

    /// Why `operation` is not done to `target`.
    fn refusal(&self, cx: &Context, target: &Target, operation: &'static str) -> Error {
        if let Err(ended) = cx.check("asking whether that can be done") {
            return ended;
        }
        let message = format!("dora does not support {operation}: it is an inventory that can only be read");
        let read_only = Error::new(ErrorKind::Unsupported, message).platform(PlatformKind::DORA).operation(operation);
        match target.vm() {
            Some(vm) if !vm.is_on(&self.identity) => not_here(vm),
            Some(vm) => read_only.vm(vm.to_string()),
            None => read_only,
        }
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
        let mut by_id: HashMap<&str, Vec<&VMInfo>> = HashMap::new();
        for vm in &found {
            by_id.entry(&vm.id).or_default().push(vm);
        }
        let one = |vm: &VMRef| match by_id.get(vm.id.as_str()).map(Vec::as_slice) {
            Some(_) if !vm.is_on(&self.identity) => Err(not_here(vm)),
            Some([only]) => Ok((*only).clone()),
            // Where the service gives no ids, names take their place, and these need not be unique.
            Some(several) => {
                Err(Error::ambiguous(&vm.id, several.iter().map(|vm| vm.display_path().to_owned()).collect())
                    .platform(PlatformKind::DORA))
            }
            None => Err(not_here(vm)),
        };
        vms.iter().map(one).collect()
    }

    async fn prepare(&self, cx: &Context, targets: &[Target], fault: &Fault) -> Vec<Result<Undo, Error>> {
        targets.iter().map(|target| Err(self.refusal(cx, target, fault.operation().words()))).collect()
    }

    async fn apply(&self, cx: &Context, target: &Target, fault: &Fault) -> Result<Outcome, Error> {
        Err(self.refusal(cx, target, fault.operation().words()))
    }

    async fn undo(&self, cx: &Context, undo: &Undo) -> Result<Outcome, Error> {
        let Some(vm) = undo.target.vm() else {
            return Err(self.refusal(cx, &undo.target, undo.operation.words()));
        };
        let start = cx.monotonic();
        let found = self.get(cx, slice::from_ref(vm)).await.remove(0)?.power_state;
        match undo.next_step(found)? {
            // Nothing of this platform leads to a record. Whoever has one all the same is told how old the answer is.
            None => Ok(Outcome::new(How::AlreadyThere, found, found, cx.monotonic().saturating_sub(start))
                .note("by the word of an inventory that may be a minute old")),
            Some(fault) => Err(self.refusal(cx, &undo.target, fault.operation().words())),
        }
    }

    async fn disconnect(&self, cx: &Context) -> Result<(), Error> {
        self.client.close(cx).await
    }
}

fn not_here(vm: &VMRef) -> Error {
    Error::not_found(format!("id:{}", vm.id)).platform(PlatformKind::DORA)
}
