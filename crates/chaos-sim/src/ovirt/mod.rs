//! The oVirt door: shows a world as an engine does, in its REST API of version 4.
//!
//! Source: oVirt REST API guide and the API model (`ovirt-engine-api-model`).

mod access;
mod action;
mod answer;
mod body;
mod collection;
mod element;
mod event;
mod fault;
mod follow;
mod ids;
mod job;
mod outage;
mod page;
mod perform;
mod permission;
mod power;
mod request;
mod role;
mod route;
mod row;
mod scene;
pub(crate) mod search;
mod session;
mod sso;
mod status;
mod tag;
mod version;
mod view;
mod write;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use jiff::tz::Offset;

use self::ids::Ids;
use self::job::Jobs;
use self::outage::Outage;
pub(crate) use self::request::Request;
use self::session::Sessions;
use self::tag::Tags;
pub use self::version::EngineVersion;
use crate::accounts::{SessionInfo, SessionRules};
use crate::wire::Subject;
use crate::world::{Happening, Note, VmId, World};

/// The id that the engine of a seed gives to a VM.
pub(crate) fn vm_id(seed: u64, vm: VmId) -> String {
    Ids::new(seed).vm(vm)
}

/// What the engine is like.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) seed: u64,
    pub(crate) version: EngineVersion,
    /// The zone that it tells times in.
    pub(crate) zone: Offset,
    /// Names of VMs that only administrators see.
    pub(crate) restricted: BTreeSet<String>,
}

/// The door. Tags are locked before the world, and that before jobs and ids; sessions are locked alone.
#[derive(Debug)]
pub(crate) struct Engine {
    site: Site,
    sessions: Mutex<Sessions>,
    jobs: Mutex<Jobs>,
    tags: Mutex<Tags>,
    ids: Ids,
    outage: Mutex<Option<Outage>>,
    /// The authority that clients have to trust, if there is TLS.
    certificate: OnceLock<String>,
    requests: AtomicU64,
    world: World,
}

impl Engine {
    pub(crate) fn new(world: World, site: Site, rules: SessionRules) -> Self {
        Self {
            sessions: Mutex::new(Sessions::new(site.seed, rules)),
            jobs: Mutex::default(),
            tags: Mutex::default(),
            ids: Ids::new(site.seed),
            outage: Mutex::default(),
            certificate: OnceLock::new(),
            requests: AtomicU64::new(0),
            world,
            site,
        }
    }

    /// Makes the certificate of an authority known to whoever asks for it.
    pub(crate) fn publish_certificate(&self, pem: &str) {
        // It is published once, before the first request.
        let _ = self.certificate.set(pem.to_owned());
    }

    /// Reads a request.
    pub(crate) fn read(&self, parts: &Parts, body: Bytes, peer: String) -> Request {
        Request::new(parts, body, peer, self.requests.fetch_add(1, Ordering::Relaxed))
    }

    /// What a request is about.
    pub(crate) fn subject(&self, request: &Request) -> Subject {
        let is_login = matches!(request.route, route::Route::Token | route::Route::Logout);
        let object = request.route.id().unwrap_or_default().to_owned();
        let object_name = self.world.with(|state| {
            let vm = self.ids.find_vm(&object, state)?;
            Some(vm.name.clone())
        });
        Subject {
            method: request.route.word().to_owned(),
            object,
            object_name,
            session: self.session_key(request),
            operation_id: request
                .header("correlation-id")
                .or_else(|| request.parameter("correlation_id"))
                .map(str::to_owned),
            query: if is_login { None } else { request.told_query() },
            search: request.parameter("search").map(str::to_owned),
            reason: action::reason_of(request),
        }
    }

    /// The id of a VM.
    pub(crate) fn vm_id(&self, vm: VmId) -> String {
        self.ids.vm(vm)
    }

    /// The VM of an id.
    pub(crate) fn vm_of(&self, id: &str) -> Option<VmId> {
        self.world.with(|state| self.ids.find_vm(id, state).map(|vm| vm.id))
    }

    /// The open sessions, by key.
    pub(crate) fn session_infos(&self) -> Vec<SessionInfo> {
        self.sessions().infos()
    }

    /// Ends sessions: all, or those of a user or key.
    pub(crate) fn kill_sessions(&self, who: Option<&str>) -> usize {
        self.sessions().close_matching(who)
    }

    /// Restarts the engine: `down` without an answer of its own, then `deploying` without a single path.
    pub(crate) fn restart(&self, down: Duration, deploying: Duration) {
        self.kill_sessions(None);
        let now = self.world.clock().elapsed();
        *self.outage.lock().unwrap_or_else(PoisonError::into_inner) = Some(Outage::new(now, down, deploying));
    }

    fn outage(&self) -> Option<Outage> {
        *self.outage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tags(&self) -> MutexGuard<'_, Tags> {
        self.tags.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes into the log.
    fn note(&self, vm: Option<VmId>, note: Note) {
        self.world.with(|state| state.log(vm, Happening::Note(note)));
    }
}
