//! Opens each platform when it is first needed, hands out the same one after that, and closes all at the end.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chaos_core::{
    Connection, Context, Discovery, Error, ErrorKind, Outcome, Platform, PlatformExt, PlatformSource, Selector, Stop,
    VMInfo, nearest,
};
use futures_util::future::join_all;
use tokio::sync::OnceCell;
use tracing::info;

use crate::ask::{Ask, AskPassword};
use crate::open::{self, Way};
use crate::settings::{Entry, Kind, Settings};

/// The platforms of the settings: each is opened when it is first needed, once for the life of this, and closed at the end.
///
/// ```no_run
/// use std::time::Duration;
/// use chaos_core::{Context, Error, PlatformSource, Selector};
/// use chaos_orchestrator::{PlatformOrchestrator, Sources};
///
/// # async fn count() -> Result<usize, Error> {
/// let settings = Sources::of_process(std::env::vars_os()).load()?;
/// let orchestrator = PlatformOrchestrator::new(settings);
///
/// let cx = Context::with_timeout(Duration::from_secs(60));
/// let count = orchestrator.discover(&cx, "vsphere", &Selector::all()).await?.vms.len();
/// orchestrator.close(&cx).await?;
/// # Ok(count)
/// # }
/// ```
#[derive(Debug)]
pub struct PlatformOrchestrator {
    settings: Settings,
    ask: Ask,
    opened: Mutex<Vec<Opened>>,
}

/// A server that was asked for. The cell is filled by whoever asked first; the others wait for it.
#[derive(Debug, Clone)]
struct Opened {
    entry: String,
    way: Way,
    platform: Arc<OnceCell<Arc<dyn Platform>>>,
}

/// What became of one of several platforms.
#[derive(Debug)]
#[non_exhaustive]
pub struct EntryDiscovery {
    /// The entry of the settings.
    pub entry: String,
    /// Its VMs, or why there are none.
    pub discovery: Result<Discovery, Error>,
}

