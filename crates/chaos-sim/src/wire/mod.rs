//! HTTP/1.1 with the raw connection in hand, so that it can also go wrong on demand.

mod body;
mod connection;
mod fault;
mod record;
mod reply;
mod server;
mod tls;

pub use self::fault::{WireAction, WireFault};
pub use self::record::{Call, Outcome};

pub(crate) use self::body::{Body, collect, full};
pub(crate) use self::fault::Faults;
pub(crate) use self::record::{Record, Subject};
pub(crate) use self::reply::Reply;
pub(crate) use self::server::{Exchange, Listening, Reset, Service, listen};
pub(crate) use self::tls::Identity;
