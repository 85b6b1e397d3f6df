//! Settings and the platform factory: from one configuration to every platform.
//!
//! * [`Sources`] says where settings come from: files, `.env`, the environment, flags. Reading them gives [`Settings`], or
//!   everything that is wrong with them, by key and place.
//! * [`SECTIONS`] is the table of all keys, which the files are checked against and the reference is made from.
//! * [`PlatformOrchestrator`] opens the platforms of the settings: each when it is first needed, and only once. It gets a
//!   password where the settings say it is, see [`SecretSource`], or from whoever can be [asked](AskPassword).
//! * [`PlatformOrchestrator::examine`] finds out how far one gets with an entry, and what to do where that ends.
//! * `RehearsalSource`, with the feature `rehearsal`, opens simulated platforms in their place.
//!
//! The credentials of the settings go only to the server of their entry, or to one that an override names. If an
//! experiment file names another server, it has to bring the credentials for it.
//!
//! Each kind of platform is a cargo feature, `vsphere`, `olvm` and `dora`, all of which are on by default. Without one its
//! settings are still understood, and opening it is an error that says so.

mod ask;
mod connect;
mod doctor;
#[cfg(feature = "dora")]
mod dora;
mod open;
mod orchestrator;
#[cfg(feature = "rehearsal")]
mod rehearsal;
mod secret;
mod settings;

pub use ask::{AskPassword, PasswordQuestion};
#[cfg(feature = "dora")]
pub use chaos_dora::{Catalogue as DoraCatalogue, Environment as DoraEnvironment, EnvironmentData, HostFilter};
pub use doctor::{Check, Checkup, Finding, Step};
#[cfg(feature = "dora")]
pub use dora::Located;
pub use orchestrator::{EntryDiscovery, PlatformOrchestrator};
#[cfg(feature = "rehearsal")]
pub use rehearsal::RehearsalSource;
pub use secret::SecretSource;
pub use settings::{
    ChaosSettings, Details, DoraSettings, Entry, EnvironmentSettings, Form, Key, Kind, SECTIONS, Section,
    ServerSettings, Settings, SettingsError, ShownValue, Sources, ValueOrigin, read_dotenv,
};
