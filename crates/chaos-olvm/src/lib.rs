//! Oracle Linux Virtualization Manager (oVirt) client for VM chaos, over the REST API v4.
//!
//! [`Olvm`] is a connected and logged-in [`Platform`](chaos_core::Platform), made from a [`Config`]. It lists VMs, looks them
//! up, and powers them on, off, reboots and suspends them, alone or many at a time through
//! [`PlatformExt`](chaos_core::PlatformExt).
//!
//! ```
//! use std::time::Duration;
//! use chaos_core::{Context, Platform, Selector};
//! use chaos_olvm::{Config, Olvm};
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! # let sim = chaos_sim::Sim::builder().olvm().start().await.unwrap();
//! # let url = sim.url();
//! let cx = Context::with_timeout(Duration::from_secs(30));
//! let olvm = Olvm::connect(&cx, Config::new(url, "chaos@internal", "chaos".into())).await?;
//! for vm in olvm.discover(&cx, &Selector::all()).await?.vms {
//!     println!("{}: {} on {}", vm.display_path(), vm.native_state, vm.host.as_deref().unwrap_or("no host"));
//! }
//! olvm.disconnect(&cx).await?;
//! # Ok::<(), chaos_core::Error>(())
//! # }).unwrap();
//! ```
//!
//! # What is peculiar to an engine
//!
//! * A graceful shutdown is one only for a VM that is `up`: in any other state the engine stops the VM hard and says nothing.
//!   So it is sent only to a VM that was just seen `up`, and never twice.
//! * A search that the engine does not understand is answered with an empty list. Searches are therefore only sent where they
//!   can be expressed safely, every answer is matched again here, and an empty one leads to a second look.
//! * `paused` counts as suspended: such a VM does not run and keeps its memory. Powering it off loses that.
//! * A success says that the VM was seen in the wanted state, which lags behind the host by some seconds. Power on is over
//!   when the VM's process runs; its guest is not waited for.
//!
//! # Inside
//!
//! From the wire upwards; each layer knows only those before it.
//!
//! * `api`: requests as values, and what is understood of the answers.
//! * `transport`: one exchange over HTTP. `session`: the login, which is renewed once when it dies, and ended.
//! * `discovery`: four requests, joined by id. `watch`: everything that waits for VMs shares one look a tick.
//! * `power`: what each power operation means here. `rights`: which of them the account may use.
//! * `platform`: the door.
//!
//! What is sent to the engine follows the oVirt Engine API reference and its API model.

mod api;
mod config;
mod discovery;
mod error;
mod platform;
mod power;
mod rights;
mod session;
mod transport;
mod watch;

pub use chaos_http::{Thumbprint, TlsTrust};
pub use config::{Config, LoginMethod, View};
pub use platform::Olvm;
