//! From a login to a platform that is connected.

use std::error::Error as StdError;
use std::sync::Arc;

use chaos_core::{Context, Error, Platform};
use chaos_http::{HttpError, HttpErrorKind};
use chaos_olvm::Olvm;
use chaos_vsphere::VSphere;

use crate::connect::Login;
use crate::settings::{Names, OLVM, VSPHERE};

/// Connects and logs in to a vCenter or ESXi host.
///
/// # Errors
/// What connecting can give; if the certificate was refused, with what changed about that.
pub(crate) async fn vsphere(cx: &Context, entry: &str, login: &Login) -> Result<Arc<dyn Platform>, Error> {
    let mut config = chaos_vsphere::Config::new(login.endpoint.as_str(), &login.username, login.password.clone());
    entry.clone_into(&mut config.entry);
    config.trust = login.trust.clone();
    let connected = VSphere::connect(cx, config).await;
    connected.map(|vsphere| Arc::new(vsphere) as Arc<dyn Platform>).map_err(|error| with_hint(error, &VSPHERE))
}

/// Connects and logs in to an engine of oVirt or OLVM.
///
/// # Errors
/// As [`vsphere`].
pub(crate) async fn olvm(cx: &Context, entry: &str, login: &Login) -> Result<Arc<dyn Platform>, Error> {
    let mut config = chaos_olvm::Config::new(login.endpoint.as_str(), &login.username, login.password.clone());
    entry.clone_into(&mut config.entry);
    config.trust = login.trust.clone();
    let connected = Olvm::connect(cx, config).await;
    connected.map(|olvm| Arc::new(olvm) as Arc<dyn Platform>).map_err(|error| with_hint(error, &OLVM))
}

/// Says which settings decide about certificates, and what has changed where they went unchecked before.
fn with_hint(error: Error, names: &Names) -> Error {
    if !is_tls(&error) {
        return error;
    }
    let Names { ca_file, thumbprint, insecure, .. } = *names;
    let changed = if *insecure == *VSPHERE.insecure {
        " certificates are checked by default now (VSPHERE_INSECURE was true in the Python tool):"
    } else {
        ""
    };
    let message =
        format!("{};{changed} set {ca_file}, {thumbprint}, or {insecure}=true to go without", error.message());
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
