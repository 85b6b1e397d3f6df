//! VMware vSphere (vCenter and ESXi) client for VM chaos, over the vim25 SOAP API.

#![expect(dead_code, unused_imports, reason = "the session and the power operations that use this layer follow")]

mod config;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod session;
mod soap;
mod transport;
mod vim;

pub use config::Config;