impl PlatformOrchestrator {
    /// An orchestrator that has opened nothing yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, ask: None, opened: Mutex::default() }
    }

    /// Asks somebody for the passwords that nothing gives.
    #[must_use]
    pub fn asking(mut self, ask: Arc<dyn AskPassword>) -> Self {
        self.ask = Some(ask);
        self
    }

    /// The settings that it opens platforms by.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The names of the entries that name a server.
    #[must_use]
    pub fn configured(&self) -> Vec<String> {
        self.settings.entries().filter(|entry| entry.names_a_server()).map(|entry| entry.name.clone()).collect()
    }

    /// The entry of that name.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`], which lists the entries that there are.
    pub fn entry(&self, name: &str) -> Result<Entry, Error> {
        self.settings.entry(name).ok_or_else(|| self.unknown(name))
    }

    /// The VMs of a platform that `selector` selects.
    ///
    /// # Errors
    /// What opening the platform and [`Platform::discover`] can give.
    pub async fn discover(&self, cx: &Context, platform: &str, selector: &Selector) -> Result<Discovery, Error> {
        let discovery = self.open(cx, platform, &Connection::default()).await?.discover(cx, selector).await?;
        info!(platform, vms = discovery.vms.len(), "the inventory was read");
        Ok(discovery)
    }

    /// The VMs of several platforms, which are asked at the same time. One that fails takes nothing from the others.
    pub async fn discover_each(&self, cx: &Context, platforms: &[String], selector: &Selector) -> Vec<EntryDiscovery> {
        let discoveries = platforms.iter().map(|name| async move {
            EntryDiscovery { entry: name.clone(), discovery: self.discover(cx, name, selector).await }
        });
        join_all(discoveries).await
    }

    /// What is known about a VM, which is named in the target notation.
    ///
    /// # Errors
    /// What opening the platform can give; [`ErrorKind::NotFound`] and [`ErrorKind::Ambiguous`] for the VM.
    pub async fn vm_info(&self, cx: &Context, platform: &str, vm: &str) -> Result<VMInfo, Error> {
        self.open(cx, platform, &Connection::default()).await?.find(cx, vm).await
    }

    /// Powers a VM on, which is named in the target notation.
    ///
    /// # Errors
    /// As [`vm_info`](Self::vm_info), and what the operation can give.
    pub async fn power_on(&self, cx: &Context, platform: &str, vm: &str) -> Result<Outcome, Error> {
        self.open(cx, platform, &Connection::default()).await?.power_on(cx, vm).await
    }

    /// Powers a VM off. A suspended VM is refused.
    ///
    /// # Errors
    /// As [`power_on`](Self::power_on).
    pub async fn power_off(&self, cx: &Context, platform: &str, vm: &str, stop: Stop) -> Result<Outcome, Error> {
        self.open(cx, platform, &Connection::default()).await?.power_off(cx, vm, stop).await
    }

    /// Restarts a VM.
    ///
    /// # Errors
    /// As [`power_on`](Self::power_on).
    pub async fn reboot(&self, cx: &Context, platform: &str, vm: &str, stop: Stop) -> Result<Outcome, Error> {
        self.open(cx, platform, &Connection::default()).await?.reboot(cx, vm, stop).await
    }

    /// Suspends a VM.
    ///
    /// # Errors
    /// As [`power_on`](Self::power_on).
    pub async fn suspend(&self, cx: &Context, platform: &str, vm: &str) -> Result<Outcome, Error> {
        self.open(cx, platform, &Connection::default()).await?.suspend(cx, vm).await
    }

    /// Where an entry names no server, those of its type that do are named.
    fn with_others(&self, error: Error, entry: &Entry) -> Error {
        let others = self.settings.entries().filter(|other| other.kind() == entry.kind() && other.names_a_server());
        let others: Vec<&str> = others.map(|other| other.name.as_str()).collect();
        if entry.names_a_server() || others.is_empty() {
            return error;
        }
        let set = error.message().split_once(": set ").map_or(error.message(), |(_, set)| set);
        let message = format!(
            "`{}` names no server, and the settings have {} of its type: name one, as with `--platform {}`, or set {set}",
            entry.name,
            others.join(", "),
            others[0]
        );
        Error::new(error.kind(), message)
    }

    /// Who may be asked for passwords.
    pub(crate) fn asked(&self) -> &Ask {
        &self.ask
    }

    /// The place for the platform at the end of `way`: the one that is there, or a new one.
    fn place(&self, entry: &Entry, way: Way) -> Opened {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(there) = opened.iter().find(|there| there.entry == entry.name && there.way == way) {
            return there.clone();
        }
        let new = Opened { entry: entry.name.clone(), way, platform: Arc::default() };
        opened.push(new.clone());
        new
    }

    fn unknown(&self, name: &str) -> Error {
        let plain = Kind::ALL.into_iter().filter(|kind| kind.is_built_in()).map(Kind::as_str);
        let mut known: Vec<&str> = plain.collect();
        known.extend(self.settings.entries().map(|entry| entry.name.as_str()));
        known.sort_unstable();
        known.dedup();
        let meant = match nearest(name, &known) {
            Some(meant) => format!(", did you mean `{meant}`?"),
            None => ":".to_owned(),
        };
        let message = format!("no platform is called `{name}`{meant} use one of {}", known.join(", "));
        Error::new(ErrorKind::Configuration, message)
    }
}

/// Says which entry it was, where that is not plain from the platform's own words.
fn of_entry(error: Error, entry: &Entry) -> Error {
    if entry.name == entry.kind().as_str() {
        return error;
    }
    let message = format!("{}: {}", entry.name, error.message());
    let told = Error::new(error.kind(), message).retry(error.retry_class()).platform(entry.kind().platform());
    told.caused_by(error)
}

#[async_trait]
impl PlatformSource for PlatformOrchestrator {
    async fn open(&self, cx: &Context, name: &str, connection: &Connection) -> Result<Arc<dyn Platform>, Error> {
        let entry = self.entry(name)?;
        let way = Way::to(&entry, connection).map_err(|error| self.with_others(error, &entry))?;
        let place = self.place(&entry, way);
        let open = || async {
            let opened = open::platform(cx, &entry, &place.way, &self.ask).await;
            let platform = opened.map_err(|error| of_entry(error, &entry))?;
            #[cfg(feature = "dora")]
            let platform = self.with_way_out(&entry, platform);
            info!(platform = name, server = platform.identity().description, "connected");
            Ok(platform)
        };
        cx.bounded(&format!("connecting to {name}"), place.platform.get_or_try_init(open)).await?.cloned()
    }

    async fn close(&self, cx: &Context) -> Result<(), Error> {
        let opened = std::mem::take(&mut *self.opened.lock().unwrap_or_else(PoisonError::into_inner));
        let platforms = opened.iter().filter_map(|opened| opened.platform.get());
        let closed = join_all(platforms.map(|platform| platform.disconnect(cx))).await;
        closed.into_iter().collect()
    }
}
