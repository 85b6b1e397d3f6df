//! VMware vSphere (vCenter and ESXi) client for VM chaos, over the vim25 SOAP API.
//!
//! [`VSphere`] is a connected and logged-in [`Platform`](chaos_core::Platform), made from a [`Config`]. It lists VMs,
//! looks them up, and powers them on, off, reboots and suspends them. [`VSphereDiscovery`] answers ready-made questions
//! about the environment.
//!
//! ```
//! use std::time::Duration;
//! use chaos_core::{Context, Platform};
//! use chaos_vsphere::{Config, VSphere};
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! # let sim = chaos_sim::Sim::builder().start().await.unwrap();
//! # let url = sim.url();
//! let cx = Context::with_timeout(Duration::from_secs(30));
//! let vsphere = VSphere::connect(&cx, Config::new(url, "chaos", "chaos".into())).await?;
//! for vm in vsphere.discovery().powered_on(&cx).await?.vms {
//!     println!("{} on {}", vm.display_path(), vm.host.as_deref().unwrap_or("no host"));
//! }
//! vsphere.disconnect(&cx).await?;
//! # Ok::<(), chaos_core::Error>(())
//! # }).unwrap();
//! ```
//!
//! # Inside
//!
//! From the wire upwards; each layer knows only those before it.
//!
//! * `soap`: a reader for XML that is bounded in depth, elements and bytes and takes a document chunk by chunk, the
//!   writer of envelopes, faults.
//! * `vim`: method calls as values, and what is understood of their answers.
//! * `transport`: one exchange over HTTP. `session`: the login, which is renewed once when it dies, kept alive and
//!   ended.
//! * `discovery` asks, `inventory` puts the answers together, page by page, so that no answer is ever held whole.
//! * `watch`: everything that waits for VMs and tasks shares one long poll. `power`: what each power operation means
//!   here.
//! * `platform`: the door.
//!
//! What is sent to the server follows the vSphere Web Services API reference and programming guide by VMware.

mod config;
mod discovery;
mod environment;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod inventory;
mod platform;
mod power;
mod rights;
mod session;
mod soap;
mod transport;
mod vim;
mod watch;

pub use chaos_http::{Thumbprint, TlsTrust};
pub use config::Config;
pub use environment::{EnvironmentReport, VSphereDiscovery};
pub use platform::VSphere;
