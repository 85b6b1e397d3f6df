//! The platform: discovery and lookups here, power operations in their own module.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use chaos_core::{
    Capabilities, Context, Discovery, Error, ErrorKind, Fault, Operation, Outcome, Platform, PlatformIdentity,
    PlatformKind, PowerRights, Selector, Target, Undo, VMInfo, VMRef,
};

use crate::config::Config;
use crate::discovery;
use crate::environment::VSphereDiscovery;
use crate::power::Power;
use crate::rights;
use crate::session::Session;
use crate::watch::Watch;

/// A vCenter or ESXi host that is connected and logged in.
///
/// It holds one session, which is kept alive and is logged in again when the server ends it; share it behind an
/// [`Arc`](std::sync::Arc). Call [`Platform::disconnect`] at the end: a client that is merely dropped logs out in the
/// background, if there is still a tokio runtime to do so.
#[derive(Debug)]
pub struct VSphere {
    session: Session,
    watch: Watch,
    identity: PlatformIdentity,
    /// The inventory paths that were read so far, by object id: they tell people in an undo record which VM it is.
    paths: Mutex<HashMap<String, String>>,
}

impl VSphere {
    /// Connects and logs in: three requests.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for settings that cannot work, [`ErrorKind::Unauthenticated`] for a refused login
    /// (never tried again), [`ErrorKind::Unavailable`] and [`ErrorKind::Protocol`] if there is no vSphere server at
    /// the address.
    pub async fn connect(cx: &Context, config: Config) -> Result<Self, Error> {
        let session = Session::open(cx, config).await?;
        let about = &session.content().about;
        // An ESXi host has no instance id: it is known by its address.
        let instance = about.instance_uuid.clone().unwrap_or_else(|| format!("host:{}", session.host()));
        let identity = PlatformIdentity {
            kind: PlatformKind::VSPHERE,
            entry: session.config().entry.clone(),
            instance,
            description: format!("{} at {}", about.full_name, session.host()),
        };
        let watch = Watch::new(session.clone(), session.config().long_poll);
        Ok(Self { session, watch, identity, paths: Mutex::default() })
    }

    /// Ready-made questions about the environment.
    #[must_use]
    pub fn discovery(&self) -> VSphereDiscovery<'_> {
        VSphereDiscovery::new(&self.session)
    }

    /// Which power operations the account may use on some VMs: two requests, which change nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] if the server does not tell (before vSphere 5.5), and what a call can give.
    pub async fn power_rights(&self, cx: &Context, vms: &[VMRef]) -> Result<PowerRights, Error> {
        let own: Vec<&VMRef> = vms.iter().filter(|vm| vm.is_on(&self.identity)).collect();
        rights::read(&self.session, cx, &own).await
    }

    fn power(&self) -> Power<'_> {
        Power { session: &self.session, watch: &self.watch, identity: &self.identity }
    }

    fn remember_paths<'a>(&self, vms: impl IntoIterator<Item = &'a VMInfo>) {
        let mut paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        paths.extend(vms.into_iter().filter_map(|vm| Some((vm.id.clone(), vm.path.clone()?))));
    }

    /// Power operations look at single VMs, of which only a walk through the inventory tells the path.
    fn with_path(&self, mut undo: Undo) -> Undo {
        if let (None, Some(vm)) = (&undo.path, undo.target.vm()) {
            undo.path = self.paths.lock().unwrap_or_else(PoisonError::into_inner).get(&vm.id).cloned();
        }
        undo
    }

    /// The present state of some VMs by reference, in the order asked for.
    pub(crate) async fn read(&self, cx: &Context, vms: &[&VMRef]) -> Vec<Result<VMInfo, Error>> {
        let ids: Vec<&str> = vms.iter().filter(|vm| vm.is_on(&self.identity)).map(|vm| vm.id.as_str()).collect();
        let found = if ids.is_empty() { Ok(Vec::new()) } else { discovery::get(&self.session, cx, &ids).await };
        let found = match found {
            Ok(found) => {
                self.remember_paths(&found);
                found.into_iter().map(|vm| (vm.id.clone(), vm)).collect::<HashMap<_, _>>()
            }
            Err(error) => return vms.iter().map(|vm| Err(again(&error).vm(vm.to_string()))).collect(),
        };
        let one = |vm: &&VMRef| {
            if !vm.is_on(&self.identity) {
                return Err(Error::new(
                    ErrorKind::NotFound,
                    format!("{vm} is a VM of the server {}, and this is {}", vm.instance, self.identity.description),
                )
                .platform(PlatformKind::VSPHERE));
            }
            found
                .get(&vm.id)
                .cloned()
                .ok_or_else(|| Error::not_found(format!("id:{}", vm.id)).platform(PlatformKind::VSPHERE))
        };
        vms.iter().map(one).collect()
    }
}

#[async_trait]
impl Platform for VSphere {
    fn identity(&self) -> &PlatformIdentity {
        &self.identity
    }

    fn capabilities(&self) -> Capabilities {
        let operations = [Operation::PowerOn, Operation::PowerOff, Operation::Reboot, Operation::Suspend];
        let mut capabilities = Capabilities::new(operations);
        capabilities.guest_operations = true;
        capabilities
    }

    async fn discover(&self, cx: &Context, selector: &Selector) -> Result<Discovery, Error> {
        let found = discovery::discover(&self.session, cx, selector).await?;
        self.remember_paths(&found.vms);
        Ok(found)
    }

    async fn get(&self, cx: &Context, vms: &[VMRef]) -> Vec<Result<VMInfo, Error>> {
        self.read(cx, &vms.iter().collect::<Vec<_>>()).await
    }

    async fn prepare(&self, cx: &Context, targets: &[Target], fault: &Fault) -> Vec<Result<Undo, Error>> {
        let prepared = self.power().prepare(cx, targets, fault).await;
        prepared.into_iter().map(|undo| Ok(self.with_path(undo?))).collect()
    }

    async fn apply(&self, cx: &Context, target: &Target, fault: &Fault) -> Result<Outcome, Error> {
        self.power().apply(cx, target, fault).await
    }

    async fn undo(&self, cx: &Context, undo: &Undo) -> Result<Outcome, Error> {
        self.power().undo(cx, undo).await
    }

    async fn disconnect(&self, cx: &Context) -> Result<(), Error> {
        self.watch.close(cx).await;
        Ok(self.session.close(cx).await?)
    }
}

/// The same error once more, for each VM of a request that failed as a whole.
pub(crate) fn again(error: &Error) -> Error {
    Error::new(error.kind(), error.with_causes()).retry(error.retry_class()).platform(PlatformKind::VSPHERE)
}
