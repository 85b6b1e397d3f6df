//! Simulated platforms in place of the real ones, so that an experiment can be rehearsed anywhere.

use std::sync::Arc;

use async_trait::async_trait;
use chaos_core::{
    Connection, Context, Error, ErrorKind, NamePattern, Platform, PlatformSource, SharedClock, TargetPattern,
};
use chaos_http::parse_endpoint;
use chaos_sim::{DatacenterSpec, Door, Estate, Sim, VmSpec};
use secrecy::SecretString;
use tokio::sync::Mutex;

use crate::orchestrator::PlatformOrchestrator;
use crate::secret::SecretSource;
use crate::settings::{Details, Entry, ServerSettings, Settings};

/// How many simulated seconds pass in a real one: a guest that takes a minute to shut down takes three seconds.
const SPEED: f64 = 20.0;

/// The account of the simulator, which listens on this machine only and lives as long as the rehearsal.
const ACCOUNT: &str = "rehearsal";

/// A source whose platforms are simulated: a demo estate (a web tier, databases, two clusters) and every VM that was
/// asked for. It needs no settings, ignores all connection values, and never speaks to another machine.
///
/// Calls have to be made on its [`clock`](Self::clock).
///
/// ```
/// use std::time::Duration;
/// use chaos_core::{Connection, Context, PlatformExt, PlatformSource};
/// use chaos_orchestrator::RehearsalSource;
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), chaos_core::Error> {
/// let source = RehearsalSource::start(&["db-07".parse()?]).await?;
/// let cx = Context::on_clock(source.clock(), Duration::from_mins(10));
/// let platform = source.open(&cx, "vsphere", &Connection::default()).await?;
/// assert_eq!(platform.find(&cx, "db-07").await?.name, "db-07");
/// source.close(&cx).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct RehearsalSource {
    sim: Mutex<Option<Sim>>,
    clock: SharedClock,
    platforms: PlatformOrchestrator,
}

impl RehearsalSource {
    /// Starts the simulator. Its estate holds a VM for each of `targets` that is a name or a path, and two for each
    /// glob that nothing in the demo estate fits.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] if the simulator cannot listen on this machine.
    pub async fn start(targets: &[TargetPattern]) -> Result<Self, Error> {
        let password = chaos_core::RunId::random();
        let mut sim = Sim::builder()
            .doors([Door::VSphere, Door::Olvm])
            .estate(estate(targets))
            .speed(SPEED)
            .credentials(ACCOUNT, password.as_str());
        for name in targets.iter().filter_map(plain_name) {
            sim = sim.ensure_vm(name);
        }
        let sim = sim.start().await.map_err(|error| {
            Error::new(ErrorKind::Unavailable, "the simulator for the rehearsal cannot start").caused_by(error)
        })?;
        let server = ServerSettings {
            server: Some(parse_endpoint(sim.url())?),
            username: Some(ACCOUNT.to_owned()),
            password: Some(SecretSource::Inline(SecretString::from(password.as_str()))),
            ..ServerSettings::default()
        };
        let engine = ServerSettings { username: Some(format!("{ACCOUNT}@internal")), ..server.clone() };
        let settings = Settings::default()
            .with(Entry::new("vsphere", Details::VSphere(server)))
            .with(Entry::new("olvm", Details::Olvm(engine)));
        Ok(Self {
            clock: Arc::new(sim.world().clock().clone()),
            sim: Mutex::new(Some(sim)),
            platforms: PlatformOrchestrator::new(settings),
        })
    }

    /// The clock that the simulated platforms live on.
    #[must_use]
    pub fn clock(&self) -> SharedClock {
        Arc::clone(&self.clock)
    }
}

#[async_trait]
impl PlatformSource for RehearsalSource {
    async fn open(&self, cx: &Context, name: &str, _: &Connection) -> Result<Arc<dyn Platform>, Error> {
        self.platforms.open(cx, name, &Connection::default()).await
    }

    async fn close(&self, cx: &Context) -> Result<(), Error> {
        let closed = self.platforms.close(cx).await;
        if let Some(sim) = self.sim.lock().await.take() {
            sim.shutdown().await;
        }
        closed
    }
}

/// The full name that a target is, if it is one. A glob that names no VM of the estate is not.
fn plain_name(target: &TargetPattern) -> Option<&str> {
    match target {
        TargetPattern::Name(name) if !name.is_glob() => Some(name.as_str()),
        _ => None,
    }
}

/// The demo estate with the VMs that paths and globs ask for.
fn estate(targets: &[TargetPattern]) -> Estate {
    let mut estate = Estate::demo();
    for target in targets {
        match target {
            TargetPattern::Name(name) if name.is_glob() => add_fitting(&mut estate, name),
            TargetPattern::Path(path) => add_at(&mut estate, path),
            // Names are ensured by the simulator; nobody can say which VMs an id or an expression means.
            _ => {}
        }
    }
    estate
}

/// Two VMs that fit a glob, unless some do already.
fn add_fitting(estate: &mut Estate, glob: &NamePattern) {
    let fits = |vm: &VmSpec| glob.matches(&vm.name);
    if estate.datacenters.iter().flat_map(|datacenter| &datacenter.vms).any(fits) {
        return;
    }
    let names = ["01", "02"].map(|number| glob.as_str().replace('*', number).replace('?', "1"));
    if let Some(datacenter) = estate.datacenters.first_mut() {
        for name in names.into_iter().filter(|name| glob.matches(name)) {
            if datacenter.vms.iter().all(|vm| vm.name != name) {
                datacenter.vms.push(VmSpec::new(name));
            }
        }
    }
}

/// A VM at an inventory path such as `DC0/vm/shop/web-01`, in vSphere's layout, with its datacenter and folders.
fn add_at(estate: &mut Estate, path: &str) {
    let steps: Vec<&str> = path.split('/').collect();
    let [datacenter, "vm", folders @ .., name] = steps.as_slice() else { return };
    let folder = folders.join("/");
    if estate.datacenters.iter().all(|known| known.name != *datacenter) {
        estate.datacenters.push(DatacenterSpec {
            name: (*datacenter).to_owned(),
            hosts: vec![format!("{datacenter}-host")],
            ..DatacenterSpec::default()
        });
    }
    let Some(place) = estate.datacenters.iter_mut().find(|known| known.name == *datacenter) else { return };
    let vms = &mut place.vms;
    if vms.iter().all(|vm| vm.name != *name || vm.folder != folder) {
        vms.push(VmSpec::new(*name).folder(folder));
    }
}
