//! How far one gets with an entry of the settings, step by step, and what to do where that ends. Nothing is changed.

#[cfg(feature = "dora")]
mod dora;
mod login;
#[cfg(any(feature = "vsphere", feature = "olvm"))]
mod server;
mod way;

use std::fmt;
use std::time::Duration;

use chaos_core::{Connection, Context, Error};
use serde::Serialize;

use crate::open::Way;
use crate::orchestrator::PlatformOrchestrator;
#[cfg(feature = "dora")]
use crate::settings::DoraSettings;
use crate::settings::{Details, Entry, Kind};

/// What was found out about an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Checkup {
    /// The entry.
    pub entry: String,
    /// What it is.
    pub kind: Kind,
    /// The steps that were taken, in their order. The last one is where it ended.
    pub checks: Vec<Check>,
}

/// What was found out in one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Check {
    /// The step.
    pub step: Step,
    /// How it went.
    pub finding: Finding,
    /// What was found, in one line.
    pub says: String,
    /// What to do about it, in one line, if anything.
    pub cure: Option<String>,
    /// More, such as the certificates that the server showed.
    pub details: Vec<String>,
}

/// A step on the way to a platform that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Step {
    /// The settings say all that is needed.
    Settings,
    /// The server's name has an address.
    Name,
    /// Something listens there.
    Connection,
    /// It shows a certificate that is trusted.
    Tls,
    /// Its clock and this machine's agree.
    Clock,
    /// It takes the account.
    Login,
    /// The account sees VMs.
    Inventory,
    /// The account may switch them.
    Rights,
}

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Finding {
    /// As it should be.
    Good,
    /// It could not be found out, or does not apply.
    Unknown,
    /// It works and deserves a look.
    Doubtful,
    /// It does not work.
    Bad,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Settings => "settings",
            Self::Name => "name",
            Self::Connection => "connection",
            Self::Tls => "tls",
            Self::Clock => "clock",
            Self::Login => "login",
            Self::Inventory => "inventory",
            Self::Rights => "rights",
        })
    }
}

impl Check {
    fn new(step: Step, finding: Finding, says: impl Into<String>) -> Self {
        Self { step, finding, says: says.into(), cure: None, details: Vec::new() }
    }

    fn good(step: Step, says: impl Into<String>) -> Self {
        Self::new(step, Finding::Good, says)
    }

    fn bad(step: Step, says: impl Into<String>, cure: impl Into<String>) -> Self {
        Self::new(step, Finding::Bad, says).cure(cure)
    }

    fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = Some(cure.into());
        self
    }
}

impl Checkup {
    /// The worst that was found.
    #[must_use]
    pub fn worst(&self) -> Finding {
        self.checks.iter().map(|check| check.finding).max().unwrap_or(Finding::Unknown)
    }

    fn note(&mut self, check: Check) {
        self.checks.push(check);
    }

    /// Whether the last step ended the way.
    fn is_over(&self) -> bool {
        self.checks.last().is_some_and(|check| check.finding == Finding::Bad)
    }
}

impl PlatformOrchestrator {
    /// Finds out how far one gets with an entry: settings, name, connection, certificate, clock, login, inventory, rights.
    /// Changes nothing, and logs out at the end. A refused login is tried once.
    ///
    /// `patience` is how long the login may take, and the inventory.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](chaos_core::ErrorKind::Configuration) if there is no such entry; [`ErrorKind::Timeout`](chaos_core::ErrorKind::Timeout) and [`ErrorKind::Cancelled`](chaos_core::ErrorKind::Cancelled) by the
    /// context. What is wrong with the platform is in the [`Checkup`].
    pub async fn examine(&self, cx: &Context, entry: &str, patience: Duration) -> Result<Checkup, Error> {
        let entry = self.entry(entry)?;
        let mut checkup = Checkup { entry: entry.name.clone(), kind: entry.kind(), checks: Vec::new() };
        match (&entry.details, Way::to(&entry, &Connection::default())) {
            (_, Err(error)) => checkup.note(incomplete(&error)),
            #[cfg(any(feature = "vsphere", feature = "olvm"))]
            (Details::VSphere(_) | Details::Olvm(_), Ok(Way::Server(login))) => {
                checkup.note(Check::good(
                    Step::Settings,
                    format!("{} as {}", login.endpoint.host_str().unwrap_or_default(), login.username),
                ));
                way::look(cx, &entry, &login.endpoint, &login.trust, &mut checkup).await?;
                if !checkup.is_over() {
                    server::examine(cx, &entry, &login, self.asked(), patience, &mut checkup).await?;
                }
            }
            #[cfg(feature = "dora")]
            (Details::Dora(settings), Ok(_)) => self.examine_dora(cx, &entry, settings, patience, &mut checkup).await?,
            _ => checkup.note(absent(&entry)),
        }
        Ok(checkup)
    }

    #[cfg(feature = "dora")]
    async fn examine_dora(
        &self,
        cx: &Context,
        entry: &Entry,
        settings: &DoraSettings,
        patience: Duration,
        checkup: &mut Checkup,
    ) -> Result<(), Error> {
        let urls = match self.check_dora(&entry.name).and_then(|()| dora_urls(entry, settings)) {
            Ok(urls) => urls,
            Err(error) => {
                checkup.note(incomplete(&error));
                return Ok(());
            }
        };
        let username = settings.username.as_deref().unwrap_or_default();
        checkup.note(Check::good(Step::Settings, format!("{} as {username}", urls[0].host_str().unwrap_or_default())));
        for url in &urls {
            way::look(cx, entry, url, &settings.trust, checkup).await?;
            if checkup.is_over() {
                return Ok(());
            }
        }
        dora::examine(cx, entry, settings, self.asked(), patience, checkup).await
    }
}

/// The two places of a Dora service: for logins, and for everything else.
#[cfg(feature = "dora")]
fn dora_urls(entry: &Entry, settings: &DoraSettings) -> Result<[url::Url; 2], Error> {
    let host = settings.host.as_deref().ok_or_else(|| crate::connect::missing(entry, "host", "host"))?;
    if settings.username.is_none() {
        return Err(crate::connect::missing(entry, "user name", "username"));
    }
    let scheme = if settings.tls { "https" } else { "http" };
    let url = chaos_http::parse_endpoint(&format!("{scheme}://{host}"))?;
    let at = |port: u16| {
        let mut url = url.clone();
        match url.set_port(Some(port)) {
            Ok(()) => Ok(url),
            Err(()) => Err(Error::new(chaos_core::ErrorKind::Configuration, "the host cannot have a port")),
        }
    };
    Ok([at(settings.auth_port.unwrap_or(51051))?, at(settings.api_port.unwrap_or(8000))?])
}

/// A kind that this build cannot open.
fn absent(entry: &Entry) -> Check {
    let kind = entry.kind();
    Check::bad(
        Step::Login,
        format!("this build cannot speak to {kind}"),
        format!("build it with the cargo feature `{kind}`"),
    )
}

fn incomplete(error: &Error) -> Check {
    Check::bad(
        Step::Settings,
        error.with_causes(),
        "`chaosmonkey config show` tells which settings count and where they come from",
    )
}
