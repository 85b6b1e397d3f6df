//! Tests of the settings and of the platform factory.

mod dotenv;
mod platforms;
#[cfg(feature = "rehearsal")]
mod rehearsal;
mod settings;
