//! One platform, opened through the orchestrator for the time of one command.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chaos_core::{Connection, Context, Discovery, Platform, PlatformSource, Selector};
use chaos_orchestrator::{Environment, PlatformOrchestrator, Settings, read_dotenv};
use secrecy::ExposeSecret;

use crate::failure::Failure;
use crate::output::Output;

/// How long connecting and logging in may take, and how long reading the inventory.
const READING: Duration = Duration::from_mins(5);
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
    // What comes later wins; within the file the first line does.
    Ok(file.rev().chain(process).collect())
}

/// The settings, from the environment of this process and from `.env` in the working directory.
///
/// # Errors
/// The first variable that cannot be understood.
pub(crate) fn settings() -> Result<Settings, Failure> {
    let read = || {
        let environment = Environment::from_process(std::env::vars_os())?.with_dotenv(Path::new(DOTENV))?;
        Settings::from_environment(&environment)
    };
    read().map_err(|error| Failure::usage(error.to_string()))
}

/// A platform that is connected.
pub(crate) struct Session {
    source: PlatformOrchestrator,
    platform: Arc<dyn Platform>,
    cx: Context,
}

impl Session {
    /// Reads the settings and opens the platform `name`. `cx` carries the cancellation.
    ///
    /// # Errors
    /// Settings that do not suffice, and what connecting and logging in can give.
    pub(crate) async fn open(name: &str, cx: Context) -> Result<Self, Failure> {
        let source = PlatformOrchestrator::new(settings()?);
        let platform = source.open(&cx.limit(READING), name, &Connection::default()).await?;
        tracing::info!(platform = name, server = platform.identity().description, "connected");
        Ok(Self { source, platform, cx })
    }

    /// The platform.
    pub(crate) fn platform(&self) -> &dyn Platform {
        &*self.platform
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

    /// Logs out. That this failed changes nothing about what the command did, so it is only told.
    pub(crate) async fn close(self, output: &Output) {
        if let Err(error) = self.source.close(&self.cx.detached(CLOSING)).await {
            output.warning(format_args!("logging out failed: {}", error.with_causes()));
        }
    }
}
