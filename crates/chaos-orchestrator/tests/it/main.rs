//! Tests of the settings and of the platform factory.

mod dotenv;
mod settings;
