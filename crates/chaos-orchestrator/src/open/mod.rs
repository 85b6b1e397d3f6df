//! From a login to a platform that is connected. A kind of platform is a module here.

#[cfg(feature = "dora")]
pub(crate) mod dora;
#[cfg(feature = "olvm")]
pub(crate) mod olvm;
#[cfg(feature = "dora")]
pub(crate) mod read_only;
#[cfg(feature = "vsphere")]
pub(crate) mod vsphere;

use std::error::Error as StdError;
use std::sync::Arc;

use chaos_core::{Connection, Context, Error, ErrorKind, Platform};
use chaos_http::HttpError;

use crate::ask::Ask;
use crate::connect::{self, Login};
use crate::settings::{Details, Entry, Kind};

/// What opening an entry takes. Equal ones are the same platform.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Way {
    /// To a vCenter, an ESXi host or an engine.
    Server(Login),
    /// To a Dora service, which its entry alone describes.
    Dora,
}

impl Way {
    /// The way to `entry`, with the values that come beside the settings.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if something is missing, wrong or refused.
    pub(crate) fn to(entry: &Entry, connection: &Connection) -> Result<Self, Error> {
        match &entry.details {
            Details::VSphere(settings) | Details::Olvm(settings) => {
                connect::login(entry, settings, connection).map(Self::Server)
            }
            Details::Dora(_) if connection.is_empty() => Ok(Self::Dora),
            Details::Dora(_) => Err(Error::new(
                ErrorKind::Configuration,
                format!("`{}` is a Dora service, which takes no connection values beside the settings", entry.name),
            )),
        }
    }
}

/// Connects and logs in.
///
/// # Errors
/// What connecting can give; if the certificate was refused, with what changed about that.
pub(crate) async fn platform(cx: &Context, entry: &Entry, way: &Way, ask: &Ask) -> Result<Arc<dyn Platform>, Error> {
    let opened = match (&entry.details, way) {
        #[cfg(feature = "vsphere")]
        (Details::VSphere(_), Way::Server(login)) => vsphere::connect(cx, entry, login, ask).await,
        #[cfg(feature = "olvm")]
        (Details::Olvm(_), Way::Server(login)) => olvm::connect(cx, entry, login, ask).await,
        #[cfg(feature = "dora")]
        (Details::Dora(settings), Way::Dora) => dora::connect(cx, entry, settings, ask).await,
        _ => Err(absent(entry.kind())),
    };
    opened.map_err(|error| with_hint(error, entry))
}

/// A kind that this build cannot open.
fn absent(kind: Kind) -> Error {
    let message = format!("this build cannot speak to {kind}: build it with the cargo feature `{kind}`");
    Error::new(ErrorKind::Configuration, message)
}

/// Says which settings decide about certificates, and what has changed where they went unchecked before.
fn with_hint(error: Error, entry: &Entry) -> Error {
    if !is_about_trust(&error) {
        return error;
    }
    let changed = if entry.kind() == Kind::VSphere {
        " certificates are checked by default now (VSPHERE_INSECURE was true in the Python tool):"
    } else {
        ""
    };
    let [ca_file, thumbprint, insecure] = ["ca_file", "thumbprint", "insecure"].map(|key| entry.short(key));
    let message =
        format!("{};{changed} set {ca_file}, {thumbprint}, or {insecure}=true to go without", error.message());
    let hinted = Error::new(error.kind(), message).retry(error.retry_class());
    match error.platform_kind() {
        Some(platform) => hinted.platform(platform.clone()).caused_by(error),
        None => hinted.caused_by(error),
    }
}

fn is_about_trust(error: &(dyn StdError + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(http) = error.downcast_ref::<HttpError>() {
            // That there is no TLS at all is not mended by trusting more.
            return http.refused_certificate().is_some();
        }
        cause = error.source();
    }
    false
}
