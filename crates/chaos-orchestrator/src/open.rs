//! From a login to a platform that is connected.

use std::error::Error as StdError;
use std::sync::Arc;

use chaos_core::{Context, Error, Platform};
use chaos_http::{HttpError, HttpErrorKind};
use chaos_vsphere::{Config, VSphere};

use crate::connect::Login;

/// Connects and logs in to a vCenter or ESXi host.
///
/// # Errors
/// What connecting can give; if the certificate was refused, with what changed about that.
pub(crate) async fn vsphere(cx: &Context, entry: &str, login: &Login) -> Result<Arc<dyn Platform>, Error> {
    let connected = VSphere::connect(cx, config(entry, login)).await;
    connected.map(|vsphere| Arc::new(vsphere) as Arc<dyn Platform>).map_err(with_hint)
}

fn config(entry: &str, login: &Login) -> Config {
    let mut config = Config::new(login.endpoint.as_str(), &login.username, login.password.clone());
    entry.clone_into(&mut config.entry);
    config.trust = login.trust.clone();
    config
}

/// Says what has changed, where certificates went unchecked before.
fn with_hint(error: Error) -> Error {
    if !is_tls(&error) {
        return error;
    }
    let message = format!(
        "{}; certificates are checked by default now (VSPHERE_INSECURE was true in the Python tool): \
         set VSPHERE_CA_FILE, VSPHERE_THUMBPRINT, or VSPHERE_INSECURE=true to go without",
        error.message()
    );
    let hinted = Error::new(error.kind(), message).retry(error.retry_class());
    match error.platform_kind() {
        Some(platform) => hinted.platform(platform.clone()).caused_by(error),
        None => hinted.caused_by(error),
    }
}

fn is_tls(error: &(dyn StdError + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(http) = error.downcast_ref::<HttpError>() {
            return *http.kind() == HttpErrorKind::Tls;
        }
        cause = error.source();
    }
    false
}
