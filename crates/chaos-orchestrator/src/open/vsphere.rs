//! Opens a vCenter or an ESXi host.

use std::sync::Arc;

use chaos_core::{Context, Error, Platform};
use chaos_vsphere::{Config, VSphere};

use crate::ask::{Ask, password};
use crate::connect::Login;
use crate::settings::Entry;

/// Connects and logs in.
///
/// # Errors
/// The password cannot be got, and what connecting can give.
pub(super) async fn connect(cx: &Context, entry: &Entry, login: &Login, ask: &Ask) -> Result<Arc<dyn Platform>, Error> {
    Ok(Arc::new(client(cx, entry, login, ask).await?))
}

/// The same for who has to know more of it than of any platform.
///
/// # Errors
/// As [`connect`].
pub(crate) async fn client(cx: &Context, entry: &Entry, login: &Login, ask: &Ask) -> Result<VSphere, Error> {
    let host = login.endpoint.host_str().unwrap_or_default();
    let password = password(cx, entry, login.password.as_ref(), (&login.username, host), ask).await?;
    let mut config = Config::new(login.endpoint.as_str(), &login.username, password);
    entry.name.clone_into(&mut config.entry);
    config.trust = login.trust.clone();
    VSphere::connect(cx, config).await
}
