//! A running simulator and how to start one.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::Offset;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::accounts::{Role, SessionInfo, SessionRules};
use crate::dora::{self, Dora};
use crate::front::Front;
use crate::ovirt::{self, Engine, EngineVersion};
use crate::vsphere::{self, Flavour};
use crate::wire::{Call, Identity, Listening, WireFault, listen};
use crate::world::{Beginning, Estate, Timing, VmId, VmSpec, World, WorldError};

/// The user and the password that work unless others are set.
const DEFAULT_CREDENTIAL: &str = "chaos";

/// A simulator cannot be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The plan of its world is wrong.
    #[error("the simulated estate is not consistent: {0}")]
    World(#[from] WorldError),
    /// It cannot listen.
    #[error("cannot listen on {address}: {source}; choose another port, or 0 for a free one")]
    Listen {
        /// Where it was to listen.
        address: SocketAddr,
        /// Why it cannot.
        source: std::io::Error,
    },
    /// It cannot make a certificate.
    #[error("cannot make a certificate for the simulator: {0}")]
    Tls(String),
}

/// A platform whose clients find their server in a simulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Door {
    /// A vCenter or an ESXi host; see [`Flavour`].
    VSphere,
    /// An engine of oVirt or of Oracle Linux Virtualization Manager; see [`EngineVersion`].
    Olvm,
    /// A Dora inventory service that mirrors a vCenter. It has one port for both logins and listings.
    Dora,
}

/// How a simulator is to be.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Builder {
    seed: u64,
    estate: Estate,
    extra: Vec<VmSpec>,
    ensured: Vec<String>,
    listen: SocketAddr,
    tls: bool,
    doors: BTreeSet<Door>,
    engine_version: EngineVersion,
    engine_zone: Offset,
    accounts: HashMap<String, (SecretString, Role)>,
    flavour: Flavour,
    api_version: String,
    speed: f64,
    is_paused: bool,
    start: Option<Timestamp>,
    timing: Timing,
    page_cap: usize,
    session_idle_limit: Duration,
    session_limit: usize,
    restricted: BTreeSet<String>,
    is_read_only: bool,
    failure_rate: f64,
    refuses_at_once: bool,
    secure_cookie: Option<bool>,
    dora_vcenter: String,
    dora_root: String,
    has_bare_lists: bool,
    dora_token_life: Duration,
    dora_staleness: Option<(Duration, Duration)>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            seed: 1,
            estate: Estate::demo(),
            extra: Vec::new(),
            ensured: Vec::new(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls: false,
            doors: BTreeSet::from([Door::VSphere]),
            engine_version: EngineVersion::default(),
            engine_zone: jiff::tz::offset(2),
            accounts: HashMap::new(),
            flavour: Flavour::VCenter,
            api_version: "8.0.3.0".into(),
            speed: 1.0,
            is_paused: false,
            start: None,
            timing: Timing::default(),
            page_cap: 100,
            session_idle_limit: Duration::from_mins(30),
            session_limit: 3000,
            restricted: BTreeSet::new(),
            is_read_only: false,
            failure_rate: 0.0,
            refuses_at_once: false,
            secure_cookie: None,
            dora_vcenter: "OracleQA".into(),
            dora_root: "ORA-DEV".into(),
            has_bare_lists: false,
            dora_token_life: Duration::from_hours(8),
            dora_staleness: None,
        }
    }
}

impl Builder {
    /// The number that all its choices are made from.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// A plain estate of that many VMs instead of the demo estate.
    #[must_use]
    pub fn vms(mut self, count: usize) -> Self {
        self.estate = Estate::of_size(count);
        self
    }

    /// Another estate instead of the demo estate.
    #[must_use]
    pub fn estate(mut self, estate: Estate) -> Self {
        self.estate = estate;
        self
    }

    /// One more VM.
    #[must_use]
    pub fn vm(mut self, vm: VmSpec) -> Self {
        self.extra.push(vm);
        self
    }

