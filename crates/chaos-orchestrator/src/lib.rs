//! Settings and the platform factory: from one configuration to every platform.
//!
//! * [`Environment`] is a map of variables, from the process and from a `.env` file.
//! * [`Settings`] are what follows from it, a pure function that knows every variable and says what is wrong with it.
//! * [`PlatformOrchestrator`] opens the platforms of the settings: each when it is first needed, and only once.
//! * `RehearsalSource`, with the feature `rehearsal`, opens simulated platforms in their place.
//!
//! The credentials of the settings go only to the server of their entry, or to one that an override names. If an
//! experiment file names another server, it has to bring the credentials for it.

mod connect;
mod open;
mod orchestrator;
#[cfg(feature = "rehearsal")]
mod rehearsal;
mod settings;

pub use orchestrator::PlatformOrchestrator;
#[cfg(feature = "rehearsal")]
pub use rehearsal::RehearsalSource;
pub use settings::{Environment, ServerSettings, Settings, SettingsError, read_dotenv};
