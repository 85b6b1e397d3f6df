//! Opens an engine of oVirt or Oracle Linux Virtualization Manager.

use std::sync::Arc;

use chaos_core::{Context, Error, Platform};
use chaos_olvm::{Config, Olvm};

use crate::ask::{Ask, password};
use crate::connect::Login;
use crate::settings::Entry;

/// Connects and logs in.
///
/// # Errors
/// The password cannot be got, and what connecting can give.
pub(super) async fn connect(cx: &Context, entry: &Entry, login: &Login, ask: &Ask) -> Result<Arc<dyn Platform>, Error> {
    let host = login.endpoint.host_str().unwrap_or_default();
    let password = password(cx, entry, login.password.as_ref(), (&login.username, host), ask).await?;
    let mut config = Config::new(login.endpoint.as_str(), &login.username, password);
    entry.name.clone_into(&mut config.entry);
    config.trust = login.trust.clone();
    Ok(Arc::new(Olvm::connect(cx, config).await?))
}