    /// An ordinary VM of that name, unless the estate has one of that name anywhere.
    #[must_use]
    pub fn ensure_vm(mut self, name: impl Into<String>) -> Self {
        self.ensured.push(name.into());
        self
    }

    /// Where to listen; a free port on 127.0.0.1 unless set.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Speak TLS with a certificate from an authority of its own; see [`Sim::ca_pem`].
    #[must_use]
    pub fn tls(mut self, tls: bool) -> Self {
        self.tls = tls;
        self
    }

    /// The platforms that it plays, all on one port and with one world; vSphere unless set.
    #[must_use]
    pub fn doors(mut self, doors: impl IntoIterator<Item = Door>) -> Self {
        self.doors = doors.into_iter().collect();
        self
    }

    /// Plays an engine and nothing else.
    #[must_use]
    pub fn olvm(self) -> Self {
        self.doors([Door::Olvm])
    }

    /// The version of the engine.
    #[must_use]
    pub fn engine_version(mut self, version: EngineVersion) -> Self {
        self.engine_version = version;
        self
    }

    /// The zone that the engine tells times in; two hours ahead of UTC unless set.
    #[must_use]
    pub fn engine_zone(mut self, zone: Offset) -> Self {
        self.engine_zone = zone;
        self
    }

    /// The administrator's user name and password, instead of `chaos` and `chaos`.
    #[must_use]
    pub fn credentials(self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.user(user, password, Role::Administrator)
    }

    /// A user. Without any, `chaos` with the password `chaos` is administrator. An engine knows a user by that name, and one
    /// without a profile as `NAME@internal` too.
    #[must_use]
    pub fn user(mut self, user: impl Into<String>, password: impl Into<String>, role: Role) -> Self {
        self.accounts.insert(user.into(), (SecretString::from(password.into()), role));
        self
    }

    /// Plays an ESXi host: all VMs of the estate are on it.
    #[must_use]
    pub fn flavour(mut self, flavour: Flavour) -> Self {
        self.flavour = flavour;
        self
    }

    /// The API version that the server speaks, for example `7.0.3.0`.
    #[must_use]
    pub fn api_version(mut self, version: impl Into<String>) -> Self {
        self.api_version = version.into();
        self
    }

    /// How many world seconds pass in a real second.
    #[must_use]
    pub fn speed(mut self, speed: f64) -> Self {
        self.speed = speed;
        self
    }

    /// Begins with the clock paused.
    #[must_use]
    pub fn paused(mut self) -> Self {
        self.is_paused = true;
        self
    }

    /// The world's first moment; the present unless set.
    #[must_use]
    pub fn starts_at(mut self, moment: Timestamp) -> Self {
        self.start = Some(moment);
        self
    }

    /// How long things take.
    #[must_use]
    pub fn timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// The most objects that one answer of the property collector holds, whatever the client asks for.
    #[must_use]
    pub fn page_cap(mut self, objects: usize) -> Self {
        self.page_cap = objects.max(1);
        self
    }

    /// How long a session may be idle, in world time; the token of an engine dies with its session.
    #[must_use]
    pub fn session_idle_limit(mut self, limit: Duration) -> Self {
        self.session_idle_limit = limit;
        self
    }

    /// How many sessions a vCenter may have; a login beyond gets HTTP 503.
    #[must_use]
    pub fn session_limit(mut self, limit: usize) -> Self {
        self.session_limit = limit;
        self
    }

    /// A VM of which users other than administrators may read nothing but the name.
    #[must_use]
    pub fn restricted_vm(mut self, name: impl Into<String>) -> Self {
        self.restricted.insert(name.into());
        self
    }

    /// Refuses every write, as an ESXi host without a paid licence does.
    #[must_use]
    pub fn read_only_licence(mut self) -> Self {
        self.is_read_only = true;
        self
    }

    /// The part of all tasks that fail, from 0 to 1.
    #[must_use]
    pub fn failure_rate(mut self, rate: f64) -> Self {
        self.failure_rate = rate;
        self
    }

