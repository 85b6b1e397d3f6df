//! VMware vSphere (vCenter and ESXi) client for VM chaos, over the vim25 SOAP API.

#![expect(dead_code, unused_imports, reason = "the session and the power operations that use this layer follow")]

mod config;
mod discovery;
mod environment;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod inventory;
mod platform;
mod session;
mod soap;
mod transport;
mod vim;

pub use config::Config;
pub use environment::{EnvironmentReport, VSphereDiscovery};
pub use platform::VSphere;
