//! Tests of the settings and of the platform factory.

mod dotenv;
mod layers;
mod platforms;
#[cfg(feature = "rehearsal")]
mod rehearsal;
mod secrets;
mod settings;