    /// Refuses an operation that the power state does not allow at once, instead of failing its task.
    #[must_use]
    pub fn refuses_at_once(mut self) -> Self {
        self.refuses_at_once = true;
        self
    }

    /// Whether the session cookie says `Secure`; unless set, it does with TLS. With plain HTTP it shows whether a client
    /// sends the cookie back verbatim: many will not, as their cookie jars obey the attribute.
    #[must_use]
    pub fn secure_cookie(mut self, secure: bool) -> Self {
        self.secure_cookie = Some(secure);
        self
    }

    /// What a Dora service calls the vCenter that it mirrors, and the path that means the whole estate; `OracleQA` and
    /// `ORA-DEV` unless set. A datacenter is a path by its name, a cluster by its name or by
    /// `DATACENTER/CLUSTER`; any other path holds nothing.
    #[must_use]
    pub fn dora_vcenter(mut self, vcenter: impl Into<String>, path: impl Into<String>) -> Self {
        self.dora_vcenter = vcenter.into();
        self.dora_root = path.into();
        self
    }

    /// A Dora service that answers with bare lists, as older servers do.
    #[must_use]
    pub fn dora_bare_lists(mut self) -> Self {
        self.has_bare_lists = true;
        self
    }

    /// How long a token of a Dora service works, in world time; eight hours unless set.
    #[must_use]
    pub fn dora_token_life(mut self, life: Duration) -> Self {
        self.dora_token_life = life;
        self
    }

    /// A Dora service that shows the power of a VM as it was a while ago, by world time. How long is drawn for each operation on
    /// a VM. A real one is late by 30 to 60 seconds.
    #[must_use]
    pub fn dora_staleness(mut self, least: Duration, most: Duration) -> Self {
        self.dora_staleness = Some((least, most));
        self
    }

    /// Starts the simulator.
    ///
    /// # Errors
    /// The estate is not consistent, the address is taken, or no certificate could be made.
    pub async fn start(self) -> Result<Sim, StartError> {
        let estate = match self.flavour {
            Flavour::VCenter => self.estate,
            Flavour::Esxi => self.estate.on_one_host(),
        };
        let world = World::begin(Beginning {
            seed: self.seed,
            start: self.start.unwrap_or_else(Timestamp::now),
            timing: self.timing,
            estate,
            refuses_at_once: self.refuses_at_once,
            failure_rate: self.failure_rate,
            speed: self.speed,
            is_paused: self.is_paused,
        })?;
        for vm in &self.extra {
            world.add(vm)?;
        }
        for name in self.ensured {
            if let Err(WorldError::NoSuchVm { .. }) = world.vm(&name) {
                world.add(&VmSpec::new(name))?;
            }
        }
        let mut accounts = self.accounts;
        if accounts.is_empty() {
            accounts.insert(DEFAULT_CREDENTIAL.into(), (SecretString::from(DEFAULT_CREDENTIAL), Role::Administrator));
        }
        let rules = SessionRules { accounts, idle_limit: self.session_idle_limit, limit: self.session_limit };
        let vsphere = self.doors.contains(&Door::VSphere).then(|| {
            let site = vsphere::Site {
                flavour: self.flavour,
                version: self.api_version,
                instance_uuid: vsphere::Door::instance_uuid(self.seed),
                page_cap: self.page_cap,
                restricted: self.restricted.clone(),
                is_read_only: self.is_read_only,
                secure_cookie: self.secure_cookie.unwrap_or(self.tls),
            };
            vsphere::Door::new(world.clone(), self.seed, site, rules.clone())
        });
        let dora = self.doors.contains(&Door::Dora).then(|| {
            let site = dora::Site {
                seed: self.seed,
                vcenter: self.dora_vcenter,
                root: self.dora_root,
                is_bare: self.has_bare_lists,
                token_life: self.dora_token_life,
                staleness: self.dora_staleness,
            };
            Dora::new(world.clone(), site, rules.clone())
        });
        let engine = self.doors.contains(&Door::Olvm).then(|| {
            let (version, zone) = (self.engine_version, self.engine_zone);
            let site = ovirt::Site { seed: self.seed, version, zone, restricted: self.restricted };
            Engine::new(world.clone(), site, rules)
        });
        let front = Arc::new(Front::new(world, self.seed, vsphere, engine, dora));
        Sim::open(front, self.listen, self.tls).await
    }
}

