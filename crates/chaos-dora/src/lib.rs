//! Client of the Dora inventory service: which hypervisors and VMs an environment has.
//!
//! Dora mirrors several vCenters and can be read only. [`Client`] asks it about an [`Environment`], of which the
//! [`Catalogue`] knows some by name; [`Dora`] is the VMs of one environment as a [`Platform`](chaos_core::Platform), on
//! which discoveries and lookups work, and power operations are refused as unsupported.
//!
//! ```
//! use std::time::Duration;
//! use chaos_core::Context;
//! use chaos_dora::{Catalogue, Client, Config, HostFilter};
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! # let sim = chaos_sim::Sim::builder().doors([chaos_sim::Door::Dora]).start().await.unwrap();
//! # let (host, port) = ("127.0.0.1", sim.address().port());
//! let mut config = Config::new(host, "chaos", "chaos".into());
//! (config.auth_port, config.api_port) = (port, port);
//! let client = Client::new(config)?;
//!
//! let cx = Context::with_timeout(Duration::from_secs(30));
//! let catalogue = Catalogue::builtin();
//! let data = client.environment_data(&cx, catalogue.get("Dev1")?, &HostFilter::Omit).await?;
//! println!("{} hypervisors, {} VMs", data.hypervisors.len(), data.vms.len());
//! # assert!(!data.vms.is_empty());
//! # Ok::<(), chaos_core::Error>(())
//! # }).unwrap();
//! ```
//!
//! # What is peculiar to Dora
//!
//! * Account, password and token are parts of the path of a URL. Nothing here prints a URL with them in it.
//! * It speaks plain HTTP, on two ports: one for the login, one for everything else. A front of it may add TLS, see
//!   [`Scheme`].
//! * What it knows is 30 to 60 seconds old: a VM that was just switched off is shown as on.
//! * Servers answer with an object or, older ones, with a bare list; both are understood. So are lists of names.
//! * The service has no public documentation. What is sent and understood here follows the tool that this one takes the
//!   place of.

mod catalogue;
mod client;
mod config;
mod filter;
mod inventory;
mod listing;
mod platform;
mod session;
mod wire;

pub use catalogue::{Catalogue, Environment, EnvironmentPatch};
pub use chaos_http::{Thumbprint, TlsTrust};
pub use client::Client;
pub use config::{Config, Scheme};
pub use filter::HostFilter;
pub use inventory::{EnvironmentData, Hypervisor};
pub use platform::Dora;
