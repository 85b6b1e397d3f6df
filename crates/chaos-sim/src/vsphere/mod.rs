//! The vSphere door: shows a world as a vCenter or an ESXi host does, in vim25 SOAP.
//!
//! Source: the vSphere Web Services API reference and its programming guide.

mod authorization;
mod collector;
mod dispatch;
mod fault;
mod mo;
mod operations;
mod order;
mod properties;
mod props;
mod schema;
mod search;
mod select;
mod session;
mod value;
mod view;
mod xml;

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) use self::dispatch::injected_fault_answer;
use self::fault::Fault;
pub use self::mo::Flavour;
use self::mo::Mo;
use self::props::Scope;
use self::session::{Account, Session, Sessions};
use crate::accounts::{Role, SessionInfo, SessionRules};
use crate::world::{self, VmId, World};

/// The path that SOAP calls go to.
pub(crate) const SOAP_PATH: &str = "/sdk";
/// The path that tells the versions that the server speaks.
pub(crate) const VERSIONS_PATH: &str = "/sdk/vimServiceVersions.xml";
/// The name of the session cookie.
pub(crate) const COOKIE: &str = "vmware_soap_session";

/// The managed object id that a vCenter gives to a VM.
pub(crate) fn vm_id(vm: VmId) -> String {
    Mo::Vm(vm).reference(Flavour::VCenter).id
}

/// What a call needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Privilege {
    Power,
    Sessions,
}

/// What the door says about itself and how it behaves.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    pub(crate) flavour: Flavour,
    /// The highest API version, for example `8.0.3.0`.
    pub(crate) version: String,
    pub(crate) instance_uuid: String,
    /// The most objects that one answer holds.
    pub(crate) page_cap: usize,
    /// Names of VMs that only administrators may read.
    pub(crate) restricted: BTreeSet<String>,
    /// A free ESXi licence: every write is refused.
    pub(crate) is_read_only: bool,
    /// Whether the session cookie says `Secure`.
    pub(crate) secure_cookie: bool,
}

impl Site {
    /// Why a property may not be read, if it may not.
    fn denies(&self, scope: &Scope<'_>, mo: &Mo, path: &str) -> Option<Fault> {
        let Some(session) = scope.session else {
            let is_public = matches!(mo, Mo::ServiceInstance | Mo::SessionManager);
            return (!is_public).then(|| Fault::not_authenticated(mo, "System.Read", self.flavour));
        };
        let Mo::Vm(id) = mo else { return None };
        if self.restricted.is_empty() || session.role == Role::Administrator || path == "name" {
            return None;
        }
        let vm = scope.state.inventory.vms.get(id)?;
        self.restricted.contains(&vm.name).then(|| Fault::no_permission(mo, "System.Read", self.flavour))
    }
}

/// One SOAP call as it came. It may hold a password, so it has no `Debug`.
#[derive(Clone, Default)]
pub(crate) struct SoapCall {
    pub(crate) body: String,
    /// The value of the session cookie, verbatim.
    pub(crate) cookie: Option<String>,
    pub(crate) address: String,
    pub(crate) agent: String,
}

/// The answer to a SOAP call.
#[derive(Debug, Clone, Default)]
pub(crate) struct SoapAnswer {
    /// 200, 500 for a fault, 503 if there are too many sessions.
    pub(crate) status: u16,
    pub(crate) body: String,
    /// The whole value of a `Set-Cookie` header.
    pub(crate) set_cookie: Option<String>,
    /// The type of the fault, if it is one.
    pub(crate) fault: Option<&'static str>,
}

/// The door.
#[derive(Debug)]
pub(crate) struct Door {
    world: World,
    site: Site,
    sessions: Mutex<Sessions>,
}

impl Door {
    pub(crate) fn new(world: World, seed: u64, site: Site, rules: SessionRules) -> Self {
        let accounts = rules.accounts.into_iter();
        let accounts = accounts.map(|(user, (password, role))| (user, Account { password, role })).collect();
        let sessions = Mutex::new(Sessions::new(seed, accounts, rules.idle_limit, rules.limit));
        Self { world, site, sessions }
    }

    /// The instance UUID that a server of this seed has.
    pub(crate) fn instance_uuid(seed: u64) -> String {
        world::uuid(seed, "instance", &[])
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the world with the eyes of a session. Sessions are always locked before the world.
    fn scoped<R>(&self, cookie: Option<&str>, ask: impl FnOnce(&Scope<'_>) -> R) -> R {
        let sessions = self.sessions();
        let session = cookie.and_then(|cookie| sessions.peek(cookie));
        self.world.with(|state| ask(&Scope { state, site: &self.site, session }))
    }

    /// Changes a session, if it is still there.
    fn with_session<R>(&self, cookie: &str, change: impl FnOnce(&mut Session, &Scope<'_>) -> R) -> Option<R> {
        let mut sessions = self.sessions();
        self.world.with(|state| {
            let session = sessions.find(cookie, state.now)?;
            let scope = Scope { state, site: &self.site, session: None };
            Some(change(session, &scope))
        })
    }

    /// The open sessions, by key.
    pub(crate) fn session_infos(&self) -> Vec<SessionInfo> {
        let sessions = self.sessions();
        let mut infos: Vec<SessionInfo> = sessions
            .all()
            .map(|session| SessionInfo {
                key: session.key.clone(),
                user: session.user.clone(),
                agent: session.agent.clone(),
                calls: session.calls,
                open_tokens: session.all_collectors().map(|collector| collector.open_tokens()).sum(),
                views: session.views.len(),
                filters: session.all_collectors().map(|collector| collector.filters().len()).sum(),
                collectors: session.collectors.len(),
            })
            .collect();
        infos.sort_by(|left, right| left.key.cmp(&right.key));
        infos
    }

    /// Ends sessions: all, or those of a user or key.
    pub(crate) fn kill_sessions(&self, who: Option<&str>) -> usize {
        self.sessions().close_matching(who)
    }

    /// Ends the session of a cookie.
    pub(crate) fn kill_session(&self, cookie: &str) -> bool {
        self.sessions().close(cookie)
    }

    /// The answer to a `GET` of the versions: it needs no session.
    pub(crate) fn versions(&self) -> String {
        const PRIOR: [&str; 11] =
            ["8.0.2.0", "8.0.1.0", "8.0.0.0", "7.0.3.0", "7.0.2.0", "7.0.0.0", "6.7.3", "6.7", "6.5", "6.0", "5.5"];
        let mut prior = String::new();
        for version in PRIOR.into_iter().filter(|version| is_newer(&self.site.version, version)) {
            value::text_element(&mut prior, "version", version);
        }
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<namespaces version=\"1.0\">\
             <namespace><name>urn:vim25</name><version>{}</version><priorVersions>{prior}</priorVersions></namespace>\
             <namespace><name>urn:vim2</name><version>2.0</version></namespace></namespaces>\n",
            self.site.version
        )
    }
}

/// Whether version `left` is above version `right`; both are dotted numbers.
fn is_newer(left: &str, right: &str) -> bool {
    let numbers = |version: &str| version.split('.').map(|part| part.parse().unwrap_or(0)).collect::<Vec<u32>>();
    numbers(left) > numbers(right)
}
