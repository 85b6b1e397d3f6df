//! Opens a Dora inventory service.

use std::sync::Arc;

use chaos_core::{Context, Error, Platform};
use chaos_dora::{Catalogue, Client, Config, Dora, EnvironmentPatch, HostFilter, Scheme};

use crate::ask::{Ask, password};
use crate::connect::missing;
use crate::settings::{DoraSettings, Entry};

/// Logs in, to look at the environment that the entry names.
///
/// # Errors
/// The password cannot be got, the entry names no environment that is known, and what connecting can give.
pub(super) async fn connect(
    cx: &Context,
    entry: &Entry,
    settings: &DoraSettings,
    ask: &Ask,
) -> Result<Arc<dyn Platform>, Error> {
    let name = settings.environment.as_deref().ok_or_else(|| missing(entry, "environment", "environment"))?;
    let environment = catalogue(settings)?.get(name)?.clone();
    let config = config(cx, entry, settings, ask).await?;
    Ok(Arc::new(Dora::connect(cx, config, environment, host_filter(settings)).await?))
}

/// A client that has connected to nothing yet.
///
/// # Errors
/// The password cannot be got, or the settings cannot work.
pub(crate) async fn client(cx: &Context, entry: &Entry, settings: &DoraSettings, ask: &Ask) -> Result<Client, Error> {
    Client::new(config(cx, entry, settings, ask).await?)
}

/// The built-in environments with what the settings change about them.
///
/// # Errors
/// An environment of the settings that is new and not complete.
pub(crate) fn catalogue(settings: &DoraSettings) -> Result<Catalogue, Error> {
    let mut catalogue = Catalogue::builtin();
    for (name, environment) in &settings.environments {
        let mut patch = EnvironmentPatch::default();
        patch.vcenter.clone_from(&environment.vcenter);
        patch.pattern_path.clone_from(&environment.pattern_path);
        patch.vm_path.clone_from(&environment.vm_path);
        patch.host_filter.clone_from(&environment.host_filter);
        catalogue.set(name, patch)?;
    }
    Ok(catalogue)
}

/// The filter that the settings ask for.
pub(crate) fn host_filter(settings: &DoraSettings) -> HostFilter {
    match settings.host_filter.as_deref().map(str::parse) {
        Some(Ok(filter)) => filter,
        None => HostFilter::OfEnvironment,
    }
}

async fn config(cx: &Context, entry: &Entry, settings: &DoraSettings, ask: &Ask) -> Result<Config, Error> {
    let host = settings.host.as_deref().ok_or_else(|| missing(entry, "host", "host"))?;
    let username = settings.username.as_deref().ok_or_else(|| missing(entry, "user name", "username"))?;
    let password = password(cx, entry, settings.password.as_ref(), (username, host), ask).await?;
    let mut config = Config::new(host, username, password);
    entry.name.clone_into(&mut config.entry);
    config.scheme = if settings.tls { Scheme::Https } else { Scheme::Http };
    config.api_port = settings.api_port.unwrap_or(config.api_port);
    config.auth_port = settings.auth_port.unwrap_or(config.auth_port);
    config.trust = settings.trust.clone();
    config.timeout = settings.timeout.unwrap_or(config.timeout);
    Ok(config)
}
