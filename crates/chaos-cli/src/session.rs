//! One platform, opened through the orchestrator for the time of one command.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "dora")]
use chaos_core::VMInfo;
use chaos_core::{Connection, Context, Discovery, Platform, PlatformSource, Policy, Selector};
use chaos_orchestrator::{PlatformOrchestrator, Settings, Sources, read_dotenv};
use secrecy::{ExposeSecret, SecretString};

use crate::ask::Terminal;
use crate::cli::SettingsArgs;
use crate::failure::Failure;
use crate::output::Output;

/// How long connecting and logging in may take, and how long reading the inventory.
pub(crate) const READING: Duration = Duration::from_mins(5);
/// How long logging out may take.
const CLOSING: Duration = Duration::from_secs(10);

/// The settings file of the working directory.
const DOTENV: &str = ".env";

/// What an experiment may read by `{"type": "env"}`: the environment of this process, and below it `.env`.
///
/// # Errors
/// A `.env` that cannot be read.
pub(crate) fn experiment_environment() -> Result<chaos_experiments::Environment, Failure> {
    let file = read_dotenv(Path::new(DOTENV)).map_err(|error| Failure::usage(error.to_string()))?;
    let file = file.into_iter().map(|(name, value)| (name, value.expose_secret().to_owned()));
    let process =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    // What comes later wins.
    Ok(file.chain(process).collect())
}

/// Where the settings of this process come from.
///
/// # Errors
/// A `--set` that is no KEY=VALUE.
pub(crate) fn sources(args: &SettingsArgs) -> Result<Sources, Failure> {
    let mut sources = Sources::of_process(std::env::vars_os());
    if let Some(file) = args.config.as_ref().filter(|file| !file.as_os_str().is_empty()) {
        sources = sources.config(file);
    }
    for given in &args.set {
        let Some((key, value)) = given.expose_secret().split_once('=') else {
            return Err(Failure::usage("--set needs KEY=VALUE, such as `--set platforms.vsphere.port=8443`"));
        };
        sources = sources.flag(key.trim(), SecretString::from(value), "--set");
    }
    Ok(sources)
}

/// The settings of this process. What deserves a word is told.
///
/// # Errors
/// Everything that is wrong with them.
pub(crate) fn settings(args: &SettingsArgs, output: &Output) -> Result<Settings, Failure> {
    settings_of(sources(args)?, output)
}

fn settings_of(sources: Sources, output: &Output) -> Result<Settings, Failure> {
    let settings = sources.load()?;
    for warning in settings.warnings() {
        output.warning(warning);
    }
    Ok(settings)
}

/// Whether the settings say that nothing may be done; if nobody said so otherwise, that is told.
pub(crate) fn is_dry(settings: &Settings, is_dry_anyway: bool, output: &Output) -> bool {
    let Some(origin) = &settings.chaos.dry_run else { return false };
    if !is_dry_anyway {
        output.note(format_args!(
            "dry run: chaos.dry_run is true ({origin}); `--set chaos.dry_run=false` goes before it"
        ));
    }
    true
}

/// The platforms of the settings, with the person at the terminal to ask for passwords.
///
/// # Errors
/// Everything that is wrong with the settings.
pub(crate) fn platforms(args: &SettingsArgs, output: &Output) -> Result<PlatformOrchestrator, Failure> {
    platforms_of(sources(args)?, output)
}

/// The same for what only puts back, which no rule keeps from that, not even one that cannot be read.
///
/// # Errors
/// As [`platforms`].
pub(crate) fn platforms_to_repair(args: &SettingsArgs, output: &Output) -> Result<PlatformOrchestrator, Failure> {
    platforms_of(sources(args)?.to_repair(), output)
}

/// The platforms of the settings that come from `sources`.
///
/// # Errors
/// As [`platforms`].
pub(crate) fn platforms_of(sources: Sources, output: &Output) -> Result<PlatformOrchestrator, Failure> {
    let settings = settings_of(sources, output)?;
    Ok(PlatformOrchestrator::new(settings).asking(Arc::new(Terminal::default())))
}

/// A platform that is connected.
pub(crate) struct Session {
    source: PlatformOrchestrator,
    platform: Arc<dyn Platform>,
    cx: Context,
}

impl Session {
    /// Opens the platform `name` of `source`. `cx` carries the cancellation.
    ///
    /// # Errors
    /// Settings that do not suffice, and what connecting and logging in can give.
    pub(crate) async fn open(source: PlatformOrchestrator, name: &str, cx: Context) -> Result<Self, Failure> {
        let platform = source.open(&cx.limit(READING), name, &Connection::default()).await?;
        Ok(Self { source, platform, cx })
    }

    /// The platform.
    pub(crate) fn platform(&self) -> &dyn Platform {
        &*self.platform
    }

    /// What faults have to keep.
    pub(crate) fn policy(&self) -> &Policy {
        &self.source.settings().chaos.policy
    }

    /// The context that calls start from: with the cancellation, without a limit of its own.
    pub(crate) fn context(&self) -> &Context {
        &self.cx
    }

    /// Reads the inventory and tells what could not be read.
    ///
    /// # Errors
    /// What a discovery can give.
    pub(crate) async fn discover(&self, selector: &Selector, output: &Output) -> Result<Discovery, Failure> {
        let discovery = self.platform.discover(&self.cx.limit(READING), selector).await?;
        tracing::info!(vms = discovery.vms.len(), "the inventory was read");
        output.problems(&discovery.problems);
        Ok(discovery)
    }

    /// Where a VM of a Dora service can be switched, in words: the command to do it, or why that is not known.
    #[cfg(feature = "dora")]
    pub(crate) async fn elsewhere(&self, vm: &VMInfo, command: &str) -> String {
        match self.source.locate(&self.cx.limit(READING), &self.platform.identity().entry, vm).await {
            Ok(located) => format!(
                "{} can do it: `chaosmonkey platforms {command} --platform {} id:{}` ({})",
                located.entry,
                located.entry,
                located.vm.id,
                located.vm.display_path()
            ),
            Err(error) => format!("which platform could do it is not known: {}", error.with_causes()),
        }
    }

    /// Logs out.
    pub(crate) async fn close(self, output: &Output) {
        close(&self.source, &self.cx, output).await;
    }
}

/// Logs out everywhere. That this failed changes nothing about what the command did, so it is only told.
pub(crate) async fn close(source: &dyn PlatformSource, cx: &Context, output: &Output) {
    if let Err(error) = source.close(&cx.detached(CLOSING)).await {
        output.warning(format_args!("logging out failed: {}", error.with_causes()));
    }
}
