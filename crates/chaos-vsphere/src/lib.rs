//! VMware vSphere (vCenter and ESXi) client for VM chaos, over the vim25 SOAP API.

mod config;
mod discovery;
mod environment;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod inventory;
mod platform;
mod power;
mod session;
mod soap;
mod transport;
mod vim;
mod watch;

pub use config::Config;
pub use environment::{EnvironmentReport, VSphereDiscovery};
pub use platform::VSphere;