/// A running simulator. Dropping it ends it.
#[derive(Debug)]
pub struct Sim {
    front: Arc<Front>,
    url: String,
    address: SocketAddr,
    ca_pem: Option<String>,
    stop: CancellationToken,
    server: JoinHandle<()>,
    life: JoinHandle<()>,
}

impl Sim {
    /// A simulator of the demo estate on a free port of 127.0.0.1, if nothing else is said.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    async fn open(front: Arc<Front>, address: SocketAddr, tls: bool) -> Result<Self, StartError> {
        let cannot_listen = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(cannot_listen)?;
        let address = listener.local_addr().map_err(cannot_listen)?;
        let identity = tls.then(|| Identity::create(address.ip())).transpose();
        let identity = identity.map_err(|error| StartError::Tls(error.to_string()))?;
        let (ca_pem, acceptor) = identity.map(|identity| (identity.ca_pem, identity.acceptor)).unzip();
        if let (Some(pem), Some(engine)) = (&ca_pem, &front.engine) {
            engine.publish_certificate(pem);
        }
        let scheme = if tls { "https" } else { "http" };
        let stop = CancellationToken::new();
        let world = front.world.clone();
        let life = tokio::spawn(async move { world.live().await });
        let server = tokio::spawn(listen(Listening { listener, tls: acceptor }, Arc::clone(&front), stop.clone()));
        Ok(Self { front, url: format!("{scheme}://{address}"), address, ca_pem, stop, server, life })
    }

    /// Where it is, for example `http://127.0.0.1:40123`; SOAP is at `/sdk` below it, the API of an
    /// engine at `/ovirt-engine/api`, a Dora service at `/v1`, the control door at `/sim/`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate authority that a client has to trust, if TLS is on.
    #[must_use]
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// Its world.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.front.world
    }

    /// Every call that came in, oldest first.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.front.record.all()
    }

    /// The calls of one method, oldest first.
    #[must_use]
    pub fn calls_of(&self, method: &str) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.method == method).collect()
    }

    /// Forgets the calls up to now.
    pub fn clear_calls(&self) {
        self.front.record.clear();
    }

    /// Lets something go wrong on the wire.
    pub fn inject(&self, fault: WireFault) {
        self.front.faults.add(fault);
    }

    /// Takes back all faults that have not struck yet.
    pub fn clear_faults(&self) {
        self.front.faults.clear();
    }

    /// The engine's id of a VM: a function of the seed and the VM.
    #[must_use]
    pub fn vm_uuid(&self, vm: VmId) -> String {
        ovirt::vm_id(self.front.seed, vm)
    }

    /// Restarts the engine, if there is one. For `down` its web server answers everything with a page of status 503, then for
    /// `deploying` with one of status 404, and afterwards all tokens and sessions are gone. Both are world time.
    pub fn restart_engine(&self, down: Duration, deploying: Duration) {
        if let Some(engine) = &self.front.engine {
            engine.restart(down, deploying);
        }
    }

    /// The open sessions of all doors.
    #[must_use]
    pub fn sessions(&self) -> Vec<SessionInfo> {
        self.front.session_infos()
    }

    /// Ends all sessions, as a restart of the server does; tells how many there were.
    #[expect(clippy::must_use_candidate, reason = "it is called for what it does")]
    pub fn kill_sessions(&self) -> usize {
        self.front.kill_sessions(None)
    }

    /// Stops serving and returns when all connections are closed.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        self.life.abort();
        let _ = (&mut self.server).await;
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.stop.cancel();
        self.life.abort();
        self.server.abort();
    }
}
