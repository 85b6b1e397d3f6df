//! The platform: discovery and lookups here, power operations in their own module.

use std::collections::HashMap;

use async_trait::async_trait;
use chaos_core::{
    Capabilities, Context, Discovery, Error, ErrorKind, Fault, Operation, Outcome, Platform, PlatformIdentity,
    PlatformKind, PowerRights, Selector, Target, Undo, VMInfo, VMRef,
};

use crate::api::request::Request;
use crate::api::right::EntryPoint;
use crate::config::Config;
use crate::discovery::{self, KnownPlaces};
use crate::error::again;
use crate::power::Power;
use crate::rights;
use crate::session::Session;
use crate::watch::Watch;

/// An engine of oVirt or Oracle Linux Virtualization Manager that is connected and logged in.
///
/// It holds one session, which is logged in again when the engine ends it; share it behind an [`Arc`](std::sync::Arc). Call
/// [`Platform::disconnect`] at the end: a client that is merely dropped logs out in the background, if there is still a
/// tokio runtime to do so.
#[derive(Debug)]
pub struct Olvm {
    session: Session,
    watch: Watch,
    identity: PlatformIdentity,
    places: KnownPlaces,
}

impl Olvm {
    /// Logs in: one request.
    ///
    /// The engine is known by its address, since finding out more would take another request; its VMs have ids that no other
    /// engine gives.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for settings that cannot work, [`ErrorKind::Unauthenticated`] for a refused login
    /// (never tried again), [`ErrorKind::Unavailable`] and [`ErrorKind::Protocol`] if no engine answers at the address.
    pub async fn connect(cx: &Context, config: Config) -> Result<Self, Error> {
        let session = Session::open(cx, config).await?;
        let host = session.host();
        let identity = PlatformIdentity {
            kind: PlatformKind::OLVM,
            entry: session.config().entry.clone(),
            instance: format!("engine:{host}"),
            description: format!("oVirt engine at {host}"),
        };
        let watch = Watch::new(session.clone());
        Ok(Self { session, watch, identity, places: KnownPlaces::default() })
    }

    /// The engine's product and version, such as `oVirt Engine 4.5.4-1.el8`, if it tells them: one request.
    ///
    /// # Errors
    /// What a call can give.
    pub async fn product(&self, cx: &Context) -> Result<Option<String>, Error> {
        Ok(self.session.read(cx, &Request::entry_point(), EntryPoint::read).await?.product)
    }

    /// Which power operations the account may use on some VMs, as the engine tells it; nothing is changed.
    ///
    /// What counts are the account's roles on the system, on a VM, and on the cluster and the data center that it is in: two
    /// requests, and one for each role. If one of them is on a cluster or a data center, the VMs are looked at as well: one
    /// request for every 120 of them, and three for the places if no discovery has read them lately. An operation that is
    /// done in two ways has a right for each: powering off is `shut_down_vm` and `stop_vm`, rebooting is `reboot_vm` and, on
    /// engines that can reset VMs, `reset_vm`.
    ///
    /// The answer is a lower bound. An engine lists what the account and its groups were given, as far as it knows the
    /// groups; what comes from a group that it does not list, or by a place that the account cannot see, is not counted. It
    /// is too high in one case: the API has no element for some kinds of objects, such as vNIC profiles, so that a role on
    /// one of these looks like a role on the system. The roles that are made for them permit no power operation.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] if the engine does not tell: before 4.3 it does not say who the account is, and it may
    /// refuse to list permissions and roles. Else what a call can give.
    pub async fn power_rights(&self, cx: &Context, vms: &[VMRef]) -> Result<PowerRights, Error> {
        let own: Vec<&VMRef> = vms.iter().filter(|vm| vm.is_on(&self.identity)).collect();
        Box::pin(rights::read(&self.session, &self.places, cx, &own)).await
    }

    fn power(&self) -> Power<'_> {
        Power { session: &self.session, watch: &self.watch, identity: &self.identity, places: &self.places }
    }
}

#[async_trait]
impl Platform for Olvm {
    fn identity(&self) -> &PlatformIdentity {
        &self.identity
    }

    fn capabilities(&self) -> Capabilities {
        let operations = [Operation::PowerOn, Operation::PowerOff, Operation::Reboot, Operation::Suspend];
        let mut capabilities = Capabilities::new(operations);
        capabilities.guest_operations = true;
        capabilities.records_reason = true;
        capabilities
    }

    async fn discover(&self, cx: &Context, selector: &Selector) -> Result<Discovery, Error> {
        discovery::discover(&self.session, &self.places, cx, selector).await
    }

    async fn get(&self, cx: &Context, vms: &[VMRef]) -> Vec<Result<VMInfo, Error>> {
        let ids: Vec<&str> = vms.iter().filter(|vm| vm.is_on(&self.identity)).map(|vm| vm.id.as_str()).collect();
        let found = if ids.is_empty() {
            Ok(HashMap::new())
        } else {
            discovery::get(&self.session, &self.places, cx, &ids).await
        };
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                // That the list is not there says nothing about a VM.
                let kind = if error.kind() == ErrorKind::NotFound { ErrorKind::Protocol } else { error.kind() };
                let error = Error::new(kind, error.with_causes()).retry(error.retry_class());
                return vms.iter().map(|vm| Err(again(&error).vm(vm.to_string()))).collect();
            }
        };
        let one = |vm: &VMRef| {
            own(&self.identity, vm)?;
            match found.get(&vm.id) {
                Some(Ok(info)) => Ok(info.clone()),
                Some(Err(error)) => Err(again(error).vm(vm.to_string())),
                None => Err(Error::not_found(format!("id:{}", vm.id)).platform(PlatformKind::OLVM)),
            }
        };
        vms.iter().map(one).collect()
    }

    async fn prepare(&self, cx: &Context, targets: &[Target], fault: &Fault) -> Vec<Result<Undo, Error>> {
        self.power().prepare(cx, targets, fault).await
    }

    async fn apply(&self, cx: &Context, target: &Target, fault: &Fault) -> Result<Outcome, Error> {
        self.power().apply(cx, target, fault).await
    }

    async fn undo(&self, cx: &Context, undo: &Undo) -> Result<Outcome, Error> {
        self.power().undo(cx, undo).await
    }

    async fn disconnect(&self, cx: &Context) -> Result<(), Error> {
        self.session.close(cx).await
    }
}

/// Fails if a VM is another engine's.
pub(crate) fn own(identity: &PlatformIdentity, vm: &VMRef) -> Result<(), Error> {
    if vm.is_on(identity) {
        return Ok(());
    }
    let message = format!(
        "`{vm}` is a VM of the server {} and this is {}: connect to the server that it was found on",
        vm.instance, identity.instance
    );
    Err(Error::new(ErrorKind::NotFound, message).platform(identity.kind.clone()))
}
