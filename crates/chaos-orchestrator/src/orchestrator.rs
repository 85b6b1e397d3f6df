//! Opens each platform when it is first needed, hands out the same one after that, and closes all at the end.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chaos_core::{Connection, Context, Error, ErrorKind, Platform, PlatformSource};
use tokio::sync::OnceCell;

use crate::connect::{self, Login};
use crate::open;
use crate::settings::{OLVM, Settings, VSPHERE};

/// The platforms of the settings.
///
/// ```no_run
/// use std::time::Duration;
/// use chaos_core::{Connection, Context, Error, PlatformSource, Selector};
/// use chaos_orchestrator::{Environment, PlatformOrchestrator, Settings};
///
/// # async fn count() -> Result<usize, Error> {
/// let environment = Environment::from_process(std::env::vars_os())?;
/// let orchestrator = PlatformOrchestrator::new(Settings::from_environment(&environment)?);
///
/// let cx = Context::with_timeout(Duration::from_secs(60));
/// let vsphere = orchestrator.open(&cx, "vsphere", &Connection::default()).await?;
/// let count = vsphere.discover(&cx, &Selector::all()).await?.vms.len();
/// orchestrator.close(&cx).await?;
/// # Ok(count)
/// # }
/// ```
#[derive(Debug)]
pub struct PlatformOrchestrator {
    settings: Settings,
    opened: Mutex<Vec<Opened>>,
}

/// A server that was asked for. The cell is filled by whoever asked first; the others wait for it.
#[derive(Debug, Clone)]
struct Opened {
    kind: Kind,
    login: Arc<Login>,
    platform: Arc<OnceCell<Arc<dyn Platform>>>,
}

/// The kinds of platforms that can be opened. A new one is a variant here and a module in `open`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    VSphere,
    Olvm,
}

impl Kind {
    fn of(name: &str) -> Option<Self> {
        match name {
            "vsphere" => Some(Self::VSphere),
            "olvm" => Some(Self::Olvm),
            _ => None,
        }
    }
}

impl PlatformOrchestrator {
    /// The names under which a platform can be opened.
    pub const NAMES: [&str; 2] = ["vsphere", "olvm"];

    /// An orchestrator that has opened nothing yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, opened: Mutex::default() }
    }

    /// The settings that it opens platforms by.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The place for the platform of `login`: the one that is there, or a new one.
    fn place(&self, kind: Kind, login: Login) -> Opened {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(there) = opened.iter().find(|there| there.kind == kind && *there.login == login) {
            return there.clone();
        }
        let new = Opened { kind, login: Arc::new(login), platform: Arc::default() };
        opened.push(new.clone());
        new
    }
}

#[async_trait]
impl PlatformSource for PlatformOrchestrator {
    async fn open(&self, cx: &Context, name: &str, connection: &Connection) -> Result<Arc<dyn Platform>, Error> {
        let kind = Kind::of(name).ok_or_else(|| unknown(name))?;
        let login = match kind {
            Kind::VSphere => connect::login(&self.settings.vsphere, &VSPHERE, connection)?,
            Kind::Olvm => connect::login(&self.settings.olvm, &OLVM, connection)?,
        };
        let place = self.place(kind, login);
        let open = || async {
            match kind {
                Kind::VSphere => open::vsphere(cx, name, &place.login).await,
                Kind::Olvm => open::olvm(cx, name, &place.login).await,
            }
        };
        cx.bounded(&format!("connecting to {name}"), place.platform.get_or_try_init(open)).await?.cloned()
    }

    async fn close(&self, cx: &Context) -> Result<(), Error> {
        let opened = std::mem::take(&mut *self.opened.lock().unwrap_or_else(PoisonError::into_inner));
        let mut result = Ok(());
        for Opened { platform, .. } in opened {
            if let Some(platform) = platform.get() {
                let closed = platform.disconnect(cx).await;
                result = result.and(closed);
            }
        }
        result
    }
}

pub(crate) fn unknown(name: &str) -> Error {
    let known = PlatformOrchestrator::NAMES.join(", ");
    Error::new(ErrorKind::Configuration, format!("no platform is called `{name}`: this version knows {known}"))
}
